"""From a path to an open, current database.

- An empty database gets today's tables from `schema.sql`, and the number of today's migration.
- A database with today's number is used as it is. Alembic is not even imported: it takes a second.
- A database with another number is migrated by Alembic. One that this version does not know was written by a newer
  Allgate, and is refused.

The caller holds the lock. Tests make the tables both ways and compare, so that the short way stays true.
"""

import os
import sqlite3
from pathlib import Path

from allgate.storage.schema import SCHEMA_NUMBER, SchemaError, creation_script

STATEMENTS_KEPT = 512
"""Prepared statements in SQLite's cache: every one of ours, and those of `rows`, which has one per number of rows."""

BUSY_MS = 5_000
"""How long a statement waits for a reader that checkpoints at the wrong moment."""


def open_writing(path: Path) -> sqlite3.Connection:
    """The one writing connection, durable across power cuts; the database is made or migrated first.

    Raises: SchemaError: written by a newer version, or not ours. sqlite3.Error: not a database, or not writable.
    """
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))  # the files beside it get the same mode
    connection = _prepared(path)
    try:
        number = schema_number(connection)
        if number is None:
            _create(connection)
        elif number != SCHEMA_NUMBER:
            connection.close()
            _migrate(path, number)
            connection = _prepared(path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, for commands and reports. Raises: sqlite3.Error: there is no such database."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return connection


def schema_number(connection: sqlite3.Connection) -> str | None:
    """The number of the migration that the database is at; None: it is empty.

    Raises: SchemaError: it holds tables, but none of ours.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if "alembic_version" not in tables:
        if tables:
            raise SchemaError(
                f"the database holds {len(tables)} tables that Allgate did not make; use another file"
            )
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _prepared(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS_KEPT
    )
    for pragma in ("journal_mode = WAL", "synchronous = FULL", f"busy_timeout = {BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _create(connection: sqlite3.Connection) -> None:
    connection.executescript(f"BEGIN IMMEDIATE;\n{creation_script('sqlite')}\nCOMMIT;")


def _migrate(path: Path, number: str) -> None:
    from allgate.storage.migrate import UnknownNumber, upgrade

    try:
        upgrade(path)
    except UnknownNumber as error:
        raise SchemaError(
            f"the database is at {number}, which this version does not know: a newer Allgate wrote it"
        ) from error
