"""The writer's thread. Where order matters, a job that waits for an event holds the thread."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from allgate.storage.connection import WriterBusy
from allgate.storage.sqlite.writer import Writer

DEADLINE_S = 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "t.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)")
    connection.close()
    return path


def connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(connected(path))
    yield writer
    writer.close()


def insert(number: int):
    return lambda connection: connection.execute("INSERT INTO t VALUES (?)", (number,)).lastrowid


def rows(path: Path) -> list[int]:
    connection = connected(path)
    try:
        return [number for (number,) in connection.execute("SELECT n FROM t ORDER BY n")]
    finally:
        connection.close()


class Gate:
    """A job that stays in the thread until it is let go, so that what follows waits in the queue together."""

    def __init__(self, writer: Writer) -> None:
        self._entered, self._open = threading.Event(), threading.Event()
        self.done = writer.submit(self._stay)
        assert self._entered.wait(DEADLINE_S)

    def _stay(self, _: sqlite3.Connection) -> None:
        self._entered.set()
        assert self._open.wait(DEADLINE_S)

    def release(self) -> None:
        self._open.set()


def test_a_result_is_seen_after_its_commit(writer: Writer, path: Path):
    assert writer.submit(insert(7)).result(DEADLINE_S) == 7
    assert rows(path) == [7]


def test_jobs_run_in_the_order_of_their_coming(writer: Writer, path: Path):
    gate = Gate(writer)
    seen: list[int] = []
    futures = [writer.submit(lambda _, n=n: seen.append(n)) for n in range(50)]
    gate.release()
    for future in futures:
        future.result(DEADLINE_S)
    assert seen == list(range(50))


def test_what_waits_together_is_committed_together(path: Path):
    connection = connected(path)
    said: list[str] = []
    connection.set_trace_callback(said.append)
    writer = Writer(connection)
    gate = Gate(writer)
    futures = [writer.submit(insert(n)) for n in range(100)]
    gate.release()
    for future in futures:
        future.result(DEADLINE_S)
    writer.close()
    assert said.count("COMMIT") == 2  # the gate's own, and one for the hundred


def test_a_job_that_fails_takes_nobody_with_it(writer: Writer, path: Path):
    gate = Gate(writer)
    before, again, after = (writer.submit(insert(n)) for n in (1, 1, 2))
    gate.release()
    assert (before.result(DEADLINE_S), after.result(DEADLINE_S)) == (1, 2)
    with pytest.raises(sqlite3.IntegrityError):
        again.result(DEADLINE_S)
    assert rows(path) == [1, 2]


def test_half_of_a_failed_job_is_undone(writer: Writer, path: Path):
    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (5)")
        raise ValueError("after the first half")

    with pytest.raises(ValueError, match="first half"):
        writer.submit(half).result(DEADLINE_S)
    assert rows(path) == []


def test_a_job_that_was_cancelled_while_it_waited_is_not_run(writer: Writer, path: Path):
    """A readiness check that runs out of time cancels its job; the thread must survive that."""
    gate = Gate(writer)
    cancelled, next_one = writer.submit(insert(1)), writer.submit(insert(2))
    assert cancelled.cancel()
    gate.release()
    assert next_one.result(DEADLINE_S) == 2
    assert rows(path) == [2]


def test_a_failed_commit_fails_every_job_of_its_group_and_no_other(path: Path):
    connection = connected(path)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE c (p INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)")
    writer = Writer(connection)
    gate = Gate(writer)
    good = writer.submit(insert(1))
    orphan = writer.submit(lambda connection: connection.execute("INSERT INTO c VALUES (99)"))
    gate.release()
    for future in (good, orphan):
        with pytest.raises(sqlite3.IntegrityError):
            future.result(DEADLINE_S)
    assert writer.submit(insert(2)).result(DEADLINE_S) == 2
    writer.close()
    assert rows(path) == [2]


def test_a_full_queue_refuses_and_recovers(path: Path):
    writer = Writer(connected(path), queue_jobs_max=2)
    gate = Gate(writer)
    waiting = [writer.submit(insert(n)) for n in (1, 2)]
    with pytest.raises(WriterBusy, match="wait for the disk"):
        writer.submit(insert(3))
    gate.release()
    for future in waiting:
        future.result(DEADLINE_S)
    assert writer.submit(insert(4)).result(DEADLINE_S) == 4
    writer.close()


def test_closing_writes_what_waits_and_then_refuses(path: Path):
    writer = Writer(connected(path))
    gate = Gate(writer)
    futures = [writer.submit(insert(n)) for n in range(1_000)]
    gate.release()
    writer.close()
    assert all(future.done() for future in futures)
    assert rows(path) == list(range(1_000))
    with pytest.raises(WriterBusy, match="closed"):
        writer.submit(insert(5_000))
    writer.close()
