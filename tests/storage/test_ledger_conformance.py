"""One suite for every store of the ledger, with the pure book as the model of what must happen.

Random orders of openings, holds, settlements (waited for or not), repetitions, ends of the process, power cuts and a
disk that refuses. After each step: the store decided as the model did; the books balance; nothing available is negative;
pending is the sum of open holds; and once nothing waits, what is on the disk adds up to the same balances.
"""

import asyncio
from asyncio import Future
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import uvloop
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from allgate.billing.book import Book
from allgate.billing.ledger import Hold, Receipt, Settlement
from allgate.billing.prices import Charge
from allgate.core.errors import AllgateError, Refused
from allgate.core.money import NanoUsd
from storage.ledgers import MemoryStore, SqliteStore, balances_of

AMOUNTS = st.integers(0, 1_000) | st.integers(0, 10**15)
ACCOUNTS = st.sampled_from("abc")


def hold(request_id: str, amount: int, account: str = "a") -> Hold:
    return Hold(
        request_id=request_id, account_id=account, key_id=f"{account}/k", amount_nano_usd=NanoUsd(amount)
    )


def ending(of: Hold, amount: int | None) -> Settlement:
    charge = None if amount is None else Charge(amount_nano_usd=NanoUsd(amount), sheet_id="s@1")
    return Settlement(hold=of, charge=charge, reason="ok")


class Conformance(RuleBasedStateMachine):
    """`model` is a pure book to which the same is done. `told` is what futures have promised."""

    store_class: type[MemoryStore] | type[SqliteStore]
    holds = Bundle("holds")
    done = Bundle("done")

    def __init__(self) -> None:
        super().__init__()
        self.loop = uvloop.new_event_loop()
        self.folder = TemporaryDirectory()
        self.store = self.store_class(self.loop, Path(self.folder.name))
        self.model = Book()
        self.told: dict[str, Receipt] = {}
        self.waiting: dict[str, Future[Receipt]] = {}
        self.count = 0

    def teardown(self) -> None:
        self._all_told()
        self.store.close()
        self.loop.close()
        self.folder.cleanup()

    @rule(account=ACCOUNTS, amount=AMOUNTS)
    def open_account(self, account: str, amount: int) -> None:
        assert self.store.open_account(account, amount) is self.model.grant_once(account, NanoUsd(amount))

    @rule(target=holds, account=st.sampled_from("abcd"), amount=AMOUNTS)
    def take(self, account: str, amount: int) -> Hold:
        self.count += 1
        one = hold(f"r{self.count}", amount, account)
        wanted = _refusal(lambda: self.model.hold(one))
        assert _refusal(lambda: self._run(self.store.ledger.hold(one))) == wanted
        return one

    @rule(target=done, one=consumes(holds), amount=st.none() | AMOUNTS, wait=st.booleans())
    def end(self, one: Hold, amount: int | None, wait: bool) -> Hold:
        settlement = ending(one, amount)
        if not self.model.is_open(one.request_id):
            with pytest.raises(KeyError):
                self._settled(settlement)
            return one
        self._settle(settlement, self.model.settle(settlement), wait)
        return one

    @rule(one=done, amount=st.none() | AMOUNTS, wait=st.booleans())
    def end_again(self, one: Hold, amount: int | None, wait: bool) -> None:
        if one.request_id in self.told or one.request_id in self.waiting:
            settlement = ending(one, amount)
            self._settle(settlement, self.model.settle(settlement), wait)

    @precondition(lambda self: self.store.durable)
    @rule()
    def restart(self) -> None:
        """SIGTERM: what waits is written. Holds that are open then are nobody's any more."""
        self._all_told()
        self.store.close()
        self._reopen(Path(self.folder.name))

    @precondition(lambda self: self.store.durable)
    @rule(amounts=st.lists(AMOUNTS, max_size=4))
    def lose_power(self, amounts: list[int]) -> None:
        """Charges that are on their way are gone, unpromised; what was promised is there."""
        self._all_told()
        going_on = self.store.stop_writing()
        open_holds = self.model.open_holds()
        unpromised = [
            self._settled(ending(one, amount)) for one, amount in zip(open_holds, amounts, strict=False)
        ]
        self.store.ledger.flush()
        self._turn()
        assert not any(future.done() for future in unpromised)
        with TemporaryDirectory() as kept:
            self.store.files_copied(Path(kept))
            going_on.set()
            for future in unpromised:
                self._run(future)
            self.store.close()
            for file in Path(self.folder.name).glob("t.db*"):
                file.unlink()
            for file in Path(kept).iterdir():
                file.rename(Path(self.folder.name) / file.name)
        self._reopen(Path(self.folder.name))

    @precondition(lambda self: self.store.durable)
    @rule(amounts=st.lists(AMOUNTS, max_size=4))
    def refuse_a_group(self, amounts: list[int]) -> None:
        """A charge that cannot be written is no charge: its future fails, and the account has its money."""
        self._all_told()
        self.store.refuse_writes(True)
        pairs = list(zip(self.model.open_holds(), amounts, strict=False))
        failing = [self._settled(ending(one, amount)) for one, amount in pairs]
        for future in failing:
            with pytest.raises(Exception, match="readonly"):
                self._run(future)
        self.store.refuse_writes(False)
        for one, _ in pairs:
            self.told[one.request_id] = self.model.settle(ending(one, None))

    @invariant()
    def it_decides_as_the_model_does(self) -> None:
        book = self.store.ledger.book
        assert balances_of(book) == balances_of(self.model)
        assert book.open_holds() == self.model.open_holds()
        assert {name: one.pending for name, one in book.accounts.items() if one.pending} == {
            name: one.pending for name, one in self.model.accounts.items() if one.pending
        }

    @invariant()
    def the_books_balance_and_nothing_available_is_negative(self) -> None:
        book = self.store.ledger.book
        assert sum(book.balances.values()) == 0
        for name, account in book.accounts.items():
            held = sum(one.amount_nano_usd for one in book.open_holds() if one.account_id == name)
            assert account.pending == held
            assert name.startswith("house:") or account.balance >= held

    @precondition(lambda self: not self.waiting)
    @invariant()
    def what_is_kept_is_what_was_decided(self) -> None:
        kept, added_up = self.store.committed(), self.store.transferred()
        wanted = balances_of(self.model)
        assert {name: balance for name, balance in kept.items() if balance} == wanted
        assert {name: balance for name, balance in added_up.items() if balance} == wanted

    def _settle(self, settlement: Settlement, wanted: Receipt, wait: bool) -> None:
        request_id = settlement.hold.request_id
        future = self._settled(settlement)
        if wait or future.done():
            assert self._run(future) == wanted == self.told.setdefault(request_id, wanted)
            self.waiting.pop(request_id, None)
        else:
            self.waiting[request_id] = future

    def _all_told(self) -> None:
        for request_id, future in self.waiting.items():
            self.told[request_id] = self._run(future)
        self.waiting.clear()

    def _reopen(self, folder: Path) -> None:
        self.store = self.store_class(self.loop, folder)
        kept = self.model
        self.model = Book()
        self.model.restore(kept.balances)
        self.told.clear()

    def _settled(self, settlement: Settlement) -> Future[Receipt]:
        async def on_the_loop() -> Future[Receipt]:
            return self.store.ledger.settle(settlement)

        return self._run(on_the_loop())

    def _run(self, awaited):
        return self.loop.run_until_complete(awaited)

    def _turn(self) -> None:
        self._run(asyncio.sleep(0))


class OfMemory(Conformance):
    store_class = MemoryStore


class OfSqlite(Conformance):
    store_class = SqliteStore


TestMemory = OfMemory.TestCase
TestMemory.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestSqlite = OfSqlite.TestCase
TestSqlite.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


def _refusal(act) -> str | None:
    """The kind of error that an act is refused with."""
    try:
        act()
    except AllgateError as error:
        return error.failure.kind
    return None


@contextmanager
def sqlite(folder: Path, amount: int) -> Iterator[SqliteStore]:
    store = SqliteStore(asyncio.get_running_loop(), folder)
    store.open_account("a", amount)
    try:
        yield store
    finally:
        store.close()


async def test_two_hundred_at_once_with_money_for_fifty_are_fifty(tmp_path: Path):
    with sqlite(tmp_path, 50 * 7) as store:
        ends = await asyncio.gather(
            *(store.ledger.hold(hold(f"r{number}", 7)) for number in range(200)), return_exceptions=True
        )
        assert sum(end is None for end in ends) == 50
        taken = store.ledger.book.open_holds()
        await asyncio.gather(*(store.ledger.settle(ending(one, 7)) for one in taken))
        assert store.committed()["a"] == 0


async def test_a_request_charged_in_an_earlier_life_is_not_charged_again(tmp_path: Path):
    with sqlite(tmp_path, 100) as store:
        await store.ledger.hold(one := hold("r1", 30))
        first = await store.ledger.settle(ending(one, 12))
    with sqlite(tmp_path, 100) as store:
        await store.ledger.hold(one)
        await store.ledger.hold(other := hold("r2", 30))
        again, beside = store.ledger.settle(ending(one, 25)), store.ledger.settle(ending(other, 5))
        assert await again == first
        assert (await beside).posted_nano_usd == 5  # a neighbour in the group is none the worse
        assert store.committed()["a"] == store.ledger.available_nano_usd("a") == 100 - 12 - 5


async def test_a_void_and_a_repetition_wait_for_no_disk(tmp_path: Path):
    with sqlite(tmp_path, 100) as store:
        await store.ledger.hold(one := hold("r1", 30))
        await store.ledger.hold(other := hold("r2", 30))
        await store.ledger.settle(ending(one, 1))
        going_on = store.stop_writing()
        assert store.ledger.settle(ending(other, None)).done()
        assert store.ledger.settle(ending(one, 2)).done()
        going_on.set()


async def test_a_charge_that_overflows_a_balance_fails_alone(tmp_path: Path):
    """SQLite would add two large integers to a float, without a word."""
    huge = 2**63 - 1
    with sqlite(tmp_path, 100) as store:
        for number in range(3):
            await store.ledger.hold(hold(f"r{number}", 0))
        first, second, small = store.ledger.book.open_holds()
        await store.ledger.settle(ending(first, huge))
        failing, fine = store.ledger.settle(ending(second, huge)), store.ledger.settle(ending(small, 0))
        with pytest.raises(Exception, match="no_balance_overflows"):
            await failing
        assert (await fine).outcome == "posted"
        assert store.committed() == store.transferred() == store.ledger.book.balances


async def test_relaxed_durability_waits_for_nothing_and_writes_all_the_same(tmp_path: Path):
    with sqlite(tmp_path, 100) as store:
        store.ledger._strict = False
        await store.ledger.hold(one := hold("r1", 30))
        assert store.ledger.settle(ending(one, 12)).done()
        store.ledger.flush()
        assert store.committed()["a"] == 88


async def test_when_too_many_charges_wait_new_requests_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("allgate.storage.sqlite.ledger.WAITING_MAX", 1)
    with sqlite(tmp_path, 100) as store:
        await store.ledger.hold(one := hold("r1", 30))
        going_on = store.stop_writing()
        durable = store.ledger.settle(ending(one, 12))
        with pytest.raises(Refused, match="cannot write charges"):
            await store.ledger.hold(hold("r2", 1))
        going_on.set()
        await durable
        await store.ledger.hold(hold("r2", 1))
