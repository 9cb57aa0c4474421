"""Deductions and disputes: reasons with their routing, what is open of each and its steps; who agrees to a write-off."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None

#: Code, title, role, days, and whose fault a credit memo says it was.
_REASONS = (
    ("short_shipment", "Short shipment", "customer_service", 10, "ours"),
    ("damaged", "Damaged goods", "customer_service", 10, "ours"),
    ("price", "Price", "billing", 7, "ours"),
    ("freight", "Freight", "billing", 7, "undecided"),
    ("promotion", "Promotion or rebate", "billing", 14, "undecided"),
    ("tax", "Tax", "finance", 7, "undecided"),
    ("late_discount", "Cash discount taken late", "collections", 5, "customer"),
    ("unknown", "Unknown", "collections", 3, "undecided"),
)


def _id() -> int:
    """An id that nothing else gets."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        taken = sa.text("UPDATE id_head SET next_id = next_id + 1 WHERE id = 1 RETURNING next_id")
        return int(connection.execute(taken).scalar_one()) - 1
    return int(connection.execute(sa.text("SELECT nextval('wavegate_id_block')")).scalar_one()) * 1000


def _rule() -> None:
    rules = sa.table(
        "approval_rule", sa.column("id", sa.BigInteger), sa.column("kind", sa.String), sa.column("code", sa.String),
        sa.column("version", sa.Integer), sa.column("is_automatic", sa.Boolean), sa.column("capacity", sa.String),
        sa.column("people", sa.Integer), sa.column("timeout_hours", sa.Integer), sa.column("ends_rule", sa.Boolean),
        sa.column("state", sa.String), sa.column("reason", sa.Text), sa.column("proposed_by", sa.BigInteger),
        sa.column("proposed_at", UtcDateTime()),
    )  # fmt: skip
    op.bulk_insert(
        rules,
        [
            {
                "id": _id(), "kind": "write_off", "code": "another", "version": 1, "is_automatic": False,
                "capacity": "may:billing:debt:write_off", "people": 1, "timeout_hours": 16, "ends_rule": False,
                "state": "in_force", "reason": "comes with the product", "proposed_by": 0, "proposed_at": datetime.now(UTC),
            }
        ],
    )  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "dispute_reason",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("owner_role", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("due_days", sa.SmallInteger(), nullable=False),
        sa.Column("fault", sa.String(length=12), nullable=False),
        sa.CheckConstraint("due_days BETWEEN 1 AND 365 AND owner_role <> ''", name=op.f("ck_dispute_reason_sane")),
        sa.CheckConstraint("fault IN ('ours', 'customer', 'undecided')", name=op.f("ck_dispute_reason_fault_known")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_dispute_reason")),
    )
    op.bulk_insert(
        sa.table(
            "dispute_reason", sa.column("code", sa.String), sa.column("title", sa.String), sa.column("owner_role", sa.String),
            sa.column("due_days", sa.SmallInteger), sa.column("fault", sa.String),
        ),
        [
            dict(zip(("code", "title", "owner_role", "due_days", "fault"), row, strict=True))
            for row in _REASONS
        ],
    )  # fmt: skip
    op.create_table(
        "dispute",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("invoice_id", Key, nullable=False),
        sa.Column("order_line_id", Key, nullable=True),
        sa.Column("application_id", Key, nullable=True),
        sa.Column("reason_code", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.Column("asked_minor", sa.BigInteger(), nullable=True),
        sa.Column("owner_role", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("raised_by", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'deduction') = (application_id IS NOT NULL)", name=op.f("ck_dispute_deducted_by_payment")
        ),
        sa.CheckConstraint("(state = 'waiting') = (asked_minor IS NOT NULL)", name=op.f("ck_dispute_waits_for_amount")),
        sa.CheckConstraint(
            "(state IN ('settled', 'withdrawn')) = (open_minor = 0)", name=op.f("ck_dispute_over_when_nothing_open")
        ),
        sa.CheckConstraint("kind IN ('deduction', 'objection')", name=op.f("ck_dispute_kind_known")),
        sa.CheckConstraint("owner_role <> ''", name=op.f("ck_dispute_owned")),
        sa.CheckConstraint(
            "state IN ('raised', 'disputed', 'waiting', 'settled', 'withdrawn')", name=op.f("ck_dispute_state_known")
        ),
        sa.CheckConstraint(
            "amount_minor > 0 AND open_minor >= 0 AND open_minor <= amount_minor", name=op.f("ck_dispute_within")
        ),
        sa.ForeignKeyConstraint(["application_id"], ["receipt_application.id"], name=op.f("fk_dispute_application_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_dispute_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_dispute_entity_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_dispute_invoice_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_dispute_order_line_id")),
        sa.ForeignKeyConstraint(["reason_code"], ["dispute_reason.code"], name=op.f("fk_dispute_reason_code")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_dispute_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
    )
    op.create_index("ix_dispute_application", "dispute", ["application_id"], unique=False)
    op.create_index("ix_dispute_customer", "dispute", ["customer_id"], unique=False)
    op.create_index("ix_dispute_invoice", "dispute", ["invoice_id"], unique=False)
    op.create_index(
        "ix_dispute_open",
        "dispute",
        ["site_id", "due_on"],
        unique=False,
        sqlite_where=sa.text("open_minor > 0"),
        postgresql_where=sa.text("open_minor > 0"),
    )
    op.create_table(
        "dispute_step",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("dispute_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'raised') = (amount_minor > 0) AND amount_minor <> 0", name=op.f("ck_dispute_step_signed")
        ),
        sa.CheckConstraint(
            "kind IN ('raised', 'credited', 'paid', 'written_off', 'rounded', 'rebilled', 'withdrawn')",
            name=op.f("ck_dispute_step_kind_known"),
        ),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_dispute_step_dispute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute_step")),
    )
    op.create_index("ix_dispute_step_at", "dispute_step", ["at"], unique=False)
    op.create_index("ix_dispute_step_dispute", "dispute_step", ["dispute_id"], unique=False)
    refuse_changes("dispute_step")
    _rule()


def downgrade() -> None:
    op.execute("DELETE FROM approval_rule WHERE kind = 'write_off'")
    op.drop_index("ix_dispute_step_dispute", table_name="dispute_step")
    op.drop_index("ix_dispute_step_at", table_name="dispute_step")
    op.drop_table("dispute_step")
    op.drop_index(
        "ix_dispute_open",
        table_name="dispute",
        sqlite_where=sa.text("open_minor > 0"),
        postgresql_where=sa.text("open_minor > 0"),
    )
    op.drop_index("ix_dispute_invoice", table_name="dispute")
    op.drop_index("ix_dispute_customer", table_name="dispute")
    op.drop_index("ix_dispute_application", table_name="dispute")
    op.drop_table("dispute")
    op.drop_table("dispute_reason")
