"""What attempts that nobody answered may have cost, booked between two accounts of the house.

One transfer for each: `unanswered:REQUEST:ATTEMPT`, from `house:unanswered` to `house:providers`. It is an estimate, so
it touches neither a client's account nor `house:revenue`, and no answer waits for it: transfers are written together,
once in FLUSH_S. A kill loses what waits, and so does a queue that is full, which is counted; while the database is gone they wait.
"""

import logging
import sqlite3
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial

from allgate.billing.book import PROVIDERS, UNANSWERED
from allgate.gateway.ports import Unanswered
from allgate.storage.connection import Connection, DatabaseGone, Jobs, WriterBusy
from allgate.storage.sql_text import statements
from allgate.storage.transfers import TRANSFER_COLUMNS, move_balances

FLUSH_S = 1.0
"""Between two transactions: a provider that is down leaves thousands of attempts without an answer in a second."""

WAITING_MAX = 10_000
"""Costs that wait for the database, 4 MB. Beyond it they are counted as lost: they are estimates, and no one's money."""

_GONE = (sqlite3.OperationalError, DatabaseGone, WriterBusy)

_log = logging.getLogger("allgate.ledger")


class HouseCosts:
    """`append` on the loop; `close` hands over what waits, and the writer's own close writes it."""

    def __init__(self, writer: Jobs, loop: AbstractEventLoop) -> None:
        self._writer = writer
        self._loop = loop
        self._costs: list[Unanswered] = []
        self._submitted = 0
        self._timer: TimerHandle | None = None
        self._closed = False
        self.lost_total = 0

    @property
    def waiting(self) -> int:
        """Costs that are not in the database yet."""
        return len(self._costs) + self._submitted

    def append(self, cost: Unanswered) -> None:
        """Book it soon. Never waits, never fails."""
        if self.waiting >= WAITING_MAX:
            self.lost_total += 1
            return
        self._costs.append(cost)
        self._schedule()

    def close(self) -> None:
        self._closed = True
        self.flush()

    def flush(self) -> None:
        """Hand over what waits now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        costs, self._costs = self._costs, []
        if not costs:
            return
        self._submitted += len(costs)
        try:
            job = self._writer.submit(partial(write_unanswered, costs))
        except WriterBusy as error:
            self._ended(costs, error)
        else:
            job.add_done_callback(partial(self._written, costs))

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(FLUSH_S, self.flush)

    def _written(self, costs: list[Unanswered], job: "Future[None]") -> None:
        """In the writer's thread."""
        if self._closed:  # the loop may be gone
            self._ended(costs, job.exception())
        else:
            self._loop.call_soon_threadsafe(self._ended, costs, job.exception())

    def _ended(self, costs: list[Unanswered], error: BaseException | None) -> None:
        self._submitted -= len(costs)
        if error is None:
            return
        if isinstance(error, _GONE) and not self._closed:
            self._costs[:0] = costs
            self._schedule()
            return
        self.lost_total += len(costs)
        _log.error("costs of the house are not booked", extra={"count": len(costs), "error": repr(error)})


def write_unanswered(costs: Sequence[Unanswered], connection: Connection) -> None:
    """A job. One that was booked before stays as it is."""
    moved = 0
    for cost in costs:
        row = (
            f"unanswered:{cost.request_id}:{cost.attempt}", "unanswered", UNANSWERED, PROVIDERS, cost.amount_nano_usd,
            cost.at_ms, cost.key_id, cost.price_id, f"no answer from {cost.upstream}; estimated",
        )  # fmt: skip
        if connection.execute(
            statements()["write_transfer"], dict(zip(TRANSFER_COLUMNS, row, strict=True))
        ).rowcount:
            moved += cost.amount_nano_usd
    if moved:
        move_balances(connection, {UNANSWERED: -moved, PROVIDERS: moved})
