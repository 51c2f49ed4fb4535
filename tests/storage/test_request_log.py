import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import msgspec
import pytest

from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.gateway.ports import LogRow
from allgate.storage.request_log import ROWS_PER_STATEMENT, RequestLog
from allgate.storage.retention import DAY_MS, ROWS_PER_STEP, Retention
from allgate.storage.schema import open_reading, open_writing
from allgate.storage.writer import Writer

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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(open_writing(path))
    yield writer
    writer.close()


def log_on(writer: Writer, *, flush_s: float = 1_000, queue_rows_max: int = 1_000) -> RequestLog:
    return RequestLog(writer, asyncio.get_running_loop(), flush_s=flush_s, queue_rows_max=queue_rows_max)


def read(path: Path, columns: str = "*") -> list[dict[str, object]]:
    connection = open_reading(path)
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute(f"SELECT {columns} FROM requests ORDER BY request_id")]
    connection.close()
    return rows


async def test_a_row_is_kept_with_every_member(writer: Writer, path: Path):
    log = log_on(writer)
    log.append(ROW)
    log.close()
    writer.close()
    (kept,) = read(path)
    said = msgspec.structs.asdict(ROW) | {"account": "demo", "key": "demo/k", "price": "Claude@1a2b3c4d"}
    for name in ("account_id", "key_id", "price_id", "usage"):
        del said[name]
    assert {name: kept[name] for name in said} == said
    assert (kept["input_tokens"], kept["output_tokens"], kept["reasoning_tokens"]) == (10, 0, None)
    assert kept["usage_rest"] == '{"images":2,"web_search_calls":1}'
    assert kept["estimated"] == 1


async def test_usage_that_needs_no_rest_has_none(writer: Writer, path: Path):
    log = log_on(writer)
    log.append(changed(ROW, usage=Usage(input_tokens=1)))
    log.close()
    writer.close()
    assert [row["usage_rest"] for row in read(path)] == [None]


@pytest.mark.parametrize("count", [1, ROWS_PER_STATEMENT, ROWS_PER_STATEMENT + 1, 3 * ROWS_PER_STATEMENT])
async def test_every_row_of_a_batch_is_kept(writer: Writer, path: Path, count: int):
    log = log_on(writer)
    for number in range(count):
        log.append(changed(ROW, request_id=f"req_{number:04}"))
    log.close()
    writer.close()
    assert [row["request_id"] for row in read(path, "request_id")] == [f"req_{n:04}" for n in range(count)]
    assert (log.waiting, log.lost_total) == (0, 0)


async def test_a_repeated_request_id_is_the_same_request(writer: Writer, path: Path):
    log = log_on(writer)
    log.append(ROW)
    log.append(changed(ROW, status=500))
    log.close()
    writer.close()
    assert [row["status"] for row in read(path, "status")] == [200]


async def test_rows_are_handed_over_by_themselves_together(writer: Writer):
    """One wake-up of the writer's thread per flush, whatever the number of rows."""
    submitted: list[object] = []
    original, handed = writer.submit, asyncio.Event()

    def submit(job):
        submitted.append(job)
        handed.set()
        return original(job)

    writer.submit = submit  # a spy on the real one
    log = log_on(writer, flush_s=0.001)
    for number in range(10):
        log.append(changed(ROW, request_id=f"req_{number}"))
    await handed.wait()
    assert len(submitted) == 1
    log.append(ROW)
    handed.clear()
    await handed.wait()
    assert len(submitted) == 2


async def test_what_does_not_fit_is_counted_and_the_rest_is_kept(writer: Writer, path: Path):
    stay = Event()
    writer.submit(lambda _: stay.wait(DEADLINE_S))
    log = log_on(writer, queue_rows_max=3)
    for number in range(5):
        log.append(changed(ROW, request_id=f"req_{number}"))
    assert (log.waiting, log.lost_total) == (3, 2)
    stay.set()
    log.close()
    writer.close()
    assert len(read(path)) == 3


async def test_rows_that_the_database_refuses_are_counted(writer: Writer):
    log = log_on(writer)
    log.append(changed(ROW, hold_nano_usd=2**70))
    log.close()
    writer.close()
    assert (log.waiting, log.lost_total) == (0, 1)


async def test_a_closed_writer_loses_rows_and_fails_nobody(writer: Writer):
    writer.close()
    log = log_on(writer)
    log.append(ROW)
    log.close()
    assert log.lost_total == 1


async def test_old_rows_are_deleted_step_by_step_and_new_ones_stay(writer: Writer, path: Path):
    now_ms = 1_700_000_000_000
    log = log_on(writer, queue_rows_max=10_000)
    for number in range(ROWS_PER_STEP + 5):
        log.append(changed(ROW, request_id=f"old_{number:05}", started_ms=now_ms - 31 * DAY_MS))
    log.append(changed(ROW, request_id="new", started_ms=now_ms - 29 * DAY_MS))
    log.append(changed(ROW, request_id="theirs", account_id="b", started_ms=now_ms - 31 * DAY_MS))
    log.close()
    steps: list[int] = []
    finished = Event()
    original = writer.submit

    def submit(job):
        future = original(job)
        future.add_done_callback(
            lambda one: steps.append(one.result()) or (len(steps) == 3 and finished.set())
        )
        return future

    writer.submit = submit  # a spy on the real one
    Retention(writer, retain_days=30).start(("demo", "b"), now_ms)
    assert await asyncio.to_thread(finished.wait, DEADLINE_S)
    writer.close()
    assert steps == [ROWS_PER_STEP, 5, 1]
    assert [row["request_id"] for row in read(path, "request_id")] == ["new"]


async def test_zero_days_keep_everything(writer: Writer, path: Path):
    log = log_on(writer)
    log.append(changed(ROW, started_ms=0))
    log.close()
    Retention(writer, retain_days=0).start(("demo",), 10**15)
    writer.close()
    assert len(read(path)) == 1
