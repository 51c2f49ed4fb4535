"""Serving processes over one PostgreSQL and one balance: they never spend more than there is, even if one was paused."""

import asyncio
import signal
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from allgate.core.money import NanoUsd, usd, usd_text
from allgate.simulator import server as simulator
from cli.program import DEADLINE_S, Running, serving
from postgres import Postgres
from stand import Reply, connection, toml
from storage.postgres.many_nodes import Books

REQUESTS, AFFORDED, NODES = 200, 50, 3
OUTPUT_TOKENS = 1_000
LEASE_S = 1.0


@pytest.fixture
def books(postgres: Postgres) -> Generator[Books]:
    books = Books(postgres.database())
    yield books
    books.close()


async def test_two_hundred_at_once_over_three_processes_with_money_for_fifty_are_fifty(
    books: Books, postgres: Postgres, tmp_path: Path
):
    """Ruling 11: the balance is fifty holds, and nobody is answered before all have asked."""
    async with await simulator.start() as sim:
        balance = usd_text(NanoUsd(AFFORDED * await probed(postgres, tmp_path, sim.url)))
        with ExitStack() as stack:
            nodes = [
                stack.enter_context(node(tmp_path / f"n{number}", books, sim.url, balance))
                for number in range(NODES)
            ]
            asked = [asyncio.create_task(ask(nodes[number % NODES])) for number in range(REQUESTS)]
            while sum(task.done() for task in asked) < REQUESTS - AFFORDED:
                await asyncio.wait(
                    [task for task in asked if not task.done()], return_when=asyncio.FIRST_COMPLETED
                )
            books.check()
            sim.release("all")
            statuses = [reply.status for reply in await asyncio.gather(*asked)]
            assert all(one.stop() == 0 for one in nodes)
    assert sorted(statuses) == [200] * AFFORDED + [429] * (REQUESTS - AFFORDED)
    standing = books.check()["test"]
    assert standing.balance > 0
    assert standing.pending == 0


async def test_fifty_at_once_over_two_processes_with_a_budget_for_ten_are_ten(
    books: Books, postgres: Postgres, tmp_path: Path
):
    """The key's budget is ten holds; a node that is killed gives back what its requests held."""
    async with await simulator.start() as sim:
        limit = (
            f', budget = {{ total = "{usd_text(NanoUsd(10 * await probed(postgres, tmp_path, sim.url)))}" }}'
        )
        with (
            node(tmp_path / "a", books, sim.url, "1000", limit) as one,
            node(tmp_path / "b", books, sim.url, "1000", limit) as other,
        ):
            asked = [asyncio.create_task(ask((one, other)[number % 2])) for number in range(50)]
            while sum(task.done() for task in asked) < 40:
                await asyncio.wait(
                    [task for task in asked if not task.done()], return_when=asyncio.FIRST_COMPLETED
                )
            assert [task.result().status for task in asked if task.done()] == [429] * 40
            assert books.execute("SELECT count(*) FROM holds WHERE key = 'test/k'") == [(10,)]
            one.process.kill()
            await until(books, "SELECT epoch FROM nodes", rows=1)
            sim.release("all")
            statuses = [
                reply.status
                for reply in await asyncio.gather(*asked, return_exceptions=True)
                if isinstance(reply, Reply)
            ]
            charged = statuses.count(200)
            while (await ask(other, hold="")).status == 200:
                charged += 1
            assert other.stop() == 0
        with node(tmp_path / "again", books, sim.url, "1000", limit) as again:
            assert (await ask(again, hold="")).status == 429
            assert again.stop() == 0
    ((charges, spent),) = books.execute(
        "SELECT count(*), sum(amount_nano_usd)::bigint FROM transfers WHERE key = 'test/k'"
    )
    assert charges == charged
    assert books.execute("SELECT spent_nano_usd FROM budget_windows") == [(spent,)]
    assert books.check()["test"].pending == 0


async def test_a_node_that_was_paused_past_its_lease_cannot_overspend(books: Books, tmp_path: Path):
    """Its money has come back and was spent elsewhere: its late charge takes what is left, and nobody's money else."""
    async with await simulator.start() as sim:
        with (
            node(tmp_path / "a", books, sim.url, "0.02") as paused,
            node(tmp_path / "b", books, sim.url, "0.02") as other,
        ):
            first = asyncio.create_task(ask(paused))
            await sim.wait_for(lambda line: line.holding is not None, DEADLINE_S)
            assert (await ask(other)).status == 429  # one hold is all that the balance covers
            paused.process.send_signal(signal.SIGSTOP)
            await until(books, "SELECT epoch FROM nodes", rows=1)
            assert (await ask(other, hold="")).status == 200
            paused.process.send_signal(signal.SIGCONT)
            assert (await ask(paused)).status in (429, 503)  # 503 until it knows what it may still do
            await until(books, "SELECT epoch FROM nodes", rows=2)
            assert (await ask(paused)).status == 429  # what it had is not there any more
            sim.release("all")
            assert (await first).status == 200
            assert paused.stop() == other.stop() == 0
    standings = books.check()
    assert standings["test"].balance == 0
    earned, uncollected = standings["house:revenue"].balance, standings["house:uncollected"].balance
    assert earned + uncollected == usd("0.02")
    assert uncollected < 0


async def probed(postgres: Postgres, tmp_path: Path, upstream: str) -> int:
    """What one request holds, in nano-USD."""
    probing = Books(postgres.database())
    with node(tmp_path / "probe", probing, upstream, "1000") as probe:
        assert (await ask(probe, hold="")).status == 200
        probe.stop()
    ((amount,),) = probing.execute("SELECT hold_nano_usd FROM requests")
    probing.close()
    return amount


@contextmanager
def node(folder: Path, books: Books, upstream: str, balance_usd: str, key: str = "") -> Generator[Running]:
    """A serving process; it dies with the block."""
    folder.mkdir()
    settings = (
        f'drain_s = 5\n[database]\nurl = "{books.url}"\n[ledger]\nlease_s = {LEASE_S}\n'
        f'[secrets]\nmaster_key = "{"5a" * 32}"\n'
    )
    (folder / "allgate.toml").write_text(
        toml(upstream, {"m": ["gpt-5.5"]}, settings=settings, balance_usd=balance_usd, key=key)
    )
    with serving("serve", "--config", folder / "allgate.toml") as running:
        yield running


async def ask(node: Running, hold: str = " hold=all") -> Reply:
    body = {
        "model": "m",
        "max_tokens": OUTPUT_TOKENS,
        "messages": [{"role": "user", "content": f"!scene echo output={OUTPUT_TOKENS}{hold:<9}\nhello"}],
    }
    async with connection(node.url) as line:
        await line.send("/v1/chat/completions", body)
        return await line.read()


async def until(books: Books, query: str, *, rows: int) -> None:
    """Another process brings it about."""
    async with asyncio.timeout(DEADLINE_S):
        while len(await asyncio.to_thread(books.execute, query)) != rows:  # noqa: ASYNC110  see above
            await asyncio.sleep(0.05)
