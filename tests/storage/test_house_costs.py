"""Costs of the house: each attempt is booked once, on both databases."""

import asyncio
from pathlib import Path

import pytest

from allgate.core.money import NanoUsd
from allgate.gateway.ports import Unanswered
from allgate.storage.audit import audit
from allgate.storage.connection import Connection
from allgate.storage.house_costs import house_costs, write_unanswered
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.postgres.schema import prepare
from allgate.storage.sqlite.schema import open_writing
from allgate.storage.sqlite.writer import Writer
from allgate.storage.transfers import read_balances


def cost(request_id: str, attempt: int = 1, amount: int = 5) -> Unanswered:
    return Unanswered(request_id, attempt, 1, "demo/k", "a", "M@1", NanoUsd(amount))


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


async def test_costs_are_booked_behind_and_too_many_are_counted(writer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("allgate.storage.house_costs.WAITING_MAX", 2)
    costs = house_costs(writer, asyncio.get_running_loop())
    for number in range(3):
        costs.append(cost(f"r{number}"))
    assert (costs.waiting, costs.lost_total) == (2, 1)
    costs.close()
    assert writer.submit(read_balances).result()["house:unanswered"] == -10
