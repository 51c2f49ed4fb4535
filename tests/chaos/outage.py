"""A gateway process whose database is taken away, and which is killed then, or when the database is back.

What is asked and how amounts say whose they are is that of `killed`; the ways to take a database away are those of `gone`.
"""

import asyncio
import signal
from pathlib import Path

from allgate.simulator import server as simulator
from allgate.simulator.ledger import Line as Served
from allgate.wiring.database import reading
from allgate.wiring.settings_file import load
from chaos.gone import Way
from chaos.killed import FIRST, REQUESTS, Left, ask, left_by, whole
from cli.program import DEADLINE_S, Running, process, serving
from stand import toml


def configured(folder: Path, sim_url: str, way: Way) -> Path:
    path = folder / "allgate.toml"
    path.write_text(toml(sim_url, {"m": ["gpt-5.5"]}, settings=way.settings))
    return path


async def killed_in_outage(failpoint: str, folder: Path, way: Way) -> Left:
    """Serve, take the database away, let the provider answer, give it back when all are answered; be killed somewhere on the
    way. Start again, ask once more. Raises: AssertionError: it did not die, or does not serve afterwards."""
    async with await simulator.start() as sim:
        path = configured(folder, sim.url, way)
        with serving("serve", "--config", path, ALLGATE_FAILPOINT=failpoint) as running:
            complete = await answered_while_gone(sim, running, way)
            await died(running)
        with serving("serve", "--config", path) as running:
            await serves(running, complete)
        return await asyncio.to_thread(left_behind, path, complete, sim.ledger.lines)


async def killed_at_the_start_after(failpoint: str, folder: Path, way: Way) -> Left:
    """The same, killed with everything in the outbox; and once more in the start that drains it."""
    async with await simulator.start() as sim:
        path = configured(folder, sim.url, way)
        with serving("serve", "--config", path) as running:
            complete = await answered_while_gone(sim, running, way, until_killed=True)
        assert len(complete) == REQUESTS
        said = await asyncio.to_thread(process, "serve", "--config", path, ALLGATE_FAILPOINT=failpoint)
        assert said.code == -signal.SIGKILL, f"{failpoint} was never passed: {said}"
        with serving("serve", "--config", path) as running:
            await serves(running, complete)
        return await asyncio.to_thread(left_behind, path, complete, sim.ledger.lines)


async def answered_while_gone(
    sim: simulator.Simulator, running: Running, way: Way, *, until_killed: bool = False
) -> set[int]:
    """All are under way, then the database goes, then their answers come. `until_killed`: it dies before the database is back."""
    asking = [asyncio.create_task(ask(running.url, number)) for number in range(REQUESTS)]
    for count in range(REQUESTS):
        await sim.wait_for(
            lambda line, serial=count + 1: line.serial == serial and line.holding is not None, DEADLINE_S
        )
    with way.gone():
        sim.release("first")
        await asyncio.wait(asking[:FIRST])
        sim.release("rest")
        replies = await asyncio.gather(*asking)
        if until_killed:
            running.stop(signal.SIGKILL)
    return {number for number, reply in enumerate(replies) if whole(reply)}


def left_behind(config: Path, complete: set[int], lines: list[Served]) -> Left:
    """In whichever database the configuration names."""
    with reading(load(config, {})) as jobs:
        return jobs.submit(lambda books: left_by(books, complete, lines)).result()


async def died(running: Running) -> None:
    code = await asyncio.to_thread(running.process.wait, DEADLINE_S)
    assert code == -signal.SIGKILL, f"it was not killed (exit code {code})"


async def serves(running: Running, complete: set[int]) -> None:
    assert whole(await ask(running.url, REQUESTS)), "it does not serve after the kill"
    complete.add(REQUESTS)
    assert running.stop() == 0
