"""The worker's lease and runs; imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The worker: who leads, and what ran when.
    op.create_table(
        "job_lease",
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_lease")),
    )
    op.create_table(
        "job_run",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("job", sa.String(length=48), nullable=False),
        sa.Column("slot", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("items", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_job_run_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
    )
    op.create_index("ix_job_run_started", "job_run", ["job", "started_at"], unique=False)
    op.create_index("uq_job_run_slot", "job_run", ["job", "slot"], unique=True)


def downgrade() -> None:
    # The worker: who leads, and what ran when.
    op.drop_index("uq_job_run_slot", table_name="job_run")
    op.drop_index("ix_job_run_started", table_name="job_run")
    op.drop_table("job_run")
    op.drop_table("job_lease")
