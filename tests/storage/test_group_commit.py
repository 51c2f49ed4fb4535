"""Charges while the database comes and goes, in random orders: whoever is told has a charge that no crash takes away.

The database goes because another connection locks it, as a backup does; what it holds then is looked at by that connection.
The model is the pure book.
"""

import asyncio
import sqlite3
from asyncio import Future
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import uvloop
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from allgate.billing.book import Book
from allgate.billing.ledger import Hold, Receipt, Settlement
from allgate.billing.prices import Charge
from allgate.core.errors import ErrorKind, Refused
from allgate.core.money import NanoUsd
from allgate.core.value import changed
from allgate.storage.audit import audit
from allgate.storage.outbox import Outbox
from storage.ledgers import OutboxStore, balances_of
from storage.logged import ROW

DEADLINE_S = 20


def hold(request_id: str, amount: int) -> Hold:
    return Hold(request_id=request_id, account_id="a", key_id="a/k", amount_nano_usd=NanoUsd(amount))


def ending(of: Hold, amount: int | None) -> Settlement:
    charge = None if amount is None else Charge(amount_nano_usd=NanoUsd(amount), sheet_id="s@1")
    return Settlement(hold=of, charge=charge, reason="ok")


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allgate.storage.group_commit.DRAIN_RETRY_S", 0.005)


class Outages(RuleBasedStateMachine):
    """`locker` is somebody else's connection; while it locks, the ledger's writer waits 20 ms and gives up."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = uvloop.new_event_loop()
        self.folder = TemporaryDirectory()
        self.model = Book()
        self.count = 0
        self.told: dict[str, Receipt] = {}
        self.locker: sqlite3.Connection | None = None
        self._open(Path(self.folder.name))
        self.store.open_account("a", 10**6)
        self.model.grant_once("a", NanoUsd(10**6))

    def teardown(self) -> None:
        self._unlock()
        self._run(self.store.ledger.commit.until_back())
        self._run(self.store.aclose())
        self.loop.close()
        self.folder.cleanup()

    @rule(amount=st.integers(0, 10**5))
    def take(self, amount: int) -> None:
        self.count += 1
        one = hold(f"r{self.count:05}", amount)
        refused = self._refusal(one)
        if refused is not None and refused.failure.kind is ErrorKind.OVERLOADED:
            assert refused.failure.retry_after_s
            assert self.store.ledger.commit.gone
        elif refused is not None:
            with pytest.raises(Refused):
                self.model.hold(one)
        else:
            self.model.hold(one)

    @precondition(lambda self: self.model.open_count)
    @rule(amounts=st.lists(st.integers(0, 2 * 10**5) | st.none(), min_size=1, max_size=5))
    def end(self, amounts: list[int | None]) -> None:
        """Several in one turn of the loop: a group. All are told, locked or not."""
        ending_now = [ending(*pair) for pair in zip(self.model.open_holds(), amounts, strict=False)]
        receipts = self._run(self._settled(ending_now))
        for settlement, receipt in zip(ending_now, receipts, strict=True):
            assert receipt == self.model.settle(settlement)
            self.told[receipt.request_id] = receipt

    @precondition(lambda self: self.locker is None)
    @rule()
    def lock(self) -> None:
        self.locker = sqlite3.connect(self.store.path, isolation_level=None)
        self.locker.execute("BEGIN IMMEDIATE")

    @rule()
    def unlock(self) -> None:
        self._unlock()
        self._run(self.store.ledger.commit.until_back())
        assert not self.store.ledger.commit.gone
        assert self.store.ledger.commit.outbox_depth == 0

    @rule()
    def lose_power(self) -> None:
        """What is left are the files. Open holds are nobody's any more."""
        with TemporaryDirectory() as kept:
            self.store.files_copied(Path(kept))
            self._unlock()
            self._run(self.store.ledger.commit.until_back())
            self._run(self.store.aclose())
            for file in Path(self.folder.name).glob("t.db*"):
                file.unlink()
            for file in Path(kept).iterdir():
                file.rename(Path(self.folder.name) / file.name)
        self._open(Path(self.folder.name))
        kept_balances, self.model = self.model.balances, Book()
        self.model.restore(kept_balances)

    @invariant()
    def it_decides_as_the_model_does(self) -> None:
        assert balances_of(self.store.ledger.book) == balances_of(self.model)
        assert self.store.ledger.book.open_holds() == self.model.open_holds()

    @precondition(lambda self: self.locker is None and not self.store.ledger.commit.gone)
    @invariant()
    def what_was_told_is_in_the_database(self) -> None:
        assert {name: amount for name, amount in self.store.committed().items() if amount} == balances_of(
            self.model
        )

    async def _settled(self, settlements: list[Settlement]) -> list[Receipt]:
        futures = [self.store.ledger.settle(one) for one in settlements]
        return await asyncio.wait_for(asyncio.gather(*futures), DEADLINE_S)

    def _refusal(self, one: Hold) -> Refused | None:
        try:
            self._run(self.store.ledger.hold(one))
        except Refused as refused:
            return refused
        return None

    def _unlock(self) -> None:
        if self.locker is not None:
            self.locker.close()
            self.locker = None

    def _open(self, folder: Path) -> None:
        self.store = OutboxStore(self.loop, folder)
        self._run(self.store.ledger.load())

    def _run(self, awaited):
        return self.loop.run_until_complete(awaited)


TestOutages = Outages.TestCase
TestOutages.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[OutboxStore]:
    """With $0.000001 in the account; closed when the database is back."""
    store = OutboxStore(asyncio.get_running_loop(), folder)
    await store.ledger.load()
    store.open_account("a", 1_000)
    yield store
    await store.ledger.commit.until_back()
    await store.aclose()


async def charge(store: OutboxStore, request_id: str, amount: int, line=None) -> "Future[Receipt]":
    await store.ledger.hold(one := hold(request_id, 100))
    return store.ledger.settle(ending(one, amount), line)


async def test_a_commit_that_hangs_lets_the_answer_leave_through_the_outbox(tmp_path: Path):
    async with opened(tmp_path) as store:
        store.ledger.commit._commit_wait_s = 0.01
        durable = await charge(store, "r1", 7)
        going_on = store.stop_writing()
        store.ledger.flush()
        assert (await asyncio.wait_for(durable, DEADLINE_S)).posted_nano_usd == 7
        assert (store.ledger.commit.gone, store.ledger.commit.outbox_depth) == (True, 1)
        with pytest.raises(Refused, match="cannot write charges"):
            await store.ledger.hold(hold("r2", 1))
        going_on.set()  # the group that hung is committed after all, and comes out of the outbox as well
        await store.ledger.commit.until_back()
        assert store.committed()["a"] == store.ledger.available_nano_usd("a") == 993
        assert store.ledger.commit.outbox_depth == 0
        await store.ledger.hold(hold("r2", 1))
        store.ledger.settle(ending(hold("r2", 1), None))


async def test_while_nobody_has_a_charge_for_certain_its_answer_waits(tmp_path: Path):
    """The outbox is full and the database hangs: it may still commit, so nobody may say that nothing was charged."""
    async with opened(tmp_path) as store:
        store.ledger.commit._commit_wait_s = 0.01
        store.outbox.bytes_max = 0
        durable = await charge(store, "r1", 7)
        going_on = store.stop_writing()
        store.ledger.flush()
        await asyncio.wait([asyncio.ensure_future(durable)], timeout=0.1)
        assert store.ledger.commit.gone
        assert not durable.done()
        going_on.set()
        assert (await asyncio.wait_for(durable, DEADLINE_S)).posted_nano_usd == 7


async def test_without_room_anywhere_a_charge_is_none(tmp_path: Path):
    async with opened(tmp_path) as store:
        store.outbox.bytes_max = 0
        locker = sqlite3.connect(store.path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="longer than 0 bytes"):
            await asyncio.wait_for(await charge(store, "r1", 7), DEADLINE_S)
        assert store.ledger.available_nano_usd("a") == 1_000
        locker.close()
        await store.ledger.commit.until_back()
        assert store.committed()["a"] == 1_000


@pytest.mark.parametrize("pragma", ["max_page_count = 1", "query_only = 1"], ids=["disk full", "read-only"])
async def test_a_disk_that_takes_nothing_takes_it_when_there_is_room(tmp_path: Path, pragma: str):
    async with opened(tmp_path) as store:
        store.submit(f"PRAGMA {pragma}")
        many = [
            await charge(
                store, f"r{number}", 1, changed(ROW, request_id=f"r{number}", user_agent="x" * 5_000)
            )
            for number in range(9)
        ]
        assert all([(await asyncio.wait_for(one, DEADLINE_S)).posted_nano_usd == 1 for one in many])
        assert store.ledger.commit.outbox_depth == 9
        store._connection.execute("PRAGMA max_page_count = 1000000")
        store._connection.execute("PRAGMA query_only = 0")
        await store.ledger.commit.until_back()
        assert store.committed()["a"] == 991
        assert store.lines() == [f"r{number}" for number in range(9)]


async def test_a_line_is_written_with_its_charge_and_comes_through_the_outbox(tmp_path: Path):
    async with opened(tmp_path) as store:
        await (await charge(store, "r1", 7, changed(ROW, request_id="r1")))
        assert store.lines() == ["r1"]
        locker = sqlite3.connect(store.path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        await (await charge(store, "r2", 7, changed(ROW, request_id="r2")))
        locker.close()
        await store.ledger.commit.until_back()
        assert store.lines() == ["r1", "r2"]


async def test_a_line_that_cannot_be_written_does_not_take_its_charge_with_it(tmp_path: Path):
    async with opened(tmp_path) as store:
        bad = changed(ROW, request_id="r1", error="\ud83d")
        first = await charge(store, "r1", 7, bad)
        second = await charge(store, "r2", 7, changed(ROW, request_id="r2"))
        assert (await first).posted_nano_usd == (await second).posted_nano_usd == 7
        assert store.lines() == ["r2"]
        locker = sqlite3.connect(store.path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        await (await charge(store, "r3", 7, changed(bad, request_id="r3")))
        locker.close()
        await store.ledger.commit.until_back()
        assert store.committed()["a"] == 1_000 - 21


async def test_what_the_database_never_takes_is_set_aside_and_given_back(tmp_path: Path):
    """A revenue beyond 64 bits: nothing of this world, and lost in no silence."""
    async with opened(tmp_path) as store:
        store.submit(
            f"INSERT INTO balances (account, balance_nano_usd) VALUES ('house:revenue', {2**63 - 3})"
        )
        locker = sqlite3.connect(store.path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        assert (await (await charge(store, "r1", 7))).posted_nano_usd == 7
        locker.close()
        await store.ledger.commit.until_back()
        assert store.outbox.refused == 1
        (left,) = store.path.parent.glob("*.refused")
        assert b'"r1"' in left.read_bytes()
        assert store.committed()["a"] == store.ledger.available_nano_usd("a") == 1_000
        store.submit("DELETE FROM balances WHERE account = 'house:revenue'")


async def test_a_record_of_another_version_is_set_aside_and_the_rest_comes_in(tmp_path: Path):
    store = OutboxStore(asyncio.get_running_loop(), tmp_path)
    await store.ledger.load()
    store.open_account("a", 1_000)
    locker = sqlite3.connect(store.path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    await (await charge(store, "r1", 7))
    await store.abandon()
    locker.close()
    outbox = Outbox(store.outbox.path)
    outbox.append([b'["what is this"]'])
    outbox.close()
    store = OutboxStore(asyncio.get_running_loop(), tmp_path)
    await store.ledger.load()
    assert store.outbox.refused == 1
    assert store.ledger.available_nano_usd("a") == 993
    assert audit(store._connection).drift_count == 0
    await store.aclose()


async def test_a_request_id_of_an_earlier_life_is_charged_once_through_the_outbox_too(tmp_path: Path):
    store = OutboxStore(asyncio.get_running_loop(), tmp_path)
    await store.ledger.load()
    store.open_account("a", 1_000)
    locker = sqlite3.connect(store.path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    first = await (await charge(store, "r1", 7))
    await store.abandon()
    locker.close()
    store = OutboxStore(asyncio.get_running_loop(), tmp_path)
    await store.ledger.load()
    assert await (await charge(store, "r1", 30)) == first
    assert store.committed()["a"] == store.ledger.available_nano_usd("a") == 993
    await store.aclose()


async def test_close_does_not_wait_for_a_database_that_is_gone(tmp_path: Path):
    store = OutboxStore(asyncio.get_running_loop(), tmp_path)
    await store.ledger.load()
    store.open_account("a", 1_000)
    store.ledger.commit._commit_wait_s = 0.01
    going_on = store.stop_writing()
    durable = await charge(store, "r1", 7)
    await asyncio.wait_for(store.ledger.close(), DEADLINE_S)
    assert durable.result().posted_nano_usd == 7
    going_on.set()
    store.writer.close()
