"""The short way to the tables (a script) and the long one (migrations) lead to the same place."""

import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from allgate.storage.migrate import newest_number, upgrade
from allgate.storage.schema import SCHEMA_NUMBER, SchemaError
from allgate.storage.sqlite import schema
from allgate.storage.sqlite.schema import open_reading, open_writing, schema_number
from allgate.storage.tables import metadata


def shape(path: Path) -> dict[str, str]:
    """Every table and index by name, its SQL without spaces."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: re.sub(r"\s+", "", sql) for name, sql in found}


def test_the_script_makes_what_the_migrations_make(tmp_path: Path):
    open_writing(tmp_path / "script.db").close()
    upgrade(tmp_path / "migrated.db")
    assert shape(tmp_path / "script.db") == shape(tmp_path / "migrated.db")


def test_the_tables_are_those_of_the_metadata(tmp_path: Path):
    open_writing(tmp_path / "t.db").close()
    engine = create_engine(f"sqlite:///{tmp_path / 't.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_number_is_that_of_the_newest_migration():
    assert newest_number() == SCHEMA_NUMBER


def test_a_new_database_is_stamped_durable_and_for_its_owner_only(tmp_path: Path):
    connection = open_writing(tmp_path / "t.db")
    assert schema_number(connection) == SCHEMA_NUMBER
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    connection.execute("DELETE FROM keys")
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    connection.close()


def test_opening_twice_changes_nothing(tmp_path: Path):
    open_writing(tmp_path / "t.db").close()
    before = shape(tmp_path / "t.db")
    open_writing(tmp_path / "t.db").close()
    assert shape(tmp_path / "t.db") == before


def test_an_older_database_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "t.db"
    open_writing(path).close()
    migrated: list[Path] = []
    monkeypatch.setattr("allgate.storage.migrate.upgrade", migrated.append)
    monkeypatch.setattr(schema, "SCHEMA_NUMBER", "9999")
    open_writing(path).close()
    assert migrated == [path]


def test_a_database_of_a_newer_version_is_refused_and_kept(tmp_path: Path):
    path = tmp_path / "t.db"
    connection = open_writing(path)
    connection.execute("UPDATE alembic_version SET version_num = '7777'")
    connection.close()
    with pytest.raises(SchemaError, match="at 7777, which this version does not know"):
        open_writing(path)
    assert "keys" in shape(path)


def test_a_database_of_somebody_else_is_refused(tmp_path: Path):
    path = tmp_path / "t.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(SchemaError, match="tables that Allgate did not make"):
        open_writing(path)


def test_what_is_no_database_is_an_error_of_sqlite(tmp_path: Path):
    (tmp_path / "t.db").write_bytes(b"not a database, but longer than its header would be" * 10)
    with pytest.raises(sqlite3.DatabaseError):
        open_writing(tmp_path / "t.db")


def test_a_reader_cannot_write(tmp_path: Path):
    open_writing(tmp_path / "t.db").close()
    reader = open_reading(tmp_path / "t.db")
    with pytest.raises(sqlite3.OperationalError, match=r"readonly|query_only"):
        reader.execute("DELETE FROM keys")
    reader.close()


def test_opening_a_current_database_imports_no_sqlalchemy_alembic_or_asyncpg(tmp_path: Path):
    """Each takes longer than a start may spare."""
    program = (
        "import sys, pathlib\n"
        "from allgate.storage.sqlite.schema import open_writing\n"
        "from allgate.wiring import state\n"
        "for _ in range(2): open_writing(pathlib.Path(sys.argv[1])).close()\n"
        "print(sorted({'sqlalchemy', 'alembic', 'asyncpg'} & sys.modules.keys()))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "t.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.strip() == "[]"
