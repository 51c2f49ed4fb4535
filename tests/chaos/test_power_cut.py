"""The power fails between any write and its sync: every charge of which somebody was told is in the books, and they are right.

Random charges of several accounts, in groups, with the write-ahead log brought into the database again and again, and with
an outage in the middle, in which charges go through the outbox.
"""

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest

from allgate.billing.ledger import Hold, Settlement
from allgate.billing.prices import Charge
from allgate.core.money import NanoUsd
from allgate.core.value import changed
from allgate.storage.audit import audit
from chaos.disk import Call, left_by_a_power_cut, recorded
from storage.ledgers import OutboxStore
from storage.logged import ROW

ACCOUNTS = ("a", "b", "c")
OPENING = 10**9
CHARGES = 150
CUTS = 150
"""Of some seven hundred calls. In the full tier all are taken."""


async def charged(folder: Path, calls: list[Call], dice: random.Random) -> tuple[int, dict[str, int]]:
    """Charge, and write down in the record who was told. How long the record was before the first charge; the amounts."""
    store = OutboxStore(asyncio.get_running_loop(), folder)
    await store.ledger.load()
    store.submit("PRAGMA wal_autocheckpoint = 6")
    for account in ACCOUNTS:
        store.open_account(account, OPENING)
    begun, amounts = len(calls), {}
    for part in range(3):
        locker = sqlite3.connect(store.path, isolation_level=None)
        if part == 1:
            locker.execute("BEGIN IMMEDIATE")
        await charge_many(store, calls, dice, amounts, CHARGES // 3)
        locker.close()
        await store.ledger.commit.until_back()
    await store.aclose()
    return begun, amounts


async def charge_many(
    store: OutboxStore, calls: list[Call], dice: random.Random, amounts: dict[str, int], count: int
) -> None:
    """Up to nine in one turn of the loop. All holds come first: during an outage nobody is admitted."""
    holds = []
    for _ in range(count):
        request_id = f"r{len(amounts):05}"
        amounts[request_id] = dice.randrange(1, 10**6)
        held = NanoUsd(dice.randrange(10**6))
        holds.append(
            Hold(request_id=request_id, account_id=dice.choice(ACCOUNTS), key_id="k", amount_nano_usd=held)
        )
        await store.ledger.hold(holds[-1])
    while holds:
        size = dice.randrange(1, 10)
        group, holds = holds[:size], holds[size:]
        await asyncio.gather(*(charge(store, calls, one, amounts[one.request_id]) for one in group))


async def charge(store: OutboxStore, calls: list[Call], hold: Hold, amount: int) -> None:
    settlement = Settlement(
        hold=hold, charge=Charge(amount_nano_usd=NanoUsd(amount), sheet_id="s@1"), reason="ok"
    )
    line = changed(ROW, request_id=hold.request_id, account_id=hold.account_id, charged_nano_usd=amount)
    await store.ledger.settle(settlement, line)
    calls.append(Call("ack", hold.request_id))


@pytest.mark.parametrize("cuts", [CUTS, pytest.param(10**9, marks=pytest.mark.full)])
async def test_a_power_cut_between_any_two_calls_loses_no_charge(
    cuts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("allgate.storage.group_commit.DRAIN_RETRY_S", 0.01)
    dice = random.Random(20_261_121)
    (tmp_path / "live").mkdir()
    with recorded(monkeypatch) as disk:
        begun, amounts = await charged(tmp_path / "live", disk.calls, dice)
    calls = disk.calls
    kinds = {(call.what, call.name) for call in calls[begun:]}
    assert {("write", "t.db"), ("sync", "t.db"), ("write", "t.db-wal"), ("sync", "t.db-wal")} <= kinds
    assert {("write", "t.db.outbox"), ("truncate", "t.db.outbox")} <= kinds
    for cut in sorted(dice.sample(range(begun, len(calls)), min(cuts, len(calls) - begun))):
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        for name, text in left_by_a_power_cut(calls[:cut], dice).items():
            (folder / name).write_bytes(text)
        told = {call.name for call in calls[:cut] if call.what == "ack"}
        await books_are_right(folder, told, amounts)


@pytest.mark.parametrize("fault", ["write", "sync"])
async def test_a_disk_that_fails_under_the_database_leaves_the_outbox(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    amounts: dict[str, int] = {}
    with recorded(monkeypatch) as disk:
        store = OutboxStore(asyncio.get_running_loop(), tmp_path)
        await store.ledger.load()
        for account in ACCOUNTS:
            store.open_account(account, OPENING)
        await charge_many(store, disk.calls, random.Random(1), amounts, 5)
        disk.fault = fault
        await charge_many(store, disk.calls, random.Random(2), amounts, 20)
        assert store.ledger.commit.gone
        assert store.ledger.commit.outbox_depth == 20
        disk.fault = ""
        await store.ledger.commit.until_back()
        await charge_many(store, disk.calls, random.Random(3), amounts, 5)
        await store.aclose()
    await books_are_right(tmp_path, set(amounts), amounts)


async def books_are_right(folder: Path, told: set[str], amounts: dict[str, int]) -> None:
    store = OutboxStore(asyncio.get_running_loop(), folder)
    await store.ledger.load()
    kept = dict(
        store._connection.execute(
            "SELECT id, sum(amount_nano_usd) FROM transfers WHERE kind <> 'opening' GROUP BY id"
        ).fetchall()
    )
    assert told <= kept.keys(), f"{folder.name}: told and lost"
    assert kept.items() <= amounts.items()
    found = audit(store._connection)
    assert [
        drift for drift in found.drifts if drift.what != "recomputed charge"
    ] == []  # there is no price sheet
    assert found.lines == len(kept)  # each with its line
    await store.aclose()
