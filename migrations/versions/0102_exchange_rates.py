"""What one currency is worth in another, day by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0102"
down_revision = "0101"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exchange_rate",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("realm", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("against", sa.String(length=3), nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("holds_days", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("kept_by", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("currency <> against", name=op.f("ck_exchange_rate_two_currencies")),
        sa.CheckConstraint("rate > 0", name=op.f("ck_exchange_rate_positive")),
        sa.CheckConstraint("holds_days > 0", name=op.f("ck_exchange_rate_holds")),
        sa.CheckConstraint(
            "realm IN ('live', 'rehearsal', 'training', 'legacy')", name=op.f("ck_exchange_rate_realm_known")
        ),
        sa.CheckConstraint(
            "revision = 1 OR (revision > 1 AND reason IS NOT NULL)", name=op.f("ck_exchange_rate_says_why")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rate")),
        sa.UniqueConstraint(
            "realm", "currency", "against", "day_on", "revision",
            name=op.f("uq_exchange_rate_realm_currency_against_day_on_revision"),
        ),
    )  # fmt: skip
    op.create_index("ix_exchange_rate_day", "exchange_rate", ["realm", "day_on", "id"], unique=False)
    refuse_changes("exchange_rate")


def downgrade() -> None:
    op.drop_table("exchange_rate")
