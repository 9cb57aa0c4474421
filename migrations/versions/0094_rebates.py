"""Rebate agreements with tiers, what counts for them and accrues line by line, and how they are settled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0094"
down_revision = "0093"
branch_labels = None
depends_on = None

_ROLES = (
    "'receivable', 'revenue', 'charges', 'tax', 'inventory', 'cost_of_sales', 'opening', 'adjustment', "
    "'received_not_invoiced', 'bank', 'on_account', 'bad_debt', 'transfer', 'bank_fees', 'currency_difference', 'bank_clearing'"
)
_ADDED = "'rebates', 'rebates_accrued'"


def _roles(words: str) -> None:
    with op.batch_alter_table("ledger_account") as account:
        account.drop_constraint(op.f("ck_ledger_account_role_known"), type_="check")
        account.create_check_constraint(op.f("ck_ledger_account_role_known"), f"role IN ({words})")


def upgrade() -> None:
    _roles(f"{_ROLES}, {_ADDED}")
    op.create_table(
        "rebate_agreement",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("customer_group_id", Key, nullable=True),
        sa.Column("item_id", Key, nullable=True),
        sa.Column("item_group_id", Key, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("basis", sa.String(length=8), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("adds_up", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("agreed_by", sa.BigInteger(), nullable=True),
        sa.Column("agreed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("basis IN ('net', 'quantity')", name=op.f("ck_rebate_agreement_basis_known")),
        sa.CheckConstraint(
            "state IN ('draft', 'agreed', 'ended', 'settled', 'withdrawn')",
            name=op.f("ck_rebate_agreement_state_known"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR agreed_by IS NOT NULL",
            name=op.f("ck_rebate_agreement_agreed_by_somebody"),
        ),
        sa.CheckConstraint(
            "(customer_id IS NULL) <> (customer_group_id IS NULL)", name=op.f("ck_rebate_agreement_for_somebody")
        ),
        sa.CheckConstraint("item_id IS NULL OR item_group_id IS NULL", name=op.f("ck_rebate_agreement_on_one_thing")),
        sa.CheckConstraint("valid_from < valid_until AND base >= 0", name=op.f("ck_rebate_agreement_sane")),
        sa.ForeignKeyConstraint(
            ["customer_group_id"], ["customer_group.id"], name=op.f("fk_rebate_agreement_customer_group_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_rebate_agreement_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_rebate_agreement_entity_id")),
        sa.ForeignKeyConstraint(["item_group_id"], ["item_group.id"], name=op.f("fk_rebate_agreement_item_group_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_rebate_agreement_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_rebate_agreement_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rebate_agreement")),
    )
    op.create_index("ix_rebate_agreement_customer", "rebate_agreement", ["customer_id"], unique=False)
    op.create_index("ix_rebate_agreement_entity", "rebate_agreement", ["entity_id", "state"], unique=False)
    op.create_table(
        "rebate_posting",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("agreement_id", Key, nullable=False),
        sa.Column("document_type", sa.String(length=12), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("adjusted_minor", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "document_type IN ('invoice', 'credit_memo', 'rebate')", name=op.f("ck_rebate_posting_document_type_known")
        ),
        sa.ForeignKeyConstraint(["agreement_id"], ["rebate_agreement.id"], name=op.f("fk_rebate_posting_agreement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rebate_posting")),
        sa.UniqueConstraint(
            "agreement_id",
            "document_type",
            "document_id",
            name=op.f("uq_rebate_posting_agreement_id_document_type_document_id"),
        ),
    )
    op.create_index("ix_rebate_posting_document", "rebate_posting", ["document_type", "document_id"], unique=False)
    op.create_table(
        "rebate_settlement",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("agreement_id", Key, nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("claimed_minor", sa.BigInteger(), nullable=True),
        sa.Column("accrued_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("difference_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "paid_minor >= 0 AND (is_final OR difference_minor = 0)", name=op.f("ck_rebate_settlement_sane")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["rebate_agreement.id"], name=op.f("fk_rebate_settlement_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rebate_settlement")),
    )
    op.create_index("ix_rebate_settlement_agreement", "rebate_settlement", ["agreement_id"], unique=False)
    op.create_table(
        "rebate_standing",
        sa.Column("agreement_id", Key, autoincrement=False, nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("accrued_minor", sa.BigInteger(), nullable=False),
        sa.Column("settled_minor", sa.BigInteger(), nullable=False),
        sa.Column("difference_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["rebate_agreement.id"], name=op.f("fk_rebate_standing_agreement_id")
        ),
        sa.PrimaryKeyConstraint("agreement_id", name=op.f("pk_rebate_standing")),
    )
    op.create_table(
        "rebate_tier",
        sa.Column("agreement_id", Key, nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("percent", sa.BigInteger(), nullable=True),
        sa.Column("per_unit", sa.BigInteger(), nullable=True),
        sa.Column("is_retroactive", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(percent IS NULL) <> (per_unit IS NULL)", name=op.f("ck_rebate_tier_gives_one_thing")),
        sa.CheckConstraint(
            "starts_at >= 0 AND (percent IS NULL OR percent BETWEEN 0 AND 1000000) AND (per_unit IS NULL OR per_unit >= 0)",
            name=op.f("ck_rebate_tier_sane"),
        ),
        sa.ForeignKeyConstraint(["agreement_id"], ["rebate_agreement.id"], name=op.f("fk_rebate_tier_agreement_id")),
        sa.PrimaryKeyConstraint("agreement_id", "level", name=op.f("pk_rebate_tier")),
    )
    op.create_table(
        "rebate_accrual",
        sa.Column("posting_id", Key, nullable=False),
        sa.Column("line_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("agreement_id", Key, nullable=False),
        sa.Column("document_type", sa.String(length=12), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("document_line", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", Key, nullable=False),
        sa.Column("order_line_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("adjusted_minor", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "document_type IN ('invoice', 'credit_memo')", name=op.f("ck_rebate_accrual_document_type_known")
        ),
        sa.ForeignKeyConstraint(["agreement_id"], ["rebate_agreement.id"], name=op.f("fk_rebate_accrual_agreement_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_rebate_accrual_customer_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_rebate_accrual_invoice_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_rebate_accrual_item_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_rebate_accrual_order_line_id")),
        sa.ForeignKeyConstraint(["posting_id"], ["rebate_posting.id"], name=op.f("fk_rebate_accrual_posting_id")),
        sa.PrimaryKeyConstraint("posting_id", "line_no", name=op.f("pk_rebate_accrual")),
        sa.UniqueConstraint(
            "agreement_id", "document_type", "document_id", "document_line", name=op.f("uq_rebate_accrual_line")
        ),
    )
    op.create_index("ix_rebate_accrual_document", "rebate_accrual", ["document_type", "document_id"], unique=False)
    op.create_index("ix_rebate_accrual_order_line", "rebate_accrual", ["order_line_id"], unique=False)
    op.create_table(
        "rebate_credit",
        sa.Column("credit_memo_id", Key, autoincrement=False, nullable=False),
        sa.Column("settlement_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["credit_memo_id"], ["credit_memo.id"], name=op.f("fk_rebate_credit_credit_memo_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_rebate_credit_customer_id")),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["rebate_settlement.id"], name=op.f("fk_rebate_credit_settlement_id")
        ),
        sa.PrimaryKeyConstraint("credit_memo_id", name=op.f("pk_rebate_credit")),
    )
    op.create_index(op.f("ix_rebate_credit_settlement_id"), "rebate_credit", ["settlement_id"], unique=False)
    refuse_changes("rebate_accrual", "rebate_credit", "rebate_posting", "rebate_settlement")


def downgrade() -> None:
    op.drop_index(op.f("ix_rebate_credit_settlement_id"), table_name="rebate_credit")
    op.drop_table("rebate_credit")
    op.drop_index("ix_rebate_accrual_order_line", table_name="rebate_accrual")
    op.drop_index("ix_rebate_accrual_document", table_name="rebate_accrual")
    op.drop_table("rebate_accrual")
    op.drop_table("rebate_tier")
    op.drop_table("rebate_standing")
    op.drop_index("ix_rebate_settlement_agreement", table_name="rebate_settlement")
    op.drop_table("rebate_settlement")
    op.drop_index("ix_rebate_posting_document", table_name="rebate_posting")
    op.drop_table("rebate_posting")
    op.drop_index("ix_rebate_agreement_entity", table_name="rebate_agreement")
    op.drop_index("ix_rebate_agreement_customer", table_name="rebate_agreement")
    op.drop_table("rebate_agreement")
    op.execute("DELETE FROM ledger_account WHERE role IN ('rebates', 'rebates_accrued')")
    _roles(_ROLES)
