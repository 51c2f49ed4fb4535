"""Which database the settings mean, and what is said when it is none."""

from contextlib import closing
from pathlib import Path

import pytest

from allgate.admin.rows import ConfigError
from allgate.storage.config_store import read_number
from allgate.wiring.database import (
    PostgresDatabase,
    SqliteDatabase,
    opened,
    postgres_name,
    reading,
    served,
)
from allgate.wiring.settings import Database, Settings


def settings(url: str, folder: Path = Path()) -> Settings:
    return Settings(database=Database(url=url), folder=folder)


def test_the_url_says_which(tmp_path: Path, postgres_url: str):
    with closing(served(settings("sqlite:///t.db", tmp_path))) as database:
        assert isinstance(database, SqliteDatabase)
        assert database.path == tmp_path / "t.db"
    with closing(served(settings(postgres_url))) as database:
        assert isinstance(database, PostgresDatabase)


def test_a_database_is_named_without_its_password():
    assert (
        postgres_name("postgresql://u:sesame@db.internal:5432/allgate?sslmode=require")
        == "db.internal/allgate"
    )
    assert postgres_name("postgres:///allgate?host=/run/postgresql") == "postgresql/allgate"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_who_reads_makes_nothing(kind: str, tmp_path: Path, postgres_url: str):
    of = settings(postgres_url if kind == "postgresql" else "sqlite:///t.db", tmp_path)
    with (
        pytest.raises(ConfigError, match="name another with --config or --database, or make it"),
        reading(of),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
    with opened(of) as database:
        assert database.writer.submit(read_number).result() == 0
    with reading(of) as jobs:
        assert jobs.submit(read_number).result() == 0


def test_a_database_of_another_version_is_not_read(postgres_url: str):
    with closing(PostgresDatabase(postgres_url)) as database:
        database.writer.submit(
            lambda connection: connection.script("UPDATE alembic_version SET version_num = '0001'")
        ).result()
    with (
        pytest.raises(ConfigError, match="is at 0001, and this version reads"),
        reading(settings(postgres_url)),
    ):
        pass


def test_a_server_that_is_not_there_is_one_error(postgres_url: str):
    with pytest.raises(ConfigError, match=r"database\.url: 127\.0\.0\.1/db: ConnectionRefusedError"):
        PostgresDatabase("postgresql://allgate:sesame@127.0.0.1:1/db")
