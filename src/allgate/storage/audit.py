"""The books recomputed: every balance from its transfers, every charge from its line of the request log.

Nothing is taken from what the serving code believes. A charge is computed anew by the exact arithmetic of `charge_for`
from the usage in its line and the dated price sheet that the line names. Whatever differs is drift, and drift is zero.
Not drift: charges whose line is gone (retention deletes the oldest; the log may be switched off); they are counted.
"""

from decimal import Decimal
from functools import cache, partial
from typing import NamedTuple

from allgate.billing.book import UNANSWERED, UNCOLLECTED
from allgate.billing.prices import charge_for
from allgate.billing.sheets import PriceSheet
from allgate.core.value import Value
from allgate.storage.connection import Connection
from allgate.storage.prices import read_priced
from allgate.storage.request_log import read_usage
from allgate.storage.sql_text import statements
from allgate.storage.transfers import read_balances

HOUSE = "house:"
DRIFTS_MAX = 1_000
"""Kept to be shown; the rest are counted. Whoever has a thousand needs no thousand and first."""


class Drift(Value, frozen=True, kw_only=True):
    """One thing in the books that is not what it must be. Amounts in nano-USD; None: there is nothing."""

    what: str
    where: str
    kept: int | None
    must_be: int | None


class Audit(Value, frozen=True, kw_only=True):
    """What was looked at, and what was wrong. `unlogged`: charges whose line is gone; `uncollected`: what accounts used
    beyond their balances; `unanswered`: what attempts without an answer may have cost the house, estimated."""

    accounts: int
    transfers: int
    lines: int
    unlogged: int
    uncollected_nano_usd: int
    unanswered_nano_usd: int
    drift_count: int
    drifts: tuple[Drift, ...]


def audit(connection: Connection) -> Audit:
    """Read the whole ledger: a job for a reader, so that it sees one moment. About 40 µs per line of the request log."""
    found = _Found()
    balances = read_balances(connection)
    transfers = _check_balances(connection, balances, found)
    _check_openings(connection, found)
    lines = _check_lines(connection, found)
    (unlogged,) = connection.execute(statements()["count_charges_without_line"]).fetchall()[0]
    return Audit(
        accounts=len(balances),
        transfers=transfers,
        lines=lines,
        unlogged=unlogged,
        uncollected_nano_usd=-balances.get(UNCOLLECTED, 0),
        unanswered_nano_usd=-balances.get(UNANSWERED, 0),
        drift_count=found.count,
        drifts=tuple(found.drifts),
    )


def audit_balances(connection: Connection) -> Audit:
    """The same without the lines: what a server can look at every few minutes. The database adds up a million transfers in
    half a second."""
    found = _Found()
    balances = read_balances(connection)
    transfers = _check_balances(connection, balances, found)
    _check_openings(connection, found)
    return Audit(
        accounts=len(balances),
        transfers=transfers,
        lines=0,
        unlogged=0,
        uncollected_nano_usd=-balances.get(UNCOLLECTED, 0),
        unanswered_nano_usd=-balances.get(UNANSWERED, 0),
        drift_count=found.count,
        drifts=tuple(found.drifts),
    )


class _Found:
    """Collects drifts, up to their limit."""

    def __init__(self) -> None:
        self.count = 0
        self.drifts: list[Drift] = []

    def compare(self, what: str, where: str, kept: int | None, must_be: int | None) -> None:
        if kept != must_be:
            self.count += 1
            if len(self.drifts) < DRIFTS_MAX:
                self.drifts.append(Drift(what=what, where=where, kept=kept, must_be=must_be))


def _check_balances(connection: Connection, balances: dict[str, int], found: _Found) -> int:
    """Each balance is what its transfers add up to, all of them are zero together, and only the house owes."""
    added_up: dict[str, int] = {}
    transfers = 0
    for debit, credit, amount, count in connection.execute(statements()["read_movements"]):
        added_up[debit] = added_up.get(debit, 0) - amount
        added_up[credit] = added_up.get(credit, 0) + amount
        transfers += count
    for account in sorted(balances.keys() | added_up.keys()):
        balance = balances.get(account, 0)
        found.compare("balance", account, balance, added_up.get(account, 0))
        if not account.startswith(HOUSE):
            found.compare("balance below zero", account, balance, max(balance, 0))
    found.compare("sum of all balances", "", sum(balances.values()), 0)
    return transfers


def _check_openings(connection: Connection, found: _Found) -> None:
    for account, promised, opened in connection.execute(statements()["read_openings"]):
        found.compare("opening balance", account, opened, promised)


def _check_lines(connection: Connection, found: _Found) -> int:
    """What was transferred for a line is what the line says, and what its usage costs."""
    priced_by = cache(partial(read_priced, connection))
    lines = 0
    for line in connection.execute(statements()["read_charged_lines"]):
        row = _Line(*line[:4], usage=line[4:])
        lines += 1
        found.compare("charge of a line", row.request_id, row.transferred or 0, row.charged)
        if row.transferred is not None:
            found.compare(
                "recomputed charge", row.request_id, row.transferred, _cost(row, priced_by(row.price))
            )
    return lines


class _Line(NamedTuple):
    request_id: str
    price: str
    charged: int
    transferred: int | None
    usage: tuple[object, ...]


def _cost(line: _Line, priced: tuple[PriceSheet, Decimal] | None) -> int | None:
    """None: its sheet is gone."""
    return None if priced is None else charge_for(read_usage(line.usage), *priced).amount_nano_usd
