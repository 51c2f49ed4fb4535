"""At which doors a key opens, and the secret it had before it was rotated. The table is made anew, because SQLite adds a column
behind a key."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# k: part of the key, ?: may be null, +: new here
KEYS = (
    "account text k, name text k, hash text, hint text, models text ?, dialects text ? +, networks text, expires text ?, "
    "loopback_only switch, budget text ?, previous text ? +, managed_by text, disabled switch, changed_ms long"
)
TYPES = {"text": sa.Text, "long": sa.BigInteger, "switch": sa.Boolean}


def upgrade() -> None:
    kept = ", ".join(words.split()[0] for words in KEYS.split(", ") if not words.endswith("+"))
    op.execute(f"CREATE TABLE kept AS SELECT {kept} FROM keys")  # noqa: S608  our own names
    op.drop_table("keys")
    op.create_table("keys", *(_column(words) for words in KEYS.split(", ")), sqlite_with_rowid=False)
    op.execute(f"INSERT INTO keys ({kept}) SELECT {kept} FROM kept")  # noqa: S608  as above
    op.drop_table("kept")


def _column(words: str) -> sa.Column[object]:
    name, kind, *marks = words.split()
    return sa.Column(
        name, TYPES[kind](), primary_key="k" in marks, autoincrement=False, nullable="?" in marks
    )
