"""The database is gone under load: who is admitted is answered and charged, who is new is told to come back, nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import TypeAlias

import pytest

from allgate.simulator import server as simulator
from allgate.storage.outbox import read_records
from chaos.gone import Way, postgres_is_paused, postgres_is_stopped, sqlite_is_locked
from chaos.killed import FIRST, IN_FLIGHT_MIN, REQUESTS, Left, ask, whole
from chaos.outage import configured, killed_at_the_start_after, killed_in_outage, left_behind
from cli.program import DEADLINE_S, serving
from postgres import Postgres
from stand import ASK, Reply, connection

CLIENTS = 16

MakeWay: TypeAlias = Callable[[Path, Postgres], Way]

# What each door says: its status, its word for the kind, and where that stands. Anthropic's clients know 529, not 503.
SAID: dict[str, tuple[int, str, Callable[[dict], str]]] = {
    "openai_chat": (503, "ledger", lambda error: error["code"]),
    "openai_responses": (503, "ledger", lambda error: error["code"]),
    "anthropic": (529, "overloaded_error", lambda error: error["type"]),
    "gemini": (503, "UNAVAILABLE", lambda error: error["status"]),
}


class Load:
    """Clients that ask one request after the other, from `first` on. `replies` by their numbers, in the order of their ends."""

    def __init__(self, url: str, first: int) -> None:
        self._url = url
        self._numbers = count(first)
        self._stopping = False
        self._ended = asyncio.Condition()
        self.replies: dict[int, Reply | None] = {}
        self._clients = [asyncio.create_task(self._ask()) for _ in range(CLIENTS)]

    async def _ask(self) -> None:
        while not self._stopping:
            number = next(self._numbers)
            self.replies[number] = reply = await ask(self._url, number)
            async with self._ended:
                self._ended.notify_all()
            if not whole(reply):
                await asyncio.sleep(0.05)  # a client that was refused does not hammer

    async def seen(self, wanted: Callable[[Reply | None], bool], times: int) -> None:
        """Until so many more replies are as wanted."""
        before = sum(map(wanted, self.replies.values()))
        async with asyncio.timeout(DEADLINE_S), self._ended:
            await self._ended.wait_for(lambda: sum(map(wanted, self.replies.values())) >= before + times)

    async def stop(self) -> None:
        self._stopping = True
        await asyncio.gather(*self._clients)


def refused(reply: Reply | None) -> bool:
    return reply is not None and reply.status == 503


@pytest.mark.parametrize("seconds", [1, pytest.param(10, marks=pytest.mark.full)])
@pytest.mark.parametrize("way", [sqlite_is_locked, postgres_is_paused, postgres_is_stopped])
async def test_a_database_that_is_gone_under_load_loses_nobody_a_cent(
    way: MakeWay, seconds: float, tmp_path: Path, postgres: Postgres
):
    away = way(tmp_path, postgres)
    async with await simulator.start() as sim:
        path = configured(tmp_path, sim.url, away)
        with serving("serve", "--config", path) as running:
            held = [asyncio.create_task(ask(running.url, number)) for number in range(REQUESTS)]
            for number in range(REQUESTS):
                await sim.wait_for(
                    lambda line, serial=number + 1: line.serial == serial and line.holding is not None,
                    DEADLINE_S,
                )
            load = Load(running.url, REQUESTS)
            await load.seen(whole, 3 * CLIENTS)
            with away.gone():
                gone_for = asyncio.create_task(asyncio.sleep(seconds))
                await load.seen(refused, CLIENTS)
                sim.release("first")
                sim.release("rest")
                answered = await asyncio.gather(*held)
                assert all(map(whole, answered))
                await everybody_is_told_to_come_back(running.url)
                await gone_for
            await load.seen(whole, 3 * CLIENTS)
            await load.stop()
            assert running.stop() == 0
        load.replies |= dict(enumerate(answered))
        assert {reply.status for reply in load.replies.values() if reply} == {200, 503}
        complete = {number for number, reply in load.replies.items() if whole(reply)}
        books_are_right(await asyncio.to_thread(left_behind, path, complete, sim.ledger.lines))
        assert left_in_the_outbox(tmp_path) == []


def left_in_the_outbox(folder: Path) -> list[bytes]:
    (outbox,) = folder.glob("*.outbox")
    return read_records(outbox.read_bytes())[0]


async def everybody_is_told_to_come_back(url: str) -> None:
    """In the words of each door, and with the time to wait; never that the key is wrong."""
    for dialect, (path, body) in ASK.items():
        async with connection(url) as line:
            await line.send(path, body)
            reply = await line.read()
        status, word, kind = SAID[dialect]
        assert (reply.status, kind(reply.json["error"])) == (status, word)
        assert float(reply.headers["retry-after"]) > 0


@pytest.mark.parametrize("failpoint", ["outbox_written@1", "outbox_written@2"])
@pytest.mark.parametrize("way", [sqlite_is_locked, postgres_is_paused])
async def test_a_kill_with_charges_in_the_outbox_loses_none(
    failpoint: str, way: MakeWay, tmp_path: Path, postgres: Postgres
):
    left = await killed_in_outage(failpoint, tmp_path, way(tmp_path, postgres))
    assert len(left.complete) - 1 <= FIRST
    assert REQUESTS - len(left.complete) >= IN_FLIGHT_MIN
    books_are_right(left)


@pytest.mark.parametrize("failpoint", ["outbox_drained@1", "outbox_taken@1"])
@pytest.mark.parametrize("killed", [killed_in_outage, killed_at_the_start_after])
@pytest.mark.parametrize("way", [sqlite_is_locked, pytest.param(postgres_is_stopped, marks=pytest.mark.full)])
async def test_a_kill_while_the_outbox_is_drained_charges_nobody_twice(
    killed: Callable[[str, Path, Way], Awaitable[Left]],
    failpoint: str,
    way: MakeWay,
    tmp_path: Path,
    postgres: Postgres,
):
    left = await killed(failpoint, tmp_path, way(tmp_path, postgres))
    assert len(left.complete) == REQUESTS + 1
    books_are_right(left)


def books_are_right(left: Left) -> None:
    assert len(set(left.served.values())) == len(left.served)  # an amount says whose it is
    assert {left.served[number] for number in left.complete} <= set(left.charges)
    assert len(set(left.charges)) == len(left.charges)
    assert set(left.charges) <= set(left.served.values())
    assert sum(left.balances.values()) == 0
    assert left.balances["test"] == left.opening - sum(left.charges)
    assert left.drifts == ()
