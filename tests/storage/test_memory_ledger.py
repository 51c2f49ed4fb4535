import pytest

from allgate.billing.ledger import Hold, Settlement
from allgate.billing.prices import Charge
from allgate.core.errors import Refused
from allgate.core.money import NanoUsd
from storage.memory_ledger import MemoryLedger


def ledger_with(amount: int) -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.book.grant_once("demo", NanoUsd(amount))
    return ledger


HOLD = Hold(request_id="r1", account_id="demo", key_id="demo/k", amount_nano_usd=NanoUsd(30))


async def test_a_settlement_is_done_when_it_returns():
    ledger = ledger_with(100)
    await ledger.hold(HOLD)
    charge = Charge(amount_nano_usd=NanoUsd(12), sheet_id="s")
    done = ledger.settle(Settlement(hold=HOLD, charge=charge, reason="ok"))
    assert done.done()
    assert (await done).posted_nano_usd == 12
    assert ledger.available_nano_usd("demo") == 88


async def test_too_little_is_refused():
    with pytest.raises(Refused):
        await ledger_with(29).hold(HOLD)


async def test_an_unknown_account_has_no_balance():
    with pytest.raises(KeyError):
        ledger_with(1).available_nano_usd("nobody")
