"""A gateway process that is killed at a named place with requests in flight, and what is left of it.

The simulator holds every answer until all requests are with it (or the process is dead), so what is in flight is known.
Then it lets a few go, and the rest when those are answered: there are at least two groups of charges, and two passages of
every place that groups pass. Each request is answered with a number of output tokens that no other has: an amount in the books says whose it is.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from allgate.core.money import usd
from allgate.simulator import server as simulator
from allgate.simulator.ledger import Line as Served
from allgate.storage.audit import Drift, audit
from allgate.storage.connection import Connection
from allgate.storage.sqlite.schema import open_reading
from cli.program import DEADLINE_S, serving
from stand import BALANCE_USD, Reply, connection, toml

REQUESTS = 28
"""Of which at least IN_FLIGHT_MIN are in flight at the kill (ruling 26)."""

IN_FLIGHT_MIN = 16

FIRST = 4
"""Let go before the others."""

OUTPUT_TOKENS = 1_000
"""Of the first request; each has one more than the last."""

OUTPUT_TOKENS_MAX = 50_000
"""What is held for each: an answer beyond its hold would be charged in two transfers, and no amount say whose it is. A load
of ten seconds asks a few thousand times."""

INPUT_NANO_USD, OUTPUT_NANO_USD = 3_000, 15_000
"""Per token, of stand.PRICE: three and fifteen dollars a million. Said here again, as a calculator of our own."""


class Left(NamedTuple):
    """`complete`: whose answer arrived whole. `served`: amounts of what the simulator served whole, by whom. `charges`:
    amounts in the books, in any order."""

    complete: set[int]
    served: dict[int, int]
    charges: list[int]
    balances: dict[str, int]
    opening: int
    drifts: tuple[Drift, ...]


async def killed_at(failpoint: str, folder: Path) -> Left:
    """Serve, kill, start again, ask once more. Raises: AssertionError: it did not die, or does not serve afterwards."""
    complete, lines = await kill(failpoint, folder)
    return left_in(folder / "allgate.db", complete, lines)


async def kill(
    failpoint: str,
    folder: Path,
    settings: str = "",
    *,
    rest: bool = True,
    again: bool = True,
    at_last: Callable[[], Awaitable[object]] | None = None,
) -> tuple[set[int], list[Served]]:
    """Whose answers arrived whole, and what the simulator saw. `rest` False: only the first are let go, the others are in
    flight until the process dies. `again` False: there is no second life. `at_last`: before the second life ends."""
    async with await simulator.start() as sim:
        path = folder / "allgate.toml"
        path.write_text(toml(sim.url, {"m": ["gpt-5.5"]}, settings=settings))
        with serving("serve", "--config", path, ALLGATE_FAILPOINT=failpoint) as running:
            asking = [asyncio.create_task(ask(running.url, number)) for number in range(REQUESTS)]
            letting_go = asyncio.create_task(_let_go(sim, asking[:FIRST], rest=rest))
            replies = await asyncio.gather(*asking)
            letting_go.cancel()
            code = await asyncio.to_thread(running.process.wait, DEADLINE_S)
            assert code == -signal.SIGKILL, f"{failpoint} was never passed (exit code {code})"
        complete = {number for number, reply in enumerate(replies) if whole(reply)}
        if not again:
            return complete, sim.ledger.lines
        with serving("serve", "--config", path) as running:
            assert whole(await ask(running.url, REQUESTS)), "it does not serve after the kill"
            complete.add(REQUESTS)
            if at_last is not None:
                await at_last()
            assert running.stop() == 0
        return complete, sim.ledger.lines


async def _let_go(sim: simulator.Simulator, first: list[asyncio.Task[Reply | None]], *, rest: bool) -> None:
    for count in range(REQUESTS):
        await sim.wait_for(
            lambda line, serial=count + 1: line.serial == serial and line.holding is not None, DEADLINE_S
        )
    sim.release("first")
    await asyncio.wait(first)
    if rest:
        sim.release("rest")


async def ask(url: str, number: int) -> Reply | None:
    """Every second one streams; the first REQUESTS are held. None: the connection ended without a head."""
    hold = " hold=first" if number < FIRST else " hold=rest" if number < REQUESTS else ""
    scene = f"!scene echo output={OUTPUT_TOKENS + number}{hold}"
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": f"{scene}\nhello"}],
        "max_tokens": OUTPUT_TOKENS_MAX,
        "stream": number % 2 == 1,
    }
    with suppress(OSError, asyncio.IncompleteReadError):
        async with connection(url) as line:
            await line.send("/v1/chat/completions", body)
            return await line.read()
    return None


def whole(reply: Reply | None) -> bool:
    return reply is not None and reply.status == 200 and reply.framed and reply.error is None


def left_in(database: Path, complete: set[int], lines: list[Served]) -> Left:
    with closing(open_reading(database)) as books:
        return left_by(books, complete, lines)


def left_by(books: Connection, complete: set[int], lines: list[Served]) -> Left:
    served = {
        line.output_tokens - OUTPUT_TOKENS: _amount(line)
        for line in lines
        if line.complete and line.output_tokens is not None
    }
    charges = books.execute("SELECT amount_nano_usd FROM transfers WHERE kind = 'charge'").fetchall()
    return Left(
        complete=complete,
        served=served,
        charges=[amount for (amount,) in charges],
        balances=dict(books.execute("SELECT account, balance_nano_usd FROM balances").fetchall()),
        opening=usd(BALANCE_USD),
        drifts=audit(books).drifts,
    )


def _amount(line: Served) -> int:
    assert line.input_tokens is not None
    assert line.output_tokens is not None
    return line.input_tokens * INPUT_NANO_USD + line.output_tokens * OUTPUT_NANO_USD
