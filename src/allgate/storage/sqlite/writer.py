"""The one thread that writes to SQLite, and its queue (ruling 21).

Everything that waits when the thread comes back from a commit goes into the next transaction: under load one fsync
serves many jobs, and at rest a job waits for nobody. A job is a function of the connection. It runs inside a savepoint,
so one that fails takes nobody with it, and its result reaches its future only after the commit: who sees a result knows
that it survives a power cut. A job whose future was cancelled while it waited is not run.

Charges come in groups already, and their way is the hot one: `commit` gives each group a transaction of its own, without
savepoint and future, and calls back once (a future with its lock costs 8 µs, as much as writing a charge).
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Generic, TypeAlias, TypeVar

from allgate.storage.connection import WriterBusy

Result = TypeVar("Result")

QUEUE_JOBS_MAX = 20_000
"""Jobs that may wait. At 5 µs each they are 0.1 s of work: a longer queue means that the disk is gone."""

GROUP_JOBS_MAX = 512
"""Jobs per transaction, so that the first of them waits 5 ms at most for the others."""

_log = logging.getLogger("allgate.writer")


class _Job(Generic[Result]):
    __slots__ = ("future", "run")

    def __init__(self, run: Callable[[sqlite3.Connection], Result]) -> None:
        self.run = run
        self.future: Future[Result] = Future()


class _Group(Generic[Result]):
    __slots__ = ("done", "write")

    def __init__(
        self,
        write: Callable[[sqlite3.Connection], Result],
        done: Callable[[Result | None, Exception | None], None],
    ) -> None:
        self.write = write
        self.done = done


_Item: TypeAlias = "_Job[object] | _Group[object] | None"
"""None: there is nothing more to come."""


class Writer:
    """Owns the connection from here on. `submit` and `commit` from any thread; `close` writes what waits."""

    def __init__(self, connection: sqlite3.Connection, *, queue_jobs_max: int = QUEUE_JOBS_MAX) -> None:
        self._connection = connection
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._ahead: list[_Item] = []  # one at most, for the thread alone
        self._queue_jobs_max = queue_jobs_max
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="sqlite-writer", daemon=True)
        self._thread.start()

    def submit(self, run: Callable[[sqlite3.Connection], Result]) -> "Future[Result]":
        """Queue a job. Its future has the result after the commit, or what the job or the commit raised.

        Raises: WriterBusy: the queue is full, or closed.
        """
        self._check_room()
        job = _Job(run)
        self._queue.put(job)  # pyright: ignore[reportArgumentType] -- a queue of jobs of every result
        return job.future

    def commit(
        self,
        write: Callable[[sqlite3.Connection], Result],
        done: Callable[[Result | None, Exception | None], None],
    ) -> None:
        """Queue a transaction. `done` hears in the writer's thread what `write` returned, after the commit, or what failed.

        Raises: WriterBusy: the queue is full, or closed.
        """
        self._check_room()
        self._queue.put(_Group(write, done))  # pyright: ignore[reportArgumentType] -- as above

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return self._queue.qsize()

    def close(self) -> None:
        """Write what waits, then close the connection. Blocks; harmless when repeated."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _check_room(self) -> None:
        if self._closed or self._queue.qsize() >= self._queue_jobs_max:
            raise WriterBusy("the writer is closed" if self._closed else "too many writes wait for the disk")

    def _work(self) -> None:
        while (item := self._ahead.pop() if self._ahead else self._queue.get()) is not None:
            if isinstance(item, _Group):
                self._commit_group(item)
            elif jobs := self._jobs_from(item):
                self._commit_jobs(jobs)
        self._connection.close()

    def _jobs_from(self, first: _Job[object]) -> list[_Job[object]]:
        """The first and the jobs that wait behind it; what is taken from the queue and is none comes next."""
        jobs: list[_Job[object]] = []
        item: _Item = first
        while isinstance(item, _Job):
            if item.future.set_running_or_notify_cancel():  # from here on it cannot be cancelled
                jobs.append(item)
            if len(jobs) == GROUP_JOBS_MAX or self._queue.empty():
                return jobs
            item = self._queue.get_nowait()
        self._ahead.append(item)
        return jobs

    def _commit_group(self, group: _Group[object]) -> None:
        result, failed = None, None
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            result = group.write(self._connection)
            self._connection.execute("COMMIT")
        except Exception as error:  # whatever it is, the group hears of it and the thread goes on
            self._roll_back()
            result, failed = None, error
        try:
            group.done(result, failed)
        except Exception:
            _log.exception("nobody heard how a group ended")

    def _commit_jobs(self, group: list[_Job[object]]) -> None:
        """One transaction; then every job of the group is told how it ended."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            endings = [self._run(job) for job in group]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            endings = [partial(job.future.set_exception, error) for job in group]
        for end in endings:
            end()

    def _run(self, job: _Job[object]) -> Callable[[], None]:
        """How one job ended, to be said after the commit. One that raises is undone, and the rest goes on without it."""
        execute = self._connection.execute
        execute("SAVEPOINT job")
        try:
            result = job.run(self._connection)
        except Exception as error:
            execute("ROLLBACK TO job")
            execute("RELEASE job")
            return partial(job.future.set_exception, error)
        execute("RELEASE job")
        return partial(job.future.set_result, result)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
