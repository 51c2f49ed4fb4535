"""PostgreSQL for jobs: one thread, one connection, one job after another, each in a transaction of its own.

Charges go another way (`ledger`): they are many, and the loop waits for them. All else is rare (a command, a
flush of the request log, a report) and stays what it is on SQLite: a function of a connection that blocks, with the
statements of `storage/statements.sql`. asyncpg runs on a loop of this thread's own, and its errors end here.

A connection that was lost is made anew and the job repeated, for as long as `wait_s`: a command asks once, a server
waits out a restart of the database, so that no row of its log is lost. That is why every job must bear repetition.
"""

import asyncio
import logging
import re
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import cache
from queue import SimpleQueue
from typing import TypeAlias, TypeVar

from allgate.storage.connection import DatabaseGone, DatabaseRefused, Row, WriterBusy
from allgate.storage.postgres.wire import CONNECT_S_MAX, Portal, Prepared, Wire, connect, in_our_words

Result = TypeVar("Result")

STATEMENT_S_MAX = 60.0
"""A statement that is still silent then has lost its database. A report over ten million charges takes half of it."""

RETRY_S = 0.25
"""Between two attempts to reach the database: a restarted one answers after a second or two."""

ROWS_AT_ONCE = 1_000
"""Read in one turn; a row of the request log is 500 bytes."""

QUEUE_JOBS_MAX = 1_000
"""Jobs that may wait: a minute of the log's flushes, three times over."""

_log = logging.getLogger("allgate.postgres")


class PostgresThread:
    """A `storage.connection.Jobs`. `reading`: its jobs see one moment of the database, and cannot write."""

    def __init__(
        self,
        url: str,
        *,
        wait_s: float = 0.0,
        reading: bool = False,
        statement_s_max: float = STATEMENT_S_MAX,
    ) -> None:
        self._url = url
        self._statement_s_max = statement_s_max
        self.wait_s = wait_s
        self._reading = reading
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._closing = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._connection: PostgresConnection | None = None
        name = "postgres-reader" if reading else "postgres-writer"
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, run: "Callable[[PostgresConnection], Result]") -> "Future[Result]":
        """Queue a job. Its future has the result after the commit, or DatabaseGone, DatabaseRefused, ConstraintBroken, or
        what the job raised.

        Raises: WriterBusy: the queue is full, or closed.
        """
        if self._closing.is_set() or self._queue.qsize() >= QUEUE_JOBS_MAX:
            raise WriterBusy(
                "the database is closed" if self._closing.is_set() else "too many jobs wait for the database"
            )
        future: Future[Result] = Future()
        self._queue.put(lambda: self._do(run, future))
        return future

    def commit(
        self,
        write: "Callable[[PostgresConnection], Result]",
        done: "Callable[[Result | None, Exception | None], None]",
    ) -> None:
        """The same for who wants no future: `done` hears the result or the error in this thread. Raises: WriterBusy."""

        def tell(future: "Future[Result]") -> None:
            error = future.exception()
            done(future.result() if error is None else None, error if isinstance(error, Exception) else None)

        self.submit(write).add_done_callback(tell)

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return self._queue.qsize()

    def close(self) -> None:
        """Run what waits, without patience for a database that is gone; then disconnect. Harmless when repeated."""
        if not self._closing.is_set():
            self._closing.set()
            self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            job()
        self._disconnect()
        self._loop.close()

    def _do(self, run: "Callable[[PostgresConnection], Result]", future: "Future[Result]") -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = self._patiently(run)
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    def _patiently(self, run: "Callable[[PostgresConnection], Result]") -> Result:
        """Run the job; again if the connection turns out to be lost, at once if it was an old one."""
        until = time.monotonic() + self.wait_s
        while True:
            old = self._connection is not None
            try:
                return self._in_transaction(run)
            except DatabaseGone as error:
                self._disconnect()
                if not old:
                    if self._closing.is_set() or time.monotonic() >= until:
                        raise
                    _log.warning("the database cannot be reached", extra={"error": str(error)})
                    self._closing.wait(RETRY_S)

    def _in_transaction(self, run: "Callable[[PostgresConnection], Result]") -> Result:
        if self._connection is None:
            self._connection = PostgresConnection(self._loop, self._url, self._statement_s_max)
        connection = self._connection
        connection.begin(reading=self._reading)
        try:
            result = run(connection)
            connection.commit()
        except BaseException:
            connection.roll_back()
            raise
        return result

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresConnection:
    """A `storage.connection.Connection`: asyncpg, one step after another. Lives on one thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, url: str, statement_s_max: float) -> None:
        """Raises: DatabaseGone; DatabaseRefused: unknown user or database, or no URL."""
        self._loop = loop
        self._statements: dict[str, Prepared] = {}
        self._wire: Wire | None = None
        try:
            self._wire = self._step(connect(url, statement_s_max=statement_s_max))
        except ValueError as error:  # it would quote the URL, password included
            raise DatabaseRefused(
                "this URL cannot be read; postgresql://USER:PASSWORD@HOST:PORT/NAME can"
            ) from error
        self.script("SET synchronous_commit = on")  # whatever the server's own default is

    def execute(self, sql: str, parameters: Mapping[str, object] = {}, /) -> "PostgresRows":
        """Raises: DatabaseGone, DatabaseRefused, ConstraintBroken."""
        text, names = numbered(sql)
        return self._step(self._executed(text, [_storable(parameters[name]) for name in names]))

    def executemany(self, sql: str, rows: Iterable[Mapping[str, object]], /) -> "PostgresRows":
        """Raises: as `execute`."""
        return PostgresRows(self._step, (), None, sum(self.execute(sql, row).rowcount for row in rows))

    def script(self, sql: str) -> None:
        """Run several statements without parameters."""
        self._step(self._open.execute(sql))

    def begin(self, *, reading: bool) -> None:
        self.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if reading else "BEGIN")

    def commit(self) -> None:
        self.script("COMMIT")

    def roll_back(self) -> None:
        """As far as there is still somebody to ask."""
        try:
            self.script("ROLLBACK")
        except (DatabaseGone, DatabaseRefused):
            self._open.terminate()

    def close(self) -> None:
        try:
            self._step(self._open.close(timeout=CONNECT_S_MAX))
        except (DatabaseGone, DatabaseRefused):
            self._open.terminate()

    @property
    def _open(self) -> Wire:
        assert self._wire is not None  # or the constructor would have raised
        return self._wire

    async def _executed(self, text: str, values: Sequence[object]) -> "PostgresRows":
        statement = self._statements.get(text)
        if statement is None:
            statement = self._statements[text] = await self._open.prepare(text)
        if columns := tuple((column.name,) for column in statement.get_attributes()):
            return PostgresRows(self._step, columns, await statement.cursor(*values))
        await statement.fetch(*values)
        return PostgresRows(self._step, (), None, _count(statement.get_statusmsg()))

    def _step(self, step: Coroutine[object, object, Result]) -> Result:
        """Do it now, and say errors in our words."""
        try:
            return self._loop.run_until_complete(step)
        except Exception as error:
            raise in_our_words(error, lost=self._lost) from error

    def _lost(self) -> bool:
        return self._wire is not None and self._wire.is_closed()


Step: TypeAlias = Callable[
    [Coroutine[object, object, Sequence[Sequence[object]]]], Sequence[Sequence[object]]
]


class PostgresRows:
    """A `storage.connection.Rows`: read from the server a thousand at a time."""

    def __init__(
        self,
        step: Step,
        description: tuple[tuple[str], ...],
        portal: Portal | None,
        rowcount: int = -1,
    ) -> None:
        self.description = description
        self.rowcount = rowcount
        self._step = step
        self._portal = portal

    def fetchone(self) -> Row | None:
        rows = self._fetched(1)
        return rows[0] if rows else None

    def fetchall(self) -> list[Row]:
        return list(self)

    def __iter__(self) -> Iterator[Row]:
        while rows := self._fetched(ROWS_AT_ONCE):
            yield from rows

    def _fetched(self, count: int) -> list[Row]:
        if self._portal is None:
            return []
        return [tuple(row) for row in self._step(self._portal.fetch(count))]


@cache
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$1` for its first parameter's name, and the names in that order."""
    names: list[str] = []

    def place(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:  # a quoted text
            return match[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return re.sub(r"'[^']*'|(?<!:):(\w+)", place, sql), tuple(names)


def _storable(value: object) -> object:
    """PostgreSQL's text cannot hold U+0000. None of ours has one; an id in a URL or a vendor's error may."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _count(status: str) -> int:
    """The rows of `INSERT 0 1`."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else -1
