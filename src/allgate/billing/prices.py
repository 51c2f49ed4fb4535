"""The one place where quantities meet prices, with the arithmetic to show for it.

A charge is the sum of its lines (quantity × price ÷ per), times the group's ratio, computed with exact fractions and
rounded once, half up. Totals are inclusive (see `core.usage`), so classes with a price of their own are taken out of the
total first: cached input leaves `input`, reasoning and audio output leave `output`, only where they are priced apart.

`pricing.Pricing` computes the same amounts on the hot path; a property test holds the two together. What a provider
reports unasked and the sheet does not price (a model that searches of its own accord) adds nothing, and is named in
`unpriced`, on the receipt: what was asked for is refused at admission instead.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from allgate.billing.sheets import (
    CHARACTERS_PER_PRICE,
    HOSTED_UNITS,
    MILLISECONDS_PER_PRICE,
    TOKENS_PER_PRICE,
    UNCHANGED,
    UNITS,
    ImagePrice,
    Prices,
    PriceSheet,
    PriceVariant,
    applies,
    decimal_text,
    price_ref,
    variants_of,
)
from allgate.core.money import NANO_PER_USD, NanoUsd, round_half_up
from allgate.core.usage import Usage
from allgate.core.value import Value, changed


class ChargeLine(Value, frozen=True, kw_only=True):
    """One line of a receipt's arithmetic: quantity × price_usd ÷ per, in USD."""

    unit: str
    quantity: int
    price_usd: str
    per: int


class Charge(Value, frozen=True, kw_only=True):
    """What a request costs. `sheet_id` is the price's reference; the rest is on receipts only: `lines` and `ratio`
    recompute to the amount with one rounding, `variants` names the prices that replaced the sheet's."""

    amount_nano_usd: NanoUsd
    sheet_id: str
    lines: tuple[ChargeLine, ...] = ()
    variants: tuple[str, ...] = ()
    ratio: str = "1"
    unpriced: tuple[str, ...] = ()


def charge_for(usage: Usage, sheet: PriceSheet, ratio: Decimal = UNCHANGED) -> Charge:
    """The exact charge of this usage."""
    applied = tuple(one for one in variants_of(sheet) if applies(one, usage))
    prices = _resolved(sheet, applied)
    image = image_price(sheet.images, usage)
    lines = tuple(line for line in _lines(usage, prices, image) if line.quantity)
    exact = sum((_exact_nano(line) for line in lines), Fraction(0)) * Fraction(ratio)
    return Charge(
        amount_nano_usd=round_half_up(exact),
        sheet_id=price_ref(sheet.id, ratio),
        lines=lines,
        variants=tuple(_name(one) for one in applied),
        ratio=decimal_text(ratio),
        unpriced=unpriced(usage, prices, image),
    )


def image_price(images: tuple[ImagePrice, ...], usage: Usage) -> Decimal | None:
    """The price of one picture of this size and quality; the more of the two a price names, the better (size first)."""
    fitting = [
        one
        for one in images
        if one.size in (None, usage.image_size) and one.quality in (None, usage.image_quality)
    ]
    best = max(fitting, key=lambda one: (one.size is not None, one.quality is not None), default=None)
    return None if best is None else best.price


def unpriced(usage: Usage, prices: Prices, image: Decimal | None) -> tuple[str, ...]:
    """Units that were used and have no price. Pictures, seconds and characters only where no tokens were counted: whoever
    counts both sells the tokens."""
    missing = [
        unit for unit in HOSTED_UNITS if getattr(usage, f"{unit}_calls") and getattr(prices, unit) is None
    ]
    if not usage.total_tokens:
        media = (
            ("image", usage.images, image),
            ("second", usage.milliseconds, prices.second),
            ("character", usage.characters, prices.character),
        )
        missing += [unit for unit, quantity, price in media if quantity and price is None]
    return tuple(missing)


def _resolved(sheet: PriceSheet, applied: tuple[PriceVariant, ...]) -> PriceSheet:
    """The sheet with the prices of its variants in their places."""
    replaced = {unit: price for one in applied for unit in UNITS if (price := getattr(one, unit)) is not None}
    return changed(sheet, **replaced)


def _name(variant: PriceVariant) -> str:
    length = f"above {variant.above_input_tokens} input tokens" if variant.above_input_tokens else ""
    return ", ".join(part for part in (variant.tier, length) if part)


def _exact_nano(line: ChargeLine) -> Fraction:
    return Fraction(Decimal(line.price_usd)) * NANO_PER_USD * line.quantity / line.per


def _lines(usage: Usage, prices: PriceSheet, image: Decimal | None) -> Iterator[ChargeLine]:
    """Every line, empty ones among them."""
    yield from _token_lines(
        ("input", usage.input_tokens or 0, prices.input),
        ("cache_read", usage.cache_read_tokens, prices.cache_read),
        ("cache_write_5m", usage.cache_write_5m_tokens, prices.cache_write_5m),
        ("cache_write_1h", usage.cache_write_1h_tokens, prices.cache_write_1h),
        ("cache_write", usage.cache_write_tokens, prices.cache_write_5m),
        ("input_audio", usage.input_audio_tokens, prices.input_audio),
        ("input_image", usage.input_image_tokens, prices.input_image),
        ("input_video", usage.input_video_tokens, prices.input_video),
    )
    yield from _token_lines(
        ("output", usage.output_tokens or 0, prices.output),
        ("reasoning", usage.reasoning_tokens, prices.reasoning),
        ("output_audio", usage.output_audio_tokens, prices.output_audio),
        ("output_image", usage.output_image_tokens, prices.output_image),
    )
    for unit, quantity, price, per in (
        ("call", 1, prices.call, 1),
        ("image", usage.images, image, 1),
        ("second", usage.milliseconds, prices.second, MILLISECONDS_PER_PRICE),
        ("character", usage.characters, prices.character, CHARACTERS_PER_PRICE),
        *((unit, getattr(usage, f"{unit}_calls"), getattr(prices, unit), 1) for unit in HOSTED_UNITS),
    ):
        if quantity and price is not None:
            yield ChargeLine(unit=unit, quantity=quantity, price_usd=decimal_text(price), per=per)


def _token_lines(
    total: tuple[str, int, Decimal], *parts: tuple[str, int | None, Decimal | None]
) -> Iterator[ChargeLine]:
    """A line for each part with a price of its own, then what is left of the total."""
    name, rest, total_price = total
    for unit, reported, price in parts:
        if reported and price is not None:
            quantity = min(reported, rest)
            rest -= quantity
            yield _token_line(unit, quantity, price)
    yield _token_line(name, rest, total_price)


def _token_line(unit: str, quantity: int, price: Decimal) -> ChargeLine:
    return ChargeLine(unit=unit, quantity=quantity, price_usd=decimal_text(price), per=TOKENS_PER_PRICE)
