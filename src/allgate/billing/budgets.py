"""Budgets: the most that a key, or the accounts of a group together, may spend in all, in a day, in a month.

A budget is checked in the same step as the balance: what a window has spent, what is held in it, and the new hold
together stay within its limit, or nothing is held. When the hold ends, its charge takes its place. An overage above a hold
is posted all the same, so a window may end above its limit by that much, and takes nothing more.

A request belongs to the day and the month of its admission (UTC), which its id tells, whenever it ends: so what is spent
can be read again from the transfers, and a restart changes nothing. Corrections and debits are not spending.

    arrange(plan) ──▶ counting, not yet refusing ──add_spent (read from the transfers)──▶ refusing

The book keeps one `AccountBudgets` with each account that has any; an account without has none, and costs one test.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from allgate.billing.ledger import Hold
from allgate.core.errors import ErrorKind, Refused, refused
from allgate.core.ids import time_ms_of
from allgate.core.money import NanoUsd, usd_text
from allgate.core.value import Value

DAY_MS = 86_400_000

END_MS = (1 << 48) - 1
"""When a total ends: the last moment that an id can tell."""

Kind: TypeAlias = Literal["total", "daily", "monthly"]


class Budget(Value, frozen=True, kw_only=True):
    """Limits in nano-USD; None: none. `owner` is for messages: "key demo/ci"."""

    owner: str
    total_nano_usd: NanoUsd | None = None
    daily_nano_usd: NanoUsd | None = None
    monthly_nano_usd: NanoUsd | None = None


class BudgetPlan(Value, frozen=True, kw_only=True):
    """Whose budgets are in force: by key id, and by group; `members` are the accounts of each group that has one."""

    keys: dict[str, Budget] = {}
    groups: dict[str, Budget] = {}
    members: dict[str, tuple[str, ...]] = {}


class Spent(Value, frozen=True, kw_only=True):
    """What the transfers say was spent before, by account and key: in all, on the day, in the month."""

    total: Mapping[tuple[str, str], int]
    day: Mapping[tuple[str, str], int]
    month: Mapping[tuple[str, str], int]


class Window:
    """One limit over one stretch of time, the one that `at_ms` lies in. Amounts in nano-USD."""

    __slots__ = ("end_ms", "held", "kind", "limit", "spent", "start_ms")

    def __init__(self, kind: Kind, limit: int, at_ms: int) -> None:
        self.kind: Kind = kind
        self.limit = limit
        self.start_ms, self.end_ms = _stretch(kind, at_ms)
        self.spent = self.held = 0

    def has_room_for(self, amount: int) -> bool:
        """What is spent, what is held and this together are within the limit."""
        return self.spent + self.held + amount <= self.limit


class Spending:
    """One budget and its windows. `refusing`: what was spent before it began is known."""

    __slots__ = ("_windows", "budget", "refusing")

    def __init__(self, budget: Budget, now_ms: int) -> None:
        self.budget = budget
        self.refusing = False
        self._windows = [Window(kind, limit, now_ms) for kind, limit in limits_of(budget).items()]

    def change(self, budget: Budget) -> None:
        """Other limits of the same kinds."""
        self.budget = budget
        limits = limits_of(budget)
        for window in self._windows:
            window.limit = limits[window.kind]

    def windows(self, at_ms: int) -> list[Window]:
        """Those that a request admitted then belongs to. One from before the present window counts in no such window."""
        for place, window in enumerate(self._windows):
            if at_ms >= window.end_ms:
                self._windows[place] = Window(window.kind, window.limit, at_ms)
        return [window for window in self._windows if at_ms >= window.start_ms]

    def add_spent(self, total: int, day: int, month: int) -> None:
        """What was spent before counting began."""
        amounts: dict[Kind, int] = {"total": total, "daily": day, "monthly": month}
        for window in self._windows:
            window.spent += amounts[window.kind]
        self.refusing = True

    def refuse(self, window: Window, hold: Hold) -> Refused:
        """Why this hold cannot be taken."""
        again = "Ask the operator of this gateway to raise it."
        if window.kind != "total":
            again = f"It begins anew at {_utc(window.end_ms)}."
        return refused(
            ErrorKind.BILLING,
            f"The {window.kind} budget of the {self.budget.owner} is ${usd_text(window.limit)}: ${usd_text(window.spent)} is "
            f"spent and ${usd_text(window.held)} held, and this request may cost up to ${usd_text(hold.amount_nano_usd)}. {again}",
            code="insufficient_quota",
        )


class AccountBudgets:
    """The budgets that an account's requests are held to: those of its keys, and that of its group."""

    __slots__ = ("_group", "_keys", "_open")

    def __init__(self) -> None:
        self._keys: dict[str, Spending] = {}
        self._group: Spending | None = None
        self._open: dict[str, list[Window]] = {}

    def bind(self, keys: dict[str, Spending], group: Spending | None) -> None:
        """Which budgets are in force from now on."""
        self._keys, self._group = keys, group

    def take(self, hold: Hold) -> None:
        """Count the hold in every window of its budgets. Raises: Refused(BILLING): one of them would not hold it."""
        taken: list[Window] = []
        at_ms = time_ms_of(hold.request_id)
        for spending in self._of(hold.key_id):
            for window in spending.windows(at_ms):
                if spending.refusing and not window.has_room_for(hold.amount_nano_usd):
                    raise spending.refuse(window, hold)
                taken.append(window)
        for window in taken:
            window.held += hold.amount_nano_usd
        self._open[hold.request_id] = taken

    def count_open(self, holds: Iterable[Hold]) -> None:
        """Holds that were taken before these budgets were in force count as held from now on."""
        for hold in holds:
            counted = self._open.setdefault(hold.request_id, [])
            for spending in self._of(hold.key_id):
                for window in spending.windows(time_ms_of(hold.request_id)):
                    if all(window is not other for other in counted):
                        window.held += hold.amount_nano_usd
                        counted.append(window)

    def settle(self, hold: Hold, paid: int) -> None:
        """The hold has ended: what the account paid takes its place."""
        for window in self._open.pop(hold.request_id):
            window.held -= hold.amount_nano_usd
            window.spent += paid

    def take_back(self, hold: Hold, paid: int) -> None:
        """A charge that nobody keeps was not spent."""
        for spending in self._of(hold.key_id):
            for window in spending.windows(time_ms_of(hold.request_id)):
                window.spent -= paid

    def _of(self, key_id: str) -> list[Spending]:
        found = [] if self._group is None else [self._group]
        if (own := self._keys.get(key_id)) is not None:
            found.append(own)
        return found


class Budgets:
    """Every budget in force. `arrange` says which accounts have which."""

    __slots__ = ("_spendings",)

    def __init__(self) -> None:
        self._spendings: dict[tuple[str, ...], Spending] = {}

    def arrange(
        self, plan: BudgetPlan, now_ms: int
    ) -> dict[str, tuple[dict[str, Spending], Spending | None]]:
        """The budgets of each account that has any: by key, and of its group.

        Those that were in force before go on counting. New ones (a group with other members is one) only count until
        `add_spent`.
        """
        old, self._spendings = self._spendings, {}
        accounts: dict[str, tuple[dict[str, Spending], Spending | None]] = {}
        for group, budget in plan.groups.items():
            members = plan.members.get(group, ())
            spending = self._kept(old, ("group", group, *members), budget, now_ms)
            accounts |= {account: ({}, spending) for account in members}
        for key_id, budget in plan.keys.items():
            account = key_id.partition("/")[0]
            spending = self._kept(old, ("key", key_id), budget, now_ms)
            accounts.setdefault(account, ({}, None))[0][key_id] = spending
        return accounts

    @property
    def unread(self) -> bool:
        """Some budgets do not know yet what was spent before them."""
        return any(not spending.refusing for spending in self._spendings.values())

    def add_spent(self, spent: Spent) -> None:
        """From now on the new ones refuse, too."""
        for (kind, name, *members), spending in self._spendings.items():
            if spending.refusing:
                continue
            sums = [
                sum(
                    amount
                    for (account, key_id), amount in window.items()
                    if (key_id == name if kind == "key" else account in members)
                )
                for window in (spent.total, spent.day, spent.month)
            ]
            spending.add_spent(*sums)

    def _kept(
        self, old: dict[tuple[str, ...], Spending], scope: tuple[str, ...], budget: Budget, now_ms: int
    ) -> Spending:
        spending = old.get(scope)
        if spending is None or limits_of(spending.budget).keys() != limits_of(budget).keys():
            spending = Spending(budget, now_ms)
        else:
            spending.change(budget)
        self._spendings[scope] = spending
        return spending


def month_of(at_ms: int) -> tuple[int, int]:
    """The first millisecond of the month, and of the next one; UTC."""
    day = datetime.fromtimestamp(at_ms / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
    return int(day.timestamp()) * 1000, int(following.timestamp()) * 1000


def limits_of(budget: Budget) -> dict[Kind, int]:
    """Its limits by their kind."""
    limits: dict[Kind, NanoUsd | None] = {
        "total": budget.total_nano_usd,
        "daily": budget.daily_nano_usd,
        "monthly": budget.monthly_nano_usd,
    }
    return {kind: limit for kind, limit in limits.items() if limit is not None}


def _stretch(kind: Kind, at_ms: int) -> tuple[int, int]:
    """The first millisecond of the window, and of the next one; UTC."""
    if kind == "total":
        return 0, END_MS
    if kind == "monthly":
        return month_of(at_ms)
    start_ms = at_ms - at_ms % DAY_MS
    return start_ms, start_ms + DAY_MS


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
