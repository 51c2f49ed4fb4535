"""Lines of the request log on PostgreSQL: any number of rows in one statement, each column as one array."""

from collections.abc import Sequence
from functools import partial

from allgate.gateway.ports import LogRow
from allgate.storage.connection import Connection
from allgate.storage.postgres import PostgresThread
from allgate.storage.request_log import COLUMNS, WriteLines, line_values

_TYPES = {"status": "int", "attempts": "int"} | dict.fromkeys(
    ("passthrough", "stream", "estimated"), "boolean"
)
_TEXTS = (
    "request_id", "account", "key", "dialect", "operation", "model", "upstream", "upstream_model",
    "upstream_dialect", "outcome", "price", "error", "notes", "user_agent", "usage_rest",
)  # fmt: skip


def _array(column: str) -> str:
    kind = _TYPES.get(column) or ("text" if column in _TEXTS else "bigint")
    return f":{column}::{kind}[]"


INSERT = (
    f"INSERT INTO requests ({', '.join(COLUMNS)}) "  # noqa: S608  only our own names
    f"SELECT * FROM unnest({', '.join(map(_array, COLUMNS))}) ON CONFLICT DO NOTHING"
)


def to_postgres(writer: PostgresThread) -> WriteLines:
    """Into the thread's queue."""
    return lambda rows, done: writer.commit(partial(write_lines, rows), done)


def write_lines(rows: Sequence[LogRow], connection: Connection) -> None:
    """A job. A line that is there already stays as it is."""
    connection.execute(INSERT, dict(zip(COLUMNS, line_columns(rows), strict=True)))


def line_columns(rows: Sequence[LogRow]) -> list[list[object]]:
    """The parameters of INSERT, in the order of COLUMNS."""
    return [[_storable(value) for value in column] for column in zip(*map(line_values, rows), strict=True)]


def _storable(value: object) -> object:
    """PostgreSQL's text cannot hold U+0000, which a vendor's error or a client's name of itself may have."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
