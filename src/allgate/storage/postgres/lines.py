"""Lines of the request log on PostgreSQL: any number of rows in one statement, each column as one array.

The line of a request that is charged is written with its charge, in one statement (`statements.POST`); the others
come from the request log's own queue.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from allgate.gateway.ports import LogRow
from allgate.storage.connection import Connection
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.request_log import COLUMNS, WriteLines, line_values

_TEXTS = (
    "request_id", "account", "key", "dialect", "operation", "model", "upstream", "upstream_model", "upstream_dialect",
    "outcome", "price", "error", "notes", "user_agent", "usage_rest",
)  # fmt: skip
_TYPES: dict[str, str] = {
    **dict.fromkeys(_TEXTS, "text"),
    **dict.fromkeys(("status", "attempts"), "int"),
    **dict.fromkeys(("passthrough", "stream", "estimated"), "boolean"),
}
"""The rest are bigint."""


def insert_lines(places: Iterable[str], where: str = "true") -> str:
    """The statement, for parameters at these `places`. `where` sees each line as `l`. One that is there stays as it is."""
    columns = ", ".join(COLUMNS)
    arrays = ", ".join(
        f"{place}::{_TYPES.get(column, 'bigint')}[]" for place, column in zip(places, COLUMNS, strict=True)
    )
    return (
        f"INSERT INTO requests ({columns}) SELECT {columns} FROM unnest({arrays}) AS l({columns}) "  # noqa: S608  only our own names
        f"WHERE {where} ON CONFLICT DO NOTHING"
    )


def line_columns(rows: Sequence[LogRow]) -> list[list[object]]:
    """What goes to the places: the values of each column."""
    if not rows:
        return [[] for _ in COLUMNS]
    return [[_storable(value) for value in column] for column in zip(*map(line_values, rows), strict=True)]


_INSERT = insert_lines(f":{column}" for column in COLUMNS)


def to_postgres(writer: PostgresThread) -> WriteLines:
    """Into the thread's queue."""
    return lambda rows, done: writer.commit(partial(write_lines, rows), done)


def write_lines(rows: Sequence[LogRow], connection: Connection) -> None:
    """A job."""
    connection.execute(_INSERT, dict(zip(COLUMNS, line_columns(rows), strict=True)))


def _storable(value: object) -> object:
    """PostgreSQL's text cannot hold U+0000, which a vendor's error or a client's name of itself may have."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
