"""The open database of a process, of either kind: who runs its jobs.

`sqlite:///PATH` is one file of one process: a lock, the writer behind it, and readers beside it. `postgresql://…` is
shared by any number of processes; its driver is imported only then, because it takes longer than a start may spare.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from allgate.admin.rows import ConfigError
from allgate.storage.connection import DatabaseGone, DatabaseRefused, Jobs
from allgate.storage.schema import SCHEMA_NUMBER, SchemaError
from allgate.storage.sqlite.lock import DatabaseLock
from allgate.storage.sqlite.reader import Reader
from allgate.storage.sqlite.schema import open_writing
from allgate.storage.sqlite.writer import Writer
from allgate.wiring.settings import Settings

if TYPE_CHECKING:
    from allgate.storage.postgres.jobs import PostgresThread

SQLITE_SCHEME = "sqlite:///"
POSTGRES_SCHEMES = ("postgresql://", "postgres://")

PATIENCE_S = 60.0
"""How long a server's jobs wait for a PostgreSQL that is gone: as long as keys are believed without it (ruling 22)."""


NOTHING_YET = "name another with --config or --database, or make it: allgate apply, allgate serve --config"


class SqliteDatabase:
    """Locked and open for writing until `close`."""

    def __init__(self, path: Path) -> None:
        """Raises: Locked: another process has it; ConfigError: it cannot be used."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.lock = DatabaseLock(path)
        except OSError as error:
            raise ConfigError("", "database.url", f"{path} cannot be opened: {error.strerror}") from error
        try:
            self.writer = Writer(open_writing(path))
        except (SchemaError, sqlite3.Error) as error:
            self.lock.release()
            raise ConfigError("", "database.url", f"{path}: {error}") from error
        self.reader = Reader(path)
        self.path = path

    def close(self) -> None:
        """Write what waits, close, unlock. Blocks."""
        self.reader.close()
        self.writer.close()
        self.lock.release()


class PostgresDatabase:
    """Connected, with today's tables, until `close`. `patience_s`: how long a job waits for a database that is gone."""

    def __init__(self, url: str, *, patience_s: float = 0.0) -> None:
        """Raises: ConfigError: it cannot be reached or used."""
        from allgate.storage.postgres.jobs import PostgresThread
        from allgate.storage.postgres.schema import prepare

        self.url = url
        self.writer: PostgresThread = PostgresThread(url)
        self.reader: PostgresThread = PostgresThread(url, reading=True)
        try:
            self.writer.submit(prepare).result()
        except (SchemaError, DatabaseGone, DatabaseRefused) as error:
            self.close()
            raise ConfigError("", "database.url", f"{postgres_name(url)}: {error}") from error
        self.writer.wait_s = patience_s  # from here on: a start that finds no database fails at once

    def close(self) -> None:
        """Write what waits, then disconnect. Blocks."""
        self.reader.close()
        self.writer.close()


Database: TypeAlias = SqliteDatabase | PostgresDatabase


def is_postgres(settings: Settings) -> bool:
    return settings.database.url.startswith(POSTGRES_SCHEMES)


def database_path(settings: Settings) -> Path:
    """The SQLite file. Raises: ConfigError: another kind of database."""
    url = settings.database.url
    if not url.startswith(SQLITE_SCHEME) or url == SQLITE_SCHEME:
        raise ConfigError("", "database.url", f"must be {SQLITE_SCHEME}PATH or postgresql://USER@HOST/NAME")
    return (settings.folder / url.removeprefix(SQLITE_SCHEME)).absolute()


def postgres_name(url: str) -> str:
    """The database in words that may be shown: its URL without user, password and options."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'postgresql'}{parts.path}"


def served(settings: Settings) -> Database:
    """For a server. Raises: Locked; ConfigError."""
    if is_postgres(settings):
        return PostgresDatabase(settings.database.url, patience_s=PATIENCE_S)
    return SqliteDatabase(database_path(settings))


@contextmanager
def opened(settings: Settings) -> Generator[Database]:
    """For one command that writes. Raises: Locked; ConfigError."""
    database = (
        PostgresDatabase(settings.database.url)
        if is_postgres(settings)
        else SqliteDatabase(database_path(settings))
    )
    try:
        yield database
    finally:
        database.close()


@contextmanager
def reading(settings: Settings) -> Generator[Jobs]:
    """For one command that reads, beside whoever writes. Raises: ConfigError: there is nothing of ours to read."""
    jobs = _postgres_reader(settings.database.url) if is_postgres(settings) else _sqlite_reader(settings)
    try:
        yield jobs
    finally:
        jobs.close()


def _sqlite_reader(settings: Settings) -> Reader:
    path = database_path(settings)
    if not path.exists():
        raise ConfigError("", "database.url", f"there is no database at {path}; {NOTHING_YET}")
    return Reader(path)


def _postgres_reader(url: str) -> "PostgresThread":
    from allgate.storage.postgres.jobs import PostgresThread
    from allgate.storage.postgres.schema import schema_number

    jobs, name = PostgresThread(url, reading=True), postgres_name(url)
    try:
        number = jobs.submit(schema_number).result()
        if number is None:
            raise ConfigError("", "database.url", f"{name} is empty; {NOTHING_YET}")
        if number != SCHEMA_NUMBER:
            raise SchemaError(f"is at {number}, and this version reads {SCHEMA_NUMBER}")
    except (SchemaError, DatabaseGone, DatabaseRefused) as error:
        jobs.close()
        raise ConfigError("", "database.url", f"{name}: {error}") from error
    except ConfigError:
        jobs.close()
        raise
    return jobs
