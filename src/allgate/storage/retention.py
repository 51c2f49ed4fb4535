"""How the request log stays bounded: old rows are deleted in small steps, between which charges are written.

The rows of one account lie together by time (their index), so each step is a short walk. One thousand rows take about
5 ms, which is what another write may have to wait.
"""

import logging
from concurrent.futures import Future
from functools import partial

from allgate.storage.connection import Connection, Jobs
from allgate.storage.sql_text import statements
from allgate.storage.writer import WriterBusy

ROWS_PER_STEP = 1_000
DAY_MS = 86_400_000

_log = logging.getLogger("allgate.request_log")


class Retention:
    """`start` begins to delete what is older than `retain_days` before `now_ms`; it ends by itself."""

    def __init__(self, writer: Jobs, *, retain_days: int) -> None:
        self._writer = writer
        self._retain_days = retain_days

    def start(self, accounts: tuple[str, ...], now_ms: int) -> None:
        """Harmless while an earlier start is still at work. 0 days: nothing is ever deleted."""
        if self._retain_days:
            self._step(accounts, now_ms - self._retain_days * DAY_MS)

    def _step(self, accounts: tuple[str, ...], before_ms: int) -> None:
        if accounts:
            job = partial(_expire, accounts[0], before_ms)
            try:
                deleted = self._writer.submit(job)
            except WriterBusy:
                return  # the next start goes on
            deleted.add_done_callback(partial(self._next, accounts, before_ms))

    def _next(self, accounts: tuple[str, ...], before_ms: int, deleted: "Future[int]") -> None:
        if (error := deleted.exception()) is not None:
            _log.warning(
                "old rows of the request log could not be deleted",
                extra={"account": accounts[0], "error": repr(error)},
            )
        else:
            rest = accounts if deleted.result() == ROWS_PER_STEP else accounts[1:]
            self._step(rest, before_ms)


def _expire(account: str, before_ms: int, connection: Connection) -> int:
    parameters = {"account": account, "before_ms": before_ms, "rows_max": ROWS_PER_STEP}
    return connection.execute(statements()["expire_requests"], parameters).rowcount
