"""Kernel: events, history, audit chain, ids, numbers, request keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence, DropSequence

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import create_refusal, drop_refusal, refuse_changes

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_refusal()
    op.execute(CreateSequence(sa.Sequence("wavegate_id_block"))) if op.get_bind().dialect.name == "postgresql" else None
    op.create_table(
        "audit_entry",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject_type", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", "ordinal", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject_type", "subject_id"], unique=False)
    op.create_table(
        "audit_link",
        sa.Column("position", Key, autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_link_hash")),
    )
    op.create_table(
        "consumer_cursor",
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", UtcDateTime(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_consumer_cursor")),
    )
    event_head = op.create_table(
        "event_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_head")),
    )
    op.create_table(
        "event_log",
        sa.Column("seq", Key, autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("type", sa.String(length=48), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("realm", sa.String(length=12), nullable=False),
        sa.Column("entity", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.BigInteger(), nullable=True),
        sa.Column("customer_group", sa.BigInteger(), nullable=True),
        sa.Column("process_step", sa.String(length=64), nullable=False),
        sa.Column("grant_id", sa.BigInteger(), nullable=True),
        sa.Column("ruleset", sa.String(length=64), nullable=True),
        sa.Column("variants", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("subject_type", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_version", sa.Integer(), nullable=False),
        sa.Column("journey", sa.BigInteger(), nullable=False),
        sa.Column("refs", sa.Text(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event_log")),
        sa.UniqueConstraint("id", name=op.f("uq_event_log_id")),
    )
    op.create_index("ix_event_log_journey", "event_log", ["journey", "seq"], unique=False)
    op.create_index("ix_event_log_subject", "event_log", ["subject_type", "subject_id"], unique=False)
    id_head = op.create_table(
        "id_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_id_head")),
    )
    op.create_table(
        "number_series",
        sa.Column("entity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(length=12), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("prefix", sa.String(length=24), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity_id", "journal", "year", name=op.f("pk_number_series")),
    )
    op.create_table(
        "parked_event",
        sa.Column("consumer", sa.String(length=48), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("journey", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.BigInteger(), nullable=True),
        sa.Column("waits_behind", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("parked_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "seq", name=op.f("pk_parked_event")),
    )
    op.create_index(op.f("ix_parked_event_journey"), "parked_event", ["journey"], unique=False)
    op.create_table(
        "request_key",
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_request_key")),
    )
    op.create_index(op.f("ix_request_key_expires_at"), "request_key", ["expires_at"], unique=False)
    op.create_table(
        "transition",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("document_type", sa.String(length=32), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("move", sa.String(length=48), nullable=False),
        sa.Column("from_state", sa.String(length=32), nullable=True),
        sa.Column("to_state", sa.String(length=32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transition")),
    )
    op.create_index("ix_transition_document", "transition", ["document_type", "document_id"], unique=False)
    op.bulk_insert(id_head, [{"id": 1, "next_id": 1000}])
    op.bulk_insert(event_head, [{"id": 1, "seq": 0}])
    refuse_changes("event_log", "audit_link", "audit_entry", "transition")


def downgrade() -> None:
    op.drop_index("ix_transition_document", table_name="transition")
    op.drop_table("transition")
    op.drop_index(op.f("ix_request_key_expires_at"), table_name="request_key")
    op.drop_table("request_key")
    op.drop_index(op.f("ix_parked_event_journey"), table_name="parked_event")
    op.drop_table("parked_event")
    op.drop_table("number_series")
    op.drop_table("id_head")
    op.drop_index("ix_event_log_subject", table_name="event_log")
    op.drop_index("ix_event_log_journey", table_name="event_log")
    op.drop_table("event_log")
    op.drop_table("event_head")
    op.drop_table("consumer_cursor")
    op.drop_table("audit_link")
    op.drop_index("ix_audit_entry_subject", table_name="audit_entry")
    op.drop_table("audit_entry")
    drop_refusal()
    op.execute(DropSequence(sa.Sequence("wavegate_id_block"))) if op.get_bind().dialect.name == "postgresql" else None
