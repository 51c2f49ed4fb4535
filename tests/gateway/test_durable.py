"""A receipt on its way: everybody who waits is told at once, whatever one of them makes of it."""

import asyncio

import pytest

from allgate.billing.ledger import Receipt
from allgate.gateway.durable import Durable

RECEIPT = Receipt(
    request_id="r", outcome="posted", posted_nano_usd=7, overage_nano_usd=0, uncollected_nano_usd=0
)


def test_who_waits_is_told_at_once_and_in_order():
    durable, told = Durable(), []
    durable.add_done_callback(lambda one: told.append(("first", one.result())))
    durable.add_done_callback(lambda one: told.append(("second", one.result())))
    assert not durable.done()
    durable.set_result(RECEIPT)
    assert told == [("first", RECEIPT), ("second", RECEIPT)]


def test_who_comes_late_is_told_at_once():
    told = []
    Durable(RECEIPT).add_done_callback(lambda one: told.append(one.result()))
    assert told == [RECEIPT]


@pytest.mark.parametrize("early", [True, False])
def test_one_that_fails_takes_nobody_with_it(early, caplog):
    durable, told = Durable(RECEIPT) if not early else Durable(), []

    def fails(_: Durable) -> None:
        raise ValueError("a line end in a header")

    durable.add_done_callback(fails)
    durable.add_done_callback(told.append)
    if early:
        durable.set_result(RECEIPT)
    assert told == [durable]
    assert "a line end in a header" in caplog.text


def test_a_failed_one_says_why():
    durable, told = Durable(), []
    durable.add_done_callback(lambda one: told.append(one.exception()))
    error = OSError("disk")
    durable.set_exception(error)
    assert told == [error]
    with pytest.raises(OSError, match="disk"):
        durable.result()


async def test_it_can_be_awaited_before_and_after_it_is_done():
    durable = Durable()
    waiting = [asyncio.ensure_future(durable) for _ in range(2)]
    await asyncio.sleep(0)
    durable.set_result(RECEIPT)
    assert await asyncio.gather(*waiting) == [RECEIPT, RECEIPT]
    assert await durable is RECEIPT


async def test_who_stops_waiting_disturbs_nobody():
    durable = Durable()
    leaving = asyncio.ensure_future(durable)
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    durable.set_result(RECEIPT)
    assert await durable is RECEIPT
