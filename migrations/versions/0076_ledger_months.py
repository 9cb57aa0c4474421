"""What each month's entries come to, by account, site and channel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_month",
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("debit_minor", sa.BigInteger(), nullable=False),
        sa.Column("credit_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_month_account_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_ledger_month_entity_id")),
        sa.PrimaryKeyConstraint(
            "entity_id", "month_on", "account_id", "site_id", "channel_id", name=op.f("pk_ledger_month")
        ),
        sqlite_with_rowid=False,
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    month = "date(entry_on, 'start of month')" if is_sqlite else "CAST(date_trunc('month', entry_on) AS date)"
    op.execute(
        f"INSERT INTO ledger_month SELECT entity_id, {month}, account_id, site_id, channel_id, SUM(debit_minor), "  # noqa: S608  # of constants
        "SUM(credit_minor) FROM ledger_day GROUP BY 1, 2, 3, 4, 5"
    )


def downgrade() -> None:
    op.drop_table("ledger_month")
