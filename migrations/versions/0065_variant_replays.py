"""Replays of recent orders under a proposed variant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('waiting', 'running')")
_HISTORY = ("variant_replay_record", "variant_replay_order")


def upgrade() -> None:
    op.create_table(
        "variant_replay",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("variant_id", Key, nullable=False),
        sa.Column("variant_version", sa.Integer(), nullable=False),
        sa.Column("proposal", sa.String(length=64), nullable=False),
        sa.Column("period_from", UtcDateTime(), nullable=False),
        sa.Column("period_until", UtcDateTime(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=True),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("period_until > period_from", name=op.f("ck_variant_replay_period")),
        sa.CheckConstraint("most > 0", name=op.f("ck_variant_replay_most_positive")),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_variant_replay_state_known")
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_variant_replay_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant_replay")),
    )
    op.create_index("ix_variant_replay_variant", "variant_replay", ["variant_id", "id"], unique=False)
    op.create_index(
        "uq_variant_replay_open",
        "variant_replay",
        ["variant_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "variant_replay_record",
        sa.Column("replay_id", Key, autoincrement=False, nullable=False),
        sa.Column("inputs", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("differing", sa.Integer(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["replay_id"], ["variant_replay.id"], name=op.f("fk_variant_replay_record_replay_id")),
        sa.PrimaryKeyConstraint("replay_id", name=op.f("pk_variant_replay_record")),
    )
    op.create_table(
        "variant_replay_order",
        sa.Column("replay_id", Key, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("differs", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["replay_id"], ["variant_replay.id"], name=op.f("fk_variant_replay_order_replay_id")),
        sa.PrimaryKeyConstraint("replay_id", "position", name=op.f("pk_variant_replay_order")),
    )
    refuse_changes(*_HISTORY)


def downgrade() -> None:
    op.drop_table("variant_replay_order")
    op.drop_table("variant_replay_record")
    op.drop_table("variant_replay")
