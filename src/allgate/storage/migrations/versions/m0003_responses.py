"""Kept responses, and where their items stand."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "responses",
        *(sa.Column(name, sa.Text, primary_key=True, nullable=False) for name in ("account", "id")),
        sa.Column("parent", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("root", "model")),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("input", "answer")),
        sa.Column("lost", sa.Text, nullable=False),
    )
    op.create_index("responses_root", "responses", ["account", "root", "created_ms"])
    op.create_index("responses_created", "responses", ["created_ms"])
    op.create_table(
        "response_items",
        *(sa.Column(name, sa.Text, primary_key=True, nullable=False) for name in ("account", "item")),
        sa.Column("response", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("response_items_response", "response_items", ["account", "response"])
