"""Rows on their way to a database after the answer: together, kept while it is away, never without bound."""

import asyncio
import logging
import sqlite3
from pathlib import Path
from threading import Event

import pytest

from allgate.core.value import changed
from allgate.storage import write_behind
from allgate.storage.sqlite.writer import Writer
from allgate.storage.write_behind import WriteBehind
from storage.logged import DEADLINE_S, ROW, log_on, read


async def test_rows_are_handed_over_by_themselves_together(writer: Writer):
    """One wake-up of the writer's thread per flush, whatever the number of rows."""
    submitted: list[object] = []
    original, handed = writer.commit, asyncio.Event()

    def commit(write, done):
        submitted.append(write)
        handed.set()
        original(write, done)

    writer.commit = commit  # a spy on the real one
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


async def test_rows_wait_in_their_order_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(write_behind, "RETRY_S_MIN", 0)
    answers = [sqlite3.OperationalError("disk I/O error"), sqlite3.OperationalError("locked"), None]
    asked: list[list[int]] = []

    def write(rows, done):
        asked.append(list(rows))
        done(None, answers[len(asked) - 1])

    queue = WriteBehind[int](write, asyncio.get_running_loop(), flush_s=0, queue_rows_max=10)
    queue.append(1)
    queue.append(2)
    async with asyncio.timeout(DEADLINE_S):
        while queue.waiting:  # noqa: ASYNC110  it is tried again until it is written
            await asyncio.sleep(0)
    assert asked == [[1, 2]] * 3
    assert queue.lost_total == 0


async def test_a_row_that_no_database_takes_is_said_and_takes_no_other_with_it(
    writer: Writer, path: Path, caplog: pytest.LogCaptureFixture
):
    log = log_on(writer)
    for number, hold in enumerate((1, 2**70, 3)):
        log.append(changed(ROW, request_id=f"req_{number}", hold_nano_usd=hold))
    log.flush()
    with caplog.at_level(logging.ERROR, "allgate.storage"):
        async with asyncio.timeout(DEADLINE_S):
            while log.waiting:  # noqa: ASYNC110  they are tried again one by one
                await asyncio.sleep(0)
    assert [row["request_id"] for row in read(path, "request_id")] == ["req_0", "req_2"]
    assert log.lost_total == 1
    assert [record.getMessage() for record in caplog.records] == ["rows could not be kept"]
