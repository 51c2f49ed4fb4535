"""The charge path on PostgreSQL alone: CPU of this process per durable charge, one hot account beside many.

    python -m bench.ledger_on_postgres postgresql://user@host/empty_database

Sixty-four clients each hold, settle and wait until the charge is durable, again and again. No HTTP, no provider: what is
measured is the ledger and its driver. The database is made ready first, and its accounts get more than is spent.
"""

import asyncio
import resource
import sys
import time
from typing import NamedTuple

import uvloop

from allgate.billing.ledger import Hold, Settlement
from allgate.billing.prices import Charge
from allgate.core.money import NanoUsd
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.postgres.ledger import PostgresLedger
from allgate.storage.postgres.schema import prepare
from allgate.storage.transfers import open_account

CLIENTS = 64
CHARGES = 20_000
WARM_UP = 2_000
MANY = 64
HOLD, CHARGE = NanoUsd(20_000_000), NanoUsd(15_000_000)
"""Two cents held, three quarters of it charged: an answer of a thousand tokens."""


class Figures(NamedTuple):
    charges_per_s: float
    cpu_us_per_charge: float


async def measured(url: str, accounts: int, life: int) -> Figures:
    """All clients over so many accounts."""
    ledger = PostgresLedger(url, "bench", asyncio.get_running_loop(), lambda: time.time_ns() // 1_000_000)
    await ledger.open()
    await _charge(ledger, WARM_UP, accounts, f"w{life}")
    before, began = _cpu_s(), time.perf_counter()
    await _charge(ledger, CHARGES, accounts, f"m{life}")
    cpu_s, wall_s = _cpu_s() - before, time.perf_counter() - began
    await ledger.close()
    return Figures(CHARGES / wall_s, cpu_s / CHARGES * 1_000_000)


async def _charge(ledger: PostgresLedger, charges: int, accounts: int, life: str) -> None:
    async def client(number: int) -> None:
        for turn in range(charges // CLIENTS):
            account = f"bench{(number + turn * CLIENTS) % accounts}"
            hold = Hold(
                request_id=f"{life}.{number}.{turn}", account_id=account, key_id="k", amount_nano_usd=HOLD
            )
            await ledger.hold(hold)
            charge = Charge(amount_nano_usd=CHARGE, sheet_id="bench@1")
            await ledger.settle(Settlement(hold=hold, charge=charge, reason="ok"))

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    url = sys.argv[1]
    thread = PostgresThread(url)
    thread.submit(prepare).result()
    for number in range(MANY):
        account = f"bench{number}"
        thread.submit(lambda one, of=account: open_account(one, of, NanoUsd(10**16), 1)).result()
    thread.close()
    life = time.time_ns()
    for accounts in (1, MANY, 1, MANY):
        life += 1
        found = uvloop.run(measured(url, accounts, life))
        print(
            f"{accounts:3} accounts: {found.charges_per_s:8,.0f} charges/s, {found.cpu_us_per_charge:5.1f} µs CPU each"
        )


if __name__ == "__main__":
    main()
