"""Price sheets: decimal strings of a row to the exact prices of `billing`.

A sheet's id is its name and eight digits of its content, so a changed price is another sheet: a receipt that names the
id can be recomputed for ever.
"""

from decimal import Decimal, InvalidOperation
from hashlib import sha256

import msgspec

from allgate.admin.rows import ConfigError, PriceRow, SheetRow
from allgate.billing.prices import PriceSheet

PRICE_USD_MAX = Decimal(1_000_000)
"""Per million tokens. No vendor asks for a thousandth of it; a misplaced comma might."""


def sheet_id(row: SheetRow) -> str:
    """`name@1a2b3c4d`."""
    return f"{row.name}@{sha256(msgspec.json.encode(row)).hexdigest()[:8]}"


def price_sheet(row: SheetRow) -> PriceSheet:
    """The exact prices of a row. Raises: ConfigError: no decimal, negative, or beyond PRICE_USD_MAX."""
    texts: dict[str, str | None] = {
        field: getattr(row, field) for field in PriceRow.__struct_fields__ if field != "source"
    }
    prices = {field: _decimal(text, row.name, field) for field, text in texts.items() if text is not None}
    return msgspec.convert(prices | {"id": sheet_id(row), "source": row.source}, PriceSheet)


def _decimal(text: str, sheet: str, field: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise ConfigError(f"prices.{sheet}", field, f"is no decimal number: {text!r}") from error
    if not price.is_finite() or not 0 <= price <= PRICE_USD_MAX:
        raise ConfigError(f"prices.{sheet}", field, f"must be between 0 and {PRICE_USD_MAX} USD: {text!r}")
    return price
