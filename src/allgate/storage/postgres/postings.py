"""Charges as rows in PostgreSQL: a group that is decided already, and what only the database can decide.

Most charges rest on this node's leases and are decided in memory: a group of them is one statement, folded per account. The
others are decided here, under the locks of their accounts, by the rule of `billing.book`: first what was reserved, then what
is available, and the rest is `uncollected`. What makes a repetition harmless is the key of a transfer: (request id, kind).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from allgate.billing.book import REVENUE, UNCOLLECTED
from allgate.billing.ledger import Receipt, Settlement
from allgate.core.money import NanoUsd
from allgate.gateway.ports import LogRow
from allgate.storage.postgres import statements as sql
from allgate.storage.postgres.budgets import Limits, count_spent
from allgate.storage.postgres.lease import Backing, receipt_of
from allgate.storage.postgres.lines import line_columns
from allgate.storage.postgres.link import Connection


class Posting(NamedTuple):
    """A charge and what it rests on. `receipt`: how it ends if all of it is collected. `line`: of the request log."""

    settlement: Settlement
    receipt: Receipt
    backing: Backing
    line: LogRow | None
    at_ms: int

    @property
    def request_id(self) -> str:
        return self.settlement.hold.request_id

    @property
    def account_id(self) -> str:
        return self.settlement.hold.account_id


class Decided(NamedTuple):
    """How a charge ended. `paid`: what its lease has paid of what it had reserved."""

    receipt: Receipt
    paid: int


async def post(connection: Connection, epoch: int, group: Sequence[Posting]) -> set[str]:
    """Write charges that are decided. The accounts of which nothing was written: this node has no lease of them any more.

    Raises: asyncpg.PostgresError: nothing is written; UniqueViolationError: one of them was written before.
    """
    rows = Transfers()
    due: dict[str, int] = {}
    for posting in group:
        rows.add(posting, posting.receipt)
        account = posting.account_id
        due[account] = due.get(account, 0) + posting.backing.reserved
    owed = (list(due), list(due.values()))
    return set(await connection.rows(str, sql.POST, epoch, *owed, *rows.columns, *_lines(group)))


async def decide(
    connection: Connection, epoch: int, group: Sequence[Posting], limits: Limits | None
) -> list[Decided]:
    """Decide and write, in one transaction; with what budgets have spent. Raises: asyncpg.PostgresError: nothing is written."""
    async with connection.transaction():
        scales = await _scales(connection, epoch, group)
        ids = [posting.request_id for posting in group]
        durable = dict(await connection.rows(_Amount, sql.TAKE_HOLDS, ids))
        posted = _receipts(await connection.rows(_Transfer, sql.READ_POSTED, ids))
        rows = Transfers()
        decided = [
            _decided(one, posted.get(request_id), durable.get(request_id, 0), scales, rows)
            for request_id, one in zip(ids, group, strict=True)
        ]
        paid = [
            (one.settlement.hold, ending.receipt.paid_nano_usd)
            for one, ending in zip(group, decided, strict=True)
            if one.request_id not in posted
        ]
        await _write(connection, epoch, rows, scales)
        if limits is not None:
            await count_spent(connection, limits, paid)
        await _pay_house(connection, rows)
        await connection.run(sql.WRITE_LINES, *_lines(group))
    return decided


def _lines(group: Sequence[Posting]) -> list[list[object]]:
    return line_columns([posting.line for posting in group if posting.line is not None])


class Transfers:
    """Transfers of a group, one list for each column, as `unnest` takes them."""

    __slots__ = ("amounts", "debits", "ids", "keys", "kinds", "prices", "reasons", "times_ms")

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.kinds: list[str] = []
        self.debits: list[str] = []
        self.amounts: list[int] = []
        self.times_ms: list[int] = []
        self.keys: list[str] = []
        self.prices: list[str] = []
        self.reasons: list[str] = []

    @property
    def columns(self) -> tuple[list[str] | list[int], ...]:
        return (
            self.ids, self.kinds, self.debits, self.amounts, self.times_ms, self.keys, self.prices, self.reasons,
        )  # fmt: skip

    def add(self, posting: Posting, receipt: Receipt) -> None:
        """The charge; then, if there is one, the overage; then what of it nobody paid."""
        overage, uncollected = receipt.overage_nano_usd, receipt.uncollected_nano_usd
        account = posting.account_id
        self._append(posting, "charge", account, receipt.posted_nano_usd)
        if overage:
            self._append(posting, "overage", account, overage - uncollected)
        if uncollected:
            self._append(posting, "uncollected", UNCOLLECTED, uncollected)

    def _append(self, posting: Posting, kind: str, debit: str, amount: int) -> None:
        settlement = posting.settlement
        hold, charge = settlement.hold, settlement.charge
        assert charge is not None  # a void is not written: what was never posted needs no taking back
        self.ids.append(hold.request_id)
        self.kinds.append(kind)
        self.debits.append(debit)
        self.amounts.append(amount)
        self.times_ms.append(posting.at_ms)
        self.keys.append(hold.key_id)
        self.prices.append(charge.sheet_id)
        self.reasons.append(settlement.reason)


class _Amount(NamedTuple):
    of: str
    amount: int


class _Transfer(NamedTuple):
    request_id: str
    kind: str
    amount: int


class _Scale:
    """One account while it is locked: what it has, and what has moved."""

    __slots__ = ("account", "available", "balance_moved", "lease_paid", "leased", "pending_moved")

    def __init__(self, account: str, balance: int, pending: int) -> None:
        self.account = account
        self.available = balance - pending
        self.leased = 0
        self.balance_moved = 0
        self.pending_moved = 0
        self.lease_paid = 0

    def release(self, amount: int) -> None:
        """A durable hold ends."""
        self.available += amount
        self.pending_moved -= amount

    def pay(self, charged: int, reserved: int) -> tuple[int, int]:
        """What of the charge the account pays, and what of that its lease. What was reserved is gone if the lease is."""
        from_lease = min(charged, reserved) if self.leased >= reserved else 0
        collected = min(charged, from_lease + self.available)
        self.leased -= from_lease
        self.lease_paid += from_lease
        self.pending_moved -= from_lease
        self.balance_moved -= collected
        self.available -= collected - from_lease
        return collected, from_lease


async def _scales(connection: Connection, epoch: int, group: Sequence[Posting]) -> dict[str, _Scale]:
    """The accounts of a group, locked, with this node's leases of them."""
    accounts = sorted({posting.account_id for posting in group})
    scales = {one.account: one for one in await connection.rows(_Scale, sql.LOCK_BALANCES, accounts)}
    for account, amount in await connection.rows(_Amount, sql.LOCK_LEASES, accounts, epoch):
        scales[account].leased = amount
    return scales


def _decided(
    posting: Posting, first: Receipt | None, durable: int, scales: Mapping[str, _Scale], rows: Transfers
) -> Decided:
    settlement = posting.settlement
    scale = scales[settlement.hold.account_id]
    scale.release(durable)
    if first is not None:
        return Decided(first, 0)
    assert settlement.charge is not None  # as above
    charged = settlement.charge.amount_nano_usd
    collected, paid = scale.pay(charged, posting.backing.reserved)
    receipt = receipt_of(settlement.hold, charged, collected)
    rows.add(posting, receipt)
    return Decided(receipt, paid)


async def _write(connection: Connection, epoch: int, rows: Transfers, scales: Mapping[str, _Scale]) -> None:
    """Accounts in the order in which they were locked, then leases."""
    await connection.run(sql.WRITE_TRANSFERS, *rows.columns)
    moved = [(name, one.balance_moved, one.pending_moved) for name, one in scales.items()]
    await connection.run(sql.MOVE_BALANCES, *map(list, zip(*moved, strict=True)))
    paid = {account: scale.lease_paid for account, scale in scales.items() if scale.lease_paid}
    if paid:
        await connection.run(sql.MOVE_LEASES, epoch, list(paid), list(paid.values()))


async def _pay_house(connection: Connection, rows: Transfers) -> None:
    """Last, as everywhere."""
    earned = sum(rows.amounts)
    missing = sum(
        amount for debit, amount in zip(rows.debits, rows.amounts, strict=True) if debit == UNCOLLECTED
    )
    await connection.run(sql.MOVE_BALANCES, [REVENUE, UNCOLLECTED], [earned, -missing], [0, 0])


def _receipts(rows: Sequence[_Transfer]) -> dict[str, Receipt]:
    """What was posted before, by request id."""
    kinds: dict[str, dict[str, int]] = {}
    for request_id, kind, amount in rows:
        kinds.setdefault(request_id, {})[kind] = amount
    return {request_id: _receipt(request_id, one) for request_id, one in kinds.items() if "charge" in one}


def _receipt(request_id: str, kinds: Mapping[str, int]) -> Receipt:
    uncollected = kinds.get("uncollected", 0)
    return Receipt(
        request_id=request_id,
        outcome="posted",
        posted_nano_usd=NanoUsd(kinds["charge"]),
        overage_nano_usd=NanoUsd(kinds.get("overage", 0) + uncollected),
        uncollected_nano_usd=NanoUsd(uncollected),
    )
