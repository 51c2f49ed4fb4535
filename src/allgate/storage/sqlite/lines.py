"""Lines of the request log in SQLite: any number of rows in few statements.

The line of a request that is charged is written with its charge (`postings`); the others come from the request log's own
queue.
"""

import sqlite3
from collections.abc import Sequence
from functools import partial

from allgate.core.usage import Usage
from allgate.gateway.ports import LogRow
from allgate.storage.request_log import COLUMNS, USAGE_COLUMNS, WriteLines, line_values
from allgate.storage.sqlite.rows import NOTHING, Row, RowsStatement, places
from allgate.storage.sqlite.writer import Writer

_NULLABLE = ("first_byte_ms", *Usage.__struct_fields__[:USAGE_COLUMNS], "usage_rest")
_NULLABLE_AT = tuple(map(COLUMNS.index, _NULLABLE))
_SWITCHES_AT = tuple(map(COLUMNS.index, ("passthrough", "stream", "estimated")))

_insert = RowsStatement(
    lambda count: (
        f"INSERT INTO requests ({', '.join(COLUMNS)}) VALUES {places(COLUMNS, count, _NULLABLE)} ON CONFLICT DO NOTHING"  # noqa: S608  only our own names
    )
)


def to_sqlite(writer: Writer) -> WriteLines:
    """Into the writer's queue."""
    return lambda rows, done: writer.commit(partial(write_lines, rows), done)


def write_lines(rows: Sequence[LogRow], connection: sqlite3.Connection) -> None:
    """Insert the rows; one that is there already stays as it is."""
    _insert.run(connection, [_bound(row) for row in rows])


def _bound(row: LogRow) -> Row:
    """What COLUMNS hold for a row, as `sqlite3` binds it fastest (`rows.places`)."""
    values = [*line_values(row)]
    for at in _SWITCHES_AT:
        values[at] = 1 if values[at] else 0
    for at in _NULLABLE_AT:
        if values[at] is None:
            values[at] = NOTHING
    return values
