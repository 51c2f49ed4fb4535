"""Budgets over many ledgers: never more than the limit, whatever ends how; the book of one process is the model."""

import asyncio
from collections.abc import Generator

import pytest
import uvloop
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from allgate.billing.book import Book
from allgate.billing.budgets import DAY_MS, Budget, BudgetPlan, Spent, month_of
from allgate.billing.ledger import Hold
from allgate.core.errors import ErrorKind, Refused
from allgate.core.ids import make_id
from allgate.core.money import NanoUsd
from allgate.storage.postgres import node as postgres_node
from allgate.storage.postgres.ledger import PostgresLedger
from allgate.wiring.shared_budgets import SharedBudgets
from postgres import Postgres
from storage.postgres.many_nodes import NOW_MS, Books, die, ending, node, sweep

NOTHING = Spent(total={}, day={}, month={})


def budget(
    owner: str, total: int | None = None, daily: int | None = None, monthly: int | None = None
) -> Budget:
    nano = [None if one is None else NanoUsd(one) for one in (total, daily, monthly)]
    return Budget(owner=owner, total_nano_usd=nano[0], daily_nano_usd=nano[1], monthly_nano_usd=nano[2])


TEN = BudgetPlan(keys={"a/k": budget("key a/k", total=70)})
"""Ten holds of seven."""


class Clock:
    """What request ids are made from, and what is spent is read at."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.count = 0

    def hold(self, amount: int, account: str = "a", key: str = "k") -> Hold:
        self.count += 1
        return Hold(
            request_id=make_id("req", self.now_ms, self.count.to_bytes(10)),
            account_id=account,
            key_id=f"{account}/{key}",
            amount_nano_usd=NanoUsd(amount),
        )


@pytest.fixture
def books(postgres: Postgres) -> Generator[Books]:
    books = Books(postgres.database())
    books.open_account("a", 100_000)
    books.open_account("b", 100_000)
    yield books
    books.check()
    books.close()


@pytest.fixture(autouse=True)
def recalls_are_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_node, "LOOK_S", 0.005)


async def limited(books: Books, clock: Clock, plan: BudgetPlan) -> PostgresLedger:
    """A node that has these budgets in force."""
    ledger = await node(books.url)
    await limit(books, ledger, clock, plan)
    return ledger


async def limit(books: Books, ledger: PostgresLedger, clock: Clock, plan: BudgetPlan) -> None:
    budgets = SharedBudgets(ledger, books.jobs, lambda: clock.now_ms)
    budgets.put_in_force(plan)
    await budgets.read()


async def taken(ledger: PostgresLedger, holds: list[Hold]) -> list[Hold]:
    """Those that could be held; the others are refused by a budget."""
    ends = await asyncio.gather(*(ledger.hold(one) for one in holds), return_exceptions=True)
    for end in ends:
        assert end is None or isinstance(end, Refused), end
        assert end is None or (
            end.failure.kind is ErrorKind.BILLING and "budget of the" in end.failure.message
        )
    return [one for one, end in zip(holds, ends, strict=True) if end is None]


async def test_fifty_at_once_over_two_nodes_with_a_budget_for_ten_are_ten(books: Books):
    clock = Clock()
    ledgers = [await limited(books, clock, TEN) for _ in range(2)]
    halves = await asyncio.gather(*(taken(one, [clock.hold(7) for _ in range(25)]) for one in ledgers))
    assert sum(map(len, halves)) == 10
    for ledger, held in zip(ledgers, halves, strict=True):
        await asyncio.gather(*(ledger.settle(ending(one, 7)) for one in held))
        assert await taken(ledger, [clock.hold(1)]) == []
        await ledger.close()
    assert books.standings()["a"].balance == 100_000 - 70


async def test_a_charge_takes_the_place_of_its_hold_and_a_void_gives_it_back(books: Books):
    clock = Clock()
    ledger = await limited(books, clock, TEN)
    first, second = await taken(ledger, [clock.hold(30), clock.hold(40)])
    assert await taken(ledger, [clock.hold(1)]) == []
    await ledger.settle(ending(first, 10))
    assert len(await taken(ledger, [clock.hold(20)])) == 1
    ledger.settle(ending(second, None))
    assert len(await taken(ledger, [clock.hold(40)])) == 1
    assert await taken(ledger, [clock.hold(1)]) == []
    await ledger.close()


async def test_an_overage_ends_above_the_budget_and_counts(books: Books):
    clock = Clock()
    ledger = await limited(books, clock, TEN)
    (one,) = await taken(ledger, [clock.hold(60)])
    await ledger.settle(ending(one, 90))
    with pytest.raises(Refused, match=r"\$0.00000009 is spent and \$0 held"):
        await ledger.hold(clock.hold(0))
    await ledger.close()


async def test_a_killed_nodes_holds_come_back_with_its_sweep(books: Books):
    clock = Clock()
    dead, alive = await limited(books, clock, TEN), await limited(books, clock, TEN)
    assert len(await taken(dead, [clock.hold(70)])) == 1
    await die(dead)
    assert await taken(alive, [clock.hold(1)]) == []
    assert sweep(books, dead.node.epoch) == 70
    assert len(await taken(alive, [clock.hold(70)])) == 1
    await alive.close()


async def test_a_restart_knows_what_was_spent_and_so_does_a_budget_that_comes_later(books: Books):
    clock = Clock()
    ledger = await node(books.url)
    await ledger.hold(early := clock.hold(40))
    await ledger.hold(under_way := clock.hold(20))
    await ledger.settle(ending(early, 40))
    await limit(books, ledger, clock, TEN)
    await ledger.settle(ending(under_way, 20))  # from a lease, under a budget that came meanwhile
    assert await taken(ledger, [clock.hold(11)]) == []
    (last,) = await taken(ledger, [clock.hold(10)])
    await ledger.settle(ending(last, 9))
    await ledger.close()
    ledger = await limited(books, clock, TEN)
    assert await taken(ledger, [clock.hold(2)]) == []
    assert len(await taken(ledger, [clock.hold(1)])) == 1
    await ledger.close()


async def test_a_node_that_learns_of_a_budget_last_leaves_the_exact_sum(books: Books):
    clock = Clock()
    first, last = await node(books.url), await node(books.url)
    await limit(books, first, clock, TEN)
    await last.hold(one := clock.hold(65))
    durable = last.settle(ending(one, 65))
    last.flush()
    await limit(books, last, clock, TEN)
    assert durable.done()
    assert await taken(first, [clock.hold(6)]) == []
    for ledger in (first, last):
        await ledger.close()


async def test_the_accounts_of_a_group_spend_together(books: Books):
    clock = Clock()
    plan = BudgetPlan(groups={"g": budget("group g", monthly=70)}, members={"g": ("a", "b")})
    one, other = await limited(books, clock, plan), await limited(books, clock, plan)
    assert len(await taken(one, [clock.hold(40, "a")])) == 1
    assert await taken(other, [clock.hold(31, "b", "x")]) == []
    assert len(await taken(other, [clock.hold(30, "b", "x")])) == 1
    for ledger in (one, other):
        await ledger.close()


@pytest.mark.parametrize("kind", ["daily", "monthly"])
async def test_a_window_ends_at_midnight_and_a_request_stays_in_its_own(books: Books, kind: str):
    clock = Clock()
    end_ms = NOW_MS - NOW_MS % DAY_MS + DAY_MS if kind == "daily" else month_of(NOW_MS)[1]
    clock.now_ms = end_ms - 1
    ledger = await limited(books, clock, BudgetPlan(keys={"a/k": budget("key a/k", **{kind: 70})}))
    (late,) = await taken(ledger, [clock.hold(70)])
    assert await taken(ledger, [clock.hold(1)]) == []
    clock.now_ms = end_ms
    (fresh,) = await taken(ledger, [clock.hold(70)])
    await ledger.settle(ending(late, 70))
    ledger.settle(ending(fresh, None))
    assert len(await taken(ledger, [clock.hold(70)])) == 1
    await ledger.close()


async def test_a_client_who_leaves_while_a_budget_is_asked_leaves_nothing_held(books: Books):
    clock = Clock()
    ledger = await limited(books, clock, TEN)
    leaving = asyncio.create_task(ledger.hold(clock.hold(70)))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await ledger.budgets.close()
    assert len(await taken(ledger, [clock.hold(70)])) == 1
    await ledger.close()


async def test_who_has_no_budget_stays_on_leases_and_who_has_one_gets_what_is_leased(books: Books):
    clock = Clock()
    plan = BudgetPlan(keys={"a/k": budget("key a/k", total=10**9)})
    ledgers = [await limited(books, clock, plan) for _ in range(2)]
    for ledger in ledgers:
        await ledger.hold(clock.hold(1, key="free"))
        assert ledger.purse.has_free("a")
    assert books.execute("SELECT count(*) FROM holds") == [(0,)]
    await ledgers[0].hold(everything := clock.hold(100_000 - 2))
    assert books.execute("SELECT key FROM holds") == [("a/k",)]
    await ledgers[0].settle(ending(everything, 5))
    with pytest.raises(Refused, match="of the balance is available"):
        await ledgers[0].hold(clock.hold(100_000))
    for ledger in ledgers:
        await ledger.close()


class OfBudgets(RuleBasedStateMachine):
    """`model` is a pure book with the same budgets, to which the same is done."""

    books: Books
    holds = Bundle("holds")
    PLAN = BudgetPlan(
        keys={"a/k": budget("key a/k", total=900, daily=300), "b/k": budget("key b/k", monthly=500)},
        groups={"g": budget("group g", daily=600, monthly=800)},
        members={"g": ("a", "b")},
    )

    def __init__(self) -> None:
        super().__init__()
        self.books.empty()
        self.books.execute("DELETE FROM budget_windows")
        self.loop = uvloop.new_event_loop()
        self.clock = Clock()
        self.model = Book()
        for account in "ab":
            self.books.open_account(account, 5_000)
            self.model.grant_once(account, NanoUsd(5_000))
        self.nodes = [self._run(limited(self.books, self.clock, self.PLAN)) for _ in range(2)]
        self.model.limit(self.PLAN, self.clock.now_ms)
        self.model.add_spent(NOTHING)
        self.owner: dict[str, int] = {}

    def teardown(self) -> None:
        for one in self.nodes:
            self._run(one.close())
        self.loop.close()

    @initialize(target=holds)
    def begin(self) -> Hold:
        return self.take("a", "k", 100, 0)

    @rule(target=holds, account=st.sampled_from("ab"), key=st.sampled_from("kx"), amount=st.integers(0, 300),
          at=st.integers(0, 1))  # fmt: skip
    def take(self, account: str, key: str, amount: int, at: int) -> Hold:
        one = self.clock.hold(amount, account, key)
        self.owner[one.request_id] = at
        wanted = refusal(lambda: self.model.hold(one))
        assert refusal(lambda: self._run(self.nodes[at].hold(one))) == wanted
        return one

    @rule(one=consumes(holds), amount=st.none() | st.integers(0, 400))
    def end(self, one: Hold, amount: int | None) -> None:
        if self.model.is_open(one.request_id):
            wanted = self.model.settle(ending(one, amount))
            assert self._run(self._settled(one, amount)) == wanted

    @rule(ms=st.sampled_from([1, DAY_MS // 2, DAY_MS, 16 * DAY_MS]))
    def pass_time(self, ms: int) -> None:
        self.clock.now_ms += ms

    @rule(which=st.integers(0, 1))
    def kill(self, which: int) -> None:
        old = self.nodes[which]
        self._quiet()
        self._run(die(old))
        sweep(self.books, old.node.epoch)
        for one in self.model.open_holds():
            if self.owner[one.request_id] == which:
                self.model.settle(ending(one, None))
        self.nodes[which] = self._run(limited(self.books, self.clock, self.PLAN))

    @invariant()
    def the_books_balance(self) -> None:
        self._quiet()
        self.books.check()

    def _quiet(self) -> None:
        for one in self.nodes:
            self._run(one.teller.released())

    async def _settled(self, one: Hold, amount: int | None):
        return await self.nodes[self.owner[one.request_id]].settle(ending(one, amount))

    def _run(self, awaited):
        return self.loop.run_until_complete(awaited)


def refusal(act) -> str | None:
    """The words of a refusal."""
    try:
        act()
    except Refused as error:
        return error.failure.message
    return None


def test_two_nodes_refuse_as_one_book_would_in_the_same_words(books: Books):
    machine = type("Machine", (OfBudgets,), {"books": books})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=12, stateful_step_count=30, deadline=None)
    )
