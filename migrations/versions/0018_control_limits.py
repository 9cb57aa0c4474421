"""Limits of control points that differ from the usual ones, by site."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "control_limit",
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("point", sa.String(length=24), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("minutes BETWEEN 1 AND 14400", name=op.f("ck_control_limit_minutes")),
        sa.PrimaryKeyConstraint("site_id", "point", name=op.f("pk_control_limit")),
    )


def downgrade() -> None:
    op.drop_table("control_limit")
