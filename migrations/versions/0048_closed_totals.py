"""Totals that are kept with a close of the books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key
from migrations.ddl import refuse_changes

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closed_count",
        sa.Column("close_id", Key, nullable=False),
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("covers_until", sa.Date(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("rounding", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["close_id"], ["period_close.id"], name=op.f("fk_closed_count_close_id")),
        sa.PrimaryKeyConstraint("close_id", "site_id", name=op.f("pk_closed_count")),
    )
    op.create_table(
        "closed_total",
        sa.Column("close_id", Key, nullable=False),
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("debit_minor", sa.BigInteger(), nullable=False),
        sa.Column("credit_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_closed_total_account_id")),
        sa.ForeignKeyConstraint(["close_id"], ["period_close.id"], name=op.f("fk_closed_total_close_id")),
        sa.PrimaryKeyConstraint("close_id", "site_id", "account_id", name=op.f("pk_closed_total")),
    )
    refuse_changes("closed_count", "closed_total")


def downgrade() -> None:
    op.drop_table("closed_total")
    op.drop_table("closed_count")
