"""The shape of the tables as both databases know it: its number, and what gives it to an empty database.

How a database of either kind comes to that shape is in `sqlite.schema` and `postgres.schema`; older ones by `migrate`.
"""

from importlib.resources import files

SCHEMA_NUMBER = "0010"
"""The newest migration in `migrations/versions`."""

# As Alembic itself makes it.
_VERSION_TABLE = """
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
"""


class SchemaError(Exception):
    """The database is not one that this version can use."""


def creation_script(store: str) -> str:
    """What makes an empty database into today's, with its number. `store`: sqlite or postgres."""
    tables = (files("allgate.storage") / store / "schema.sql").read_text("utf-8")
    stamp = f"INSERT INTO alembic_version (version_num) VALUES ('{SCHEMA_NUMBER}');"  # noqa: S608  our own constant
    return f"{tables}\n{_VERSION_TABLE}\n{stamp}"
