"""Databases of before keep what they hold: accounts get what they were promised, once; groups hold as they did."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from allgate.core.money import NanoUsd
from allgate.storage.audit import audit
from allgate.storage.migrate import MIGRATIONS
from allgate.storage.sqlite.schema import open_writing
from allgate.storage.transfers import open_account, read_balances


def made_with(number: str, row: str, path: Path) -> Path:
    """A database as that migration left it, with this in it."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, number)
        connection.exec_driver_sql(row)
    engine.dispose()
    return path


def test_accounts_of_before_the_ledger_are_opened_by_the_migration(tmp_path: Path):
    path = made_with(
        "0001",
        "INSERT INTO accounts VALUES ('a', 5, 'file', 0, 1), ('b', 0, 'file', 0, 1)",
        tmp_path / "t.db",
    )
    opened = open_writing(path)
    assert read_balances(opened) == {"a": 5, "b": 0, "house:grants": -5}
    assert audit(opened).drifts == ()
    assert not open_account(opened, "a", NanoUsd(5), 2)
    opened.close()


def test_groups_of_before_they_could_expect_say_nothing_of_holds(tmp_path: Path):
    row = "INSERT INTO groups VALUES ('vip', '0.8', '{}', NULL, 'file', 0, 7)"
    opened = open_writing(made_with("0008", row, tmp_path / "t.db"))
    kept = opened.execute(
        "SELECT name, ratio, model_ratios, budget, hold, managed_by, changed_ms FROM groups"
    )
    assert kept.fetchall() == [("vip", "0.8", "{}", None, None, "file", 7)]
    opened.close()
