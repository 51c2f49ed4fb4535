"""Leases: what nodes have set aside of a balance. `balances` is made anew, because SQLite cannot add a column before a check."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("CREATE TABLE kept AS SELECT account, balance_nano_usd FROM balances")
    op.drop_table("balances")
    _make_balances()
    op.execute("INSERT INTO balances (account, balance_nano_usd) SELECT account, balance_nano_usd FROM kept")
    op.drop_table("kept")
    op.create_table(
        "nodes",
        sa.Column("epoch", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leases",
        sa.Column("account", sa.Text, primary_key=True, nullable=False),
        _epoch("a_lease_has_a_living_node", key=True),
        sa.Column("amount_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("recalled", sa.Boolean, nullable=False),
        sa.CheckConstraint("amount_nano_usd >= 0", name="no_lease_is_overspent"),
        sqlite_with_rowid=False,
    )
    op.create_index("leases_epoch", "leases", ["epoch"])
    op.create_table(
        "holds",
        sa.Column("request_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        _epoch("a_hold_has_a_living_node", key=False),
        sa.Column("amount_nano_usd", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount_nano_usd >= 0", name="no_hold_runs_backwards"),
        sqlite_with_rowid=False,
    )
    op.create_index("holds_epoch", "holds", ["epoch"])


def _make_balances() -> None:
    op.create_table(
        "balances",
        sa.Column("account", sa.Text, primary_key=True, nullable=False),
        sa.Column("balance_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("pending_nano_usd", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.CheckConstraint(
            "balance_nano_usd BETWEEN -9223372036854775807 AND 9223372036854775807",
            name="no_balance_overflows",
        ),
        sa.CheckConstraint(
            "pending_nano_usd >= 0 AND (account LIKE 'house:%' OR balance_nano_usd >= pending_nano_usd)",
            name="nothing_available_is_negative",
        ).ddl_if(dialect="postgresql"),
        sqlite_with_rowid=False,
    )


def _epoch(constraint: str, *, key: bool) -> sa.Column[int]:
    node = sa.ForeignKey("nodes.epoch", name=constraint)
    return sa.Column("epoch", sa.BigInteger, node, primary_key=key, nullable=False, autoincrement=False)
