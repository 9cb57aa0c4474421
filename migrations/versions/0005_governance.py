"""Governance: programme, bodies and seats, decisions and votes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "programme",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name=op.f("ck_programme_dates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme")),
        sa.UniqueConstraint("code", name=op.f("uq_programme_code")),
    )
    op.create_table(
        "governance_body",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("mandate", sa.Text(), nullable=False),
        sa.Column("quorum_seats", sa.Integer(), nullable=False),
        sa.Column("quorum_of", sa.Integer(), nullable=False),
        sa.Column("majority_votes", sa.Integer(), nullable=False),
        sa.Column("majority_of", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('steering', 'pmo', 'design_authority', 'process_council', 'data_council', 'change_enablement', 'deployment')",
            name=op.f("ck_governance_body_kind_known"),
        ),
        sa.CheckConstraint(
            "majority_of > 0 AND majority_votes > 0 AND majority_votes <= majority_of",
            name=op.f("ck_governance_body_majority"),
        ),
        sa.CheckConstraint(
            "quorum_of > 0 AND quorum_seats > 0 AND quorum_seats <= quorum_of", name=op.f("ck_governance_body_quorum")
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_governance_body_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_governance_body")),
        sa.UniqueConstraint("programme_id", "code", name=op.f("uq_governance_body_programme_id_code")),
    )
    op.create_table(
        "programme_cell",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_programme_cell_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_cell")),
        sa.UniqueConstraint(
            "programme_id", "site_id", "channel_id", name=op.f("uq_programme_cell_programme_id_site_id_channel_id")
        ),
    )
    op.create_table(
        "decision",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("wave_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Integer(), nullable=False),
        sa.Column("binding", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("closes_at", UtcDateTime(), nullable=False),
        sa.Column("effective_at", UtcDateTime(), nullable=True),
        sa.Column("drafted_by", sa.BigInteger(), nullable=False),
        sa.Column("drafted_at", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("postponed_to", sa.Date(), nullable=True),
        sa.Column("follows_id", Key, nullable=True),
        sa.CheckConstraint("kind IN ('go_live', 'exit', 'urgent')", name=op.f("ck_decision_kind_known")),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('go', 'conditional_go', 'no_go', 'postpone', 'not_passed', 'no_quorum')",
            name=op.f("ck_decision_outcome_known"),
        ),
        sa.CheckConstraint("state <> 'decided' OR outcome IS NOT NULL", name=op.f("ck_decision_decided_has_outcome")),
        sa.CheckConstraint(
            "state = 'draft' OR opened_at IS NOT NULL OR state = 'lapsed'", name=op.f("ck_decision_opened")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'open', 'decided', 'lapsed', 'superseded', 'outdated', 'revoked')",
            name=op.f("ck_decision_state_known"),
        ),
        sa.ForeignKeyConstraint(["body_id"], ["governance_body.id"], name=op.f("fk_decision_body_id")),
        sa.ForeignKeyConstraint(["follows_id"], ["decision.id"], name=op.f("fk_decision_follows_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_decision_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_state"), "decision", ["state"], unique=False)
    op.create_index("ix_decision_wave", "decision", ["wave_id", "state"], unique=False)
    op.create_table(
        "meeting",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("agenda", sa.Text(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_meeting_times")),
        sa.ForeignKeyConstraint(["body_id"], ["governance_body.id"], name=op.f("fk_meeting_body_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
    )
    op.create_index(op.f("ix_meeting_body_id"), "meeting", ["body_id"], unique=False)
    op.create_table(
        "seat",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("function", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("is_chair", sa.Boolean(), nullable=False),
        sa.Column("is_mandatory", sa.Boolean(), nullable=False),
        sa.Column("has_veto", sa.Boolean(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["body_id"], ["governance_body.id"], name=op.f("fk_seat_body_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat")),
    )
    op.create_index(op.f("ix_seat_body_id"), "seat", ["body_id"], unique=False)
    op.create_index("ix_seat_person", "seat", ["person_id"], unique=False)
    op.create_table(
        "decision_basis",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("decision_id", Key, nullable=False),
        sa.Column("binding", sa.Integer(), nullable=False),
        sa.Column("gate_id", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("criteria_version", sa.Integer(), nullable=False),
        sa.Column("word", sa.String(length=24), nullable=False),
        sa.Column("allowed", sa.Text(), nullable=False),
        sa.Column("waivers", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_decision_basis_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_basis")),
        sa.UniqueConstraint(
            "decision_id", "binding", "gate_id", name=op.f("uq_decision_basis_decision_id_binding_gate_id")
        ),
    )
    op.create_index("ix_decision_basis_gate", "decision_basis", ["gate_id"], unique=False)
    op.create_table(
        "decision_condition",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("decision_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("check_by", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'met', 'missed', 'met_late', 'withdrawn')",
            name=op.f("ck_decision_condition_state_known"),
        ),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_decision_condition_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_condition")),
    )
    op.create_index(op.f("ix_decision_condition_decision_id"), "decision_condition", ["decision_id"], unique=False)
    op.create_index("ix_decision_condition_owner", "decision_condition", ["owner_id", "state"], unique=False)
    op.create_table(
        "decision_seat",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("decision_id", Key, nullable=False),
        sa.Column("seat_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("function", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("delegate_id", sa.BigInteger(), nullable=True),
        sa.Column("is_chair", sa.Boolean(), nullable=False),
        sa.Column("is_mandatory", sa.Boolean(), nullable=False),
        sa.Column("has_veto", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_decision_seat_decision_id")),
        sa.ForeignKeyConstraint(["seat_id"], ["seat.id"], name=op.f("fk_decision_seat_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_seat")),
        sa.UniqueConstraint("decision_id", "seat_id", name=op.f("uq_decision_seat_decision_id_seat_id")),
    )
    op.create_index(op.f("ix_decision_seat_delegate_id"), "decision_seat", ["delegate_id"], unique=False)
    op.create_index(op.f("ix_decision_seat_person_id"), "decision_seat", ["person_id"], unique=False)
    op.create_table(
        "delegation",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("seat_id", Key, nullable=False),
        sa.Column("delegate_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_until", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_delegation_validity")),
        sa.ForeignKeyConstraint(["seat_id"], ["seat.id"], name=op.f("fk_delegation_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index("ix_delegation_delegate", "delegation", ["delegate_id"], unique=False)
    op.create_index(op.f("ix_delegation_seat_id"), "delegation", ["seat_id"], unique=False)
    op.create_table(
        "attendance",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("decision_id", Key, nullable=False),
        sa.Column("decision_seat_id", Key, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("is_present", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_attendance_decision_id")),
        sa.ForeignKeyConstraint(
            ["decision_seat_id"], ["decision_seat.id"], name=op.f("fk_attendance_decision_seat_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance")),
    )
    op.create_index(op.f("ix_attendance_decision_id"), "attendance", ["decision_id"], unique=False)
    op.create_table(
        "recusal",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("decision_id", Key, nullable=False),
        sa.Column("decision_seat_id", Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_recusal_decision_id")),
        sa.ForeignKeyConstraint(["decision_seat_id"], ["decision_seat.id"], name=op.f("fk_recusal_decision_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recusal")),
        sa.UniqueConstraint("decision_seat_id", name=op.f("uq_recusal_decision_seat_id")),
    )
    op.create_index(op.f("ix_recusal_decision_id"), "recusal", ["decision_id"], unique=False)
    op.create_table(
        "vote",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("decision_id", Key, nullable=False),
        sa.Column("decision_seat_id", Key, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Integer(), nullable=False),
        sa.Column("cast_by", sa.BigInteger(), nullable=False),
        sa.Column("choice", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("waivers", sa.Text(), nullable=False),
        sa.Column("postpone_to", sa.Date(), nullable=True),
        sa.Column("cast_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "choice IN ('go', 'conditional_go', 'no_go', 'postpone')", name=op.f("ck_vote_choice_known")
        ),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_vote_decision_id")),
        sa.ForeignKeyConstraint(["decision_seat_id"], ["decision_seat.id"], name=op.f("fk_vote_decision_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote")),
    )
    op.create_index(op.f("ix_vote_decision_id"), "vote", ["decision_id"], unique=False)
    op.create_index("ix_vote_seat", "vote", ["decision_seat_id", "id"], unique=False)
    refuse_changes("attendance", "decision_basis", "decision_seat", "recusal", "vote")


def downgrade() -> None:
    op.drop_table("vote")
    op.drop_table("recusal")
    op.drop_table("attendance")
    op.drop_table("delegation")
    op.drop_table("decision_seat")
    op.drop_table("decision_condition")
    op.drop_table("decision_basis")
    op.drop_table("seat")
    op.drop_table("meeting")
    op.drop_table("decision")
    op.drop_table("programme_cell")
    op.drop_table("governance_body")
    op.drop_table("programme")
