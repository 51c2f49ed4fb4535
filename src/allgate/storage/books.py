"""What accounts may read of the books: what was added, what was spent, and the proof of one charge.

A reading first waits until what was just answered is written, and then runs beside the writer: a report over a million
charges takes a quarter of a second, in which the loop and the writer go on.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from allgate.billing.prices import charge_for
from allgate.core.money import NanoUsd
from allgate.gateway.ports import Proof
from allgate.storage.connection import Connection, Jobs
from allgate.storage.corrections import read_corrected, read_debited
from allgate.storage.prices import read_priced
from allgate.storage.reading import read_behind
from allgate.storage.request_log import read_row
from allgate.storage.sql_text import statements
from allgate.storage.transfers import read_receipt

Read = TypeVar("Read")


class StoredBooks:
    """`gateway.ports.Books`. `flush` hands over what waits, so that who was just answered finds his line."""

    def __init__(self, writer: Jobs, reader: Jobs, flush: Callable[[], None]) -> None:
        self._writer = writer
        self._reader = reader
        self._flush = flush

    async def granted_nano_usd(self, account_id: str) -> NanoUsd:
        """Raises: Refused(OVERLOADED): the database is away. So do those below."""
        return await self._read(partial(_granted_in_all, account_id))

    async def spent_nano_usd(
        self, account_id: str, windows_ms: Sequence[tuple[int, int]]
    ) -> tuple[NanoUsd, ...]:
        return await self._read(partial(_spent, account_id, windows_ms))

    async def proof(self, account_id: str, request_id: str) -> Proof | None:
        return await self._read(partial(_proof, account_id, request_id))

    async def _read(self, read: Callable[[Connection], Read]) -> Read:
        self._flush()
        return await read_behind(self._writer, self._reader, read)


def _granted(account: str, connection: Connection) -> NanoUsd:
    return NanoUsd(connection.execute(statements()["read_granted"], {"account": account}).fetchall()[0][0])


def _granted_in_all(account: str, connection: Connection) -> NanoUsd:
    """What was added less what operators took again: the balance is this less what requests have cost."""
    return NanoUsd(_granted(account, connection) - read_debited(connection, account))


def _spent(
    account: str, windows_ms: Sequence[tuple[int, int]], connection: Connection
) -> tuple[NanoUsd, ...]:
    """Ids of requests begin with the time of their admission (`core.ids`), so a window is a range of them."""
    return tuple(
        NanoUsd(
            connection.execute(
                statements()["read_spent"],
                {"account": account, "from_id": f"req_{from_ms:012x}", "before_id": f"req_{before_ms:012x}"},
            ).fetchall()[0][0]
        )
        for from_ms, before_ms in windows_ms
    )


def _proof(account: str, request_id: str, connection: Connection) -> Proof | None:
    named = {"request_id": request_id, "account": account}
    columns = connection.execute(statements()["read_request"], named).fetchone()
    if columns is None:
        return None
    row, receipt = read_row(columns), read_receipt(connection, request_id)
    priced = read_priced(connection, row.price_id)
    if priced is None or receipt is None:
        return Proof(row=row, receipt=receipt, charge=None)
    return Proof(
        row=row,
        receipt=receipt,
        charge=charge_for(row.usage, *priced),
        valid_from=priced[0].valid_from,
        corrected_nano_usd=read_corrected(connection, request_id),
    )
