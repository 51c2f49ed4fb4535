"""`python -m bench.ledger`: what a charge costs the SQLite ledger, with its line of the request log.

Charges go through the real ledger and the real writer's thread, in groups as so many clients at once make them; the disk is
the one below the working directory, durability is strict. CPU is that of each thread, on an idle machine the whole of it.
"""

import argparse
import asyncio
import gc
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import uvloop

from allgate.billing.ledger import Hold, Settlement
from allgate.billing.prices import Charge
from allgate.core.ids import make_id
from allgate.core.money import NanoUsd
from allgate.core.usage import Usage
from allgate.gateway.ports import LogRow
from allgate.storage.sqlite.ledger import SqliteLedger
from allgate.storage.sqlite.schema import open_writing
from allgate.storage.sqlite.writer import Writer
from allgate.storage.transfers import open_account

ROWS = ((64, 1), (64, 64), (8, 1), (8, 8), (1, 1))
"""Clients at once, and accounts that they share."""

START_MS = 1_700_000_000_000


class Cost(NamedTuple):
    """Per charge: CPU of the writer's thread and of the loop, and time."""

    writer_us: float
    loop_us: float
    wall_us: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--charges", type=int, default=20_000)
    options = parser.parse_args()
    gc.disable()  # a served process looks for cycles once in 50,000 allocations
    print("| clients | accounts | writer, µs | loop, µs | charges/s |\n|---|---|---|---|---|")
    for clients, accounts in ROWS:
        with TemporaryDirectory(dir=".") as folder:
            charges = options.charges if clients > 1 else options.charges // 10
            cost = uvloop.run(measured(Path(folder), charges, clients, accounts))
        print(
            f"| {clients} | {accounts} | {cost.writer_us:.1f} | {cost.loop_us:.1f} | {1e6 / cost.wall_us:,.0f} |"
        )


async def measured(folder: Path, charges: int, clients: int, accounts: int) -> Cost:
    writer = Writer(open_writing(folder / "ledger.db"))
    ledger = SqliteLedger(writer, asyncio.get_running_loop(), lambda: START_MS)
    names = [f"account{number}" for number in range(accounts)]
    for name in names:
        writer.submit(lambda db, name=name: open_account(db, name, NanoUsd(10**15), START_MS)).result()
    await ledger.load()
    cpu_s, loop_s, wall_s = _thread_s(writer), time.thread_time(), time.perf_counter()
    for first in range(0, charges, clients):
        await asyncio.gather(
            *[
                await charged(ledger, number, names[number % accounts])
                for number in range(first, first + clients)
            ]
        )
    wall_s, loop_s = time.perf_counter() - wall_s, time.thread_time() - loop_s
    cpu_s = _thread_s(writer) - cpu_s
    await ledger.close()
    writer.close()
    return Cost(*(1e6 * seconds / charges for seconds in (cpu_s, loop_s, wall_s)))


async def charged(ledger: SqliteLedger, number: int, account: str) -> "asyncio.Future[object]":
    request_id = make_id("req", START_MS + number, number.to_bytes(10))
    hold = Hold(
        request_id=request_id, account_id=account, key_id=f"{account}/k", amount_nano_usd=NanoUsd(5_000_000)
    )
    await ledger.hold(hold)
    charge = Charge(amount_nano_usd=NanoUsd(1_050_000), sheet_id="Model@0123456789abcdef")
    return ledger.settle(Settlement(hold=hold, charge=charge, reason="ok"), line(hold, number))  # pyright: ignore[reportReturnType] -- of a receipt


def line(hold: Hold, number: int) -> LogRow:
    return LogRow(
        request_id=hold.request_id,
        started_ms=START_MS + number,
        account_id=hold.account_id,
        key_id=hold.key_id,
        dialect="openai_chat",
        operation="chat",
        model="Claude-Sonnet-4.6",
        upstream="anthropic-main",
        upstream_model="claude-sonnet-4-6",
        upstream_dialect="anthropic",
        passthrough=False,
        stream=True,
        status=200,
        outcome="ok",
        attempts=1,
        duration_ms=1_234,
        first_byte_ms=345,
        usage=Usage(input_tokens=100, output_tokens=50),
        charged_nano_usd=1_050_000,
        hold_nano_usd=5_000_000,
        price_id="Model@0123456789abcdef",
        error="",
        notes="",
        user_agent="OpenAI/Python 3.52.0",
    )


def _thread_s(writer: Writer) -> float:
    return writer.submit(lambda _: time.thread_time()).result()


if __name__ == "__main__":
    main()
