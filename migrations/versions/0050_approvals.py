"""Approvals: rules as a table, requests with what they ask for, answers, and who answers for whom. The rules that come with the product."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

#: Kind, code, capacity, people (none: the body's quorum), working hours, and to whom it goes on afterwards.
_RULES = (
    ("controlled_variation", "authority", "body:design_authority", 1, 40, "body:steering"),
    ("strategic_exception", "committee", "body:steering", None, 80, None),
    ("standard_change", "council", "body:process_council", None, 40, "body:steering"),
    ("stock_adjustment", "another", "may:warehouse:stock:approve_adjustment", 1, 16, None),
)
_WHY = "comes with the product"


def _ids(count: int) -> int:
    """The first of so many ids that nothing else gets."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        taken = sa.text("UPDATE id_head SET next_id = next_id + :count WHERE id = 1 RETURNING next_id")
        return int(connection.execute(taken, {"count": count}).scalar_one()) - count
    return int(connection.execute(sa.text("SELECT nextval('wavegate_id_block')")).scalar_one()) * 1000


def _standard_rules() -> None:
    rules = sa.table(
        "approval_rule", sa.column("id", sa.BigInteger), sa.column("kind", sa.String), sa.column("code", sa.String),
        sa.column("version", sa.Integer), sa.column("is_automatic", sa.Boolean), sa.column("capacity", sa.String),
        sa.column("people", sa.Integer), sa.column("timeout_hours", sa.Integer), sa.column("escalate_to", sa.String),
        sa.column("ends_rule", sa.Boolean), sa.column("state", sa.String), sa.column("reason", sa.Text),
        sa.column("proposed_by", sa.BigInteger), sa.column("proposed_at", UtcDateTime()),
    )  # fmt: skip
    first = _ids(len(_RULES))
    now = datetime.now(UTC)
    op.bulk_insert(
        rules,
        [
            {
                "id": first + place, "kind": kind, "code": code, "version": 1, "is_automatic": False, "capacity": capacity,
                "people": people, "timeout_hours": hours, "escalate_to": to, "ends_rule": False, "state": "in_force",
                "reason": _WHY, "proposed_by": 0, "proposed_at": now,
            }
            for place, (kind, code, capacity, people, hours, to) in enumerate(_RULES)
        ],
    )  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "approval_delegation",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("giver_id", sa.BigInteger(), nullable=False),
        sa.Column("delegate_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_until", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("giver_id <> delegate_id", name=op.f("ck_approval_delegation_somebody_else")),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_approval_delegation_validity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_delegation")),
    )
    op.create_index("ix_approval_delegation_delegate", "approval_delegation", ["delegate_id"], unique=False)
    op.create_index("ix_approval_delegation_giver", "approval_delegation", ["giver_id"], unique=False)
    op.create_table(
        "approval_request",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=48), nullable=False),
        sa.Column("subject_type", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_version", sa.Integer(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("rule_text", sa.Text(), nullable=False),
        sa.Column("realm", sa.String(length=12), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("entity_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("escalated_at", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("settle_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name=op.f("ck_approval_request_settled")),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'rejected', 'withdrawn', 'outdated')",
            name=op.f("ck_approval_request_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_request")),
    )
    op.create_index("ix_approval_request_asked", "approval_request", ["asked_by", "asked_at"], unique=False)
    op.create_index(
        "ix_approval_request_due",
        "approval_request",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_approval_request_subject", "approval_request", ["subject_type", "subject_id"], unique=False)
    op.create_index(
        "uq_approval_request_waiting",
        "approval_request",
        ["kind", "subject_type", "subject_id"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "approval_rule",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=48), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("amount_from_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("margin_below_permille", sa.Integer(), nullable=True),
        sa.Column("tier", sa.SmallInteger(), nullable=True),
        sa.Column("materiality", sa.String(length=8), nullable=True),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("capacity", sa.String(length=64), nullable=True),
        sa.Column("people", sa.SmallInteger(), nullable=True),
        sa.Column("timeout_hours", sa.Integer(), nullable=True),
        sa.Column("escalate_to", sa.String(length=64), nullable=True),
        sa.Column("ends_rule", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "materiality IS NULL OR materiality IN ('low', 'medium', 'high')",
            name=op.f("ck_approval_rule_materiality_known"),
        ),
        sa.CheckConstraint(
            "state IN ('proposed', 'in_force', 'replaced', 'declined', 'withdrawn', 'ended')",
            name=op.f("ck_approval_rule_state_known"),
        ),
        sa.CheckConstraint(
            "(amount_from_minor IS NULL) = (currency IS NULL)", name=op.f("ck_approval_rule_amount_has_currency")
        ),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name=op.f("ck_approval_rule_four_eyes")),
        sa.CheckConstraint(
            "escalate_to IS NULL OR timeout_hours IS NOT NULL", name=op.f("ck_approval_rule_escalates_after")
        ),
        sa.CheckConstraint("is_automatic = (capacity IS NULL)", name=op.f("ck_approval_rule_people_or_automatic")),
        sa.CheckConstraint("people IS NULL OR people > 0", name=op.f("ck_approval_rule_people")),
        sa.CheckConstraint("timeout_hours IS NULL OR timeout_hours > 0", name=op.f("ck_approval_rule_timeout")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_rule")),
        sa.UniqueConstraint("kind", "code", "version", name=op.f("uq_approval_rule_kind_code_version")),
    )
    op.create_index(
        "uq_approval_rule_in_force",
        "approval_rule",
        ["kind", "code"],
        unique=True,
        sqlite_where=sa.text("state = 'in_force'"),
        postgresql_where=sa.text("state = 'in_force'"),
    )
    op.create_index(
        "uq_approval_rule_proposed",
        "approval_rule",
        ["kind", "code"],
        unique=True,
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "approval_answer",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("request_id", Key, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("on_behalf_of", sa.BigInteger(), nullable=False),
        sa.Column("capacity", sa.String(length=64), nullable=False),
        sa.Column("need", sa.SmallInteger(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seen_version", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("verdict IN ('approve', 'reject')", name=op.f("ck_approval_answer_verdict_known")),
        sa.ForeignKeyConstraint(["request_id"], ["approval_request.id"], name=op.f("fk_approval_answer_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_answer")),
        sa.UniqueConstraint("request_id", "on_behalf_of", name=op.f("uq_approval_answer_request_id_on_behalf_of")),
        sa.UniqueConstraint("request_id", "person_id", name=op.f("uq_approval_answer_request_id_person_id")),
    )
    op.create_index("ix_approval_answer_person", "approval_answer", ["person_id"], unique=False)
    op.create_table(
        "approval_excluded",
        sa.Column("request_id", Key, nullable=False),
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["approval_request.id"], name=op.f("fk_approval_excluded_request_id")),
        sa.PrimaryKeyConstraint("request_id", "person_id", name=op.f("pk_approval_excluded")),
    )
    op.create_table(
        "approval_need",
        sa.Column("request_id", Key, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("capacity", sa.String(length=64), nullable=False),
        sa.Column("people", sa.SmallInteger(), nullable=False),
        sa.Column("timeout_hours", sa.Integer(), nullable=True),
        sa.Column("escalate_to", sa.String(length=64), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("escalated_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("people > 0", name=op.f("ck_approval_need_people")),
        sa.ForeignKeyConstraint(["request_id"], ["approval_request.id"], name=op.f("fk_approval_need_request_id")),
        sa.PrimaryKeyConstraint("request_id", "position", name=op.f("pk_approval_need")),
    )
    op.create_index("ix_approval_need_capacity", "approval_need", ["capacity"], unique=False)
    refuse_changes("approval_answer", "approval_excluded")
    _standard_rules()


def downgrade() -> None:
    op.drop_index("ix_approval_need_capacity", table_name="approval_need")
    op.drop_table("approval_need")
    op.drop_table("approval_excluded")
    op.drop_index("ix_approval_answer_person", table_name="approval_answer")
    op.drop_table("approval_answer")
    op.drop_index(
        "uq_approval_rule_proposed",
        table_name="approval_rule",
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.drop_index(
        "uq_approval_rule_in_force",
        table_name="approval_rule",
        sqlite_where=sa.text("state = 'in_force'"),
        postgresql_where=sa.text("state = 'in_force'"),
    )
    op.drop_table("approval_rule")
    op.drop_index(
        "uq_approval_request_waiting",
        table_name="approval_request",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index("ix_approval_request_subject", table_name="approval_request")
    op.drop_index(
        "ix_approval_request_due",
        table_name="approval_request",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index("ix_approval_request_asked", table_name="approval_request")
    op.drop_table("approval_request")
    op.drop_index("ix_approval_delegation_giver", table_name="approval_delegation")
    op.drop_index("ix_approval_delegation_delegate", table_name="approval_delegation")
    op.drop_table("approval_delegation")
