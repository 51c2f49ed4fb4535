"""Dated price sheets, read back as they were served."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from allgate.billing.sheets import UNITS, ImagePrice, PriceSheet, PriceVariant, read_price_ref
from allgate.storage.connection import Connection
from allgate.storage.sql_text import statements


def read_sheet(connection: Connection, sheet_id: str) -> PriceSheet | None:
    """The exact prices of a sheet; None: there is no such sheet."""
    cursor = connection.execute(statements()["read_price"], {"id": sheet_id})
    row = cursor.fetchone()
    if row is None:
        return None
    named = {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
    prices = {unit: Decimal(named[unit]) for unit in UNITS if named[unit] is not None}
    valid_from = datetime.fromtimestamp(named["valid_from_ms"] / 1000, UTC)
    other = {
        "id": sheet_id,
        "images": _cases(named["images"], ImagePrice),
        "variants": _cases(named["variants"], PriceVariant),
        "source": named["source"],
        "valid_from": valid_from.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    return msgspec.convert(prices | other, PriceSheet)


def read_priced(connection: Connection, ref: str) -> tuple[PriceSheet, Decimal] | None:
    """The sheet and the ratio that a transfer or a line names; None: its sheet is gone."""
    sheet_id, ratio = read_price_ref(ref)
    sheet = read_sheet(connection, sheet_id)
    return None if sheet is None else (sheet, ratio)


def read_dates(connection: Connection, name: str) -> list[tuple[str, int]]:
    """The id of every version of a sheet, and since when (milliseconds) it was in force; the newest first."""
    rows = connection.execute(statements()["read_price_dates"], {"name": name}).fetchall()
    return [(str(sheet_id), int(since_ms)) for sheet_id, since_ms in rows]


def _cases(text: str | None, kind: type[ImagePrice] | type[PriceVariant]) -> tuple[object, ...]:
    """Decimals are text in the JSON of a row, as everywhere."""
    return () if text is None else msgspec.json.decode(text, type=tuple[kind, ...])
