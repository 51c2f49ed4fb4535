"""What accounts may read of the books: what was added, what was spent, and the proof of one charge.

Each reading opens a connection of its own that cannot write, in a thread: a report over a million charges takes a quarter
of a second, in which the loop and the writer go on.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from allgate.billing.prices import charge_for
from allgate.core.money import NanoUsd
from allgate.gateway.ports import Proof
from allgate.storage.config_store import read_number
from allgate.storage.postings import read_receipt
from allgate.storage.prices import read_priced
from allgate.storage.request_log import read_row
from allgate.storage.schema import open_reading
from allgate.storage.sql_text import statements
from allgate.storage.writer import Writer

Read = TypeVar("Read")


class SqliteBooks:
    """`gateway.ports.Books`. `flush` hands over what waits, so that who was just answered finds his line."""

    def __init__(self, path: Path, writer: Writer, flush: Callable[[], None]) -> None:
        self._path = path
        self._writer = writer
        self._flush = flush

    async def granted_nano_usd(self, account_id: str) -> NanoUsd:
        """Raises: sqlite3.Error."""
        return await self._read(partial(_granted, account_id))

    async def spent_nano_usd(
        self, account_id: str, windows_ms: Sequence[tuple[int, int]]
    ) -> tuple[NanoUsd, ...]:
        """Raises: sqlite3.Error."""
        return await self._read(partial(_spent, account_id, windows_ms))

    async def proof(self, account_id: str, request_id: str) -> Proof | None:
        """Raises: sqlite3.Error."""
        return await self._read(partial(_proof, account_id, request_id))

    async def _read(self, read: Callable[[sqlite3.Connection], Read]) -> Read:
        self._flush()
        await asyncio.wrap_future(self._writer.submit(read_number))  # after it, what was handed over is there
        return await asyncio.to_thread(self._opened, read)

    def _opened(self, read: Callable[[sqlite3.Connection], Read]) -> Read:
        with closing(open_reading(self._path)) as connection:
            return read(connection)


def _granted(account: str, connection: sqlite3.Connection) -> NanoUsd:
    (amount,) = connection.execute(statements()["read_granted"], {"account": account}).fetchone()
    return NanoUsd(amount)


def _spent(
    account: str, windows_ms: Sequence[tuple[int, int]], connection: sqlite3.Connection
) -> tuple[NanoUsd, ...]:
    """Ids of requests begin with the time of their admission (`core.ids`), so a window is a range of them."""
    return tuple(
        NanoUsd(
            connection.execute(
                statements()["read_spent"],
                {"account": account, "from_id": f"req_{from_ms:012x}", "before_id": f"req_{before_ms:012x}"},
            ).fetchone()[0]
        )
        for from_ms, before_ms in windows_ms
    )


def _proof(account: str, request_id: str, connection: sqlite3.Connection) -> Proof | None:
    named = {"request_id": request_id, "account": account}
    columns = connection.execute(statements()["read_request"], named).fetchone()
    if columns is None:
        return None
    row, receipt = read_row(columns), read_receipt(connection, request_id)
    priced = read_priced(connection, row.price_id)
    if priced is None or receipt is None:
        return Proof(row=row, receipt=receipt, charge=None)
    return Proof(
        row=row, receipt=receipt, charge=charge_for(row.usage, *priced), valid_from=priced[0].valid_from
    )
