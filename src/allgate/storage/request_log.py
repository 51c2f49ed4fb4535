"""The request log: what was asked, by whom, and how it ended; a row for each request.

The row of a request that is charged is written with its charge, in one transaction (`postings` of either store): no
crash parts the two. The rows of the others only pass through here. The loop appends them to a list (0.1 µs), which is handed
to the writer's thread once per `flush_s`; a kill loses that much of them.

A row is no charge: one that cannot be kept is counted and forgotten, and never delays a request. While the database is
gone they wait, up to `queue_rows_max`.
"""

import sqlite3
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import msgspec

from allgate.core.usage import Usage
from allgate.gateway.ports import LogRow
from allgate.storage.connection import DatabaseGone, WriterBusy

USAGE_COLUMNS = 7
"""The first fields of Usage have columns of their own; the rest shares one."""

RETRY_S_MIN = 0.25
"""Between two attempts to write to a database that is gone, whatever `flush_s` says."""

_LOG_FIELDS = LogRow.__struct_fields__
_USAGE_AT = _LOG_FIELDS.index("usage")
_REST_FIELDS = Usage.__struct_fields__[USAGE_COLUMNS:-1]
_NO_REST = (None,) * len(_REST_FIELDS)
_RENAMED = {"account_id": "account", "key_id": "key", "price_id": "price"}

COLUMNS = (
    *(_RENAMED.get(field, field) for field in _LOG_FIELDS if field != "usage"),
    *Usage.__struct_fields__[:USAGE_COLUMNS],
    "usage_rest",
    "estimated",
)

Done: TypeAlias = Callable[[None, Exception | None], None]
WriteLines: TypeAlias = Callable[[Sequence[LogRow], Done], None]
"""Begins to write rows; `Done` hears, in another thread, that they are committed, or why not. Raises: WriterBusy."""


class RequestLog:
    """`append` on the loop; `close` hands over what waits."""

    def __init__(
        self, write: WriteLines, loop: AbstractEventLoop, *, flush_s: float, queue_rows_max: int
    ) -> None:
        self._write = write
        self._loop = loop
        self._flush_s = flush_s
        self._queue_rows_max = queue_rows_max
        self._rows: list[LogRow] = []
        self._timer: TimerHandle | None = None
        self._submitted = 0
        self._closed = False
        self.lost_total = 0

    def append(self, row: LogRow) -> None:
        """Keep the row, or count it as lost. Never waits, never fails."""
        if self.waiting >= self._queue_rows_max:
            self.lost_total += 1
            return
        self._rows.append(row)
        if self._timer is None:
            self._timer = self._loop.call_later(self._flush_s, self._flush)

    @property
    def waiting(self) -> int:
        """Rows that are not in the database yet."""
        return len(self._rows) + self._submitted

    def close(self) -> None:
        """Hand over what waits; the writer's own close writes it, or loses it."""
        self._closed = True
        self.flush()

    def flush(self) -> None:
        """Hand over what waits now."""
        if self._timer is not None:
            self._timer.cancel()
            self._flush()

    def _flush(self) -> None:
        self._timer = None
        rows, self._rows = self._rows, []
        self._hand_over(rows)

    def _hand_over(self, rows: list[LogRow]) -> None:
        self._submitted += len(rows)
        try:
            self._write(rows, partial(self._written, rows))
        except WriterBusy as error:
            self._ended(rows, error)

    def _written(self, rows: list[LogRow], _: None, error: Exception | None) -> None:
        """In the writer's thread."""
        if self._closed:  # the loop may be gone
            self._ended(rows, error)
        else:
            self._loop.call_soon_threadsafe(self._ended, rows, error)

    def _ended(self, rows: list[LogRow], error: Exception | None) -> None:
        """Rows that a database which is gone did not take are tried again; one that no database would take is lost."""
        self._submitted -= len(rows)
        if error is None:
            return
        gone = isinstance(error, (sqlite3.OperationalError, DatabaseGone, WriterBusy))
        if gone and not self._closed:
            self._rows[:0] = rows
            if self._timer is None:
                self._timer = self._loop.call_later(max(self._flush_s, RETRY_S_MIN), self._flush)
        elif gone or len(rows) == 1:
            self.lost_total += len(rows)
        else:
            for row in rows:
                self._hand_over([row])


def line_values(row: LogRow) -> Sequence[object]:
    """What COLUMNS hold for a row."""
    fields = msgspec.structs.astuple(row)
    usage = msgspec.structs.astuple(row.usage)
    rest = usage[USAGE_COLUMNS:-1]
    return (
        *fields[:_USAGE_AT],
        *fields[_USAGE_AT + 1 :],
        *usage[:USAGE_COLUMNS],
        None if rest == _NO_REST else _rest_json(rest),
        usage[-1],
    )


def read_row(columns: Sequence[object]) -> LogRow:
    """A row as it was appended."""
    plain = [*columns[: -USAGE_COLUMNS - 2]]
    plain.insert(_USAGE_AT, None)
    fields = dict(zip(_LOG_FIELDS, plain, strict=True))
    usage = read_usage(columns[-USAGE_COLUMNS - 2 :])
    switches = {name: bool(fields[name]) for name in ("passthrough", "stream")}
    return msgspec.convert(fields | switches | {"usage": usage}, LogRow)


def read_usage(columns: Sequence[object]) -> Usage:
    """The usage of a row, from the columns that hold it."""
    *counts, rest, estimated = columns
    fields = dict(zip(Usage.__struct_fields__, counts, strict=False))
    if isinstance(rest, str):
        fields |= msgspec.json.decode(rest, type=dict[str, int | str])
    return msgspec.convert(fields | {"estimated": bool(estimated)}, Usage)


def _rest_json(rest: tuple[object, ...]) -> str:
    reported = {name: count for name, count in zip(_REST_FIELDS, rest, strict=True) if count is not None}
    return msgspec.json.encode(reported).decode()
