"""The ledger's connections to PostgreSQL.

`Link.use` lends one for a piece of work. A piece that lost against another transaction (deadlock) is done again; and after
`DatabaseGone` nobody knows whether it was done, so whoever asks again asks for something that is harmless to repeat.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg

from allgate.storage.connection import DatabaseGone
from allgate.storage.postgres.wire import CONNECT_S_MAX, Prepared, Wire, connect, in_our_words

CONNECTIONS_MAX = 6
"""One writes charges, one keeps the leases, the others fetch money. A hundred nodes fit a server of a thousand."""

ANSWER_S_MAX = 10.0
"""No statement of ours takes a tenth of a second; one that takes this long waits for a machine that is gone."""

TRIES_MAX = 5
"""A transaction that lost five times against others meets something that is no accident."""

RETRY_S = 0.25
"""Between two attempts to reach a database that is gone: a restarted one answers after a second or two."""

Result = TypeVar("Result")
Row = TypeVar("Row")


class Connection:
    """A connection and the statements that it has planned. Rows come as values of `shape`, called with their columns."""

    __slots__ = ("_prepared", "wire")

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._prepared: dict[str, Prepared] = {}

    async def rows(self, shape: Callable[..., Row], statement: str, *values: object) -> list[Row]:
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = await self.wire.prepare(statement)
        return [shape(*columns) for columns in await prepared.fetch(*values)]

    async def run(self, statement: str, *values: object) -> None:
        """A statement without rows."""
        await self.rows(tuple, statement, *values)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[None]:
        await self.wire.execute("BEGIN")
        try:
            yield
        except asyncpg.PostgresError:
            await self.wire.execute("ROLLBACK")
            raise
        await self.wire.execute("COMMIT")


class Link:
    """At most CONNECTIONS_MAX connections, made when they are needed. Lives on one loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[Connection] = []
        self._closed = False
        self._room = asyncio.Semaphore(CONNECTIONS_MAX)

    async def use(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Do it on a connection. Raises: DatabaseGone; ConstraintBroken; DatabaseRefused."""
        async with self._room:
            for tries_left in reversed(range(TRIES_MAX)):
                connection = self._kept() or await self._connected()
                try:
                    result = await work(connection)
                except BaseException as error:
                    self._put_back(connection, sound=isinstance(error, asyncpg.PostgresError))
                    if isinstance(error, asyncpg.TransactionRollbackError) and tries_left:
                        continue
                    if isinstance(error, Exception):
                        raise in_our_words(error, lost=connection.wire.is_closed) from error
                    raise
                self._put_back(connection, sound=True)
                return result
        raise AssertionError("the last try has returned or raised")

    async def close(self) -> None:
        """Say goodbye on every connection that is idle; one that is lent out is closed when it comes back."""
        self._closed = True
        while connection := self._kept():
            try:
                await connection.wire.close(timeout=CONNECT_S_MAX)
            except Exception as error:
                if not isinstance(in_our_words(error, lost=lambda: True), DatabaseGone):
                    raise

    def _kept(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.wire.is_closed():  # as after a restart of the server
                return connection
        return None

    async def _connected(self) -> Connection:
        try:
            wire = await connect(self._url, statement_s_max=ANSWER_S_MAX)
            await wire.execute("SET synchronous_commit = on")  # whatever the server's own default is
        except Exception as error:
            raise in_our_words(error, lost=lambda: True) from error
        return Connection(wire)

    def _put_back(self, connection: Connection, *, sound: bool) -> None:
        """After an error that was not the server's own word, nobody knows what the connection is in the middle of."""
        if sound and not self._closed and not connection.wire.is_closed():
            self._idle.append(connection)
        else:
            connection.wire.terminate()
