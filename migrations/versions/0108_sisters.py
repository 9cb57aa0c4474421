"""Goods between companies: items that are counterparts, and a document at each side under one key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import change_words, refuse_changes

revision = "0108"
down_revision = "0107"
branch_labels = None
depends_on = None

_ROLES = ("sister_receivable", "sister_payable", "sister_revenue", "sister_cost")


def upgrade() -> None:
    op.create_table(
        "item_counterpart",
        sa.Column("item_id", Key, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("counterpart_id", Key, nullable=False),
        sa.CheckConstraint("item_id <> counterpart_id", name=op.f("ck_item_counterpart_two_items")),
        sa.ForeignKeyConstraint(["counterpart_id"], ["item.id"], name=op.f("fk_item_counterpart_counterpart_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_item_counterpart_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_counterpart_item_id")),
        sa.PrimaryKeyConstraint("item_id", "entity_id", name=op.f("pk_item_counterpart")),
        sa.UniqueConstraint("counterpart_id", "item_id", name=op.f("uq_item_counterpart_counterpart_id_item_id")),
    )
    op.create_table(
        "sister_document",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("transfer_id", Key, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("sister_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("agreed_currency", sa.String(length=3), nullable=False),
        sa.Column("agreed_minor", sa.BigInteger(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("rate_id", Key, nullable=True),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.Column("posted_by", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind = 'sent' OR reason IS NOT NULL", name=op.f("ck_sister_document_says_why")),
        sa.CheckConstraint("kind IN ('sent', 'turned_back')", name=op.f("ck_sister_document_kind_known")),
        sa.CheckConstraint("side IN ('sale', 'purchase')", name=op.f("ck_sister_document_side_known")),
        sa.CheckConstraint("amount_minor >= 0 AND agreed_minor >= 0", name=op.f("ck_sister_document_not_negative")),
        sa.CheckConstraint("entity_id <> sister_id", name=op.f("ck_sister_document_two_companies")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_sister_document_entity_id")),
        sa.ForeignKeyConstraint(["rate_id"], ["exchange_rate.id"], name=op.f("fk_sister_document_rate_id")),
        sa.ForeignKeyConstraint(["sister_id"], ["entity.id"], name=op.f("fk_sister_document_sister_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_sister_document_site_id")),
        sa.ForeignKeyConstraint(["transfer_id"], ["stock_transfer.id"], name=op.f("fk_sister_document_transfer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sister_document")),
        sa.UniqueConstraint("entity_id", "sister_id", "key", "kind", "side", name=op.f("uq_sister_document_key")),
        sa.UniqueConstraint("transfer_id", "kind", "side", name=op.f("uq_sister_document_transfer_id_kind_side")),
    )
    op.create_index("ix_sister_document_entity", "sister_document", ["entity_id", "sister_id", "id"], unique=False)
    op.create_table(
        "sister_document_line",
        sa.Column("document_id", Key, nullable=False),
        sa.Column("line_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("agreed_price", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0 AND amount_minor >= 0", name=op.f("ck_sister_document_line_positive")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["sister_document.id"], name=op.f("fk_sister_document_line_document_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_sister_document_line_item_id")),
        sa.PrimaryKeyConstraint("document_id", "line_no", name=op.f("pk_sister_document_line")),
    )
    refuse_changes("sister_document", "sister_document_line")
    change_words("ledger_account", "role", added=_ROLES)


def downgrade() -> None:
    op.drop_table("sister_document_line")
    op.drop_index("ix_sister_document_entity", table_name="sister_document")
    op.drop_table("sister_document")
    op.drop_table("item_counterpart")
    op.execute(
        "DELETE FROM ledger_account WHERE role IN ('sister_receivable', 'sister_payable', 'sister_revenue', 'sister_cost')"
    )
    change_words("ledger_account", "role", taken=_ROLES)
