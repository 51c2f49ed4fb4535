"""Budgets of the newest rows, on one node of many: in force at once, and what was spent before written down by each node.

What a budget has spent is by definition a sum of transfers, so any node may write it at any time: it locks the windows,
sums, and writes. A charge of a node that knows the budget is in the sum, or waits for the lock and is added. One of a node
that does not know it yet is missing, until that node learns of it, half a second later: it counts from then on, waits for
the groups that it had sent before, and sums again. So the last one to learn leaves the exact sum behind, and nobody needs
to know who that is. Until the first sum is there, some milliseconds, a new budget counts and does not know what was before.
"""

import asyncio
import logging
from asyncio import Task
from collections.abc import Callable, Sequence
from functools import partial

from allgate.billing.budgets import BudgetPlan, Spending, Spent, month_of
from allgate.storage.connection import Connection, DatabaseGone, DatabaseRefused, Jobs, WriterBusy
from allgate.storage.postgres.budgets import Limits, Scope
from allgate.storage.postgres.ledger import PostgresLedger
from allgate.storage.postgres.link import RETRY_S
from allgate.storage.spending import read_spent
from allgate.storage.sql_text import statements

_log = logging.getLogger("allgate.ledger")


class SharedBudgets:
    """Has the ledger keep the budgets of the newest rows. Lives on one loop. `writer` runs jobs on the ledger's database."""

    def __init__(self, ledger: PostgresLedger, writer: Jobs, now_ms: Callable[[], int]) -> None:
        self._ledger = ledger
        self._writer = writer
        self._now_ms = now_ms
        self._unread: tuple[Scope, ...] = ()
        self._lock = asyncio.Lock()
        self._reading: set[Task[None]] = set()  # asyncio keeps tasks only weakly

    def put_in_force(self, plan: BudgetPlan) -> None:
        """From now on they refuse and count. `read` is still to come."""
        before = self._ledger.budgets.limits
        known = {_identity(scope) for scope in (() if before is None else before.scopes)}
        limits = Limits(plan)
        self._ledger.budgets.limits = limits if limits.scopes else None
        still = {_identity(scope) for scope in self._unread}
        self._unread = tuple(
            scope for scope in limits.scopes if _identity(scope) not in known or _identity(scope) in still
        )

    async def read(self) -> None:
        """Write down what new budgets had spent. Raises: an error of the database: nothing is written."""
        async with self._lock:
            if unread := self._unread:
                await self._ledger.landed()
                reading = self._writer.submit(partial(write_spent, unread, self._now_ms()))
                await asyncio.wrap_future(reading)
                if self._unread is unread:
                    self._unread = ()

    def begin(self, plan: BudgetPlan) -> None:
        """Both, the second in the background."""
        self.put_in_force(plan)
        task = asyncio.get_running_loop().create_task(self._read(), name="budgets")
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def stop(self) -> None:
        """Nothing more is read."""
        for task in self._reading:
            task.cancel()
        if self._reading:
            await asyncio.wait(tuple(self._reading))

    async def _read(self) -> None:
        while True:
            try:
                return await self.read()
            except (DatabaseGone, DatabaseRefused, WriterBusy) as error:
                _log.error("what was spent of new budgets is not known yet", extra={"error": repr(error)})
            await asyncio.sleep(RETRY_S)


def write_spent(scopes: Sequence[Scope], now_ms: int, connection: Connection) -> None:
    """A job: the present windows of these budgets, as the transfers say, locked while they are read."""
    text = statements()
    windows = sorted(
        (scope.name, window.kind, window.start_ms, scope)
        for scope in scopes
        for window in Spending(scope.budget, now_ms).windows(now_ms)
    )
    for name, kind, start_ms, _ in windows:
        row = {"scope": name, "kind": kind, "start_ms": start_ms, "spent_nano_usd": 0}
        connection.execute(text["lock_budget_window"], row)
    spent = read_spent(now_ms, connection)
    for name, kind, start_ms, scope in windows:
        row = {"scope": name, "kind": kind, "start_ms": start_ms, "spent_nano_usd": _sum(spent, kind, scope)}
        connection.execute(text["write_budget_window"], row)
    connection.execute(text["expire_budget_windows"], {"before_ms": month_of(now_ms)[0]})


def _sum(spent: Spent, kind: str, scope: Scope) -> int:
    amounts = {"total": spent.total, "daily": spent.day, "monthly": spent.month}[kind]
    return sum(
        amount
        for (account, key_id), amount in amounts.items()
        if (account in scope.accounts if scope.key_id is None else key_id == scope.key_id)
    )


def _identity(scope: Scope) -> object:
    """What was counted for one scope is not what another has spent. Its limits may change, their kinds may not."""
    budget = scope.budget
    limits = (budget.total_nano_usd, budget.daily_nano_usd, budget.monthly_nano_usd)
    return scope.name, scope.accounts, tuple(limit is None for limit in limits)
