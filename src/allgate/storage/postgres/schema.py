"""From an empty or older PostgreSQL database to a current one: what `sqlite.schema` is for SQLite.

An empty database gets today's tables from `schema.sql`; an older one the migrations, which Alembic writes out as text; one
that this version does not know was written by a newer Allgate, and is refused. Everything happens in one transaction and
behind one lock, so nodes that start together do it once.
"""

from allgate.storage.postgres.jobs import PostgresConnection
from allgate.storage.schema import SCHEMA_NUMBER, SchemaError, creation_script

SERVER_MIN = 150_000
"""PostgreSQL 15, the oldest that we test with."""

LOCK = 0x616C_6C67_6174_65
"""The advisory lock of the tables' shape: "allgate", as a number."""


def prepare(connection: PostgresConnection) -> None:
    """A job. Raises: SchemaError: the server is too old, or the database is not one that this version can use."""
    (version,) = connection.execute("SELECT current_setting('server_version_num')::int").fetchone() or (0,)
    if not isinstance(version, int) or version < SERVER_MIN:
        raise SchemaError(f"PostgreSQL 15 or newer is needed; this server is {version}")
    if schema_number(connection) == SCHEMA_NUMBER:
        return
    connection.execute("SELECT pg_advisory_xact_lock(:lock)", {"lock": LOCK}).fetchone()
    number = schema_number(connection)  # of another node's making, perhaps
    if number is None:
        connection.script(creation_script("postgres"))
    elif number != SCHEMA_NUMBER:
        connection.script(_migration(number))


def schema_number(connection: PostgresConnection) -> str | None:
    """The number of the migration that the database is at; None: it is empty.

    Raises: SchemaError: it holds tables, but none of ours.
    """
    names = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    tables = {name for (name,) in connection.execute(names)}
    if "alembic_version" not in tables:
        if tables:
            raise SchemaError(
                f"the database holds {len(tables)} tables that Allgate did not make; use another database"
            )
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _migration(number: str) -> str:
    from allgate.storage.migrate import UnknownNumber, script

    try:
        return script(number)
    except UnknownNumber as error:
        raise SchemaError(
            f"the database is at {number}, which this version does not know: a newer Allgate wrote it"
        ) from error
