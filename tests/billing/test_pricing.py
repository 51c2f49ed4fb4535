from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.billing.prices import PriceMissing, PriceSheet, charge_for
from allgate.billing.pricing import Pricing
from allgate.core.usage import Usage

PRICES = st.decimals(0, 1000, places=7)
SOME = st.none() | PRICES
SHEETS = st.builds(
    PriceSheet,
    id=st.just("s"),
    input=PRICES,
    output=PRICES,
    cache_read=SOME,
    cache_write_5m=SOME,
    cache_write_1h=SOME,
    reasoning=SOME,
    input_audio=SOME,
    input_image=SOME,
    output_audio=SOME,
    output_image=SOME,
    call=SOME,
    web_search=PRICES,
)
COUNTS = st.none() | st.integers(0, 10**7)
USAGES = st.builds(
    Usage,
    **{
        name: COUNTS
        for name in Usage.__struct_fields__
        if name.endswith("_tokens") or name == "web_search_calls"
    },
)


@given(SHEETS, USAGES)
def test_the_compiled_sheet_charges_the_same_nano_usd_as_the_reference(
    sheet: PriceSheet, usage: Usage
) -> None:
    assert Pricing(sheet).charge(usage) == charge_for(usage, sheet).amount_nano_usd


@given(SHEETS, st.integers(0, 10**6), st.integers(0, 10**5), st.integers(1, 4), st.data())
def test_the_worst_case_covers_whatever_fits_in_it(
    sheet: PriceSheet, input_bytes: int, output_max: int, answers: int, data: st.DataObject
) -> None:
    usage = Usage(
        input_tokens=data.draw(st.integers(0, input_bytes)),
        output_tokens=data.draw(st.integers(0, output_max * answers)),
        cache_read_tokens=data.draw(COUNTS),
        cache_write_1h_tokens=data.draw(COUNTS),
        reasoning_tokens=data.draw(COUNTS),
    )
    pricing = Pricing(sheet)
    assert pricing.charge(usage) <= pricing.worst_case(input_bytes, output_max, answers)


def test_one_token_of_a_cheap_model_rounds_half_up() -> None:
    cheap = Pricing(PriceSheet(id="c", input=Decimal("0.0005"), output=Decimal("0.0004")))
    assert cheap.charge(Usage(input_tokens=1)) == 1  # 0.5 nano-USD
    assert cheap.charge(Usage(output_tokens=1)) == 0  # 0.4
    assert cheap.charge(Usage(input_tokens=1, output_tokens=1)) == 1  # 0.9, rounded once


def test_a_search_without_a_price_is_refused() -> None:
    sheet = PriceSheet(id="c", input=Decimal(1), output=Decimal(1))
    with pytest.raises(PriceMissing):
        Pricing(sheet).charge(Usage(web_search_calls=1))
