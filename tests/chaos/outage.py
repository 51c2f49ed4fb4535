"""A gateway process whose database is taken away: another process locks it, as a careless backup does.

What is asked and how amounts say whose they are is that of `killed`. The gateway gives the database half a second.
"""

import asyncio
import signal
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from allgate.simulator import server as simulator
from chaos.killed import FIRST, REQUESTS, Left, ask, left_in, whole
from cli.program import DEADLINE_S, Running, process, serving
from stand import toml

SETTINGS = "[ledger]\ncommit_wait_s = 0.5"


class Lock:
    """Nobody else writes to the database until it is given back."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(database, isolation_level=None, timeout=DEADLINE_S)
        self._connection.execute("BEGIN EXCLUSIVE")

    def release(self) -> None:
        self._connection.close()


@contextmanager
def locked(database: Path) -> Generator[Lock]:
    lock = Lock(database)
    try:
        yield lock
    finally:
        lock.release()


def configured(folder: Path, sim_url: str) -> Path:
    path = folder / "allgate.toml"
    path.write_text(toml(sim_url, {"m": ["gpt-5.5"]}, settings=SETTINGS))
    return path


async def killed_in_outage(failpoint: str, folder: Path) -> Left:
    """Serve, lock, let the provider answer, unlock when all are answered; be killed somewhere on the way. Start again, ask
    once more. Raises: AssertionError: it did not die, or does not serve afterwards."""
    async with await simulator.start() as sim:
        path, database = configured(folder, sim.url), folder / "allgate.db"
        with serving("serve", "--config", path, ALLGATE_FAILPOINT=failpoint) as running:
            complete = await answered_while_locked(sim, running, database)
            await died(running)
        with serving("serve", "--config", path) as running:
            await serves(running, complete)
        return left_in(database, complete, sim.ledger.lines)


async def killed_at_the_start_after(failpoint: str, folder: Path) -> Left:
    """The same, killed with everything in the outbox; and once more in the start that drains it."""
    async with await simulator.start() as sim:
        path, database = configured(folder, sim.url), folder / "allgate.db"
        with serving("serve", "--config", path) as running:
            complete = await answered_while_locked(sim, running, database, until_killed=True)
        assert len(complete) == REQUESTS
        said = await asyncio.to_thread(process, "serve", "--config", path, ALLGATE_FAILPOINT=failpoint)
        assert said.code == -signal.SIGKILL, f"{failpoint} was never passed: {said}"
        with serving("serve", "--config", path) as running:
            await serves(running, complete)
        return left_in(database, complete, sim.ledger.lines)


async def answered_while_locked(
    sim: simulator.Simulator, running: Running, database: Path, *, until_killed: bool = False
) -> set[int]:
    """All are under way, then the lock, then their answers. `until_killed`: it dies with the lock still there."""
    asking = [asyncio.create_task(ask(running.url, number)) for number in range(REQUESTS)]
    for count in range(REQUESTS):
        await sim.wait_for(
            lambda line, serial=count + 1: line.serial == serial and line.holding is not None, DEADLINE_S
        )
    with locked(database):
        sim.release("first")
        await asyncio.wait(asking[:FIRST])
        sim.release("rest")
        replies = await asyncio.gather(*asking)
        if until_killed:
            running.stop(signal.SIGKILL)
    return {number for number, reply in enumerate(replies) if whole(reply)}


async def died(running: Running) -> None:
    code = await asyncio.to_thread(running.process.wait, DEADLINE_S)
    assert code == -signal.SIGKILL, f"it was not killed (exit code {code})"


async def serves(running: Running, complete: set[int]) -> None:
    assert whole(await ask(running.url, REQUESTS)), "it does not serve after the kill"
    complete.add(REQUESTS)
    assert running.stop() == 0
