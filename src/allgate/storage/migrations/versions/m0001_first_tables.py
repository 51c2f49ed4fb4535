"""The first tables: configuration, its published revision, and the request log.

A migration is never edited after its release, so it does not read `tables.py`, which shows today's state: what follows
is that file's first day, in short words of its own (k: part of the key, ?: may be null).
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEPT = "managed_by text, disabled switch, changed_ms long"

TABLES = {
    "upstreams": f"name text k, provider text, base_url text ?, dialects text, proxy text ?, ca_file text ?, {KEPT}",
    "credentials": "upstream text k, position int k, reference text",
    "models": f"name text k, sheet text ?, output_tokens_default long ?, owned_by text, {KEPT}",
    "deployments": "public_model text k, position int k, upstream text, model text, priority int, weight int, caps text",
    "prices": (
        "id text k, name text, input text, output text, cache_read text ?, cache_write_5m text ?, "
        "cache_write_1h text ?, reasoning text ?, input_audio text ?, input_image text ?, output_audio text ?, "
        "output_image text ?, call text ?, web_search text ?, source text, valid_from_ms long"
    ),
    "sheets": f"name text k, price_id text, {KEPT}",
    "accounts": f"name text k, opening_nano_usd long, {KEPT}",
    "keys": (
        "account text k, name text k, hash text, hint text, models text ?, networks text, expires text ?, "
        f"loopback_only switch, {KEPT}"
    ),
    "requests": (
        "request_id text k, started_ms long, account text, key text, dialect text, operation text, model text, "
        "upstream text, upstream_model text, upstream_dialect text, passthrough switch, stream switch, status int, "
        "outcome text, attempts int, duration_ms long, first_byte_ms long ?, charged_nano_usd long, "
        "hold_nano_usd long, price text, error text, notes text, user_agent text, input_tokens long ?, "
        "output_tokens long ?, cache_read_tokens long ?, cache_write_5m_tokens long ?, cache_write_1h_tokens long ?, "
        "cache_write_tokens long ?, reasoning_tokens long ?, usage_rest text ?, estimated switch"
    ),
}

TYPES = {"text": sa.Text, "int": sa.Integer, "long": sa.BigInteger, "switch": sa.Boolean}


def upgrade() -> None:
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("published_ms", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    for name, columns in TABLES.items():
        op.create_table(name, *(_column(words) for words in columns.split(", ")), sqlite_with_rowid=False)
    op.create_index("requests_account_started", "requests", ["account", "started_ms"])


def _column(words: str) -> sa.Column[object]:
    name, kind, *marks = words.split()
    return sa.Column(
        name, TYPES[kind](), primary_key="k" in marks, autoincrement=False, nullable="?" in marks
    )
