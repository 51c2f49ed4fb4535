"""The one thread that writes to SQLite, and its queue (ruling 21).

Everything that waits when the thread comes back from a commit goes into the next transaction: under load one fsync
serves many jobs (5-7 µs per charge in groups of a hundred, 131 µs one by one), and at rest a job waits for nobody. A
job is a function of the connection. It runs inside a savepoint, so one that fails takes nobody with it, and its result
reaches its future only after the commit: who sees a result knows that it survives a power cut. A job whose future was
cancelled while it waited is not run.
"""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Result = TypeVar("Result")

QUEUE_JOBS_MAX = 20_000
"""Jobs that may wait. At 5 µs each they are 0.1 s of work: a longer queue means that the disk is gone."""

GROUP_JOBS_MAX = 512
"""Jobs per transaction, so that the first of them waits 5 ms at most for the others."""


class WriterBusy(Exception):
    """The queue is full, or the writer is closed. Nothing was written."""


class _Job(Generic[Result]):
    __slots__ = ("future", "run")

    def __init__(self, run: Callable[[sqlite3.Connection], Result]) -> None:
        self.run = run
        self.future: Future[Result] = Future()


class Writer:
    """Owns the connection from here on. `submit` from any thread; `close` writes what waits."""

    def __init__(self, connection: sqlite3.Connection, *, queue_jobs_max: int = QUEUE_JOBS_MAX) -> None:
        self._connection = connection
        self._queue: SimpleQueue[_Job[object] | None] = SimpleQueue()
        self._queue_jobs_max = queue_jobs_max
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="sqlite-writer", daemon=True)
        self._thread.start()

    def submit(self, run: Callable[[sqlite3.Connection], Result]) -> "Future[Result]":
        """Queue a job. Its future has the result after the commit, or what the job or the commit raised.

        Raises: WriterBusy: the queue is full, or closed.
        """
        if self._closed or self._queue.qsize() >= self._queue_jobs_max:
            raise WriterBusy("the writer is closed" if self._closed else "too many writes wait for the disk")
        job = _Job(run)
        self._queue.put(job)  # pyright: ignore[reportArgumentType] -- a queue of jobs of every result
        return job.future

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

    def _work(self) -> None:
        stop = False
        while not stop:
            group, stop = self._next_group()
            if group:
                self._commit(group)
        self._connection.close()

    def _next_group(self) -> tuple[list[_Job[object]], bool]:
        """Wait for a job; take what else waits. True: the last group."""
        group: list[_Job[object]] = []
        job = self._queue.get()
        while job is not None:
            if job.future.set_running_or_notify_cancel():  # from here on it cannot be cancelled
                group.append(job)
            if len(group) == GROUP_JOBS_MAX:
                return group, False
            try:
                job = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Job[object]]) -> None:
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
