"""Rows that are written after their request was answered: lines of the request log, and costs of the house.

The loop appends them to a list (0.1 µs), which is handed to the writer's thread once per `flush_s`; a kill loses that much of
them. A row is no charge: one that cannot be kept is counted, said and forgotten, and never delays a request. While the
database is gone they wait, up to `queue_rows_max`; beyond it they are only counted.
"""

import logging
import sqlite3
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeAlias, TypeVar

from allgate.storage.connection import DatabaseGone, WriterBusy

Row = TypeVar("Row")

Done: TypeAlias = Callable[[None, Exception | None], None]
Write: TypeAlias = Callable[[Sequence[Row], Done], None]
"""Begins to write rows; `Done` hears, in another thread, that they are committed, or why not. Raises: WriterBusy."""

RETRY_S_MIN = 0.25
"""Between two attempts to write to a database that is gone, whatever `flush_s` says."""

_GONE = (sqlite3.OperationalError, DatabaseGone, WriterBusy)

_log = logging.getLogger("allgate.storage")


class WriteBehind(Generic[Row]):
    """`append` on the loop; `close` hands over what waits."""

    def __init__(
        self, write: Write[Row], loop: AbstractEventLoop, *, flush_s: float, queue_rows_max: int
    ) -> None:
        self._write = write
        self._loop = loop
        self._flush_s = flush_s
        self._queue_rows_max = queue_rows_max
        self._rows: list[Row] = []
        self._timer: TimerHandle | None = None
        self._submitted = 0
        self._closed = False
        self.lost_total = 0

    def append(self, row: Row) -> None:
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

    def _hand_over(self, rows: list[Row]) -> None:
        self._submitted += len(rows)
        try:
            self._write(rows, partial(self._written, rows))
        except WriterBusy as error:
            self._ended(rows, error)

    def _written(self, rows: list[Row], _: None, error: Exception | None) -> None:
        """In the writer's thread."""
        if self._closed:  # the loop may be gone
            self._ended(rows, error)
        else:
            self._loop.call_soon_threadsafe(self._ended, rows, error)

    def _ended(self, rows: list[Row], error: Exception | None) -> None:
        """Rows that a database which is gone did not take are tried again; one that no database would take is lost."""
        self._submitted -= len(rows)
        if error is None:
            return
        gone = isinstance(error, _GONE)
        if gone and not self._closed:
            self._rows[:0] = rows
            if self._timer is None:
                self._timer = self._loop.call_later(max(self._flush_s, RETRY_S_MIN), self._flush)
        elif gone or len(rows) == 1:
            self._lose(rows, error)
        else:
            for row in rows:
                self._hand_over([row])

    def _lose(self, rows: list[Row], error: Exception) -> None:
        self.lost_total += len(rows)
        kind = type(rows[0]).__name__
        _log.error("rows could not be kept", extra={"kind": kind, "count": len(rows), "error": repr(error)})
