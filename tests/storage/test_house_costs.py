"""Costs of the house on their way to a database: once each, kept while it is away, never without bound."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from allgate.core.money import NanoUsd
from allgate.gateway.ports import Unanswered
from allgate.storage import house_costs
from allgate.storage.audit import audit
from allgate.storage.connection import Connection
from allgate.storage.house_costs import HouseCosts, write_unanswered
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.postgres.schema import prepare
from allgate.storage.sqlite.schema import open_writing
from allgate.storage.sqlite.writer import Writer
from allgate.storage.transfers import read_balances


def cost(request_id: str, attempt: int = 1, amount: int = 5) -> Unanswered:
    return Unanswered(request_id, attempt, 1, "demo/k", "a", "M@1", NanoUsd(amount))


class Away:
    """A database that is away for a while, and then the writer's."""

    def __init__(self, writer: Writer, refusals: int) -> None:
        self._writer, self.refusals = writer, refusals

    def submit(self, run: Callable[[Connection], None]) -> "Future[None]":
        if not self.refusals:
            return self._writer.submit(run)
        self.refusals -= 1
        failed: Future[None] = Future()
        failed.set_exception(sqlite3.OperationalError("disk I/O error"))
        return failed

    def close(self) -> None:
        self._writer.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def writer(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "sqlite":
        opened = Writer(open_writing(tmp_path / "t.db"))
    else:
        opened = PostgresThread(request.getfixturevalue("postgres_url"))
        opened.submit(prepare).result()
    yield opened
    opened.close()


def test_each_attempt_is_booked_once_and_the_books_balance(writer):
    def write(connection: Connection) -> None:
        write_unanswered([cost("r1"), cost("r1", 2), cost("r2", amount=0)], connection)
        write_unanswered([cost("r1"), cost("r3", amount=7)], connection)

    writer.submit(write).result()
    assert writer.submit(read_balances).result() == {"house:unanswered": -17, "house:providers": 17}
    found = writer.submit(audit).result()
    assert (found.transfers, found.unanswered_nano_usd, found.drift_count) == (4, 17, 0)


async def test_costs_wait_while_the_database_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(house_costs, "FLUSH_S", 0)
    writer = Writer(open_writing(tmp_path / "t.db"))
    costs = HouseCosts(Away(writer, refusals=2), asyncio.get_running_loop())
    costs.append(cost("r1"))
    async with asyncio.timeout(20):
        while costs.waiting:  # noqa: ASYNC110  it is tried again until it is written
            await asyncio.sleep(0)
    assert writer.submit(read_balances).result()["house:unanswered"] == -5
    assert costs.lost_total == 0
    writer.close()


async def test_what_does_not_fit_is_counted_as_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(house_costs, "WAITING_MAX", 2)
    writer = Writer(open_writing(tmp_path / "t.db"))
    costs = HouseCosts(writer, asyncio.get_running_loop())
    for number in range(3):
        costs.append(cost(f"r{number}"))
    assert (costs.waiting, costs.lost_total) == (2, 1)
    costs.close()
    assert writer.submit(read_balances).result()["house:unanswered"] == -10
    writer.close()
