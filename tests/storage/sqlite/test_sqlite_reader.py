"""Reading beside the writer."""

import sqlite3
from pathlib import Path

import pytest

from allgate.storage.connection import Connection
from allgate.storage.sqlite.reader import Reader
from allgate.storage.sqlite.schema import open_writing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    open_writing(tmp_path / "t.db").close()
    return tmp_path / "t.db"


def count(connection: Connection) -> int:
    return connection.execute("SELECT count(*) FROM balances").fetchall()[0][0]


def test_a_job_sees_one_moment_and_cannot_write(path: Path):
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    reader = Reader(path)

    def twice(connection: Connection) -> tuple[int, int]:
        before = count(connection)
        writer.execute("INSERT INTO balances (account, balance_nano_usd) VALUES ('a', 1)")
        return before, count(connection)

    assert reader.submit(twice).result() == (0, 0)
    assert reader.submit(count).result() == 1
    with pytest.raises(sqlite3.OperationalError):
        reader.submit(lambda connection: connection.execute("DELETE FROM balances")).result()
    reader.close()
    writer.close()


def test_what_a_job_raises_is_its_futures(path: Path):
    reader = Reader(path)
    with pytest.raises(KeyError):
        reader.submit(lambda connection: {}["nothing"]).result()
    reader.close()
