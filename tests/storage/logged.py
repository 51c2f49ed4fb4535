"""A row of the request log, and a log on a real database."""

import asyncio
import sqlite3
from pathlib import Path

from allgate.core.usage import Usage
from allgate.gateway.ports import LogRow
from allgate.storage.request_log import RequestLog
from allgate.storage.sqlite.lines import to_sqlite
from allgate.storage.sqlite.schema import open_reading
from allgate.storage.sqlite.writer import Writer

DEADLINE_S = 20

ROW = LogRow(
    request_id="req_0",
    started_ms=1_700_000_000_000,
    account_id="demo",
    key_id="demo/k",
    dialect="openai_chat",
    operation="chat",
    model="Claude",
    upstream="a",
    upstream_model="claude-x",
    upstream_dialect="anthropic",
    passthrough=False,
    stream=True,
    status=200,
    outcome="ok",
    attempts=1,
    duration_ms=120,
    first_byte_ms=None,
    usage=Usage(input_tokens=10, output_tokens=0, images=2, web_search_calls=1, estimated=True),
    charged_nano_usd=2**62,
    hold_nano_usd=7,
    price_id="Claude@1a2b3c4d",
    error="",
    notes="dropped seed",
    user_agent="tëst/1",
)


def log_on(writer: Writer, *, flush_s: float = 1_000, queue_rows_max: int = 1_000) -> RequestLog:
    return RequestLog(
        to_sqlite(writer), asyncio.get_running_loop(), flush_s=flush_s, queue_rows_max=queue_rows_max
    )


def read(path: Path, columns: str = "*") -> list[dict[str, object]]:
    connection = open_reading(path)
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute(f"SELECT {columns} FROM requests ORDER BY request_id")]
    connection.close()
    return rows
