"""Budgets in the book: what they count, what they refuse, and that nothing of it can be lost.

Times are those of request ids: noon of 2026-01-31, UTC, and what comes after it.
"""

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.billing.book import Book
from allgate.billing.budgets import DAY_MS, Budget, BudgetPlan, Spent, month_of
from allgate.billing.ledger import Hold, Receipt, Settlement
from allgate.billing.prices import Charge
from allgate.core.errors import ErrorKind, Refused
from allgate.core.ids import make_id, time_ms_of
from allgate.core.money import NanoUsd

NOON = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()) * 1000
NOTHING = Spent(total={}, day={}, month={})


def usd(dollars: int) -> NanoUsd:
    return NanoUsd(dollars * 10**9)


def of_key(**limits: int) -> BudgetPlan:
    return BudgetPlan(keys={"a/k": budget("key a/k", **limits)})


def budget(owner: str, **limits: int) -> Budget:
    return Budget(owner=owner, **{f"{kind}_nano_usd": usd(limit) for kind, limit in limits.items()})


def of_group(*members: str, **limits: int) -> BudgetPlan:
    return BudgetPlan(groups={"g": budget("group g", **limits)}, members={"g": members})


class Desk:
    """A book with money for everything, and requests in order."""

    def __init__(self, plan: BudgetPlan, spent: Spent | None = NOTHING) -> None:
        self.book = Book()
        for account in "abc":
            self.book.grant_once(account, usd(1_000_000))
        self.count = 0
        self.limit(plan, spent)

    def limit(self, plan: BudgetPlan, spent: Spent | None = NOTHING, at_ms: int = NOON) -> None:
        self.book.limit(plan, at_ms)
        if spent is not None:
            self.book.add_spent(spent)

    def hold(self, dollars: int, key: str = "a/k", at_ms: int = NOON) -> Hold:
        self.count += 1
        request_id = make_id("req", at_ms, self.count.to_bytes(10))
        one = Hold(request_id=request_id, account_id=key[0], key_id=key, amount_nano_usd=usd(dollars))
        self.book.hold(one)
        return one

    def end(self, hold: Hold, dollars: int | None) -> Receipt:
        charge = None if dollars is None else Charge(amount_nano_usd=usd(dollars), sheet_id="s@1")
        return self.book.settle(Settlement(hold=hold, charge=charge, reason="ok"))


@pytest.mark.parametrize("kind", ["total", "daily", "monthly"])
def test_what_is_spent_and_what_is_held_fill_a_budget(kind: str):
    desk = Desk(of_key(**{kind: 10}))
    spent, _held = desk.hold(6), desk.hold(3)
    desk.end(spent, 5)
    with pytest.raises(
        Refused, match=rf"The {kind} budget of the key a/k is \$10: \$5 is spent and \$3 held"
    ) as no:
        desk.hold(3)
    assert no.value.failure.kind is ErrorKind.BILLING
    assert no.value.failure.code == "insufficient_quota"
    desk.hold(2)


def test_a_refused_hold_holds_nothing():
    desk = Desk(of_key(daily=10))
    with pytest.raises(Refused):
        desk.hold(11)
    assert desk.book.available_nano_usd("a") == usd(1_000_000)
    desk.hold(10)


def test_a_void_gives_the_budget_back():
    desk = Desk(of_key(total=10))
    desk.end(desk.hold(10), None)
    desk.hold(10)


def test_an_overage_is_charged_and_fills_the_budget_beyond_its_limit():
    desk = Desk(of_key(total=10))
    desk.end(desk.hold(10), 12)
    with pytest.raises(Refused, match=r"\$12 is spent"):
        desk.hold(0)


def test_a_charge_that_nobody_keeps_is_not_spent():
    desk = Desk(of_key(total=10))
    one = desk.hold(10)
    desk.book.take_back(one, desk.end(one, 10))
    desk.hold(10)


def test_a_day_begins_at_midnight_and_says_so():
    desk = Desk(of_key(daily=10))
    late = desk.hold(10)
    with pytest.raises(Refused, match=r"begins anew at 2026-02-01T00:00:00Z"):
        desk.hold(1)
    desk.hold(10, at_ms=NOON + DAY_MS)
    desk.end(late, 10)  # belongs to the day of its admission
    with pytest.raises(Refused, match=r"\$0 is spent and \$10 held"):
        desk.hold(1, at_ms=NOON + DAY_MS)


def test_a_month_begins_on_its_first_day():
    desk = Desk(of_key(monthly=10))
    desk.end(desk.hold(10), 10)
    with pytest.raises(Refused, match=r"begins anew at 2026-02-01T00:00:00Z"):
        desk.hold(1)
    desk.hold(10, at_ms=NOON + DAY_MS)


def test_other_keys_and_accounts_are_not_held_to_it():
    desk = Desk(of_key(total=0))
    desk.hold(1, "a/other")
    desk.hold(1, "b/k")
    assert desk.book.accounts["b"].budgets is None


def test_the_accounts_of_a_group_spend_together():
    desk = Desk(of_group("a", "b", daily=10))
    desk.end(desk.hold(6, "a/k"), 6)
    with pytest.raises(Refused, match=r"daily budget of the group g is \$10: \$6 is spent"):
        desk.hold(5, "b/k")
    desk.hold(5, "c/k")


def test_key_and_group_are_both_asked():
    plan = BudgetPlan(keys=of_key(total=5).keys, groups=of_group("a", total=8).groups, members={"g": ("a",)})
    desk = Desk(plan)
    with pytest.raises(Refused, match="key a/k"):
        desk.hold(6)
    desk.hold(5)
    with pytest.raises(Refused, match="group g"):
        desk.hold(4, "a/other")


def test_what_was_spent_before_counts():
    before = {("a", "a/k"): usd(6), ("a", "a/other"): usd(1), ("b", "b/k"): usd(50)}
    desk = Desk(of_key(total=10), Spent(total=before, day={}, month={}))
    with pytest.raises(Refused, match=r"\$6 is spent"):
        desk.hold(5)
    desk = Desk(of_group("a", total=10), Spent(total=before, day={}, month={}))
    with pytest.raises(Refused, match=r"\$7 is spent"):
        desk.hold(4)


def test_until_it_is_known_what_was_spent_a_new_budget_only_counts():
    desk = Desk(of_key(total=10), spent=None)
    desk.end(desk.hold(8), 8)
    desk.hold(30)
    desk.book.add_spent(NOTHING)
    with pytest.raises(Refused, match=r"\$8 is spent and \$30 held"):
        desk.hold(1)


def test_holds_that_were_open_before_a_budget_count_as_held():
    desk = Desk(BudgetPlan())
    open_before = desk.hold(6)
    desk.limit(of_key(total=10))
    with pytest.raises(Refused, match=r"\$6 held"):
        desk.hold(5)
    desk.end(open_before, 1)
    desk.hold(9)


def test_another_limit_keeps_what_was_counted():
    desk = Desk(of_key(total=10))
    desk.end(desk.hold(9), 9)
    desk.limit(of_key(total=20), spent=None)
    with pytest.raises(Refused, match=r"is \$20: \$9 is spent"):
        desk.hold(12)
    desk.limit(BudgetPlan(), spent=None)
    desk.hold(500)


@given(st.integers(0, 4 * 10**12))
def test_a_month_is_the_one_that_holds_its_time(at_ms: int):
    start, end = month_of(at_ms)
    assert start <= at_ms < end
    assert datetime.fromtimestamp(start / 1000, UTC).day == datetime.fromtimestamp(end / 1000, UTC).day == 1
    assert 28 <= (end - start) / DAY_MS <= 31


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a/k", "a/other", "b/k"]),
        st.integers(0, 6),  # hold
        st.none() | st.integers(0, 8),  # charge
        st.integers(0, 3 * DAY_MS),  # later by
        st.booleans(),  # ends at once, or with the next
    ),
    max_size=25,
)


@settings(deadline=None)
@given(STEPS)
def test_no_window_is_filled_beyond_its_limit_but_by_an_overage(steps):
    """Against sums over all that was ever taken: a hold is refused exactly when one of its windows would be too full."""
    limits = {"total": 40, "daily": 8, "monthly": 20}
    plan = BudgetPlan(
        keys={"a/k": budget("key a/k", **limits)},
        groups={"g": budget("group g", **limits)},
        members={"g": ("a", "b")},
    )
    desk, at_ms = Desk(plan), NOON
    filled: Counter[tuple[str, str, int]] = Counter()
    waiting: list[tuple[Hold, int | None]] = []

    def cells(key: str, when: int) -> list[tuple[str, str, int]]:
        owners = ["g", *(["a/k"] if key == "a/k" else [])]
        starts = {"total": 0, "daily": when // DAY_MS, "monthly": month_of(when)[0]}
        return [(owner, kind, start) for owner in owners for kind, start in starts.items()]

    def end(one: Hold, charge: int | None) -> None:
        desk.end(one, charge)
        for cell in cells(one.key_id, time_ms_of(one.request_id)):
            filled[cell] += (charge or 0) - one.amount_nano_usd // 10**9

    for key, amount, charge, later, at_once in steps:
        at_ms += later
        fits = all(filled[cell] + amount <= limits[cell[1]] for cell in cells(key, at_ms))
        if not fits:
            with pytest.raises(Refused):
                desk.hold(amount, key, at_ms)
            continue
        waiting.append((desk.hold(amount, key, at_ms), charge))
        for cell in cells(key, at_ms):
            filled[cell] += amount
        if at_once:
            while waiting:
                end(*waiting.pop())
