"""The ledger: transfers and balances. Accounts that are there already are opened with what they were promised."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

OPENED = (
    "INSERT INTO transfers (id, kind, debit, credit, amount_nano_usd, at_ms, key, price, reason) "
    "SELECT 'opening:' || name, 'opening', 'house:grants', name, opening_nano_usd, changed_ms, '', '', '' FROM accounts",
    "INSERT INTO balances (account, balance_nano_usd) SELECT name, opening_nano_usd FROM accounts",
    "INSERT INTO balances (account, balance_nano_usd) "
    "SELECT 'house:grants', -SUM(opening_nano_usd) FROM accounts HAVING COUNT(*) > 0",
)


def upgrade() -> None:
    op.create_table(
        "transfers",
        *(
            sa.Column(name, sa.Text, primary_key=name in ("id", "kind"), nullable=False)
            for name in ("id", "kind")
        ),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("debit", "credit")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("amount_nano_usd", "at_ms")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("key", "price", "reason")),
        sa.CheckConstraint("amount_nano_usd >= 0", name="no_transfer_runs_backwards"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "balances",
        sa.Column("account", sa.Text, primary_key=True, nullable=False),
        sa.Column("balance_nano_usd", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "balance_nano_usd BETWEEN -9223372036854775807 AND 9223372036854775807",
            name="no_balance_overflows",
        ),
        sqlite_with_rowid=False,
    )
    for statement in OPENED:
        op.execute(statement)
