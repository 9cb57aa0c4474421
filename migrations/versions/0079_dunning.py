"""Asking for what is overdue: procedures, runs and notices, levels and fees, blocks and promises."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None

_KNOWN = "ck_receivable_document_type_known"


def upgrade() -> None:
    _documents(", 'dunning_fee'")
    op.create_table(
        "dunning_procedure",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("customer_group_id", Key, nullable=True),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("interval_days", sa.SmallInteger(), nullable=False),
        sa.Column("min_total_minor", sa.BigInteger(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("interval_days >= 1 AND min_total_minor >= 0", name=op.f("ck_dunning_procedure_sane")),
        sa.ForeignKeyConstraint(
            ["customer_group_id"], ["customer_group.id"], name=op.f("fk_dunning_procedure_customer_group_id")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_dunning_procedure_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_procedure")),
    )
    op.create_index("ix_dunning_procedure_entity", "dunning_procedure", ["entity_id", "valid_from"], unique=False)
    op.create_table(
        "dunning_run",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("run_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('proposed', 'confirmed', 'done', 'cancelled')", name=op.f("ck_dunning_run_state_known")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_dunning_run_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_run")),
    )
    op.create_index(
        "uq_dunning_run_day",
        "dunning_run",
        ["entity_id", "run_on"],
        unique=True,
        sqlite_where=sa.text("state <> 'cancelled'"),
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    op.create_table(
        "dunning_level",
        sa.Column("procedure_id", Key, nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("days_overdue", sa.SmallInteger(), nullable=False),
        sa.Column("min_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("letter", sa.String(length=12), nullable=False),
        sa.Column("respite_days", sa.SmallInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("letter IN ('reminder', 'demand', 'final')", name=op.f("ck_dunning_level_letter_known")),
        sa.CheckConstraint(
            "days_overdue >= 1 AND fee_minor >= 0 AND min_minor >= 0 AND respite_days >= 0",
            name=op.f("ck_dunning_level_sane"),
        ),
        sa.ForeignKeyConstraint(["procedure_id"], ["dunning_procedure.id"], name=op.f("fk_dunning_level_procedure_id")),
        sa.PrimaryKeyConstraint("procedure_id", "level", name=op.f("pk_dunning_level")),
    )
    op.create_table(
        "dunning_notice",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("run_id", Key, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("procedure_id", Key, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("letter", sa.String(length=12), nullable=False),
        sa.Column("pay_until", sa.Date(), nullable=False),
        sa.Column("overdue_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("issued_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("letter IN ('reminder', 'demand', 'final')", name=op.f("ck_dunning_notice_letter_known")),
        sa.CheckConstraint("state IN ('proposed', 'issued', 'dropped')", name=op.f("ck_dunning_notice_state_known")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_dunning_notice_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_dunning_notice_entity_id")),
        sa.ForeignKeyConstraint(
            ["procedure_id"], ["dunning_procedure.id"], name=op.f("fk_dunning_notice_procedure_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["dunning_run.id"], name=op.f("fk_dunning_notice_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_notice")),
        sa.UniqueConstraint("run_id", "customer_id", name=op.f("uq_dunning_notice_run_id_customer_id")),
    )
    op.create_index("ix_dunning_notice_customer", "dunning_notice", ["customer_id", "id"], unique=False)
    op.create_index(
        "ix_dunning_notice_waiting",
        "dunning_notice",
        ["run_id"],
        unique=False,
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "dunning_block",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("document_id", Key, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.Column("lifted_by", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", UtcDateTime(), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('dispute', 'agreement', 'insolvency', 'other')", name=op.f("ck_dunning_block_kind_known")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_dunning_block_customer_id")),
        sa.ForeignKeyConstraint(["document_id"], ["receivable.document_id"], name=op.f("fk_dunning_block_document_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_dunning_block_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_block")),
    )
    op.create_index("ix_dunning_block_customer", "dunning_block", ["customer_id"], unique=False)
    op.create_table(
        "dunning_fee",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("notice_id", Key, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("fee_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_dunning_fee_costs_something")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_dunning_fee_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_dunning_fee_entity_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["dunning_notice.id"], name=op.f("fk_dunning_fee_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_fee")),
        sa.UniqueConstraint("notice_id", name=op.f("uq_dunning_fee_notice_id")),
    )
    op.create_index("ix_dunning_fee_customer", "dunning_fee", ["customer_id", "fee_on"], unique=False)
    op.create_table(
        "dunning_item",
        sa.Column("notice_id", Key, nullable=False),
        sa.Column("document_id", Key, nullable=False),
        sa.Column("from_level", sa.SmallInteger(), nullable=False),
        sa.Column("to_level", sa.SmallInteger(), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["receivable.document_id"], name=op.f("fk_dunning_item_document_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["dunning_notice.id"], name=op.f("fk_dunning_item_notice_id")),
        sa.PrimaryKeyConstraint("notice_id", "document_id", name=op.f("pk_dunning_item")),
    )
    op.create_index("ix_dunning_item_document", "dunning_item", ["document_id"], unique=False)
    op.create_table(
        "dunning_left_out",
        sa.Column("run_id", Key, nullable=False),
        sa.Column("document_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_dunning_left_out_customer_id")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["receivable.document_id"], name=op.f("fk_dunning_left_out_document_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["dunning_run.id"], name=op.f("fk_dunning_left_out_run_id")),
        sa.PrimaryKeyConstraint("run_id", "document_id", name=op.f("pk_dunning_left_out")),
    )
    op.create_table(
        "dunning_letter",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("notice_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("to_address", sa.String(length=200), nullable=True),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("way", sa.String(length=8), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'parked', 'skipped')", name=op.f("ck_dunning_letter_state_known")
        ),
        sa.CheckConstraint("way IN ('mail', 'folder')", name=op.f("ck_dunning_letter_way_known")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_dunning_letter_customer_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["dunning_notice.id"], name=op.f("fk_dunning_letter_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_letter")),
        sa.UniqueConstraint("notice_id", name=op.f("uq_dunning_letter_notice_id")),
    )
    op.create_index(op.f("ix_dunning_letter_customer_id"), "dunning_letter", ["customer_id"], unique=False)
    op.create_index(
        "ix_dunning_letter_due",
        "dunning_letter",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "dunning_stand",
        sa.Column("document_id", Key, autoincrement=False, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_dunning_stand_customer_id")),
        sa.ForeignKeyConstraint(["document_id"], ["receivable.document_id"], name=op.f("fk_dunning_stand_document_id")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_dunning_stand")),
    )
    op.create_index("ix_dunning_stand_customer", "dunning_stand", ["customer_id"], unique=False)
    op.create_table(
        "dunning_step",
        sa.Column("notice_id", Key, nullable=False),
        sa.Column("document_id", Key, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["receivable.document_id"], name=op.f("fk_dunning_step_document_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["dunning_notice.id"], name=op.f("fk_dunning_step_notice_id")),
        sa.PrimaryKeyConstraint("notice_id", "document_id", name=op.f("pk_dunning_step")),
        sa.UniqueConstraint("document_id", "level", name=op.f("uq_dunning_step_document_id_level")),
    )
    op.create_table(
        "payment_promise",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("document_id", Key, nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("said_by", sa.String(length=300), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("taken_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_promise_promises_something")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_payment_promise_customer_id")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["receivable.document_id"], name=op.f("fk_payment_promise_document_id")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_payment_promise_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_promise")),
    )
    op.create_index("ix_payment_promise_customer", "payment_promise", ["customer_id", "promised_on"], unique=False)
    op.create_table(
        "dunning_fee_settlement",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("fee_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("receipt_id", Key, nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'paid') = (receipt_id IS NOT NULL)", name=op.f("ck_dunning_fee_settlement_paid_by_receipt")
        ),
        sa.CheckConstraint("kind IN ('paid', 'waived')", name=op.f("ck_dunning_fee_settlement_kind_known")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_dunning_fee_settlement_settles_something")),
        sa.ForeignKeyConstraint(["fee_id"], ["dunning_fee.id"], name=op.f("fk_dunning_fee_settlement_fee_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_dunning_fee_settlement_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_fee_settlement")),
    )
    op.create_index("ix_dunning_fee_settlement_at", "dunning_fee_settlement", ["settled_at"], unique=False)
    op.create_index("ix_dunning_fee_settlement_fee", "dunning_fee_settlement", ["fee_id"], unique=False)
    op.create_index("ix_invoice_on", "invoice", ["entity_id", "invoice_on"], unique=False)
    refuse_changes("dunning_fee")
    refuse_changes("dunning_fee_settlement")
    refuse_changes("dunning_item")
    refuse_changes("dunning_left_out")
    refuse_changes("dunning_level")
    refuse_changes("dunning_step")
    refuse_changes("payment_promise")


def downgrade() -> None:
    op.drop_index("ix_invoice_on", table_name="invoice")
    op.drop_index("ix_dunning_fee_settlement_fee", table_name="dunning_fee_settlement")
    op.drop_index("ix_dunning_fee_settlement_at", table_name="dunning_fee_settlement")
    op.drop_table("dunning_fee_settlement")
    op.drop_index("ix_payment_promise_customer", table_name="payment_promise")
    op.drop_table("payment_promise")
    op.drop_table("dunning_step")
    op.drop_index("ix_dunning_stand_customer", table_name="dunning_stand")
    op.drop_table("dunning_stand")
    op.drop_index(
        "ix_dunning_letter_due",
        table_name="dunning_letter",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index(op.f("ix_dunning_letter_customer_id"), table_name="dunning_letter")
    op.drop_table("dunning_letter")
    op.drop_table("dunning_left_out")
    op.drop_index("ix_dunning_item_document", table_name="dunning_item")
    op.drop_table("dunning_item")
    op.drop_index("ix_dunning_fee_customer", table_name="dunning_fee")
    op.drop_table("dunning_fee")
    op.drop_index("ix_dunning_block_customer", table_name="dunning_block")
    op.drop_table("dunning_block")
    op.drop_index(
        "ix_dunning_notice_waiting",
        table_name="dunning_notice",
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.drop_index("ix_dunning_notice_customer", table_name="dunning_notice")
    op.drop_table("dunning_notice")
    op.drop_table("dunning_level")
    op.drop_index(
        "uq_dunning_run_day",
        table_name="dunning_run",
        sqlite_where=sa.text("state <> 'cancelled'"),
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    op.drop_table("dunning_run")
    op.drop_index("ix_dunning_procedure_entity", table_name="dunning_procedure")
    op.drop_table("dunning_procedure")
    _documents("")


def _documents(more: str) -> None:
    with op.batch_alter_table("receivable") as table:
        table.drop_constraint(op.f(_KNOWN), type_="check")
        table.create_check_constraint(
            op.f(_KNOWN), f"document_type IN ('invoice', 'credit_memo', 'debt_journal'{more})"
        )
