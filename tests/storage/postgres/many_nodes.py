"""Ledgers over one PostgreSQL, as many as a test wants, and the books as the database has them."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from allgate.billing.ledger import Hold, Settlement
from allgate.billing.prices import Charge
from allgate.core.money import NanoUsd
from allgate.storage.postgres import statements as sql
from allgate.storage.postgres.jobs import PostgresConnection, PostgresThread
from allgate.storage.postgres.ledger import PostgresLedger
from allgate.storage.postgres.schema import prepare
from allgate.storage.transfers import open_account

NOW_MS = 1_700_000_000_000
LEASE_S = 30.0
"""Longer than any test that does not want leases to expire."""

Result = TypeVar("Result")


class Standing(NamedTuple):
    """An account's row, what its transfers add up to, and what is set aside of it elsewhere."""

    balance: int
    transferred: int
    pending: int
    leased: int
    held: int


STANDINGS = """
SELECT account, balance_nano_usd,
    (SELECT coalesce(sum(CASE account WHEN credit THEN amount_nano_usd ELSE -amount_nano_usd END), 0)::bigint
     FROM transfers WHERE account IN (debit, credit)),
    pending_nano_usd,
    (SELECT coalesce(sum(amount_nano_usd), 0)::bigint FROM leases l WHERE l.account = b.account),
    (SELECT coalesce(sum(amount_nano_usd), 0)::bigint FROM holds h WHERE h.account = b.account)
FROM balances b
"""


class Books:
    """The database behind a URL, its tables made. Looks and writes past every ledger."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.jobs = PostgresThread(url)
        self.run(prepare)

    def run(self, job: Callable[[PostgresConnection], Result]) -> Result:
        return self.jobs.submit(job).result()

    def execute(self, statement: str) -> list[tuple]:
        return self.run(lambda one: one.execute(statement).fetchall())

    def open_account(self, account: str, amount: int) -> bool:
        return self.run(lambda one: open_account(one, account, NanoUsd(amount), NOW_MS))

    def standings(self) -> dict[str, Standing]:
        rows = self.execute(STANDINGS)
        return {account: Standing(*rest) for account, *rest in rows}

    def check(self) -> dict[str, Standing]:
        """The books balance; nothing available is negative; what is pending is what leases and holds have set aside."""
        standings = self.standings()
        assert sum(one.balance for one in standings.values()) == 0
        for account, one in standings.items():
            assert one.balance == one.transferred, account
            assert one.pending == one.leased + one.held, account
            assert account.startswith("house:") or one.balance >= one.pending, account
        return standings

    def empty(self) -> None:
        for table in ("leases", "holds", "nodes", "transfers", "balances"):
            self.execute(f"DELETE FROM {table}")

    def cut_others(self) -> None:
        """End every other connection to this database, whatever it is in the middle of."""
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def close(self) -> None:
        self.jobs.close()


async def node(url: str, name: str = "n", lease_s: float = LEASE_S, **options) -> PostgresLedger:
    """A ledger that has joined."""
    loop = asyncio.get_running_loop()
    ledger = PostgresLedger(url, name, loop, lambda: NOW_MS, lease_s=lease_s, **options)
    await ledger.open()
    return ledger


async def die(ledger: PostgresLedger) -> None:
    """As after kill -9: nothing is given back."""
    await ledger.node.rest()
    await ledger.teller.close()
    await ledger.link.close()


def sweep(books: Books, epoch: int) -> int:
    """What another node does with one that it takes for dead. What came back."""
    statement = sql.SWEEP.replace("$1", str(epoch)).replace("$2", "false")
    ((_, amount),) = books.execute(statement)
    return amount


def hold(request_id: str, amount: int, account: str = "a") -> Hold:
    return Hold(
        request_id=request_id, account_id=account, key_id=f"{account}/k", amount_nano_usd=NanoUsd(amount)
    )


def ending(of: Hold, amount: int | None) -> Settlement:
    charge = None if amount is None else Charge(amount_nano_usd=NanoUsd(amount), sheet_id="s@1")
    return Settlement(hold=of, charge=charge, reason="ok")
