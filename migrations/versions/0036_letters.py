"""Letters to customers: texts in versions, addresses, what was written to whom, and words for people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_script",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("situation", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.Column("saved_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "situation IN ('hold_credit', 'hold_price', 'hold_data', 'hold_address', 'hold_export', 'hold_duplicate', 'hold_substitution', 'hold_manual', 'short', 'late')",
            name=op.f("ck_agent_script_situation_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_script")),
        sa.UniqueConstraint("situation", "version", name=op.f("uq_agent_script_situation_version")),
    )
    op.create_table(
        "letter_template",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.Column("saved_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "event IN ('confirmation', 'delay', 'shortage', 'substitution', 'hold', 'correction', 'shipment', 'cancellation')",
            name=op.f("ck_letter_template_event_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_template")),
        sa.UniqueConstraint("event", "language", "version", name=op.f("uq_letter_template_event_language_version")),
    )
    op.create_table(
        "customer_contact",
        sa.Column("customer_id", Key, autoincrement=False, nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=True),
        sa.Column("wants_none", sa.Boolean(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_customer_contact_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_contact")),
    )
    op.create_table(
        "letter",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("to_address", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'parked', 'skipped')", name=op.f("ck_letter_state_known")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_letter_customer_id")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_letter_order_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_letter_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("event_seq", name=op.f("uq_letter_event_seq")),
    )
    op.create_index(
        "ix_letter_due",
        "letter",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_letter_order", "letter", ["order_id"], unique=False)
    refuse_changes("agent_script")
    refuse_changes("letter_template")


def downgrade() -> None:
    op.drop_index("ix_letter_order", table_name="letter")
    op.drop_index(
        "ix_letter_due",
        table_name="letter",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_table("letter")
    op.drop_table("customer_contact")
    op.drop_table("letter_template")
    op.drop_table("agent_script")
