"""The ledger's rows in SQLite: how a group of charges is written, and the rarer movements of money.

A charge is one transfer from the account to the house, an overage one or two more. A group of charges is written with
few statements, because each of them hands the interpreter's lock over twice, and a busy loop makes a thread wait for
it: rows go in parts of 2^n (nine statements, which SQLite's cache keeps), and balances are folded per account.

What makes a repetition harmless is the key of a transfer: (request id, kind). A group in which one was there already,
or in which a balance would overflow, is undone and written again charge by charge, so that nobody pays for another's error.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple, TypeAlias

from allgate.billing.book import GRANTS, REVENUE, UNCOLLECTED
from allgate.billing.ledger import Receipt, Settlement
from allgate.core.money import NanoUsd
from allgate.storage.sql_text import statements

ROWS_PER_STATEMENT = 256
"""Of nine parameters each: within SQLite's 32,766."""

TOP_UP_PREFIX = "topup:"
"""So that all top-ups lie together, and none has the id of a request."""

TRANSFER_COLUMNS = ("id", "kind", "debit", "credit", "amount_nano_usd", "at_ms", "key", "price", "reason")
BALANCE_COLUMNS = ("account", "balance_nano_usd")

Row: TypeAlias = tuple[object, ...]


class Posting(NamedTuple):
    """A charge as it was decided: what is to be written."""

    settlement: Settlement
    receipt: Receipt


Ending: TypeAlias = Receipt | sqlite3.Error
"""What became of a posting: the receipt that is in force, or why nothing could be written."""


def write_postings(
    postings: Sequence[Posting], at_ms: int, connection: sqlite3.Connection
) -> list[Ending] | None:
    """Write the group in the transaction under way. None: everything as decided; else how each ended.

    Raises: sqlite3.Error: nothing can be written, for a reason that is not one of theirs.
    """
    connection.execute("SAVEPOINT postings")
    try:
        _write(postings, at_ms, connection)
    except sqlite3.IntegrityError:
        connection.execute("ROLLBACK TO postings")
        return [_written_alone(posting, at_ms, connection) for posting in postings]
    connection.execute("RELEASE postings")
    return None


def _write(postings: Sequence[Posting], at_ms: int, connection: sqlite3.Connection) -> None:
    rows: list[Row] = []
    moves: dict[str, int] = {}
    for posting in postings:
        _append(posting, at_ms, rows, moves)
    _in_parts(connection, _insert_transfers, rows)
    _in_parts(connection, _add_balances, list(moves.items()))


def _append(posting: Posting, at_ms: int, rows: list[Row], moves: dict[str, int]) -> None:
    """The transfers of one charge, and what they move."""
    settlement, receipt = posting
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


def _written_alone(posting: Posting, at_ms: int, connection: sqlite3.Connection) -> Ending:
    connection.execute("SAVEPOINT posting")
    try:
        _write((posting,), at_ms, connection)
    except sqlite3.IntegrityError as error:
        connection.execute("ROLLBACK TO posting")
        return read_receipt(connection, posting.receipt.request_id) or error
    connection.execute("RELEASE posting")
    return posting.receipt


def read_receipt(connection: sqlite3.Connection, request_id: str) -> Receipt | None:
    """What was posted for a request; None: nothing."""
    rows = connection.execute(statements()["read_transfers"], {"id": request_id}).fetchall()
    amounts = {kind: NanoUsd(amount) for _, kind, _, _, amount, *_ in rows}
    if "charge" not in amounts:
        return None
    uncollected = amounts.get("uncollected", 0)
    return Receipt(
        request_id=request_id,
        outcome="posted",
        posted_nano_usd=amounts["charge"],
        overage_nano_usd=NanoUsd(amounts.get("overage", 0) + uncollected),
        uncollected_nano_usd=NanoUsd(uncollected),
    )


def read_balances(connection: sqlite3.Connection) -> dict[str, int]:
    """Every account's balance, those of the house among them."""
    return dict(connection.execute(statements()["read_balances"]).fetchall())


def open_account(connection: sqlite3.Connection, account: str, amount: NanoUsd, at_ms: int) -> bool:
    """Open an account with its first balance. False, and nothing happens, if it was opened before."""
    return _granted(connection, f"opening:{account}", "opening", account, amount, at_ms, "")


class TopUpTaken(Exception):
    """This id was used before, for something else."""


def top_up(
    connection: sqlite3.Connection, account: str, amount: NanoUsd, *, top_up_id: str, reason: str, at_ms: int
) -> bool:
    """Add to a balance. False, and nothing happens, if the same was done under this id before.

    Raises: KeyError: no such account; TopUpTaken; sqlite3.IntegrityError: the balance would not fit 64 bits.
    """
    if read_balance(connection, account) is None:
        raise KeyError(account)
    key = f"{TOP_UP_PREFIX}{top_up_id}"
    if _granted(connection, key, "topup", account, amount, at_ms, reason):
        return True
    (row,) = connection.execute(statements()["read_transfers"], {"id": key}).fetchall()
    if (row[3], row[4]) != (account, amount):
        raise TopUpTaken(f"the id {top_up_id!r} added {row[4]} nano-USD to {row[3]!r}")
    return False


def read_balance(connection: sqlite3.Connection, account: str) -> NanoUsd | None:
    """The balance of an account; None: there is no such account."""
    row = connection.execute(statements()["read_balance"], {"account": account}).fetchone()
    return None if row is None else NanoUsd(row[0])


def _granted(
    connection: sqlite3.Connection, key: str, kind: str, account: str, amount: int, at_ms: int, reason: str
) -> bool:
    row = (key, kind, GRANTS, account, amount, at_ms, "", "", reason)
    values: dict[str, str | int] = dict(zip(TRANSFER_COLUMNS, row, strict=True))
    if not connection.execute(statements()["write_transfer"], values).rowcount:
        return False
    for name, change in ((GRANTS, -amount), (account, amount)):
        connection.execute(statements()["move_balance"], {"account": name, "balance_nano_usd": change})
    return True


def _in_parts(connection: sqlite3.Connection, statement: Callable[[int], str], rows: Sequence[Row]) -> None:
    """Run the statement over all rows, 2^n of them at a time."""
    start = 0
    for count in _parts(len(rows)):
        part = rows[start : start + count]
        connection.execute(statement(count), tuple(chain.from_iterable(part)))
        start += count


def _parts(count: int) -> Iterator[int]:
    """`count` as powers of two, largest first: 300 → 256, 32, 8, 4."""
    while count:
        part = min(ROWS_PER_STATEMENT, 1 << count.bit_length() - 1)
        yield part
        count -= part


@cache
def _insert_transfers(count: int) -> str:
    return f"INSERT INTO transfers ({_listed(TRANSFER_COLUMNS)}) VALUES {_places(TRANSFER_COLUMNS, count)}"  # noqa: S608  only our own names


@cache
def _add_balances(count: int) -> str:
    return (
        f"INSERT INTO balances ({_listed(BALANCE_COLUMNS)}) VALUES {_places(BALANCE_COLUMNS, count)} "  # noqa: S608  only our own names
        "ON CONFLICT (account) DO UPDATE SET balance_nano_usd = balance_nano_usd + excluded.balance_nano_usd"
    )


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(columns)


def _places(columns: Sequence[str], count: int) -> str:
    return _listed([f"({_listed('?' * len(columns))})"] * count)
