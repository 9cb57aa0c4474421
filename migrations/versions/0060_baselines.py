"""What figures read before the programme, and who answers for them, is recorded for good."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "measure_baseline",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("figure", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("realm", sa.String(length=12), nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=True),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_until", sa.Date(), nullable=False),
        sa.Column("completeness", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("is_comparable", sa.Boolean(), nullable=False),
        sa.Column("why_not", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(kind = 'taken') = (realm IS NOT NULL)", name=op.f("ck_measure_baseline_realm_of_taken")),
        sa.CheckConstraint("is_comparable OR why_not <> ''", name=op.f("ck_measure_baseline_why_not_said")),
        sa.CheckConstraint("kind IN ('taken', 'typed')", name=op.f("ck_measure_baseline_kind_known")),
        sa.CheckConstraint("completeness BETWEEN 0 AND 10000", name=op.f("ck_measure_baseline_completeness")),
        sa.CheckConstraint("period_until > period_from", name=op.f("ck_measure_baseline_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure_baseline")),
    )
    op.create_index("ix_measure_baseline_figure", "measure_baseline", ["figure", "site_id"], unique=False)
    op.create_table(
        "measure_owner",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("measure", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure_owner")),
    )
    op.create_index("ix_measure_owner_measure", "measure_owner", ["measure"], unique=False)
    refuse_changes("measure_baseline")
    refuse_changes("measure_owner")


def downgrade() -> None:
    op.drop_index("ix_measure_owner_measure", table_name="measure_owner")
    op.drop_table("measure_owner")
    op.drop_index("ix_measure_baseline_figure", table_name="measure_baseline")
    op.drop_table("measure_baseline")
