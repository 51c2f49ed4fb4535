"""Corrections on both databases, also when several are made at once."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from allgate.core.money import NanoUsd
from allgate.storage.audit import audit
from allgate.storage.connection import Connection, ConstraintBroken
from allgate.storage.corrections import CannotCorrect, correct, debit
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.postgres.schema import prepare
from allgate.storage.sql_text import statements
from allgate.storage.sqlite.schema import open_writing
from allgate.storage.sqlite.writer import Writer
from allgate.storage.transfers import move_balances, open_account, read_balance

REQUEST = "req_1"
PAID = 30


@pytest.fixture(params=["sqlite", "postgres"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Callable]:
    """Runs a job. Each thread that asks has a connection of its own on PostgreSQL; SQLite has one writer."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            writer = Writer(open_writing(tmp_path / "t.db"))
            stack.callback(writer.close)
            runs = [writer] * 4
        else:
            url = request.getfixturevalue("postgres_url")
            runs = [PostgresThread(url) for _ in range(4)]
            for one in runs:
                stack.callback(one.close)
            runs[0].submit(prepare).result()

        def run(job: Callable[[Connection], object], by: int = 0) -> object:
            return runs[by].submit(job).result()

        run(_account_that_paid)
        yield run


def _account_that_paid(connection: Connection) -> None:
    """100 granted, 30 of it paid for a request."""
    assert open_account(connection, "demo", NanoUsd(100), 1)
    charge = {
        "id": REQUEST, "kind": "charge", "debit": "demo", "credit": "house:revenue", "amount_nano_usd": PAID, "at_ms": 1,
        "key": "demo/k", "price": "m@1", "reason": "ok",
    }  # fmt: skip
    connection.execute(statements()["write_transfer"], charge)
    move_balances(connection, {"demo": -PAID, "house:revenue": PAID})


def balance(run: Callable) -> int:
    return run(lambda connection: read_balance(connection, "demo"))


def corrected(amount: int, one: str = "1") -> Callable:
    return partial(correct, REQUEST, NanoUsd(amount), one, "why", 2)


def debited(amount: int, one: str = "1") -> Callable:
    return partial(debit, "demo", NanoUsd(amount), one, "why", 2)


def together(run: Callable, *jobs: Callable) -> list[object]:
    """What became of jobs that were asked for at once: a result, or an error."""

    def outcome(numbered: tuple[int, Callable]) -> object:
        try:
            return run(numbered[1], numbered[0])
        except (CannotCorrect, ConstraintBroken) as error:
            return error

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(outcome, enumerate(jobs)))


def test_a_correction_and_a_debit_move_money_once(run: Callable):
    assert run(corrected(10)) == ("demo", True, 80)
    assert run(corrected(10)) == ("demo", False, 80)
    assert run(debited(80)) == ("demo", True, 0)
    assert run(debited(80)) == ("demo", False, 0)
    assert run(audit).drift_count == 0


def test_what_cannot_be_done_changes_nothing(run: Callable):
    for job, why in (
        (corrected(31), "the account paid"),
        (debited(71), "less than"),
        (partial(debit, "nobody", NanoUsd(1), "x", "", 2), "no account 'nobody'"),
        (partial(correct, "req_2", NanoUsd(1), "x", "", 2), "no request 'req_2'"),
    ):
        with pytest.raises(CannotCorrect, match=why):
            run(job)
    assert balance(run) == 70
    assert run(audit).drift_count == 0


def test_several_corrections_at_once_give_back_no_more_than_was_paid(run: Callable):
    outcomes = together(run, *(corrected(20, str(number)) for number in range(4)))
    assert sum(isinstance(one, CannotCorrect) for one in outcomes) == 3
    assert balance(run) == 90


def test_several_debits_at_once_take_no_more_than_there_is(run: Callable):
    outcomes = together(run, *(debited(40, str(number)) for number in range(4)))
    assert sum(isinstance(one, Exception) for one in outcomes) == 3
    assert balance(run) == 30


def test_the_same_debit_at_once_takes_once(run: Callable):
    outcomes = together(run, *(debited(40) for _ in range(4)))
    assert sorted(one.new for one in outcomes) == [False, False, False, True]
    assert balance(run) == 30
