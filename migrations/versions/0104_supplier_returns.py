"""Returned goods that leave for their supplier: the paper, its lines, and an account of what suppliers owe for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import change_words, refuse_changes

revision = "0104"
down_revision = "0103"
branch_labels = None
depends_on = None


def upgrade() -> None:
    change_words("ledger_account", "role", added=("supplier_claims",))
    op.create_table(
        "supplier_return",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("supplier_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("expected_minor", sa.BigInteger(), nullable=False),
        sa.Column("sent_by", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("value_minor >= 0 AND expected_minor >= 0", name=op.f("ck_supplier_return_not_negative")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_supplier_return_entity_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_supplier_return_site_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_supplier_return_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_return")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_supplier_return_entity_id_number")),
    )
    op.create_index("ix_supplier_return_site", "supplier_return", ["site_id", "sent_at"], unique=False)
    op.create_index("ix_supplier_return_supplier", "supplier_return", ["supplier_id"], unique=False)
    op.create_table(
        "supplier_return_line",
        sa.Column("supplier_return_id", Key, nullable=False),
        sa.Column("line_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("return_line_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("expected_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_supplier_return_line_quantity_positive")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_supplier_return_line_item_id")),
        sa.ForeignKeyConstraint(
            ["return_line_id"], ["return_line.id"], name=op.f("fk_supplier_return_line_return_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_return_id"], ["supplier_return.id"], name=op.f("fk_supplier_return_line_supplier_return_id")
        ),
        sa.PrimaryKeyConstraint("supplier_return_id", "line_no", name=op.f("pk_supplier_return_line")),
        sa.UniqueConstraint("return_line_id", name=op.f("uq_supplier_return_line_return_line_id")),
    )
    refuse_changes("supplier_return", "supplier_return_line")


def downgrade() -> None:
    op.drop_table("supplier_return_line")
    op.drop_table("supplier_return")
    op.execute("DELETE FROM ledger_account WHERE role = 'supplier_claims'")
    change_words("ledger_account", "role", taken=("supplier_claims",))
