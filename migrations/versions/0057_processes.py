"""Value streams, processes, their versions and steps; what was handed in stays as it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import freeze_when, unfreeze

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

_OF_VERSION = "EXISTS (SELECT 1 FROM process_version v WHERE v.id = OLD.version_id AND v.state <> 'draft')"
_OF_STEP = (
    "EXISTS (SELECT 1 FROM process_step s JOIN process_version v ON v.id = s.version_id "
    "WHERE s.id = OLD.step_id AND v.state <> 'draft')"
)


def upgrade() -> None:
    op.create_table(
        "value_stream",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_value_stream")),
        sa.UniqueConstraint("code", name=op.f("uq_value_stream_code")),
    )
    op.create_table(
        "business_process",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("stream_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["value_stream.id"], name=op.f("fk_business_process_stream_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_process")),
        sa.UniqueConstraint("code", name=op.f("uq_business_process_code")),
    )
    op.create_index(op.f("ix_business_process_stream_id"), "business_process", ["stream_id"], unique=False)
    op.create_table(
        "process_version",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("process_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("based_on", Key, nullable=True),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("drafted_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_by", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("live_at", UtcDateTime(), nullable=True),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('as_is', 'to_be')", name=op.f("ck_process_version_kind_known")),
        sa.CheckConstraint("state <> 'live' OR kind = 'to_be'", name=op.f("ck_process_version_live_was_designed")),
        sa.CheckConstraint(
            "state IN ('draft', 'in_review', 'approved', 'live', 'retired', 'withdrawn')",
            name=op.f("ck_process_version_state_known"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR fingerprint IS NOT NULL", name=op.f("ck_process_version_handed_in")
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'live') OR approved_by IS NOT NULL",
            name=op.f("ck_process_version_approved_by_somebody"),
        ),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> author_id", name=op.f("ck_process_version_four_eyes")
        ),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> submitted_by", name=op.f("ck_process_version_six_eyes")
        ),
        sa.ForeignKeyConstraint(["based_on"], ["process_version.id"], name=op.f("fk_process_version_based_on")),
        sa.ForeignKeyConstraint(["process_id"], ["business_process.id"], name=op.f("fk_process_version_process_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_version")),
        sa.UniqueConstraint("process_id", "number", name=op.f("uq_process_version_process_id_number")),
    )
    op.create_index(
        "ix_process_version_live",
        "process_version",
        ["process_id"],
        unique=True,
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "process_step",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("version_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("system", sa.String(length=120), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("otherwise", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("decisions", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("automation", sa.Text(), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("reference", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["process_version.id"], name=op.f("fk_process_step_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_step")),
        sa.UniqueConstraint("version_id", "code", name=op.f("uq_process_step_version_id_code")),
    )
    op.create_index("ix_process_step_code", "process_step", ["code"], unique=False)
    op.create_table(
        "step_exception",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("step_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("actions", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("otherwise", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["step_id"], ["process_step.id"], name=op.f("fk_step_exception_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_exception")),
        sa.UniqueConstraint("step_id", "code", name=op.f("uq_step_exception_step_id_code")),
    )
    op.create_table(
        "step_hand_off",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("step_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("to_step", sa.String(length=81), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["step_id"], ["process_step.id"], name=op.f("fk_step_hand_off_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_hand_off")),
        sa.UniqueConstraint("step_id", "to_step", name=op.f("uq_step_hand_off_step_id_to_step")),
    )
    op.create_index("ix_step_hand_off_to", "step_hand_off", ["to_step"], unique=False)
    for table in ("process_step", "step_exception", "step_hand_off"):
        freeze_when(table, _OF_VERSION if table == "process_step" else _OF_STEP)


def downgrade() -> None:
    op.drop_index("ix_step_hand_off_to", table_name="step_hand_off")
    op.drop_table("step_hand_off")
    op.drop_table("step_exception")
    op.drop_index("ix_process_step_code", table_name="process_step")
    op.drop_table("process_step")
    op.drop_index(
        "ix_process_version_live",
        table_name="process_version",
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.drop_table("process_version")
    op.drop_index(op.f("ix_business_process_stream_id"), table_name="business_process")
    op.drop_table("business_process")
    op.drop_table("value_stream")
    unfreeze("process_step", "step_exception", "step_hand_off")
