"""What a model's row says of its family, names, profile and rules. Both tables are made anew, because SQLite adds a column
behind a key."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# k: part of the key, ?: may be null, +: new here
TABLES = {
    "models": (
        "name text k, sheet text ?, output_tokens_default long ?, owned_by text, family text ? +, aliases text ? +, "
        "profile text ? +, rules text ? +, family_rules switch ? +, free switch ? +, "
        "managed_by text, disabled switch, changed_ms long"
    ),
    "deployments": (
        "public_model text k, position number k, upstream text, model text, priority number, weight number, caps text, "
        "rules text ? +"
    ),
}
TYPES = {"text": sa.Text, "long": sa.BigInteger, "number": sa.Integer, "switch": sa.Boolean}


def upgrade() -> None:
    for table, columns in TABLES.items():
        kept = ", ".join(words.split()[0] for words in columns.split(", ") if not words.endswith("+"))
        op.execute(f"CREATE TABLE kept AS SELECT {kept} FROM {table}")  # noqa: S608  our own names
        op.drop_table(table)
        op.create_table(table, *(_column(words) for words in columns.split(", ")), sqlite_with_rowid=False)
        op.execute(f"INSERT INTO {table} ({kept}) SELECT {kept} FROM kept")  # noqa: S608  as above
        op.drop_table("kept")


def _column(words: str) -> sa.Column[object]:
    name, kind, *marks = words.split()
    return sa.Column(
        name, TYPES[kind](), primary_key="k" in marks, autoincrement=False, nullable="?" in marks
    )
