"""Duties of processes, data domains and waves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

_STANDS = sa.text("ended_at IS NULL")
_ACCOUNTABLE = sa.text("ended_at IS NULL AND duty = 'accountable'")


def upgrade() -> None:
    op.create_table(
        "raci_duty",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("subject_kind", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("duty", sa.String(length=12), nullable=False),
        sa.Column("holder_kind", sa.String(length=8), nullable=False),
        sa.Column("holder_id", sa.BigInteger(), nullable=False),
        sa.Column("given_by", sa.BigInteger(), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "duty IN ('responsible', 'accountable', 'consulted', 'informed')", name=op.f("ck_raci_duty_duty_known")
        ),
        sa.CheckConstraint("holder_kind IN ('person', 'seat')", name=op.f("ck_raci_duty_holder_kind_known")),
        sa.CheckConstraint(
            "subject_kind IN ('process', 'data_domain', 'wave')", name=op.f("ck_raci_duty_subject_kind_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raci_duty")),
    )
    op.create_index(
        "uq_raci_duty_accountable", "raci_duty", ["subject_kind", "subject"], unique=True, sqlite_where=_ACCOUNTABLE,
        postgresql_where=_ACCOUNTABLE,
    )  # fmt: skip
    op.create_index(
        "uq_raci_duty_holder", "raci_duty", ["subject_kind", "subject", "duty", "holder_kind", "holder_id"], unique=True,
        sqlite_where=_STANDS, postgresql_where=_STANDS,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("uq_raci_duty_holder", table_name="raci_duty", sqlite_where=_STANDS, postgresql_where=_STANDS)
    op.drop_index(
        "uq_raci_duty_accountable", table_name="raci_duty", sqlite_where=_ACCOUNTABLE, postgresql_where=_ACCOUNTABLE
    )
    op.drop_table("raci_duty")
