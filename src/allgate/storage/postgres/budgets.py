"""Budgets of many nodes: a request that has one takes a durable hold, decided in the database together with its balance.

A lease is one node's; a budget is everybody's, and a request belongs to two of them at most. So requests that have a budget
do not use leases: their hold is a row, taken under locks of the account and of the windows of its budgets. `billing.budgets`
says which windows those are, what fits, and why something does not.

    lock account, windows ──▶ spent, from their rows; held, the sum of their holds ──too much──▶ refused
                                                    ╰──▶ take the hold ──nothing available──▶ recall leases, once more

Only what is spent is kept, in `budget_windows`, moved in the transaction of the charge. What is held is not kept twice: it is
the sum of rows of `holds`, so a void, a charge, or a sweep that takes the row away has given it back (docs/decisions/0062).
"""

import asyncio
import logging
from asyncio import Task
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import asyncpg

from allgate.billing.budgets import Budget, BudgetPlan, Spending, Window
from allgate.billing.ledger import Hold, used_before
from allgate.core.errors import Refused
from allgate.core.ids import time_ms_of
from allgate.storage.connection import ConstraintBroken, DatabaseGone, DatabaseRefused
from allgate.storage.postgres import statements as sql
from allgate.storage.postgres.lease import Purse
from allgate.storage.postgres.link import Connection, Link
from allgate.storage.postgres.node import Node
from allgate.storage.postgres.teller import NO_ACCOUNT, SWEPT_MAX, Claimed, Teller, gone, too_little
from allgate.storage.spending import id_of_time

_log = logging.getLogger("allgate.ledger")


class Scope(NamedTuple):
    """A budget and whose it is: of one key (`key_id`) of one account, or of a group's accounts together."""

    name: str
    budget: Budget
    accounts: tuple[str, ...]
    key_id: str | None


class Limits:
    """The budgets in force. `of` is asked with each request, once there are any."""

    __slots__ = ("_groups", "_keys", "scopes")

    def __init__(self, plan: BudgetPlan) -> None:
        self._keys = {
            key_id: Scope(f"key:{key_id}", budget, (key_id.partition("/")[0],), key_id)
            for key_id, budget in plan.keys.items()
        }
        groups = [
            Scope(f"group:{name}", budget, plan.members.get(name, ()), None)
            for name, budget in plan.groups.items()
        ]
        self._groups = {account: scope for scope in groups for account in scope.accounts}
        self.scopes = (*groups, *self._keys.values())

    def of(self, hold: Hold) -> tuple[Scope, ...]:
        """The budgets that a request is held to: its group's, then its key's."""
        found = self._groups.get(hold.account_id), self._keys.get(hold.key_id)
        return tuple(scope for scope in found if scope is not None)


class BudgetTeller:
    """Fetches durable holds for requests that have a budget. `limits` None: no budget is in force."""

    def __init__(self, link: Link, purse: Purse, node: Node, teller: Teller) -> None:
        self.limits: Limits | None = None
        self._link = link
        self._purse = purse
        self._node = node
        self._teller = teller
        self._fetching: set[Task[None]] = set()

    async def fetch(self, hold: Hold, scopes: Sequence[Scope]) -> None:
        """Wait until the amount is set aside. Raises: Refused(BILLING | CONFLICT | OVERLOADED)."""
        fetching = asyncio.create_task(self._fetch(hold, scopes), name="budget-hold")
        self._fetching.add(fetching)
        fetching.add_done_callback(self._fetching.discard)

        def undo(task: Task[None]) -> None:
            if task.exception() is None:
                self._teller.undo(hold)

        try:
            await asyncio.shield(fetching)
        except asyncio.CancelledError:
            fetching.add_done_callback(undo)
            raise

    async def close(self) -> None:
        """Until nobody is on the way. What is not released then goes with the node."""
        if self._fetching:
            await asyncio.wait(tuple(self._fetching))

    async def _fetch(self, hold: Hold, scopes: Sequence[Scope]) -> None:
        try:
            claimed = await self._claim(hold, scopes)
            if isinstance(claimed, Refused) and await self._teller.released():
                claimed = await self._claim(
                    hold, scopes
                )  # a hold of a request that has failed was still there
            if isinstance(claimed, Claimed) and claimed.outcome == "nothing" and claimed.others:
                await self._teller.give_back(hold.account_id)
                await self._teller.recall(hold.account_id)
                claimed = await self._claim(hold, scopes)
        except DatabaseGone as error:
            self._node.lose(error)
            self._teller.release(hold)  # whether it was set aside is not known
            raise gone() from error
        except (ConstraintBroken, DatabaseRefused) as error:
            _log.error("no hold could be taken", extra={"account": hold.account_id, "error": str(error)})
            raise gone() from error
        if isinstance(claimed, Refused):
            raise claimed
        if claimed.outcome == "nothing":
            raise too_little(hold, claimed.available_nano_usd)
        self._purse.take_durably(hold)

    async def _claim(self, hold: Hold, scopes: Sequence[Scope]) -> Claimed | Refused:
        """One transaction, as long as this node is not taken for dead meanwhile."""
        for _ in range(SWEPT_MAX):
            epoch = self._node.epoch

            async def claim(connection: Connection, epoch: int = epoch) -> Claimed | Refused | None:
                try:
                    return await _held_within(connection, epoch, hold, scopes)
                except asyncpg.UniqueViolationError:
                    return used_before(hold.request_id)
                except asyncpg.ForeignKeyViolationError:
                    return None

            claimed = await self._link.use(claim)
            if claimed is not None and epoch == self._node.epoch:
                return claimed
            await self._node.swept(epoch)
        raise DatabaseRefused(f"this node was swept {SWEPT_MAX} times while it took a hold")


async def _held_within(
    connection: Connection, epoch: int, hold: Hold, scopes: Sequence[Scope]
) -> Claimed | Refused:
    """Raises: asyncpg.PostgresError: nothing is held."""
    async with connection.transaction():
        refusal = await _refusal(connection, hold, scopes)
        if refusal is not None:
            return refusal
        values = (hold.account_id, epoch, hold.amount_nano_usd, hold.request_id, hold.key_id)
        claimed = await connection.rows(Claimed, sql.HOLD, *values)
    return claimed[0] if claimed else NO_ACCOUNT


class _Spent(NamedTuple):
    scope: str
    kind: str
    spent: int


async def _refusal(connection: Connection, hold: Hold, scopes: Sequence[Scope]) -> Refused | None:
    """Lock the account and the windows. What is held is asked afterwards: a statement sees what was committed when it began."""
    at_ms = time_ms_of(hold.request_id)
    spendings = [(scope, Spending(scope.budget, at_ms)) for scope in scopes]
    found = sorted(
        ((scope, spending, window) for scope, spending in spendings for window in spending.windows(at_ms)),
        key=lambda one: _key(one[0], one[2]),
    )
    keys = [_key(scope, window) for scope, _, window in found]
    locked = await connection.rows(_Spent, sql.LOCK_WINDOWS, hold.account_id, *_columns(keys))
    spent = {(scope, kind): amount for scope, kind, amount in locked}
    held = await connection.rows(
        int,
        sql.HELD,
        [id_of_time(window.start_ms) for _, _, window in found],
        [id_of_time(window.end_ms) for _, _, window in found],
        [scope.key_id is not None for scope, _, _ in found],
        sorted({account for scope in scopes for account in scope.accounts}),
        hold.key_id,
    )
    for (scope, spending, window), amount in zip(found, held, strict=True):
        window.spent, window.held = spent.get((scope.name, window.kind), 0), amount
        if not window.has_room_for(hold.amount_nano_usd):
            return spending.refuse(window, hold)
    return None


async def count_spent(connection: Connection, limits: Limits, paid: Iterable[tuple[Hold, int]]) -> None:
    """Add what accounts paid to the windows of their budgets, inside the transaction that takes it, before the house's rows."""
    moved: dict[tuple[str, str, int], int] = {}
    for hold, amount in paid:
        for scope in limits.of(hold):
            at_ms = time_ms_of(hold.request_id)
            for window in Spending(scope.budget, at_ms).windows(at_ms):
                key = _key(scope, window)
                moved[key] = moved.get(key, 0) + amount
    if moved:
        keys = sorted(moved)
        await connection.run(sql.COUNT_SPENT, *_columns(keys), [moved[key] for key in keys])


def _key(scope: Scope, window: Window) -> tuple[str, str, int]:
    """The key of a window's row; rows are locked in its order."""
    return scope.name, window.kind, window.start_ms


def _columns(keys: Sequence[tuple[str, str, int]]) -> tuple[list[str], list[str], list[int]]:
    return [one[0] for one in keys], [one[1] for one in keys], [one[2] for one in keys]
