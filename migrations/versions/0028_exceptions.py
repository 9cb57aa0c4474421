"""Documents in trouble have owners, notes and rules that name the owner of a queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_SUBJECTS = "subject IN ('order', 'shipment', 'bill', 'invoice', 'return', 'expected', 'count', 'adjustment')"


def upgrade() -> None:
    op.create_table(
        "exception_entry",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("subject", sa.String(length=12), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_role", sa.String(length=32), nullable=True),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "act IN ('assigned', 'noted', 'snoozed', 'woken')", name=op.f("ck_exception_entry_act_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_entry")),
    )
    op.create_index("ix_exception_entry_document", "exception_entry", ["subject", "document_id"], unique=False)
    op.create_table(
        "exception_case",
        sa.Column("subject", sa.String(length=12), nullable=False),
        sa.Column("document_id", Key, autoincrement=False, nullable=False),
        sa.Column("owner_id", Key, nullable=True),
        sa.Column("owner_role", sa.String(length=32), nullable=True),
        sa.Column("snoozed_until", UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(_SUBJECTS, name=op.f("ck_exception_case_subject_known")),
        sa.CheckConstraint("owner_id IS NULL OR owner_role IS NOT NULL", name=op.f("ck_exception_case_owner_role")),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_exception_case_owner_id")),
        sa.PrimaryKeyConstraint("subject", "document_id", name=op.f("pk_exception_case")),
    )
    op.create_table(
        "exception_rule",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("site_id", Key, nullable=True),
        sa.Column("queue", sa.String(length=12), nullable=False),
        sa.Column("owner_role", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "queue IN ('blocked', 'short', 'late', 'stuck', 'variance')", name=op.f("ck_exception_rule_queue_known")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_exception_rule_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_rule")),
        sa.UniqueConstraint("site_id", "queue", name=op.f("uq_exception_rule_site_id_queue")),
    )
    refuse_changes("exception_entry")


def downgrade() -> None:
    op.drop_table("exception_rule")
    op.drop_table("exception_case")
    op.drop_index("ix_exception_entry_document", table_name="exception_entry")
    op.drop_table("exception_entry")
