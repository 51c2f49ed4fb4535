"""Money that moves outside the way of charges, and what the books say: balances, and what was posted for a request.

All of these are jobs, on either database. What makes a repetition harmless is the key of a transfer, (id, kind): an opening
and a top-up have ids of their own, and whoever writes one that is there changes nothing.
"""

from collections.abc import Mapping

from allgate.billing.book import GRANTS
from allgate.billing.ledger import Receipt
from allgate.core.money import NanoUsd
from allgate.storage.connection import Connection
from allgate.storage.sql_text import statements

TOP_UP_PREFIX = "topup:"
"""So that all top-ups lie together, and none has the id of a request."""

TRANSFER_COLUMNS = ("id", "kind", "debit", "credit", "amount_nano_usd", "at_ms", "key", "price", "reason")


def read_receipt(connection: Connection, request_id: str) -> Receipt | None:
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


def read_balances(connection: Connection) -> dict[str, int]:
    """Every account's balance, those of the house among them."""
    return dict(connection.execute(statements()["read_balances"]).fetchall())


def open_account(connection: Connection, account: str, amount: NanoUsd, at_ms: int) -> bool:
    """Open an account with its first balance. False, and nothing happens, if it was opened before."""
    return _granted(connection, f"opening:{account}", "opening", account, amount, at_ms, "")


class TopUpTaken(Exception):
    """This id was used before, for something else."""


def top_up(
    connection: Connection, account: str, amount: NanoUsd, *, top_up_id: str, reason: str, at_ms: int
) -> bool:
    """Add to a balance. False, and nothing happens, if the same was done under this id before.

    Raises: KeyError: no such account; TopUpTaken; a broken constraint: the balance would not fit 64 bits.
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


def read_balance(connection: Connection, account: str) -> NanoUsd | None:
    """The balance of an account; None: there is no such account."""
    row = connection.execute(statements()["read_balance"], {"account": account}).fetchone()
    return None if row is None else NanoUsd(row[0])


def _granted(
    connection: Connection, key: str, kind: str, account: str, amount: int, at_ms: int, reason: str
) -> bool:
    row = (key, kind, GRANTS, account, amount, at_ms, "", "", reason)
    values: dict[str, str | int] = dict(zip(TRANSFER_COLUMNS, row, strict=True))
    if not connection.execute(statements()["write_transfer"], values).rowcount:
        return False
    move_balances(connection, {account: amount, GRANTS: -amount})
    return True


def move_balances(connection: Connection, changes: Mapping[str, int]) -> None:
    """Add to balances; an account without one begins at zero. Those of the house come last, as in charges: two transactions of
    many nodes then never wait for each other.

    Not as one upsert: PostgreSQL would hold the row that is not inserted to the rules of the table, and a debit is no balance.
    """
    for account in sorted(changes, key=lambda name: (name.startswith("house:"), name)):
        change = changes[account]
        if not connection.execute(
            statements()["add_to_balance"], {"account": account, "change": change}
        ).rowcount:
            opened = {"account": account, "balance_nano_usd": change}
            connection.execute(statements()["open_balance"], opened)
