"""Corrections: transfers that an operator makes, because entries never change.

A correction gives back what an account paid for a request, at most all of it; its id names the request:
`correction:REQUEST:ID`. A debit takes from an account what it has, never more: `debit:ID`. Both are jobs; a repetition
finds its own transfer and changes nothing.

The transfer is written first and judged afterwards, in the same transaction: by then nobody else can move that balance,
so two corrections at once cannot give back more than was paid, nor two debits take more than there is.
"""

from typing import NamedTuple

from allgate.billing.book import GRANTS, REVENUE
from allgate.core.money import NanoUsd, usd_text
from allgate.storage.connection import Connection
from allgate.storage.sql_text import statements
from allgate.storage.transfers import TRANSFER_COLUMNS, move_balances, read_balance


class CannotCorrect(Exception):
    """Why nothing was changed."""


class Corrected(NamedTuple):
    """`new` False: it was done before, and nothing changed. `balance_nano_usd`: of the account, now."""

    account: str
    new: bool
    balance_nano_usd: NanoUsd


class _Transfer(NamedTuple):
    """A row of `transfers`, in the order of TRANSFER_COLUMNS."""

    id: str
    kind: str
    debit: str
    credit: str
    amount_nano_usd: int
    at_ms: int
    key: str
    price: str
    reason: str


def correct(
    request_id: str, amount: NanoUsd, correction_id: str, reason: str, at_ms: int, connection: Connection
) -> Corrected:
    """Give back a part of what a request was charged. Raises: CannotCorrect; a broken constraint: it does not fit."""
    paid = [row for row in _transfers(connection, request_id) if row.kind in ("charge", "overage")]
    if not paid:
        raise CannotCorrect(f"no request {request_id!r} was charged")
    first, account = paid[0], paid[0].debit
    wanted = _Transfer(
        f"correction:{request_id}:{correction_id}", "correction", REVENUE, account, amount, at_ms, first.key,
        first.price, reason,
    )  # fmt: skip
    if not _written(connection, wanted):
        return Corrected(account, False, _balance(connection, account))
    charged, given_back = sum(row.amount_nano_usd for row in paid), read_corrected(connection, request_id)
    if given_back > charged:
        raise CannotCorrect(
            f"the account paid ${usd_text(charged)} for {request_id}, and ${usd_text(given_back - amount)} of it was given "
            "back before"
        )
    return Corrected(account, True, _balance(connection, account))


def debit(
    account: str, amount: NanoUsd, debit_id: str, reason: str, at_ms: int, connection: Connection
) -> Corrected:
    """Take from a balance. Raises: CannotCorrect: no such account, or less of it is available."""
    if read_balance(connection, account) is None:
        raise CannotCorrect(f"there is no account {account!r}")
    wanted = _Transfer(f"debit:{debit_id}", "debit", account, GRANTS, amount, at_ms, "", "", reason)
    if (available := _available(connection, account)) < amount and not was_debited(debit_id, connection):
        raise CannotCorrect(
            f"${usd_text(available)} of the balance of {account} is available, less than ${usd_text(amount)}"
        )
    new = _written(connection, wanted)
    if new and _available(connection, account) < 0:  # somebody else was faster
        raise CannotCorrect(f"the balance of {account} does not go below zero")
    return Corrected(account, new, _balance(connection, account))


def was_debited(debit_id: str, connection: Connection) -> bool:
    """This id was used before."""
    return bool(_transfers(connection, f"debit:{debit_id}"))


def read_corrected(connection: Connection, request_id: str) -> NanoUsd:
    """All that was given back of a request's charge."""
    parameters = {"from_id": f"correction:{request_id}:", "before_id": f"correction:{request_id};"}
    ((amount,),) = connection.execute(statements()["read_corrected"], parameters).fetchall()
    return NanoUsd(int(amount))


def read_debited(connection: Connection, account: str) -> NanoUsd:
    """All that operators took from an account."""
    ((amount,),) = connection.execute(statements()["read_debited"], {"account": account}).fetchall()
    return NanoUsd(int(amount))


def _written(connection: Connection, wanted: _Transfer) -> bool:
    """False: it is there already. Raises: CannotCorrect: another transfer has its id."""
    values: dict[str, object] = dict(zip(TRANSFER_COLUMNS, wanted, strict=True))
    if not connection.execute(statements()["write_transfer"], values).rowcount:
        (there,) = _transfers(connection, wanted.id)
        if there[2:5] != wanted[2:5]:
            used = f"${usd_text(there.amount_nano_usd)} from {there.debit} to {there.credit}"
            raise CannotCorrect(f"this id was used before, for {used}")
        return False
    move_balances(connection, {wanted.debit: -wanted.amount_nano_usd, wanted.credit: wanted.amount_nano_usd})
    return True


def _transfers(connection: Connection, transfer_id: str) -> list[_Transfer]:
    rows = connection.execute(statements()["read_transfers"], {"id": transfer_id}).fetchall()
    return [_Transfer(*row) for row in rows]


def _available(connection: Connection, account: str) -> NanoUsd:
    """Less what nodes have set aside of it."""
    ((amount,),) = connection.execute(statements()["read_available"], {"account": account}).fetchall()
    return NanoUsd(int(amount))


def _balance(connection: Connection, account: str) -> NanoUsd:
    balance = read_balance(connection, account)
    assert balance is not None  # it was there before
    return balance
