"""A database of before the ledger: its accounts get what they were promised, once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from allgate.core.money import NanoUsd
from allgate.storage.audit import audit
from allgate.storage.migrate import MIGRATIONS
from allgate.storage.postings import open_account, read_balances
from allgate.storage.schema import open_writing


def test_accounts_of_before_the_ledger_are_opened_by_the_migration(tmp_path: Path):
    path = tmp_path / "t.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO accounts VALUES ('a', 5, 'file', 0, 1), ('b', 0, 'file', 0, 1)"
        )
    engine.dispose()
    opened = open_writing(path)
    assert read_balances(opened) == {"a": 5, "b": 0, "house:grants": -5}
    assert audit(opened).drifts == ()
    assert not open_account(opened, "a", NanoUsd(5), 2)
    opened.close()
