"""Closing the books: closings with tasks, findings and what was accepted of them, and locks of journals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closing",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("started_by", sa.BigInteger(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("locked_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'locked') = (locked_at IS NOT NULL)", name=op.f("ck_closing_locked_dated")),
        sa.CheckConstraint("state IN ('open', 'soft', 'locked')", name=op.f("ck_closing_state_known")),
        sa.CheckConstraint("begins_on < until", name=op.f("ck_closing_has_days")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_closing_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing")),
        sa.UniqueConstraint("entity_id", "until", name=op.f("uq_closing_entity_id_until")),
    )
    op.create_index("ix_closing_state", "closing", ["state", "id"], unique=False)
    op.create_table(
        "journal_lock",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("journal", sa.String(length=8), nullable=False),
        sa.Column("strength", sa.String(length=4), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("locked_by", sa.BigInteger(), nullable=False),
        sa.Column("locked_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "journal IN ('sales', 'cash', 'stock', 'manual')", name=op.f("ck_journal_lock_journal_known")
        ),
        sa.CheckConstraint("strength IN ('soft', 'hard')", name=op.f("ck_journal_lock_strength_known")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_journal_lock_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_lock")),
    )
    op.create_index("ix_journal_lock_entity", "journal_lock", ["entity_id", "journal", "strength", "id"], unique=False)
    op.create_table(
        "closing_finding",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("closing_id", Key, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("agrees", sa.Boolean(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["closing_id"], ["closing.id"], name=op.f("fk_closing_finding_closing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_finding")),
    )
    op.create_index("ix_closing_finding_closing", "closing_finding", ["closing_id", "name", "id"], unique=False)
    op.create_table(
        "closing_acceptance",
        sa.Column("finding_id", Key, autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("accepted_by", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["finding_id"], ["closing_finding.id"], name=op.f("fk_closing_acceptance_finding_id")),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_closing_acceptance")),
    )
    op.create_table(
        "closing_task",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("closing_id", Key, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("journal_id", Key, nullable=True),
        sa.Column("done_by", sa.BigInteger(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(done_at IS NULL) = (done_by IS NULL)", name=op.f("ck_closing_task_done_by_somebody")),
        sa.CheckConstraint(
            "done_at IS NULL OR evidence IS NOT NULL OR journal_id IS NOT NULL",
            name=op.f("ck_closing_task_rests_on_something"),
        ),
        sa.ForeignKeyConstraint(["closing_id"], ["closing.id"], name=op.f("fk_closing_task_closing_id")),
        sa.ForeignKeyConstraint(["journal_id"], ["manual_journal.id"], name=op.f("fk_closing_task_journal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_task")),
        sa.UniqueConstraint("closing_id", "position", name=op.f("uq_closing_task_closing_id_position")),
    )
    refuse_changes("closing_acceptance", "closing_finding", "journal_lock")


def downgrade() -> None:
    op.drop_table("closing_task")
    op.drop_table("closing_acceptance")
    op.drop_index("ix_closing_finding_closing", table_name="closing_finding")
    op.drop_table("closing_finding")
    op.drop_index("ix_journal_lock_entity", table_name="journal_lock")
    op.drop_table("journal_lock")
    op.drop_index("ix_closing_state", table_name="closing")
    op.drop_table("closing")
