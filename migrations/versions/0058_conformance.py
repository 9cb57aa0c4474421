"""Journeys under the rules of their process: what was done, how it stands to the standard, and each departure."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import UtcDateTime

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conformance_deviation",
        sa.Column("root_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("process", sa.String(length=24), nullable=False),
        sa.Column("realm", sa.String(length=12), nullable=False),
        sa.Column("entity", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.BigInteger(), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("is_step", sa.Boolean(), nullable=False),
        sa.Column("is_due", sa.Boolean(), nullable=False),
        sa.Column("covered_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("root_id", "code", "seq", name=op.f("pk_conformance_deviation")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_conformance_deviation_day", "conformance_deviation", ["realm", "process", "occurred_on"], unique=False
    )
    op.create_table(
        "conformance_journey",
        sa.Column("root_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("process", sa.String(length=24), nullable=False),
        sa.Column("realm", sa.String(length=12), nullable=False),
        sa.Column("entity", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.BigInteger(), nullable=True),
        sa.Column("customer_group", sa.BigInteger(), nullable=True),
        sa.Column("grant_id", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("ruleset", sa.String(length=64), nullable=True),
        sa.Column("variants", sa.String(length=200), nullable=False),
        sa.Column("stamped_at", UtcDateTime(), nullable=True),
        sa.Column("stamped_on", sa.Date(), nullable=True),
        sa.Column("is_expired", sa.Boolean(), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("executed", sa.Integer(), nullable=False),
        sa.Column("off", sa.Integer(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("root_id", name=op.f("pk_conformance_journey")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_conformance_journey_due", "conformance_journey", ["realm", "process", "due_on"], unique=False)
    op.create_index(
        "ix_conformance_journey_ended", "conformance_journey", ["realm", "process", "ended_on"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_conformance_journey_ended", table_name="conformance_journey")
    op.drop_index("ix_conformance_journey_due", table_name="conformance_journey")
    op.drop_table("conformance_journey")
    op.drop_index("ix_conformance_deviation_day", table_name="conformance_deviation")
    op.drop_table("conformance_deviation")
    op.execute("DELETE FROM consumer_cursor WHERE name = 'conformance'")
    op.execute("DELETE FROM parked_event WHERE consumer = 'conformance'")
    op.execute("DELETE FROM measure_bucket WHERE measure_id IN (60, 61, 62, 63)")
