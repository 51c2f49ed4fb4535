"""A price sheet compiled for the hot path: the same exact arithmetic in whole numbers.

`charge_for` works with fractions and shows its lines; it is the reference, and what a receipt prints. It takes 30 µs.
A `Pricing` brings all prices of a sheet, its variants and a group's ratio to one denominator once, so that a charge is
a few integer products and one division that rounds half up: the same nano-USD in under 2 µs. A property test holds the
two together.
"""

from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction
from math import lcm

from allgate.billing.prices import image_price
from allgate.billing.sheets import (
    CHARACTERS_PER_PRICE,
    HOSTED_UNITS,
    MILLISECONDS_PER_PRICE,
    TOKENS_PER_PRICE,
    UNCHANGED,
    UNITS,
    PriceMissing,
    PriceSheet,
    price_ref,
    variants_of,
)
from allgate.core.errors import ErrorKind, Failure
from allgate.core.money import AMOUNT_NANO_USD_MAX, NANO_PER_USD, NanoUsd, checked
from allgate.core.usage import Usage
from allgate.core.value import changed

HOSTED_CALLS_MAX = 10
"""Calls of each kind of hosted tool that a hold covers. Vendors' own defaults are below it (Anthropic's documentation
shows 5); a request that makes more is charged for them as an overage."""

# (field of Usage, unit), in the order in which classes are taken out of the totals
_INPUT_CLASSES = (
    ("cache_read_tokens", "cache_read"),
    ("cache_write_5m_tokens", "cache_write_5m"),
    ("cache_write_1h_tokens", "cache_write_1h"),
    ("cache_write_tokens", "cache_write_5m"),
    ("input_audio_tokens", "input_audio"),
    ("input_image_tokens", "input_image"),
    ("input_video_tokens", "input_video"),
)
_OUTPUT_CLASSES = (
    ("reasoning_tokens", "reasoning"),
    ("output_audio_tokens", "output_audio"),
    ("output_image_tokens", "output_image"),
)
_PIECES = (
    ("milliseconds", "second"),
    ("characters", "character"),
    *((f"{unit}_calls", unit) for unit in HOSTED_UNITS),
)
_PER = {"call": 1, "second": MILLISECONDS_PER_PRICE, "character": CHARACTERS_PER_PRICE} | dict.fromkeys(
    HOSTED_UNITS, 1
)
"""What a price is divided by to be one of the counts of `Usage`; all others are of tokens."""


class _Rates:
    """The prices of one tier and length in whole numbers of nano-USD / unit of the Pricing."""

    __slots__ = (
        "above", "call", "input", "input_classes", "input_max", "output", "output_classes", "output_max", "pieces", "tier",
    )  # fmt: skip

    def __init__(self, tier: str | None, above: int, whole: dict[str, int]) -> None:
        self.tier, self.above = tier, above
        self.input, self.output, self.call = whole["input"], whole["output"], whole.get("call", 0)
        self.input_classes = tuple((field, whole[unit]) for field, unit in _INPUT_CLASSES if unit in whole)
        self.output_classes = tuple((field, whole[unit]) for field, unit in _OUTPUT_CLASSES if unit in whole)
        self.pieces = tuple((field, whole[unit]) for field, unit in _PIECES if unit in whole)
        self.input_max = max(self.input, *(rate for _, rate in self.input_classes), 0)
        self.output_max = max(self.output, *(rate for _, rate in self.output_classes), 0)


class Pricing:
    """The compiled sheet. `id` is the price's reference; `varied`: some requests have other prices than the sheet's."""

    __slots__ = ("_base", "_images", "_unit", "_varieties", "id", "sheet", "varied")

    def __init__(self, sheet: PriceSheet, ratio: Decimal = UNCHANGED) -> None:
        self.sheet = sheet
        self.id = price_ref(sheet.id, ratio)
        exact = {place: _exact(_prices_at(sheet, *place), ratio) for place in _places(sheet)}
        images = {one.price: Fraction(one.price) * NANO_PER_USD * Fraction(ratio) for one in sheet.images}
        every = (*(rate for table in exact.values() for rate in table.values()), *images.values())
        self._unit = lcm(*(rate.denominator for rate in every))
        self._images = {price: int(rate * self._unit) for price, rate in images.items()}
        varieties: dict[str | None, tuple[_Rates, ...]] = {}
        for (tier, above), table in exact.items():
            rates = _Rates(tier, above, {unit: int(rate * self._unit) for unit, rate in table.items()})
            varieties[tier] = (rates, *varieties.get(tier, ()))  # the longest first
        self._varieties = varieties
        self._base = varieties[None][-1]
        self.varied = len(exact) > 1

    def charge(self, usage: Usage) -> NanoUsd:
        """What `usage` costs. What was used and has no price adds nothing (see `prices`)."""
        rates = self._chosen(usage) if self.varied else self._base
        total = rates.call
        rest = usage.input_tokens or 0
        for field, rate in rates.input_classes:
            quantity = getattr(usage, field)
            if quantity:
                quantity = min(quantity, rest)
                rest -= quantity
                total += quantity * rate
        total += rest * rates.input
        rest = usage.output_tokens or 0
        for field, rate in rates.output_classes:
            quantity = getattr(usage, field)
            if quantity:
                quantity = min(quantity, rest)
                rest -= quantity
                total += quantity * rate
        total += rest * rates.output
        for field, rate in rates.pieces:
            total += (getattr(usage, field) or 0) * rate
        if usage.images and self._images:
            total += usage.images * self._image_rate(usage)
        return self._rounded(total)

    def worst_case(self, input_bytes: int, output_tokens_max: int, answers: int) -> NanoUsd:
        """The most a request of no special tier can cost: a token is at least one byte, and output is bounded by what is
        sent upstream."""
        if self.varied:
            return self.bound(input_bytes, output_tokens_max, answers)
        base = self._base
        return self._rounded(
            base.call + input_bytes * base.input_max + output_tokens_max * answers * base.output_max
        )

    def bound(
        self,
        input_bytes: int,
        output_tokens_max: int,
        answers: int,
        *,
        tiered: bool = False,
        features: Collection[str] = (),
    ) -> NanoUsd:
        """The same over every variant that the request may come to, and with the hosted calls that it asks for.

        `tiered`: it asks for a tier. Raises: PriceMissing: it asks for a hosted tool that the sheet does not price.
        """
        hosted = [unit for unit in HOSTED_UNITS if unit in features]
        output_tokens = output_tokens_max * answers
        return self._rounded(
            max(
                rates.call
                + input_bytes * rates.input_max
                + output_tokens * rates.output_max
                + sum(self._hosted_rate(rates, unit) for unit in hosted) * HOSTED_CALLS_MAX
                for tier, varieties in self._varieties.items()
                for rates in varieties
                if (tiered or tier is None) and (not rates.above or input_bytes > rates.above)
            )
        )

    def _chosen(self, usage: Usage) -> _Rates:
        """The prices of this tier (one that is not known has the sheet's own) and length."""
        varieties = self._varieties.get(usage.service_tier) or self._varieties[None]
        input_tokens = usage.input_tokens or 0
        return next(rates for rates in varieties if not rates.above or input_tokens > rates.above)

    def _image_rate(self, usage: Usage) -> int:
        price = image_price(self.sheet.images, usage)
        return 0 if price is None else self._images[price]

    def _hosted_rate(self, rates: _Rates, unit: str) -> int:
        for field, rate in rates.pieces:
            if field == f"{unit}_calls":
                return rate
        raise PriceMissing(
            Failure(
                kind=ErrorKind.OVERLOADED,
                message=f"The price sheet {self.sheet.id} has no price for {unit}, so a request that asks for it cannot be "
                "served. Ask the operator of this gateway.",
                code="price_missing",
            )
        )

    def _rounded(self, total: int) -> NanoUsd:
        amount = (2 * total + self._unit) // (2 * self._unit)
        return NanoUsd(amount) if amount <= AMOUNT_NANO_USD_MAX else checked(amount)


def _places(sheet: PriceSheet) -> list[tuple[str | None, int]]:
    """Every pair of a tier and a length at which prices may differ, the shortest first."""
    tiers = dict.fromkeys((None, *(one.tier for one in sheet.variants)))
    lengths = sorted({0, *(one.above_input_tokens for one in sheet.variants)})
    return [(tier, above) for tier in tiers for above in lengths]


def _prices_at(sheet: PriceSheet, tier: str | None, above: int) -> PriceSheet:
    """The sheet's prices with those of every variant that applies at this place."""
    together = (
        one for one in variants_of(sheet) if one.tier in (None, tier) and one.above_input_tokens <= above
    )
    replaced = {
        unit: price for one in together for unit in UNITS if (price := getattr(one, unit)) is not None
    }
    return changed(sheet, **replaced)


def _exact(prices: PriceSheet, ratio: Decimal) -> dict[str, Fraction]:
    """Nano-USD per count of `Usage`, for every unit with a price."""
    return {
        unit: Fraction(price) * NANO_PER_USD * Fraction(ratio) / _PER.get(unit, TOKENS_PER_PRICE)
        for unit in UNITS
        if (price := getattr(prices, unit)) is not None
    }
