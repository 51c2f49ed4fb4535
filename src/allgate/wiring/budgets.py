"""Budgets from the rows of keys and groups into the book, at start and whenever the rows change.

What was spent before a new budget is read by the writer, behind every charge that was decided until then, while the book
counts what is decided from then on: nothing is missed and nothing is counted twice. Until the answer is there, some
milliseconds, the new budget does not refuse.
"""

import asyncio
import logging
from asyncio import Task
from collections.abc import Callable
from functools import partial

from allgate.admin.price_rows import BudgetRow
from allgate.admin.records import Document
from allgate.admin.rows import ConfigError
from allgate.billing.book import Book
from allgate.billing.budgets import Budget, BudgetPlan
from allgate.core.money import NanoUsd, usd
from allgate.storage.spending import read_spent
from allgate.storage.sqlite.writer import Writer

_log = logging.getLogger("allgate.ledger")


def budget_plan(document: Document) -> BudgetPlan:
    """The budgets of what is enabled. Raises: ConfigError: no amount, or a negative one."""
    groups = {
        name: _budget(kept.record.budget, f"group {name}", f"groups.{name}")
        for name, kept in document.groups.items()
        if not kept.disabled and kept.record.budget is not None
    }
    keys = {
        name: _budget(kept.record.budget, f"key {name}", f"keys.{name}")
        for name, kept in document.keys.items()
        if not kept.disabled and kept.record.budget is not None
    }
    members = {
        group: tuple(name for name, kept in document.accounts.items() if kept.record.group == group)
        for group in groups
    }
    return BudgetPlan(keys=keys, groups=groups, members=members)


class BudgetKeeper:
    """Has the book keep the budgets of the newest rows. Lives on one loop; `flush` hands over decided charges."""

    def __init__(
        self, book: Book, flush: Callable[[], None], writer: Writer, now_ms: Callable[[], int]
    ) -> None:
        self._book = book
        self._flush = flush
        self._writer = writer
        self._now_ms = now_ms
        self._reading: set[Task[None]] = set()
        self._lock = asyncio.Lock()  # what is read for one plan is not for the next

    async def bring_in(self, plan: BudgetPlan) -> None:
        """Have these budgets in force; done when they refuse."""
        async with self._lock:
            now_ms = self._now_ms()
            if self._book.limit(plan, now_ms):
                self._flush()
                reading = self._writer.submit(partial(read_spent, now_ms))
                self._book.add_spent(await asyncio.wrap_future(reading))

    def begin(self, plan: BudgetPlan) -> None:
        """The same, in the background."""
        task = asyncio.get_running_loop().create_task(self.bring_in(plan), name="budgets")
        self._reading.add(task)
        task.add_done_callback(self._read)

    def _read(self, task: Task[None]) -> None:
        self._reading.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("new budgets do not refuse: what was spent is not known", extra={"error": repr(error)})


def _budget(row: BudgetRow, owner: str, where: str) -> Budget:
    return Budget(
        owner=owner,
        total_nano_usd=_amount(row.total, where, "budget.total"),
        daily_nano_usd=_amount(row.daily, where, "budget.daily"),
        monthly_nano_usd=_amount(row.monthly, where, "budget.monthly"),
    )


def _amount(text: str | None, where: str, key: str) -> NanoUsd | None:
    if text is None:
        return None
    try:
        amount = usd(text)
    except ValueError as error:
        raise ConfigError(where, key, str(error)) from error
    if amount < 0:
        raise ConfigError(where, key, "is negative")
    return amount
