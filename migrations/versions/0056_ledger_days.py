"""What each day's entries come to, by account, site and channel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_day",
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("entry_on", sa.Date(), nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("debit_minor", sa.BigInteger(), nullable=False),
        sa.Column("credit_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_day_account_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_ledger_day_entity_id")),
        sa.PrimaryKeyConstraint(
            "entity_id", "entry_on", "account_id", "site_id", "channel_id", name=op.f("pk_ledger_day")
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("ledger_day")
