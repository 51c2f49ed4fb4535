"""What budgets have spent, for many nodes; and the key of a durable hold, by which a budget finds what is held."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("holds", sa.Column("key", sa.Text, nullable=False, server_default=sa.text("''")))
    op.create_index("holds_account", "holds", ["account"])
    op.create_table(
        "budget_windows",
        sa.Column("scope", sa.Text, primary_key=True, nullable=False),
        sa.Column("kind", sa.Text, primary_key=True, nullable=False),
        sa.Column("start_ms", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("spent_nano_usd", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
