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

from allgate.billing.ledger import Hold
from allgate.core.errors import ErrorKind, refused
from allgate.core.ids import time_ms_of
from allgate.core.money import NanoUsd, usd_text
from allgate.core.value import Value

DAY_MS = 86_400_000


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
    """One limit over one stretch of time. Amounts in nano-USD."""

    __slots__ = ("held", "limit", "spent", "start_ms")

    def __init__(self, limit: int, start_ms: int) -> None:
        self.limit, self.start_ms = limit, start_ms
        self.spent = self.held = 0


class Spending:
    """One budget and its windows. `refusing`: what was spent before it began is known."""

    __slots__ = ("_day", "_month", "_month_end_ms", "_total", "budget", "refusing")

    def __init__(self, budget: Budget, now_ms: int) -> None:
        self.budget = budget
        self.refusing = False
        start_ms, self._month_end_ms = month_of(now_ms)
        self._total = _window(budget.total_nano_usd, 0)
        self._day = _window(budget.daily_nano_usd, now_ms - now_ms % DAY_MS)
        self._month = _window(budget.monthly_nano_usd, start_ms)

    def change(self, budget: Budget) -> None:
        """Other limits of the same kinds."""
        self.budget = budget
        for window, limit in (
            (self._total, budget.total_nano_usd),
            (self._day, budget.daily_nano_usd),
            (self._month, budget.monthly_nano_usd),
        ):
            if window is not None and limit is not None:
                window.limit = limit

    def windows(self, at_ms: int) -> list[Window]:
        """Those that a request admitted then belongs to. One from before the present window counts in no such window."""
        found = [] if self._total is None else [self._total]
        if self._day is not None:
            start_ms = at_ms - at_ms % DAY_MS
            if start_ms > self._day.start_ms:
                self._day = Window(self._day.limit, start_ms)
            if start_ms == self._day.start_ms:
                found.append(self._day)
        if self._month is not None:
            if at_ms >= self._month_end_ms:
                start_ms, self._month_end_ms = month_of(at_ms)
                self._month = Window(self._month.limit, start_ms)
            if at_ms >= self._month.start_ms:
                found.append(self._month)
        return found

    def add_spent(self, total: int, day: int, month: int) -> None:
        """What was spent before counting began."""
        for window, amount in ((self._total, total), (self._day, day), (self._month, month)):
            if window is not None:
                window.spent += amount
        self.refusing = True

    def refuse(self, window: Window, hold: Hold) -> Exception:
        """Why this hold cannot be taken."""
        word, again = "total", "Ask the operator of this gateway to raise it."
        if window is self._day:
            word, again = "daily", f"It begins anew at {_utc(window.start_ms + DAY_MS)}."
        elif window is self._month:
            word, again = "monthly", f"It begins anew at {_utc(self._month_end_ms)}."
        return refused(
            ErrorKind.BILLING,
            f"The {word} budget of the {self.budget.owner} is ${usd_text(window.limit)}: ${usd_text(window.spent)} is spent "
            f"and ${usd_text(window.held)} held, and this request may cost up to ${usd_text(hold.amount_nano_usd)}. {again}",
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
                if spending.refusing and window.spent + window.held + hold.amount_nano_usd > window.limit:
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
        if spending is None or _kinds(spending.budget) != _kinds(budget):
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


def _kinds(budget: Budget) -> tuple[bool, ...]:
    """Which limits there are: one that was not counted before has to be read."""
    limits = (budget.total_nano_usd, budget.daily_nano_usd, budget.monthly_nano_usd)
    return tuple(limit is not None for limit in limits)


def _window(limit: NanoUsd | None, start_ms: int) -> Window | None:
    return None if limit is None else Window(limit, start_ms)


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
