"""Phases of a programme are closed by stage gates, which release its money; what it costs and brings is recorded."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def _rule() -> None:
    """The committee's quorum closes a phase; the rule comes with the product, as those of the other kinds."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        taken = sa.text("UPDATE id_head SET next_id = next_id + 1 WHERE id = 1 RETURNING next_id")
        number = int(connection.execute(taken).scalar_one()) - 1
    else:
        number = int(connection.execute(sa.text("SELECT nextval('wavegate_id_block')")).scalar_one()) * 1000
    rules = sa.table(
        "approval_rule", sa.column("id", sa.BigInteger), sa.column("kind", sa.String), sa.column("code", sa.String),
        sa.column("version", sa.Integer), sa.column("is_automatic", sa.Boolean), sa.column("capacity", sa.String),
        sa.column("timeout_hours", sa.Integer), sa.column("ends_rule", sa.Boolean), sa.column("state", sa.String),
        sa.column("reason", sa.Text), sa.column("proposed_by", sa.BigInteger), sa.column("proposed_at", UtcDateTime()),
    )  # fmt: skip
    op.bulk_insert(
        rules,
        [
            {
                "id": number, "kind": "stage_gate", "code": "committee", "version": 1, "is_automatic": False,
                "capacity": "body:steering", "timeout_hours": 80, "ends_rule": False, "state": "in_force",
                "reason": "comes with the product", "proposed_by": 0, "proposed_at": datetime.now(UTC),
            }
        ],
    )  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "benefit",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("figure", sa.String(length=80), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("proof_on", sa.Date(), nullable=False),
        sa.Column("worth_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("planned_by", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_benefit_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit")),
        sa.UniqueConstraint("programme_id", "code", name=op.f("uq_benefit_programme_id_code")),
    )
    op.create_table(
        "business_money",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("wave_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('budget', 'spend', 'forecast')", name=op.f("ck_business_money_kind_known")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_business_money_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_money")),
    )
    op.create_index("ix_business_money_programme", "business_money", ["programme_id"], unique=False)
    op.create_table(
        "roadmap_phase",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("programme_id", Key, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("request_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_roadmap_phase_closed_known")),
        sa.CheckConstraint(
            "(state = 'closed') = (request_id IS NOT NULL)", name=op.f("ck_roadmap_phase_closed_by_decision")
        ),
        sa.CheckConstraint(
            "code IN ('mobilise', 'design', 'data', 'test', 'deploy', 'optimise')",
            name=op.f("ck_roadmap_phase_code_known"),
        ),
        sa.CheckConstraint("state IN ('ahead', 'current', 'closed')", name=op.f("ck_roadmap_phase_state_known")),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_roadmap_phase_dates")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_roadmap_phase_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roadmap_phase")),
        sa.UniqueConstraint("programme_id", "code", name=op.f("uq_roadmap_phase_programme_id_code")),
        sa.UniqueConstraint("programme_id", "position", name=op.f("uq_roadmap_phase_programme_id_position")),
    )
    op.create_index(
        "uq_roadmap_phase_current",
        "roadmap_phase",
        ["programme_id"],
        unique=True,
        sqlite_where=sa.text("state = 'current'"),
        postgresql_where=sa.text("state = 'current'"),
    )
    op.create_table(
        "stage_criterion",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("phase_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("figure", sa.String(length=80), nullable=True),
        sa.Column("realm", sa.String(length=12), nullable=True),
        sa.Column("pass_mark", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(figure IS NULL) = (pass_mark IS NULL)", name=op.f("ck_stage_criterion_mark_known")),
        sa.CheckConstraint("(figure IS NULL) = (realm IS NULL)", name=op.f("ck_stage_criterion_realm_known")),
        sa.ForeignKeyConstraint(["phase_id"], ["roadmap_phase.id"], name=op.f("fk_stage_criterion_phase_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_criterion")),
        sa.UniqueConstraint("phase_id", "code", name=op.f("uq_stage_criterion_phase_id_code")),
    )
    op.create_table(
        "stage_evidence",
        sa.Column("request_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("phase_id", Key, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["phase_id"], ["roadmap_phase.id"], name=op.f("fk_stage_evidence_phase_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_stage_evidence")),
    )
    op.create_index("ix_stage_evidence_phase", "stage_evidence", ["phase_id"], unique=False)
    op.create_table(
        "tranche",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("phase_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("planned_by", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_tranche_amount")),
        sa.ForeignKeyConstraint(["phase_id"], ["roadmap_phase.id"], name=op.f("fk_tranche_phase_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tranche")),
        sa.UniqueConstraint("phase_id", "code", name=op.f("uq_tranche_phase_id_code")),
    )
    op.create_table(
        "stage_statement",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("criterion_id", Key, nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("stated_by", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["criterion_id"], ["stage_criterion.id"], name=op.f("fk_stage_statement_criterion_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_statement")),
    )
    op.create_index("ix_stage_statement_criterion", "stage_statement", ["criterion_id"], unique=False)
    op.create_table(
        "tranche_release",
        sa.Column("tranche_id", Key, autoincrement=False, nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tranche_id"], ["tranche.id"], name=op.f("fk_tranche_release_tranche_id")),
        sa.PrimaryKeyConstraint("tranche_id", name=op.f("pk_tranche_release")),
    )
    op.create_table(
        "tranche_withdrawal",
        sa.Column("tranche_id", Key, autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("withdrawn_by", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tranche_id"], ["tranche.id"], name=op.f("fk_tranche_withdrawal_tranche_id")),
        sa.PrimaryKeyConstraint("tranche_id", name=op.f("pk_tranche_withdrawal")),
    )
    op.create_table(
        "benefit_withdrawal",
        sa.Column("benefit_id", Key, autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("withdrawn_by", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefit.id"], name=op.f("fk_benefit_withdrawal_benefit_id")),
        sa.PrimaryKeyConstraint("benefit_id", name=op.f("pk_benefit_withdrawal")),
    )
    refuse_changes("benefit")
    refuse_changes("benefit_withdrawal")
    refuse_changes("business_money")
    refuse_changes("stage_evidence")
    refuse_changes("stage_statement")
    refuse_changes("tranche")
    refuse_changes("tranche_release")
    refuse_changes("tranche_withdrawal")
    _rule()


def downgrade() -> None:
    op.execute("DELETE FROM approval_rule WHERE kind = 'stage_gate'")
    op.drop_table("benefit_withdrawal")
    op.drop_table("tranche_withdrawal")
    op.drop_table("tranche_release")
    op.drop_index("ix_stage_statement_criterion", table_name="stage_statement")
    op.drop_table("stage_statement")
    op.drop_table("tranche")
    op.drop_index("ix_stage_evidence_phase", table_name="stage_evidence")
    op.drop_table("stage_evidence")
    op.drop_table("stage_criterion")
    op.drop_index(
        "uq_roadmap_phase_current",
        table_name="roadmap_phase",
        sqlite_where=sa.text("state = 'current'"),
        postgresql_where=sa.text("state = 'current'"),
    )
    op.drop_table("roadmap_phase")
    op.drop_index("ix_business_money_programme", table_name="business_money")
    op.drop_table("business_money")
    op.drop_table("benefit")
