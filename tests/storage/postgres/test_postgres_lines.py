"""Lines of the request log on PostgreSQL are those that were appended."""

import asyncio
from collections.abc import Generator

import pytest

from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.gateway.ports import LogRow
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.postgres.lines import to_postgres, write_lines
from allgate.storage.postgres.schema import prepare
from allgate.storage.request_log import RequestLog, read_row
from allgate.storage.sql_text import statements
from postgres import Postgres

ROW = LogRow(
    request_id="req_1", started_ms=1_700_000_000_000, account_id="demo", key_id="demo/k", dialect="openai_chat",
    operation="chat", model="M", upstream="u", upstream_model="m", upstream_dialect="openai_chat", passthrough=True,
    stream=False, status=200, outcome="ok", attempts=1, duration_ms=1, first_byte_ms=None, usage=Usage(input_tokens=1),
    charged_nano_usd=2**62, hold_nano_usd=2, price_id="M@1", error="", notes="", user_agent="",
)  # fmt: skip


@pytest.fixture
def database(postgres_url: str) -> Generator[PostgresThread]:
    opened = PostgresThread(postgres_url)
    opened.submit(prepare).result()
    yield opened
    opened.close()


def kept(database: PostgresThread, request_id: str) -> LogRow | None:
    named = {"request_id": request_id, "account": "demo"}
    columns = database.submit(
        lambda connection: connection.execute(statements()["read_request"], named).fetchone()
    ).result()
    return None if columns is None else read_row(columns)


def write(database: PostgresThread, *rows: LogRow) -> None:
    database.submit(lambda connection: write_lines(rows, connection)).result()


def test_a_line_is_read_as_it_was_written(database: PostgresThread):
    full = changed(
        ROW, request_id="req_2", first_byte_ms=7, usage=Usage(output_tokens=0, images=3, estimated=True)
    )
    write(database, ROW, full)
    assert kept(database, "req_1") == ROW
    assert kept(database, "req_2") == full


def test_a_line_that_is_there_stays_as_it_is(database: PostgresThread):
    write(database, ROW)
    write(database, changed(ROW, status=500), changed(ROW, request_id="req_2"))
    assert kept(database, "req_1") == ROW
    assert kept(database, "req_2") is not None


def test_no_lines_are_no_error(database: PostgresThread):
    write(database)


def test_what_no_text_of_postgresql_can_hold_is_replaced(database: PostgresThread):
    write(database, changed(ROW, error="bad\0byte", user_agent="\0"))
    assert kept(database, "req_1") == changed(ROW, error="bad�byte", user_agent="�")


async def test_lines_wait_for_a_database_that_is_gone(postgres: Postgres):
    url = postgres.database()
    thread = PostgresThread(url, wait_s=30)
    thread.submit(prepare).result()
    log = RequestLog(to_postgres(thread), asyncio.get_running_loop(), flush_s=1_000, queue_rows_max=10)
    postgres.stop()
    log.append(ROW)
    log.flush()
    postgres.start()
    assert await asyncio.to_thread(kept, thread, "req_1") == ROW
    log.close()
    await asyncio.to_thread(thread.close)
    assert log.lost_total == 0
