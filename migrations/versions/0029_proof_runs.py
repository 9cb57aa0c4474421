"""Comparisons of the books are kept with both sides, made by the hour or because somebody asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proof_run",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("waits", sa.SmallInteger(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("read_to", sa.BigInteger(), nullable=True),
        sa.Column("differing", sa.Integer(), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_run")),
        sa.UniqueConstraint("waits", name=op.f("uq_proof_run_waits")),
    )
    op.create_index("ix_proof_run_done", "proof_run", ["done_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_proof_run_done", table_name="proof_run")
    op.drop_table("proof_run")
