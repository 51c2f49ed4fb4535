"""asyncpg, as much of it as we use, with types: the package itself has none.

Imported only where the database is PostgreSQL: the driver takes 60 ms that a start on SQLite need not wait for.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, cast

import asyncpg

from allgate.storage.connection import ConstraintBroken, DatabaseGone, DatabaseRefused

CONNECT_S_MAX = 5.0
"""Across a continent and with TLS a connection takes 0.5 s."""

GONE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it is shutting down, or starting up
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,  # it is no longer the primary
    asyncpg.TransactionRollbackError,  # lost against another transaction: to be done again, like all of these
)
BROKEN = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)
REFUSED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.ClientConfigurationError)


class Column(Protocol):
    """A column of what a statement gives."""

    name: str


class Portal(Protocol):
    """The rows of a statement, read a few at a time, inside the transaction."""

    async def fetch(self, n: int) -> Sequence[Sequence[object]]: ...


class Prepared(Protocol):
    """A statement that the server has planned. Parameters are `$1`, `$2`…"""

    def get_attributes(self) -> tuple[Column, ...]: ...
    def get_statusmsg(self) -> str:
        """What the last run did: `INSERT 0 1`."""
        ...

    async def fetch(self, *values: object) -> Sequence[Sequence[object]]: ...
    async def cursor(self, *values: object) -> Portal: ...


class Wire(Protocol):
    """A connection. One statement at a time."""

    async def prepare(self, query: str) -> Prepared: ...
    async def execute(self, query: str, *values: object) -> str: ...
    async def fetchrow(self, query: str, *values: object) -> Sequence[object] | None: ...
    async def close(self, *, timeout: float) -> None: ...  # noqa: ASYNC109  the driver's own
    def is_closed(self) -> bool: ...
    def terminate(self) -> None:
        """Cut it, without a word."""
        ...


class _Connect(Protocol):
    async def __call__(
        self,
        dsn: str,
        *,
        timeout: float,  # noqa: ASYNC109  as above
        command_timeout: float,
        server_settings: dict[str, str],
    ) -> Wire: ...


async def connect(url: str, *, statement_s_max: float) -> Wire:
    """Raises: asyncpg's errors and OSError; see `in_our_words`."""
    opened = cast(_Connect, asyncpg.connect)  # pyright: ignore[reportUnknownMemberType] -- see above
    return await opened(
        url,
        timeout=CONNECT_S_MAX,
        command_timeout=statement_s_max,
        server_settings={"application_name": "allgate"},
    )


def in_our_words(error: Exception, *, lost: Callable[[], bool]) -> Exception:
    """DatabaseGone, ConstraintBroken or DatabaseRefused for an error of asyncpg; another error as it is. `lost`: whether
    the connection turned out to be closed, which asyncpg says in many ways."""
    if isinstance(error, BROKEN):
        return ConstraintBroken(str(error))
    if isinstance(error, GONE) or (isinstance(error, REFUSED) and lost()):
        return DatabaseGone(f"{type(error).__name__}: {error}")
    if isinstance(error, REFUSED):
        return DatabaseRefused(str(error))
    return error
