"""kill -9 at named places on PostgreSQL: whoever was answered has paid, whoever has paid was served, nothing stays held."""

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest

from allgate.wiring.postgres_failpoints import POSTGRES_FAILPOINTS
from chaos.killed import IN_FLIGHT_MIN, REQUESTS, Left, kill, left_by
from cli.program import DEADLINE_S
from postgres import Postgres
from storage.postgres.many_nodes import Books

LEASE_S = 1.0
"""So that a dead node is swept soon."""

FEW = (
    "postgres_after_hold@17", "postgres_claimed@1", "postgres_before_enqueue@1", "postgres_before_enqueue@12",
    "postgres_enqueued@12", "postgres_written@1", "postgres_written@2", "postgres_committed@1",
    "postgres_committed@2", "postgres_before_last_byte@8", "postgres_renewal@3", "postgres_renewed@3",
    "postgres_sweep@1", "postgres_swept@1",
)  # fmt: skip

BY_TIME = ("postgres_renewal", "postgres_renewed", "postgres_sweep", "postgres_swept")
"""What happens by the clock: requests are held until it does."""


def passage(name: str, time: int) -> int:
    """At which passage to die, so that twelve times are spread over what is in flight."""
    if name == "postgres_after_hold":
        return IN_FLIGHT_MIN + 1 + time
    if name in ("postgres_written", "postgres_committed"):
        return 1 + time % 2
    return 1 if name in ("postgres_claimed", *BY_TIME[2:]) else 1 + time


@pytest.fixture
def books(postgres: Postgres) -> Generator[Books]:
    books = Books(postgres.database())
    yield books
    books.close()


@pytest.mark.parametrize("failpoint", FEW)
async def test_after_a_kill_on_postgres_answered_is_paid_and_paid_was_served(
    failpoint: str, books: Books, tmp_path: Path
):
    await no_money_moves_by_itself(failpoint, books, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("time", range(12))
@pytest.mark.parametrize("name", POSTGRES_FAILPOINTS)
async def test_after_any_of_many_kills_on_postgres(name: str, time: int, books: Books, tmp_path: Path):
    await no_money_moves_by_itself(f"{name}@{passage(name, time)}", books, tmp_path)


async def no_money_moves_by_itself(failpoint: str, books: Books, folder: Path) -> None:
    left = await killed_at(failpoint, books, folder)
    assert REQUESTS + 1 - len(left.complete) >= IN_FLIGHT_MIN
    assert len(set(left.served.values())) == len(left.served)  # an amount says whose it is
    assert {left.served[number] for number in left.complete} <= set(left.charges)
    assert len(set(left.charges)) == len(left.charges)
    assert set(left.charges) <= set(left.served.values())  # charged ⇒ served
    assert left.balances["test"] == left.opening - sum(left.charges)
    assert left.drifts == ()
    assert not any(one.pending for one in books.check().values())  # nothing stays held


async def killed_at(failpoint: str, books: Books, folder: Path) -> Left:
    """Serve, kill, start again, ask once more, wait until the dead are swept."""
    settings = (
        f'[database]\nurl = "{books.url}"\n[ledger]\nlease_s = {LEASE_S}\n'
        f'[secrets]\nmaster_key = "{"5a" * 32}"\n'
    )
    name = failpoint.partition("@")[0]
    if name in BY_TIME[2:]:  # somebody has to be dead
        await kill("postgres_after_hold@17", folder, settings, again=False)

    async def swept() -> None:
        async with asyncio.timeout(DEADLINE_S):
            while len(await asyncio.to_thread(books.execute, "SELECT epoch FROM nodes")) > 1:  # noqa: ASYNC110  it is another process that sweeps
                await asyncio.sleep(0.05)

    complete, lines = await kill(failpoint, folder, settings, rest=name not in BY_TIME, at_last=swept)
    return books.run(lambda connection: left_by(connection, complete, lines))
