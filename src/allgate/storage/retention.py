"""How the request log stays bounded: old rows are deleted in small steps, between which charges are written.

Ids of requests begin with the time of their admission (`core.ids`), so the oldest rows lie together, at the beginning. One
thousand of them take about 5 ms, which is what another write may have to wait.
"""

import logging
from concurrent.futures import Future
from functools import partial

from allgate.storage.connection import Connection, Jobs, WriterBusy
from allgate.storage.sql_text import statements

ROWS_PER_STEP = 1_000
DAY_MS = 86_400_000

_log = logging.getLogger("allgate.request_log")


class Retention:
    """`start` begins to delete what is older than `retain_days` before `now_ms`; it ends by itself."""

    def __init__(self, writer: Jobs, *, retain_days: int) -> None:
        self._writer = writer
        self._retain_days = retain_days

    def start(self, now_ms: int) -> None:
        """Harmless while an earlier start is still at work. 0 days: nothing is ever deleted."""
        if self._retain_days:
            self._step(now_ms - self._retain_days * DAY_MS)

    def _step(self, before_ms: int) -> None:
        try:
            deleted = self._writer.submit(partial(_expire, before_ms))
        except WriterBusy:
            return  # the next start goes on
        deleted.add_done_callback(partial(self._next, before_ms))

    def _next(self, before_ms: int, deleted: "Future[int]") -> None:
        if (error := deleted.exception()) is not None:
            _log.warning("old rows of the request log could not be deleted", extra={"error": repr(error)})
        elif deleted.result() == ROWS_PER_STEP:
            self._step(before_ms)


def _expire(before_ms: int, connection: Connection) -> int:
    named = {"from_id": "req_", "before_id": f"req_{before_ms:012x}", "rows_max": ROWS_PER_STEP}
    return connection.execute(statements()["expire_requests"], named).rowcount
