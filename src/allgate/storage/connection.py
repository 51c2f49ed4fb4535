"""What a job needs of a database, in the words of `sqlite3`: the same functions run on SQLite and on PostgreSQL.

Statements are those of `statements.sql`, with named parameters. A job is a function of a connection; it runs in one
transaction, on the thread that owns the connection, and blocks there. `sqlite3.Connection` and `sqlite.writer.Writer` are
such a connection and such a thread; `postgres.jobs` has the other two.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeAlias, TypeVar

Result = TypeVar("Result")

Row: TypeAlias = tuple[Any, ...]
"""A column's type is known by its table, not to the type checker: what `sqlite3` says of its rows, too."""


class Rows(Protocol):
    """What a statement gave. Rows are read once, in order; `rowcount`: how many it wrote."""

    @property
    def rowcount(self) -> int: ...
    @property
    def description(self) -> Sequence[Sequence[object]]:
        """The name of each column, first in its tuple."""
        ...

    def fetchone(self) -> Row | None: ...
    def fetchall(self) -> list[Row]: ...
    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """A connection inside a transaction."""

    def execute(self, sql: str, parameters: Mapping[str, object] = ..., /) -> Rows: ...
    def executemany(self, sql: str, rows: Iterable[Mapping[str, object]], /) -> Rows:
        """Once for each of the rows; `rowcount` is of all together."""
        ...


class Jobs(Protocol):
    """Who runs jobs. `submit` from any thread; the future has the result after the commit."""

    def submit(self, run: Callable[[Connection], Result]) -> "Future[Result]": ...
    def close(self) -> None:
        """Run what waits, then disconnect. Blocks."""
        ...


class Commits(Protocol):
    """Who writes in transactions that nobody waits for."""

    def commit(
        self, write: Callable[[Connection], Result], done: Callable[[Result | None, Exception | None], None]
    ) -> None:
        """A transaction of its own. `done` hears, in another thread, what `write` returned, after the commit, or what failed.

        Raises: WriterBusy.
        """
        ...


class WriterBusy(Exception):
    """Too many jobs wait, or whoever ran them is closed. Nothing was written."""


class ConstraintBroken(Exception):
    """What would be written breaks a rule of the tables. On SQLite: `sqlite3.IntegrityError`."""


class DatabaseGone(OSError):
    """The database cannot be reached, or let go of this transaction. Whether a commit under way was made is unknown; every
    job may be repeated."""


class DatabaseRefused(Exception):
    """The database answers, and says no: who we are, what it is called, what we may do, or what we asked."""
