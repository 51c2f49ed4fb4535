from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.billing.prices import charge_for
from allgate.billing.pricing import HOSTED_CALLS_MAX, Pricing
from allgate.billing.sheets import UNITS, ImagePrice, PriceMissing, PriceSheet, PriceVariant
from allgate.core.usage import Usage

PRICES = st.decimals(0, 1000, places=7)
SOME = st.none() | PRICES
OPTIONAL = {unit: SOME for unit in UNITS if unit not in ("input", "output")}
TIERS = st.sampled_from([None, "flex", "priority"])
SIZES = st.sampled_from([None, "1024x1024", "1024x1536"])
QUALITIES = st.sampled_from([None, "low", "high"])
VARIANTS = st.builds(
    PriceVariant,
    tier=TIERS,
    above_input_tokens=st.sampled_from([0, 1_000, 200_000]),
    input=SOME,
    output=SOME,
    **OPTIONAL,
)
SHEETS = st.builds(
    PriceSheet,
    id=st.just("s@1a2b3c4d"),
    input=PRICES,
    output=PRICES,
    variants=st.lists(VARIANTS, max_size=4, unique_by=lambda one: (one.tier, one.above_input_tokens)).map(
        tuple
    ),
    images=st.lists(
        st.builds(ImagePrice, size=SIZES, quality=QUALITIES, price=PRICES),
        max_size=3,
        unique_by=lambda one: (one.size, one.quality),
    ).map(tuple),
    **OPTIONAL,
)
RATIOS = st.sampled_from([Decimal(1)]) | st.decimals(0, 10, places=3)
COUNTS = st.none() | st.sampled_from([0, 999, 1_000, 1_001, 200_001]) | st.integers(0, 10**7)
COUNTED = [name for name in Usage.__struct_fields__ if name.endswith(("_tokens", "_calls"))] + [
    "images",
    "milliseconds",
    "characters",
]
USAGES = st.builds(
    Usage,
    service_tier=TIERS | st.just("unheard-of"),
    image_size=SIZES,
    image_quality=QUALITIES,
    **dict.fromkeys(COUNTED, COUNTS),
)


@given(SHEETS, USAGES, RATIOS)
def test_the_compiled_sheet_charges_the_same_nano_usd_as_the_reference(
    sheet: PriceSheet, usage: Usage, ratio: Decimal
) -> None:
    pricing, charge = Pricing(sheet, ratio), charge_for(usage, sheet, ratio)
    assert pricing.charge(usage) == charge.amount_nano_usd
    assert pricing.id == charge.sheet_id


@given(SHEETS, st.integers(0, 10**6), st.integers(0, 10**5), st.integers(1, 4), st.data())
def test_the_worst_case_covers_whatever_fits_in_it(
    sheet: PriceSheet, input_bytes: int, output_max: int, answers: int, data: st.DataObject
) -> None:
    tier = data.draw(TIERS)
    usage = Usage(
        input_tokens=data.draw(st.integers(0, input_bytes)),
        output_tokens=data.draw(st.integers(0, output_max * answers)),
        cache_read_tokens=data.draw(COUNTS),
        cache_write_1h_tokens=data.draw(COUNTS),
        reasoning_tokens=data.draw(COUNTS),
        service_tier=tier,
    )
    pricing = Pricing(sheet)
    assert pricing.charge(usage) <= pricing.bound(input_bytes, output_max, answers, tiered=tier is not None)
    if tier is None:
        assert pricing.charge(usage) <= pricing.worst_case(input_bytes, output_max, answers)


def test_one_token_of_a_cheap_model_rounds_half_up() -> None:
    cheap = Pricing(PriceSheet(id="c", input=Decimal("0.0005"), output=Decimal("0.0004")))
    assert cheap.charge(Usage(input_tokens=1)) == 1  # 0.5 nano-USD
    assert cheap.charge(Usage(output_tokens=1)) == 0  # 0.4
    assert cheap.charge(Usage(input_tokens=1, output_tokens=1)) == 1  # 0.9, rounded once


def test_a_hosted_tool_without_a_price_is_refused_where_it_is_asked_for() -> None:
    plain = Pricing(PriceSheet(id="c", input=Decimal(1), output=Decimal(1)))
    with pytest.raises(PriceMissing, match="price sheet c has no price for file_search"):
        plain.bound(0, 0, 1, features={"tools", "file_search"})
    priced = Pricing(PriceSheet(id="c", input=Decimal(1), output=Decimal(1), file_search=Decimal("0.0025")))
    assert priced.bound(0, 0, 1, features={"tools", "file_search"}) == HOSTED_CALLS_MAX * 2_500_000


def test_a_hold_knows_of_the_dearer_prices_of_a_long_prompt_and_of_a_tier_that_is_asked_for() -> None:
    long = PriceVariant(above_input_tokens=1_000, input=Decimal(2))
    fast = PriceVariant(tier="priority", input=Decimal(5))
    pricing = Pricing(PriceSheet(id="c", input=Decimal(1), output=Decimal(0), variants=(long, fast)))
    assert pricing.worst_case(1_000, 0, 1) == 1_000 * 1_000
    assert pricing.worst_case(1_001, 0, 1) == 1_001 * 2_000
    assert pricing.bound(1_001, 0, 1, tiered=True) == 1_001 * 5_000
