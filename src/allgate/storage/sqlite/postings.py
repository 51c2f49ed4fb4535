"""Charges as rows in SQLite: how a group of them is written.

A charge is one transfer from the account to the house, an overage one or two more; its line of the request log is in the
same transaction. A group is written with few statements, because each of them hands the interpreter's lock over twice, and
a busy loop makes a thread wait for it: one statement for all transfers, one for the balances, folded per account, one for
all lines (`rows`).

What makes a repetition harmless is the key of a transfer: (request id, kind). A group in which one was there already,
or in which a balance would overflow, is undone and written again charge by charge, so that nobody pays for another's error.
"""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from allgate.billing.book import REVENUE, UNCOLLECTED
from allgate.billing.ledger import Receipt, Settlement
from allgate.gateway.ports import LogRow
from allgate.storage.group_commit import Ending
from allgate.storage.sqlite.lines import write_lines
from allgate.storage.sqlite.rows import Row, RowsStatement, places
from allgate.storage.transfers import TRANSFER_COLUMNS, read_receipt

NOT_WRITABLE = (sqlite3.IntegrityError, OverflowError, UnicodeError)
"""What is wrong with the rows and not with the database: a key or a check, 64 bits, half an emoji."""

BALANCE_COLUMNS = ("account", "balance_nano_usd")

_insert_transfers = RowsStatement(
    lambda count: (
        f"INSERT INTO transfers ({', '.join(TRANSFER_COLUMNS)}) VALUES {places(TRANSFER_COLUMNS, count)}"  # noqa: S608  only our own names
    )
)
_add_balances = RowsStatement(
    lambda count: (
        f"INSERT INTO balances ({', '.join(BALANCE_COLUMNS)}) VALUES {places(BALANCE_COLUMNS, count)} "  # noqa: S608  only our own names
        "ON CONFLICT (account) DO UPDATE SET balance_nano_usd = balance_nano_usd + excluded.balance_nano_usd"
    )
)


class Posting(NamedTuple):
    """A charge as it was decided: what is to be written, with its line of the request log if there is one."""

    settlement: Settlement
    receipt: Receipt
    line: LogRow | None
    at_ms: int

    def to_record(self) -> bytes:
        """For the outbox. A line that is no Unicode (half an emoji in a provider's words) does not take its charge with
        it."""
        try:
            return msgspec.json.encode(self)
        except UnicodeError:
            return msgspec.json.encode(self._replace(line=None))

    @staticmethod
    def from_record(record: bytes) -> "Posting":
        """Raises: msgspec.MsgspecError, a ValueError: it is none."""
        return msgspec.json.decode(record, type=Posting)


def write_postings(postings: Sequence[Posting], connection: sqlite3.Connection) -> list[Ending] | None:
    """Write the group in the transaction under way, which is theirs alone. None: everything as decided; else how each ended.

    Raises: sqlite3.Error: nothing can be written, for a reason that is not one of theirs.
    """
    try:
        _write(postings, connection)
    except (
        NOT_WRITABLE
    ):  # not a savepoint: it would hand the interpreter's lock over twice more, for every group
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        return [_written_alone(posting, connection) for posting in postings]
    return None


def _write(postings: Sequence[Posting], connection: sqlite3.Connection) -> None:
    rows: list[Row] = []
    moves: dict[str, int] = {}
    for posting in postings:
        _append(posting, rows, moves)
    _insert_transfers.run(connection, rows)
    _add_balances.run(connection, list(moves.items()))
    lines = [posting.line for posting in postings if posting.line is not None]
    if lines:
        write_lines(lines, connection)


def _append(posting: Posting, rows: list[Row], moves: dict[str, int]) -> None:
    """The transfers of one charge, and what they move."""
    settlement, receipt, _, at_ms = posting
    hold, charge = settlement.hold, settlement.charge
    assert charge is not None  # a void is not written: what was never posted needs no taking back
    account, overage = hold.account_id, receipt.overage_nano_usd
    tail = (at_ms, hold.key_id, charge.sheet_id, settlement.reason)
    rows.append((hold.request_id, "charge", account, REVENUE, receipt.posted_nano_usd, *tail))
    paid = receipt.posted_nano_usd
    if overage:
        uncollected = receipt.uncollected_nano_usd
        rows.append((hold.request_id, "overage", account, REVENUE, overage - uncollected, *tail))
        paid += overage - uncollected
        if uncollected:
            rows.append((hold.request_id, "uncollected", UNCOLLECTED, REVENUE, uncollected, *tail))
            moves[UNCOLLECTED] = moves.get(UNCOLLECTED, 0) - uncollected
    moves[account] = moves.get(account, 0) - paid
    moves[REVENUE] = moves.get(REVENUE, 0) + receipt.posted_nano_usd + overage


def _written_alone(posting: Posting, connection: sqlite3.Connection) -> Ending:
    """A line that the database does not take is left out: the charge counts."""
    error = _attempt(posting, connection)
    if error is None:
        return posting.receipt
    if (first := read_receipt(connection, posting.receipt.request_id)) is not None:
        return first
    if posting.line is not None and _attempt(posting._replace(line=None), connection) is None:
        return posting.receipt
    return error


def _attempt(posting: Posting, connection: sqlite3.Connection) -> Exception | None:
    connection.execute("SAVEPOINT posting")
    try:
        _write((posting,), connection)
    except NOT_WRITABLE as error:
        connection.execute("ROLLBACK TO posting")
        return error
    finally:
        connection.execute("RELEASE posting")
    return None
