"""Price sheets: decimal strings of a row to the exact prices of `billing`; groups and budgets likewise.

A sheet's id is its name and eight digits of its content, so a changed price is another sheet: a receipt that names the
id can be recomputed for ever.
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from hashlib import sha256

import msgspec

from allgate.admin.price_rows import GroupRow, ImagePriceRow, PriceRow, SheetRow, VariantRow
from allgate.admin.rows import ConfigError
from allgate.billing.sheets import UNITS, ImagePrice, PriceSheet, PriceVariant

PRICE_USD_MAX = Decimal(1_000_000)
"""Per million tokens. No vendor asks for a thousandth of it; a misplaced comma might."""

RATIO_MAX = Decimal(1_000)
"""Of a group. A reseller's largest factor seen is 10."""

_FIRST_MEMBERS = (
    "input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "input_audio", "input_image",
    "output_audio", "output_image", "call", "web_search", "source", "name",
)  # fmt: skip
"""Those of the first version, all of which its ids are made of. Later ones count where they are set, so that a sheet
without them keeps its id."""


def sheet_id(row: SheetRow) -> str:
    """`name@1a2b3c4d`."""
    members: dict[str, object] = msgspec.to_builtins(row)
    content = {name: members.pop(name) for name in _FIRST_MEMBERS}
    content |= {name: value for name, value in members.items() if value}
    return f"{row.name}@{sha256(msgspec.json.encode(content)).hexdigest()[:8]}"


def price_sheet(row: SheetRow) -> PriceSheet:
    """The exact prices of a row. Raises: ConfigError: no decimal, negative, beyond PRICE_USD_MAX, or a case twice."""
    where = f"prices.{row.name}"
    _no_case_twice(where, "images", [(one.size, one.quality) for one in row.images])
    _no_case_twice(where, "variants", [(one.tier, one.above_input_tokens) for one in row.variants])
    exact = {
        "id": sheet_id(row),
        "images": tuple(_image(one, where) for one in row.images),
        "variants": tuple(_variant(one, where) for one in row.variants),
        "source": row.source,
    }
    return msgspec.convert(_prices(row, where) | exact, PriceSheet)


def ratios(row: GroupRow) -> tuple[Decimal, dict[str, Decimal]]:
    """The group's factor, and those of some models. Raises: ConfigError."""
    where = f"groups.{row.name}"
    by_model = {
        model: _decimal(text, where, f"model_ratios.{model}", RATIO_MAX)
        for model, text in row.model_ratios.items()
    }
    return _decimal(row.ratio, where, "ratio", RATIO_MAX), by_model


def _prices(row: PriceRow | VariantRow, where: str) -> dict[str, object]:
    texts: dict[str, str | None] = {unit: getattr(row, unit) for unit in UNITS}
    return {unit: _decimal(text, where, unit) for unit, text in texts.items() if text is not None}


def _image(row: ImagePriceRow, where: str) -> ImagePrice:
    return ImagePrice(price=_decimal(row.price, where, "images"), size=row.size, quality=row.quality)


def _variant(row: VariantRow, where: str) -> PriceVariant:
    if row.tier is None and not row.above_input_tokens:
        raise ConfigError(where, "variants", "a variant has a tier, or above_input_tokens, or both")
    place = {"tier": row.tier, "above_input_tokens": row.above_input_tokens}
    return msgspec.convert(_prices(row, f"{where}.variants") | place, PriceVariant)


def _no_case_twice(where: str, key: str, cases: Iterable[tuple[object, object]]) -> None:
    seen: set[tuple[object, object]] = set()
    for case in cases:
        if case in seen:
            raise ConfigError(where, key, f"has two prices for one case: {case[0]}, {case[1]}")
        seen.add(case)


def _decimal(text: str, where: str, key: str, most: Decimal = PRICE_USD_MAX) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ConfigError(where, key, f"is no decimal number: {text!r}") from error
    if not number.is_finite() or not 0 <= number <= most:
        unit = " USD" if most is PRICE_USD_MAX else ""
        raise ConfigError(where, key, f"must be between 0 and {most}{unit}: {text!r}")
    return number
