"""Dated price sheets, read back as they were served."""

import sqlite3
from decimal import Decimal

import msgspec

from allgate.billing.prices import PriceSheet
from allgate.storage.sql_text import statements


def read_sheet(connection: sqlite3.Connection, price_id: str) -> PriceSheet | None:
    """The exact prices of a sheet; None: there is no such sheet."""
    cursor = connection.execute(statements()["read_price"], {"id": price_id})
    row = cursor.fetchone()
    if row is None:
        return None
    named = {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
    prices = {
        name: Decimal(text)
        for name in PriceSheet.__struct_fields__
        if name not in ("id", "source", "valid_from") and (text := named[name]) is not None
    }
    return msgspec.convert(prices | {"id": price_id, "source": named["source"]}, PriceSheet)
