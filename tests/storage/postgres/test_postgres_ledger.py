"""The ledger of many nodes: the suite of `test_ledger_conformance` on PostgreSQL, and what only many nodes can do wrong.

The pure book is the model, as there: whatever one node or two decide between them is what one book would have decided.
After each step the database itself is looked at: the books balance, nothing available is negative, what is pending is
what leases and durable holds have set aside, and no node counts on more than the database has set aside for it.
"""

import asyncio
from asyncio import Future
from collections.abc import Generator
from pathlib import Path

import pytest
import uvloop
from hypothesis import Phase, settings
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
from allgate.billing.ledger import Hold, Receipt
from allgate.core.errors import AllgateError, ErrorKind, Refused
from allgate.core.money import NanoUsd
from allgate.storage.outbox import Outbox
from allgate.storage.postgres import node as postgres_node
from allgate.storage.postgres import teller as postgres_teller
from allgate.storage.postgres.ledger import PostgresLedger
from postgres import Postgres
from storage.postgres.many_nodes import Books, die, ending, hold, node, sweep

AMOUNTS = st.integers(0, 1_000) | st.integers(0, 10**15)
HOLDS = st.integers(0, 400) | AMOUNTS
ACCOUNTS = st.sampled_from("abc")


@pytest.fixture
def books(postgres: Postgres) -> Generator[Books]:
    books = Books(postgres.database())
    yield books
    books.check()
    books.close()


@pytest.fixture(autouse=True)
def recalls_are_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_node, "LOOK_S", 0.005)


LONG_S = 600.0
PATIENT = {"lease_s": LONG_S, "commit_wait_s": LONG_S}
"""What a node gives up after a while it does not give up here: on a machine that stalls it would decide otherwise than a book."""


class Nodes(RuleBasedStateMachine):
    """`model` is a pure book to which the same is done. A request belongs to the node that its number falls to."""

    books: Books
    count: int
    holds = Bundle("holds")
    done = Bundle("done")

    def __init__(self) -> None:
        super().__init__()
        self.books.empty()
        self.loop = uvloop.new_event_loop()
        self.nodes = [self._run(node(self.books.url, **PATIENT)) for _ in range(self.count)]
        self.model = Book()
        self.told: dict[str, Receipt] = {}
        self.waiting: dict[str, Future[Receipt]] = {}
        self.owner: dict[str, PostgresLedger] = {}
        self.requests = 0

    def teardown(self) -> None:
        try:
            self._quiet()
            for one in self.nodes:
                self._run(one.close())
            assert not any(one.pending for one in self.books.standings().values()), "a node kept something"
        finally:  # a step that failed may have left a transaction open
            self.books.cut_others()
            self._run(asyncio.sleep(0.01))
            self.loop.close()

    @initialize(amount=st.integers(500, 2_000))
    def begin_with_a_little_money(self, amount: int) -> None:
        self.open_account("a", amount)

    @rule(account=ACCOUNTS, amount=AMOUNTS)
    def open_account(self, account: str, amount: int) -> None:
        self._quiet()
        assert self.books.open_account(account, amount) is self.model.grant_once(account, NanoUsd(amount))

    @rule(target=holds, account=st.sampled_from("aaabcd"), amount=HOLDS, at=st.integers(0, 1))
    def take(self, account: str, amount: int, at: int) -> Hold:
        self._quiet()
        self.requests += 1
        one = hold(f"r{self.requests}", amount, account)
        ledger = self.owner[one.request_id] = self.nodes[at % self.count]
        wanted = _refusal(lambda: self.model.hold(one))
        assert _refusal(lambda: self._run(ledger.hold(one))) == wanted
        return one

    @rule(target=done, one=consumes(holds), amount=st.none() | HOLDS, wait=st.booleans())
    def end(self, one: Hold, amount: int | None, wait: bool) -> Hold:
        if self.model.is_open(one.request_id):
            self._end(one, amount, wait)
        elif one.request_id in self.told:  # it ended with the sweep of its node
            assert self._run(self._settled(one, amount)) == self.told[one.request_id]
        else:
            with pytest.raises(KeyError):
                self._settled(one, amount)
        return one

    @rule(
        target=done,
        account=st.sampled_from("aab"),
        amount=st.integers(0, 400),
        charged=st.none() | HOLDS,
        at=st.integers(0, 1),
        wait=st.booleans(),
    )
    def take_and_end(self, account: str, amount: int, charged: int | None, at: int, wait: bool) -> Hold:
        return self.end(self.take(account, amount, at), charged, wait)

    @rule(one=done, amount=st.none() | AMOUNTS, wait=st.booleans())
    def end_again(self, one: Hold, amount: int | None, wait: bool) -> None:
        if one.request_id in self.told or one.request_id in self.waiting:
            self._end(one, amount, wait)

    @rule(which=st.integers(0, 1))
    def restart(self, which: int) -> None:
        """SIGTERM: what waits is written. Holds that are open then are nobody's any more."""
        old = self._at(which)
        self._quiet()
        self._run(old.close())
        self._replace(old)

    @rule(which=st.integers(0, 1))
    def kill(self, which: int) -> None:
        """What it had leased returns when it is swept, as far as nobody was charged."""
        old = self._at(which)
        self._quiet()
        self._run(die(old))
        sweep(self.books, old.node.epoch)
        self._replace(old)

    @rule(amounts=st.lists(AMOUNTS, max_size=4), which=st.integers(0, 1))
    def be_swept(self, amounts: list[int], which: int) -> None:
        """Paused for too long: its holds have no ground any more, and their charges take what is there."""
        ledger = self._at(which)
        self._quiet()
        sweep(self.books, ledger.node.epoch)
        paired = [one for one in self.model.open_holds() if self.owner[one.request_id] is ledger]
        for one in paired:
            self.model.settle(ending(one, None))
        charged = [*amounts, *[None] * len(paired)]
        for number, (one, amount) in enumerate(zip(paired, charged, strict=False)):
            late = self._run(self._settled(one, amount))
            groundless = hold(f"late{self.requests}.{number}", 0, one.account_id)
            self.model.hold(groundless)
            wanted = self.model.settle(ending(groundless, amount))
            assert late.outcome == wanted.outcome
            assert late.uncollected_nano_usd == wanted.uncollected_nano_usd
            self.told[one.request_id] = late
        self._run(ledger.node.renew())
        assert ledger.node.may_admit

    @invariant()
    def open_holds_are_those_of_the_model(self) -> None:
        known = {one.request_id for ledger in self.nodes for one in ledger.purse.open_holds()}
        assert known == {one.request_id for one in self.model.open_holds()}
        self._quiet()
        assert {name for (name,) in self.books.execute("SELECT request_id FROM holds")} <= known

    @invariant()
    def the_books_are_those_of_the_model(self) -> None:
        self._quiet()
        standings = self.books.check()
        kept = {name: one.balance for name, one in standings.items() if one.balance}
        assert kept == {name: one for name, one in self.model.balances.items() if one}

    @invariant()
    def no_node_counts_on_more_than_is_set_aside_for_it(self) -> None:
        self._quiet()  # a charge that is committed and not told yet is counted until then
        leased = {
            (account, epoch): amount
            for account, epoch, amount, _ in self.books.execute("SELECT * FROM leases")
        }
        for ledger in self.nodes:
            for lease in ledger.purse.leases():
                counted_on = lease.free + lease.needed
                assert min(lease.free, lease.held, lease.unwritten) >= 0
                assert counted_on <= leased.get((lease.account_id, ledger.node.epoch), 0)

    def _end(self, one: Hold, amount: int | None, wait: bool) -> None:
        wanted = self.model.settle(ending(one, amount))
        future = self._settled(one, amount)
        if wait or future.done():
            receipt = self._run(future)
            assert receipt == self.told.setdefault(one.request_id, receipt) == self.told[one.request_id]
            assert receipt == wanted or one.request_id in self._late()
            self.waiting.pop(one.request_id, None)
        else:
            self.waiting[one.request_id] = future

    def _late(self) -> set[str]:
        """Requests that the model has voided, because their node was swept."""
        return {name for name, one in self.told.items() if one.outcome == "posted"}

    def _quiet(self) -> None:
        """Everything decided is in the database."""
        for request_id, future in self.waiting.items():
            self.told[request_id] = self._run(future)
        self.waiting.clear()
        for ledger in self.nodes:
            while ledger.teller._releasing is not None:
                self._run(asyncio.wait([ledger.teller._releasing]))

    def _at(self, which: int) -> PostgresLedger:
        return self.nodes[which % self.count]

    def _replace(self, old: PostgresLedger) -> None:
        for one in self.model.open_holds():
            if self.owner[one.request_id] is old:
                self.model.settle(ending(one, None))
        new = self.nodes[self.nodes.index(old)] = self._run(node(self.books.url, **PATIENT))
        for request_id, owner in self.owner.items():
            if owner is old:
                self.told.pop(request_id, None)
                self.owner[request_id] = new

    def _settled(self, one: Hold, amount: int | None) -> "Future[Receipt]":
        async def on_the_loop() -> "Future[Receipt]":
            return self.owner[one.request_id].settle(ending(one, amount))

        return self._run(on_the_loop())

    def _run(self, awaited):
        return self.loop.run_until_complete(awaited)


def _refusal(act) -> str | None:
    """The kind of error that an act is refused with."""
    try:
        act()
    except AllgateError as error:
        return error.failure.kind
    return None


@pytest.mark.parametrize(("count", "examples"), [(1, 20), (2, 20)])
def test_nodes_decide_as_one_book_would(
    books: Books, count: int, examples: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres_teller, "RECALL_S_MAX", LONG_S)
    machine = type("Machine", (Nodes,), {"books": books, "count": count})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            phases=(
                Phase.explicit,
                Phase.reuse,
                Phase.generate,
            ),  # to shrink would take longer than a test may
        ),
    )


async def test_two_hundred_at_once_with_money_for_fifty_are_fifty(books: Books):
    books.open_account("a", 50 * 7)
    ledger = await node(books.url)
    ends = await asyncio.gather(*(ledger.hold(hold(f"r{n}", 7)) for n in range(200)), return_exceptions=True)
    assert sum(end is None for end in ends) == 50
    assert all(end is None or end.failure.kind is ErrorKind.BILLING for end in ends)
    await asyncio.gather(*(ledger.settle(ending(one, 7)) for one in ledger.purse.open_holds()))
    assert books.standings()["a"].balance == 0
    await ledger.close()


async def test_two_hundred_at_once_over_three_nodes_are_fifty(books: Books):
    books.open_account("a", 50 * 7)
    ledgers = [await node(books.url, f"n{number}") for number in range(3)]
    ends = await asyncio.gather(
        *(ledgers[n % 3].hold(hold(f"r{n}", 7)) for n in range(200)), return_exceptions=True
    )
    assert sum(end is None for end in ends) == 50
    books.check()
    for ledger in ledgers:
        await asyncio.gather(*(ledger.settle(ending(one, 7)) for one in ledger.purse.open_holds()))
        await ledger.close()
    assert books.standings()["a"].balance == 0


async def test_a_request_charged_in_an_earlier_life_is_not_charged_again(books: Books):
    books.open_account("a", 100)
    ledger = await node(books.url)
    await ledger.hold(one := hold("r1", 10))
    first = await ledger.settle(ending(one, 9))
    await ledger.close()
    ledger = await node(books.url)
    await ledger.hold(one)
    await ledger.hold(other := hold("r2", 10))
    again, beside = ledger.settle(ending(one, 8)), ledger.settle(ending(other, 5))
    assert await again == first
    assert (await beside).posted_nano_usd == 5  # a neighbour in the group is none the worse
    await ledger.close()
    assert books.standings()["a"].balance == 100 - 9 - 5


async def test_a_charge_that_overflows_a_balance_fails_alone(books: Books):
    huge = 2**63 - 1
    books.open_account("a", 100)
    ledger = await node(books.url)
    for number in range(3):
        await ledger.hold(hold(f"r{number}", 0))
    first, second, small = ledger.purse.open_holds()
    await ledger.settle(ending(first, huge))
    failing, fine = ledger.settle(ending(second, huge)), ledger.settle(ending(small, 0))
    with pytest.raises(Exception, match="out of range"):
        await failing
    assert (await fine).outcome == "posted"
    await ledger.close()


async def test_a_client_who_leaves_in_line_leaves_nothing_held(books: Books):
    books.open_account("a", 100)
    ledger = await node(books.url)
    leaving = asyncio.create_task(ledger.hold(hold("r1", 90)))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await ledger.hold(hold("r2", 90))
    assert [one.request_id for one in ledger.purse.open_holds()] == ["r2"]
    await ledger.close()


async def test_a_durable_hold_that_is_voided_is_nowhere(books: Books):
    books.open_account("a", 100)
    ledger = await node(books.url)
    await ledger.hold(one := hold("r1", 90))
    assert books.standings()["a"].held == 90
    assert ledger.settle(ending(one, None)).done()
    assert ledger.teller._releasing is not None
    await ledger.teller._releasing
    assert books.standings()["a"].held == 0
    await ledger.close()


async def test_an_id_that_is_held_is_not_held_again(books: Books):
    books.open_account("a", 100)
    ledger = await node(books.url)
    await ledger.hold(one := hold("r1", 1))
    with pytest.raises(Refused, match="used before"):
        await ledger.hold(one)
    await ledger.close()


async def test_the_next_slice_is_fetched_before_somebody_waits_for_it(books: Books):
    books.open_account("a", 10_000)
    ledger = await node(books.url)
    await ledger.hold(hold("r1", 1_000))
    (lease,) = ledger.purse.leases()
    assert lease.free == 1_500  # a quarter of what was available, less the hold
    await ledger.hold(hold("r2", 300))
    assert ledger.teller._tasks  # half of the slice is gone
    await asyncio.gather(*ledger.teller._tasks.values())
    assert lease.free == 1_200 + 7_500 // 4
    await ledger.close()
    assert books.standings()["a"].pending == 0


async def test_a_lease_that_nobody_uses_goes_back(books: Books):
    books.open_account("a", 100)
    ledger = await node(books.url)
    await ledger.hold(one := hold("r1", 1))
    ledger.settle(ending(one, None))
    await ledger.teller.give_back_unused()
    assert books.standings()["a"].pending
    await ledger.teller.give_back_unused()
    assert not books.standings()["a"].pending
    await ledger.hold(hold("r2", 1))
    await ledger.close()


async def test_relaxed_durability_waits_for_nothing_and_writes_all_the_same(books: Books):
    books.open_account("a", 100)
    ledger = await node(books.url, strict=False)
    await ledger.hold(one := hold("r1", 10))
    assert ledger.settle(ending(one, 9)).done()
    await ledger.close()
    assert books.standings()["a"].balance == 91


async def test_while_the_database_is_gone_charges_go_to_the_outbox_and_nobody_is_admitted(
    books: Books, postgres: Postgres, tmp_path: Path
):
    books.open_account("a", 100)
    ledger = await node(books.url, outbox=Outbox(tmp_path / "outbox"), commit_wait_s=0.2)
    await ledger.hold(one := hold("r1", 10))
    await ledger.hold(other := hold("r2", 10))
    await asyncio.to_thread(postgres.stop)
    assert (await ledger.settle(ending(one, 9))).posted_nano_usd == 9  # the outbox has it
    with pytest.raises(Refused, match="cannot reach its database") as refusal:
        await ledger.hold(hold("r3", 1))
    assert refusal.value.failure.retry_after_s
    await asyncio.to_thread(postgres.start)
    while ledger.commit.gone or not ledger.node.may_admit:  # noqa: ASYNC110  both look again and again by themselves
        await asyncio.sleep(0.02)
    await ledger.settle(ending(other, 5))
    await ledger.hold(hold("r4", 1))
    await ledger.close()
    assert books.standings()["a"] == (100 - 9 - 5, 100 - 9 - 5, 0, 0, 0)
