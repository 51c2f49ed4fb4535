"""Prices for every unit and case, groups, and budgets. Three tables are made anew, because SQLite adds a column behind a key."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEPT = "managed_by text, disabled switch, changed_ms long"

# k: part of the key, ?: may be null, +: new here
TABLES = {
    "prices": (
        "id text k, name text, input text, output text, cache_read text ?, cache_write_5m text ?, "
        "cache_write_1h text ?, reasoning text ?, input_audio text ?, input_image text ?, input_video text ? +, "
        "output_audio text ?, output_image text ?, call text ?, second text ? +, character text ? +, "
        "web_search text ?, web_fetch text ? +, code_execution text ? +, file_search text ? +, images text ? +, "
        "variants text ? +, source text, valid_from_ms long"
    ),
    "accounts": f"name text k, opening_nano_usd long, member_of text ? +, {KEPT}",
    "keys": (
        "account text k, name text k, hash text, hint text, models text ?, networks text, expires text ?, "
        f"loopback_only switch, budget text ? +, {KEPT}"
    ),
}
GROUPS = f"name text k, ratio text, model_ratios text, budget text ?, {KEPT}"

TYPES = {"text": sa.Text, "long": sa.BigInteger, "switch": sa.Boolean}


def upgrade() -> None:
    for table, columns in TABLES.items():
        kept = ", ".join(words.split()[0] for words in columns.split(", ") if not words.endswith("+"))
        op.execute(f"CREATE TABLE kept AS SELECT {kept} FROM {table}")  # noqa: S608  our own names
        op.drop_table(table)
        _make(table, columns)
        op.execute(f"INSERT INTO {table} ({kept}) SELECT {kept} FROM kept")  # noqa: S608  as above
        op.drop_table("kept")
    _make("groups", GROUPS)


def _make(table: str, columns: str) -> None:
    op.create_table(table, *(_column(words) for words in columns.split(", ")), sqlite_with_rowid=False)


def _column(words: str) -> sa.Column[object]:
    name, kind, *marks = words.split()
    return sa.Column(
        name, TYPES[kind](), primary_key="k" in marks, autoincrement=False, nullable="?" in marks
    )
