"""Price sheets out of `genai-prices`, a list of what vendors ask that others keep, dated and sourced.

A sheet is named `provider/model`, with our name of the provider and the vendor's of the model. What that list says in
other words is converted exactly; what a sheet has no words for is left out and said: prices by the hour of the day, cached
audio and pictures apart, modes other than service tiers. Nothing is fetched: the list is in the package.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from importlib.metadata import version
from typing import NamedTuple

import msgspec
from genai_prices.data import providers
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    TieredPrices,
    TimeOfDateConstraint,
)

from allgate.admin.price_rows import SheetRow
from allgate.billing.sheets import decimal_text
from allgate.core.usage import ORDINARY_TIERS

NAMES = {
    "gemini": "google", "xai": "x-ai", "moonshot": "moonshotai", "zhipu": "zai",
}  # fmt: skip
"""Our name of a provider, where that list has another."""

_UNITS = {
    "input_mtok": ("input", 1), "output_mtok": ("output", 1), "cache_read_mtok": ("cache_read", 1),
    "cache_write_mtok": ("cache_write_5m", 1), "cache_write_1h_mtok": ("cache_write_1h", 1),
    "output_reasoning_mtok": ("reasoning", 1), "input_audio_mtok": ("input_audio", 1),
    "input_image_mtok": ("input_image", 1), "input_video_mtok": ("input_video", 1),
    "output_audio_mtok": ("output_audio", 1), "output_image_mtok": ("output_image", 1),
    "requests_kcount": ("call", 1000), "web_searches_kcount": ("web_search", 1000),
    "storage_searches_kcount": ("file_search", 1000), "code_executions_kcount": ("code_execution", 1000),
    "input_mchars": ("character", 1), "audio_hours": ("second", 3600), "input_audio_hours": ("second", 3600),
}  # fmt: skip
"""That list's words, the unit of a sheet, and what the price is divided by."""


class Sourced(NamedTuple):
    """A sheet, and what could not be taken over. `sheet` None: nothing could."""

    sheet: SheetRow | None
    remarks: tuple[str, ...]


def sourced(provider: str, model: str, now: datetime) -> Sourced:
    """The prices of a provider's model as they are now."""
    name = f"{provider}/{model}"
    listed = next((one for one in providers if one.id == NAMES.get(provider, provider)), None)
    found = listed and listed.find_model(model, all_providers=providers)
    if listed is None or found is None:
        return Sourced(None, (f"{name}: genai-prices has no such model",))
    if _by_the_hour(found):
        return Sourced(None, (f"{name}: its prices depend on the hour, which a sheet cannot say",))
    prices, remarks = found.get_prices(now), list[str]()
    variants = _lengths(prices, None, name, remarks)
    for tier, tier_prices in _tiers(found, now, name, remarks):
        variants |= _lengths(tier_prices, tier, name, remarks)
    if not any("cache_write_1h" in units for units in variants.values()):
        for (
            units
        ) in variants.values():  # that list charges an hour's write as any write where it says nothing else
            if "cache_write_5m" in units:
                units["cache_write_1h"] = units["cache_write_5m"]
    base = variants.pop((None, 0), {})
    if not base.keys() >= {"input", "output"}:
        kinds = ", ".join(sorted(base)) or "nothing"
        return Sourced(
            None, (*remarks, f"{name}: a sheet prices input and output tokens, and this list has {kinds}")
        )
    rows = [
        units | {"tier": tier, "above_input_tokens": above}
        for (tier, above), units in variants.items()
        if units
    ]
    members: dict[str, object] = {"name": name, **base, "variants": rows, "source": _source(listed)}
    return Sourced(msgspec.convert(members, SheetRow), tuple(dict.fromkeys(remarks)))


def _source(listed: Provider) -> str:
    page = f", after {listed.pricing_urls[0]}" if listed.pricing_urls else ""
    return f"genai-prices {version('genai-prices')}{page}"


def _by_the_hour(model: ModelInfo) -> bool:
    conditions: list[ConditionalPrice] = [] if isinstance(model.prices, ModelPrice) else model.prices
    return any(isinstance(one.constraint, TimeOfDateConstraint) for one in conditions)


def _tiers(
    model: ModelInfo, now: datetime, name: str, remarks: list[str]
) -> Iterator[tuple[str, ModelPrice]]:
    """The prices of each special tier. Those of several conditions are asked of the list itself."""
    seen: set[str] = set()
    for variant in model.price_variants or ():
        match dict(variant.when):
            case {"service_tier": tier, **rest} | {"processing": tier, **rest} if not rest:
                active = variant.constraint is None or variant.constraint.active(now)
                if active and tier not in seen and tier not in ORDINARY_TIERS:
                    seen.add(tier)
                    yield tier, variant.prices
            case other:
                cases = ", ".join(f"{key}={value}" for key, value in other.items())
                remarks.append(f"{name}: other prices at {cases} are not taken over")


def _lengths(
    prices: ModelPrice, tier: str | None, name: str, remarks: list[str]
) -> dict[tuple[str | None, int], dict[str, str]]:
    """The units priced at each length of prompt, as decimal text."""
    found: dict[tuple[str | None, int], dict[str, str]] = {(tier, 0): {}}
    for word, price in _stated(prices):
        if word not in _UNITS:
            remarks.append(f"{name}: a sheet has no {word}; it is charged as what it is part of")
            continue
        unit, per = _UNITS[word]
        steps = (
            [(0, price)]
            if isinstance(price, Decimal)
            else [(0, price.base), *((one.start, one.price) for one in price.tiers)]
        )
        for above, amount in steps:
            text = _text(amount, per)
            if text is None:
                remarks.append(f"{name}: {word} ÷ {per} is no decimal number, and left out")
            else:
                found.setdefault((tier, above), {})[unit] = text
    return found


def _stated(prices: ModelPrice) -> Iterator[tuple[str, Decimal | TieredPrices]]:
    for word, price in vars(prices).items():
        if isinstance(price, (Decimal, TieredPrices)):
            yield word, price


def _text(price: Decimal, per: int) -> str | None:
    """Exactly, or None."""
    exact = Fraction(price) / per
    denominator = exact.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    return decimal_text(Decimal(exact.numerator) / Decimal(exact.denominator)) if denominator == 1 else None
