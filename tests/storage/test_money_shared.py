"""Operators' movements of money on PostgreSQL: as on SQLite, and at once with others."""

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from allgate.core.money import NanoUsd
from allgate.storage.audit import audit
from allgate.storage.connection import Connection, ConstraintBroken
from allgate.storage.corrections import CannotCorrect, debit
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.postgres.schema import prepare
from allgate.storage.transfers import TopUpTaken, open_account, read_balances, top_up


@pytest.fixture
def threads(postgres_url: str) -> Generator[list[PostgresThread]]:
    """Four connections to a database with the account "a", opened with 100."""
    opened = [PostgresThread(postgres_url) for _ in range(4)]
    opened[0].submit(prepare).result()
    opened[0].submit(lambda connection: open_account(connection, "a", NanoUsd(100), 1)).result()
    yield opened
    for one in opened:
        one.close()


def added(amount: int, top_up_id: str) -> Callable[[Connection], bool]:
    return lambda connection: top_up(
        connection, "a", NanoUsd(amount), top_up_id=top_up_id, reason="", at_ms=1
    )


def taken(amount: int, debit_id: str):
    return lambda connection: debit("a", NanoUsd(amount), debit_id, "", 1, connection)


def balance(threads: list[PostgresThread]) -> int:
    return threads[0].submit(read_balances).result()["a"]


def test_the_same_top_up_from_four_sides_adds_once(threads: list[PostgresThread]):
    futures: list[Future[bool]] = [one.submit(added(5, "x")) for one in threads]
    assert sorted(future.result() for future in futures) == [False, False, False, True]
    assert balance(threads) == 105
    with pytest.raises(TopUpTaken):
        threads[1].submit(added(6, "x")).result()


def test_top_ups_and_debits_at_once_are_all_there(threads: list[PostgresThread]):
    with ThreadPoolExecutor(4) as together:
        for number, one in enumerate(threads):
            together.submit(
                lambda number=number, one=one: [
                    one.submit((added if number % 2 else taken)(1, f"{number}.{turn}")).result()
                    for turn in range(25)
                ]
            )
    assert balance(threads) == 100
    found = threads[0].submit(audit).result()
    assert (found.transfers, found.drift_count) == (101, 0)


def test_a_debit_takes_what_is_there_and_no_more(threads: list[PostgresThread]):
    threads[0].submit(taken(100, "all")).result()
    assert balance(threads) == 0
    with pytest.raises((CannotCorrect, ConstraintBroken)):
        threads[1].submit(taken(1, "more")).result()
    assert balance(threads) == 0


def test_a_balance_that_would_overflow_stays(threads: list[PostgresThread]):
    with pytest.raises(ConstraintBroken):
        threads[0].submit(added(2**63 - 1, "much")).result()
    assert balance(threads) == 100
