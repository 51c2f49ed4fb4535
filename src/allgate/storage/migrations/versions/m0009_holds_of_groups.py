"""What the requests of a group hold. The table is made anew, because SQLite adds a column behind a key."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

KEPT = "name, ratio, model_ratios, budget, managed_by, disabled, changed_ms"


def upgrade() -> None:
    op.execute(f"CREATE TABLE kept AS SELECT {KEPT} FROM groups")  # noqa: S608  our own names
    op.drop_table("groups")
    op.create_table(
        "groups",
        sa.Column("name", sa.Text, primary_key=True, nullable=False),
        sa.Column("ratio", sa.Text, nullable=False),
        sa.Column("model_ratios", sa.Text, nullable=False),
        sa.Column("budget", sa.Text),
        sa.Column("hold", sa.Text),
        sa.Column("managed_by", sa.Text, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO groups ({KEPT}) SELECT {KEPT} FROM kept")  # noqa: S608  as above
    op.drop_table("kept")
