"""Charges worked by hand. Amounts are nano-USD; prices USD per million tokens, so one dollar is 1,000 nano per token."""

from decimal import Decimal

import pytest

from allgate.billing.prices import charge_for
from allgate.billing.sheets import PriceSheet
from allgate.core.usage import Usage


def sheet(**prices: str) -> PriceSheet:
    fields = {"input": "3", "output": "15"} | prices
    return PriceSheet(id="s", **{name: Decimal(price) for name, price in fields.items()})


# usage, sheet, nano-USD by hand
GOLDEN = [
    # nothing used costs nothing
    (Usage(), sheet(), 0),
    (Usage(input_tokens=0, output_tokens=0), sheet(), 0),
    # 1 × 3,000
    (Usage(input_tokens=1), sheet(), 3_000),
    # 1,000 × 3,000 + 500 × 15,000
    (Usage(input_tokens=1_000, output_tokens=500), sheet(), 10_500_000),
    # a million of each is the price itself: $18
    (Usage(input_tokens=1_000_000, output_tokens=1_000_000), sheet(), 18_000_000_000),
    # cached input leaves the input: 400 × 3,000 + 600 × 300
    (Usage(input_tokens=1_000, cache_read_tokens=600), sheet(cache_read="0.3"), 1_380_000),
    # without a price of its own it is input: 1,000 × 3,000
    (Usage(input_tokens=1_000, cache_read_tokens=600), sheet(), 3_000_000),
    # read and written: 100 × 3,000 + 600 × 300 + 300 × 3,750
    (
        Usage(input_tokens=1_000, cache_read_tokens=600, cache_write_5m_tokens=300),
        sheet(cache_read="0.3", cache_write_5m="3.75"),
        1_605_000,
    ),
    # an hour's cache costs twice: 200 × 6,000
    (Usage(input_tokens=200, cache_write_1h_tokens=200), sheet(cache_write_1h="6"), 1_200_000),
    # a write of unknown time is priced as five minutes: 200 × 3,750
    (Usage(input_tokens=200, cache_write_tokens=200), sheet(cache_write_5m="3.75"), 750_000),
    # thinking with a price of its own leaves the output: 200 × 15,000 + 300 × 5,000
    (Usage(output_tokens=500, reasoning_tokens=300), sheet(reasoning="5"), 4_500_000),
    (Usage(output_tokens=500, reasoning_tokens=300), sheet(), 7_500_000),
    # sound and pictures in: 600 × 3,000 + 300 × 40,000 + 100 × 10,000
    (
        Usage(input_tokens=1_000, input_audio_tokens=300, input_image_tokens=100),
        sheet(input_audio="40", input_image="10"),
        14_800_000,
    ),
    # sound and pictures out: 100 × 15,000 + 50 × 80,000 + 1,290 × 30,000
    (
        Usage(output_tokens=1_440, output_audio_tokens=50, output_image_tokens=1_290),
        sheet(output_audio="80", output_image="30"),
        44_200_000,
    ),
    # a request has a price beside its tokens: 0.01 USD + 3,000
    (Usage(input_tokens=1), sheet(call="0.01"), 10_003_000),
    # three searches at 0.01 USD
    (Usage(web_search_calls=3), sheet(web_search="0.01"), 30_000_000),
    # zero searches need no price
    (Usage(web_search_calls=0), sheet(), 0),
    # a price below a nano per token: 7 × 0.075 = 0.525, rounded once
    (Usage(input_tokens=7), sheet(input="0.000075"), 1),
    # a half goes up: 1 × 0.5
    (Usage(input_tokens=1), sheet(input="0.0005"), 1),
    # below a half goes down: 1 × 0.4999
    (Usage(input_tokens=1), sheet(input="0.0004999"), 0),
    # two halves are one, not two: the request is rounded, not its lines
    (Usage(input_tokens=1, output_tokens=1), sheet(input="0.0005", output="0.0005"), 1),
    # a provider that says more cached tokens than input is charged for its input
    (Usage(input_tokens=100, cache_read_tokens=500), sheet(cache_read="0.3"), 30_000),
]


@pytest.mark.parametrize(("usage", "prices", "nano_usd"), GOLDEN)
def test_the_charge_is_what_the_hand_says(usage: Usage, prices: PriceSheet, nano_usd: int):
    charge = charge_for(usage, prices)
    assert charge.amount_nano_usd == nano_usd
    assert charge.sheet_id == "s"


def test_lines_show_the_arithmetic_and_nothing_that_was_not_used():
    charge = charge_for(
        Usage(input_tokens=1_000, cache_read_tokens=600), sheet(cache_read="0.3", reasoning="5")
    )
    assert [(line.unit, line.quantity, line.price_usd, line.per) for line in charge.lines] == [
        ("cache_read", 600, "0.3", 1_000_000),
        ("input", 400, "3", 1_000_000),
    ]


def test_a_search_that_nobody_asked_for_and_that_has_no_price_is_named():
    charge = charge_for(Usage(input_tokens=1, web_search_calls=2, web_fetch_calls=0), sheet())
    assert (charge.amount_nano_usd, charge.unpriced) == (3_000, ("web_search",))


def test_seconds_beside_tokens_need_no_price_and_alone_are_named():
    assert charge_for(Usage(input_tokens=1, milliseconds=900), sheet()).unpriced == ()
    assert charge_for(Usage(images=1, milliseconds=900, characters=3), sheet()).unpriced == (
        "image",
        "second",
        "character",
    )
