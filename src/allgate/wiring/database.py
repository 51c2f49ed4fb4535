"""The open database of a process: the lock, and the writer behind it."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from allgate.admin.rows import ConfigError
from allgate.storage.lock import DatabaseLock
from allgate.storage.schema import SchemaError, open_writing
from allgate.storage.writer import Writer
from allgate.wiring.settings import Settings

SQLITE_SCHEME = "sqlite:///"


def database_path(settings: Settings) -> Path:
    """The SQLite file. Raises: ConfigError: another kind of database."""
    url = settings.database.url
    if not url.startswith(SQLITE_SCHEME) or url == SQLITE_SCHEME:
        raise ConfigError("", "database.url", f"must be {SQLITE_SCHEME}PATH: PostgreSQL is not served yet")
    return (settings.folder / url.removeprefix(SQLITE_SCHEME)).absolute()


class Database:
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
        self.path = path

    def close(self) -> None:
        """Write what waits, close, unlock. Blocks."""
        self.writer.close()
        self.lock.release()


@contextmanager
def opened(path: Path) -> Generator[Database]:
    """For one command. Raises: Locked; ConfigError."""
    database = Database(path)
    try:
        yield database
    finally:
        database.close()
