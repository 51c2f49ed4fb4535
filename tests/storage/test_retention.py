import asyncio
from pathlib import Path
from threading import Event

from allgate.core.ids import make_id
from allgate.core.value import changed
from allgate.storage.retention import DAY_MS, ROWS_PER_STEP, Retention
from allgate.storage.sqlite.writer import Writer
from storage.logged import DEADLINE_S, ROW, log_on, read


async def test_old_rows_are_deleted_step_by_step_and_new_ones_stay(writer: Writer, path: Path):
    now_ms = 1_700_000_000_000
    log = log_on(writer, queue_rows_max=10_000)
    new = make_id("req", now_ms - 29 * DAY_MS, bytes(10))
    for number in range(ROWS_PER_STEP + 5):
        old = make_id("req", now_ms - 31 * DAY_MS, number.to_bytes(10, "big"))
        log.append(changed(ROW, request_id=old, account_id=f"account{number % 3}"))
    log.append(changed(ROW, request_id=new))
    log.close()
    steps: list[int] = []
    finished = Event()
    original = writer.submit

    def submit(job):
        future = original(job)
        future.add_done_callback(
            lambda one: steps.append(one.result()) or (len(steps) == 2 and finished.set())
        )
        return future

    writer.submit = submit  # a spy on the real one
    Retention(writer, retain_days=30).start(now_ms)
    assert await asyncio.to_thread(finished.wait, DEADLINE_S)
    writer.close()
    assert steps == [ROWS_PER_STEP, 5]
    assert [row["request_id"] for row in read(path, "request_id")] == [new]


async def test_zero_days_keep_everything(writer: Writer, path: Path):
    log = log_on(writer)
    log.append(changed(ROW, request_id=make_id("req", 0, bytes(10))))
    log.close()
    Retention(writer, retain_days=0).start(10**14)
    writer.close()
    assert len(read(path)) == 1
