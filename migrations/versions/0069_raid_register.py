"""Risks, assumptions, issues and dependencies with their assessments, actions, and what they touch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "raid_entry",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("needed_by", sa.String(length=300), nullable=False),
        sa.Column("needed_from", sa.String(length=300), nullable=False),
        sa.Column("layer", sa.String(length=12), nullable=False),
        sa.Column("probability", sa.SmallInteger(), nullable=True),
        sa.Column("impact", sa.SmallInteger(), nullable=False),
        sa.Column("response", sa.String(length=12), nullable=True),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("score_limit", sa.SmallInteger(), nullable=True),
        sa.Column("figure", sa.String(length=80), nullable=True),
        sa.Column("side", sa.String(length=8), nullable=True),
        sa.Column("figure_limit", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("body_id", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("review_days", sa.Integer(), nullable=False),
        sa.Column("next_review_on", sa.Date(), nullable=False),
        sa.Column("escalation_hours", sa.Integer(), nullable=False),
        sa.Column("wave_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("process", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("raised_by", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("triggered_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("concern_since", UtcDateTime(), nullable=True),
        sa.Column("escalates_at", UtcDateTime(), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("escalated_to", sa.BigInteger(), nullable=True),
        sa.Column("turned_from", Key, nullable=True),
        sa.Column("turned_into", Key, nullable=True),
        sa.CheckConstraint("(kind = 'risk') = (probability IS NOT NULL)", name=op.f("ck_raid_entry_risk_is_likely")),
        sa.CheckConstraint(
            "(state = 'turned') = (turned_into IS NOT NULL)", name=op.f("ck_raid_entry_turned_into_something")
        ),
        sa.CheckConstraint(
            "kind IN ('risk', 'assumption', 'issue', 'dependency')", name=op.f("ck_raid_entry_kind_known")
        ),
        sa.CheckConstraint(
            "layer IN ('process', 'data', 'deployment', 'adoption')", name=op.f("ck_raid_entry_layer_known")
        ),
        sa.CheckConstraint(
            "response IN ('avoid', 'reduce', 'transfer', 'accept')", name=op.f("ck_raid_entry_response_known")
        ),
        sa.CheckConstraint("score_limit IS NULL OR kind = 'risk'", name=op.f("ck_raid_entry_score_of_risk")),
        sa.CheckConstraint("side IN ('below', 'above')", name=op.f("ck_raid_entry_side_known")),
        sa.CheckConstraint(
            "state IN ('open', 'triggered', 'closed', 'turned')", name=op.f("ck_raid_entry_state_known")
        ),
        sa.CheckConstraint(
            "(figure IS NULL) = (figure_limit IS NULL) AND (figure IS NULL) = (side IS NULL)",
            name=op.f("ck_raid_entry_figure_has_limit"),
        ),
        sa.CheckConstraint("(level = 0) = (escalated_to IS NULL)", name=op.f("ck_raid_entry_escalated_to_somebody")),
        sa.CheckConstraint("impact BETWEEN 1 AND 5", name=op.f("ck_raid_entry_impact")),
        sa.CheckConstraint("probability BETWEEN 1 AND 5", name=op.f("ck_raid_entry_probability")),
        sa.ForeignKeyConstraint(["turned_from"], ["raid_entry.id"], name=op.f("fk_raid_entry_turned_from")),
        sa.ForeignKeyConstraint(["turned_into"], ["raid_entry.id"], name=op.f("fk_raid_entry_turned_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raid_entry")),
        sa.UniqueConstraint("code", name=op.f("uq_raid_entry_code")),
    )
    op.create_index("ix_raid_entry_owner", "raid_entry", ["owner_id", "state"], unique=False)
    op.create_index("ix_raid_entry_state", "raid_entry", ["state", "due_on"], unique=False)
    op.create_index(op.f("ix_raid_entry_wave_id"), "raid_entry", ["wave_id"], unique=False)
    op.create_table(
        "raid_number",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('risk', 'assumption', 'issue', 'dependency')", name=op.f("ck_raid_number_kind_known")
        ),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_raid_number")),
    )
    op.create_table(
        "raid_action",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entry_id", Key, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'done', 'dropped')", name=op.f("ck_raid_action_state_known")),
        sa.ForeignKeyConstraint(["entry_id"], ["raid_entry.id"], name=op.f("fk_raid_action_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raid_action")),
    )
    op.create_index(op.f("ix_raid_action_entry_id"), "raid_action", ["entry_id"], unique=False)
    op.create_index("ix_raid_action_owner", "raid_action", ["owner_id", "state"], unique=False)
    op.create_table(
        "raid_assessment",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entry_id", Key, nullable=False),
        sa.Column("probability", sa.SmallInteger(), nullable=True),
        sa.Column("impact", sa.SmallInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["raid_entry.id"], name=op.f("fk_raid_assessment_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raid_assessment")),
    )
    op.create_index(op.f("ix_raid_assessment_entry_id"), "raid_assessment", ["entry_id"], unique=False)
    op.create_table(
        "raid_link",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entry_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=81), nullable=False),
        sa.CheckConstraint("kind IN ('step', 'policy_point')", name=op.f("ck_raid_link_kind_known")),
        sa.ForeignKeyConstraint(["entry_id"], ["raid_entry.id"], name=op.f("fk_raid_link_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raid_link")),
        sa.UniqueConstraint("entry_id", "kind", "target", name=op.f("uq_raid_link_entry_id_kind_target")),
    )
    op.create_index("ix_raid_link_target", "raid_link", ["kind", "target"], unique=False)
    refuse_changes("raid_assessment")


def downgrade() -> None:
    op.drop_index("ix_raid_link_target", table_name="raid_link")
    op.drop_table("raid_link")
    op.drop_index(op.f("ix_raid_assessment_entry_id"), table_name="raid_assessment")
    op.drop_table("raid_assessment")
    op.drop_index("ix_raid_action_owner", table_name="raid_action")
    op.drop_index(op.f("ix_raid_action_entry_id"), table_name="raid_action")
    op.drop_table("raid_action")
    op.drop_table("raid_number")
    op.drop_index(op.f("ix_raid_entry_wave_id"), table_name="raid_entry")
    op.drop_index("ix_raid_entry_state", table_name="raid_entry")
    op.drop_index("ix_raid_entry_owner", table_name="raid_entry")
    op.drop_table("raid_entry")
