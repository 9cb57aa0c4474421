"""Design questions with their options, decisions, and what they bear on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "design_question",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("process", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("impact", sa.Text(), nullable=False),
        sa.Column("decider_id", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("option_id", sa.BigInteger(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(state = 'decided') = (option_id IS NOT NULL)", name=op.f("ck_design_question_decided_has_option")
        ),
        sa.CheckConstraint("state IN ('open', 'decided', 'withdrawn')", name=op.f("ck_design_question_state_known")),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name=op.f("ck_design_question_four_eyes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_design_question")),
    )
    op.create_index(op.f("ix_design_question_decider_id"), "design_question", ["decider_id"], unique=False)
    op.create_index("ix_design_question_state", "design_question", ["state", "process"], unique=False)
    op.create_table(
        "question_link",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("question_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=81), nullable=False),
        sa.CheckConstraint("kind IN ('step', 'policy_point', 'variant')", name=op.f("ck_question_link_kind_known")),
        sa.ForeignKeyConstraint(["question_id"], ["design_question.id"], name=op.f("fk_question_link_question_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_link")),
        sa.UniqueConstraint("question_id", "kind", "target", name=op.f("uq_question_link_question_id_kind_target")),
    )
    op.create_index("ix_question_link_target", "question_link", ["kind", "target"], unique=False)
    op.create_table(
        "question_option",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("question_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("consequences", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["design_question.id"], name=op.f("fk_question_option_question_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_option")),
        sa.UniqueConstraint("question_id", "position", name=op.f("uq_question_option_question_id_position")),
    )


def downgrade() -> None:
    op.drop_table("question_option")
    op.drop_index("ix_question_link_target", table_name="question_link")
    op.drop_table("question_link")
    op.drop_index("ix_design_question_state", table_name="design_question")
    op.drop_index(op.f("ix_design_question_decider_id"), table_name="design_question")
    op.drop_table("design_question")
