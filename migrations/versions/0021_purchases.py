"""Suppliers and purchase orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "supplier",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("lead_days", sa.SmallInteger(), nullable=False),
        sa.Column("ships_direct", sa.Boolean(), nullable=False),
        sa.Column("site_id", Key, nullable=True),
        sa.Column("is_blocked", sa.Boolean(), nullable=False),
        sa.CheckConstraint("lead_days >= 0", name=op.f("ck_supplier_lead_not_negative")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_supplier_entity_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_supplier_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
        sa.UniqueConstraint("entity_id", "code", name=op.f("uq_supplier_entity_id_code")),
    )
    op.create_index("ix_supplier_site", "supplier", ["site_id"], unique=False)
    op.create_table(
        "purchase_order",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("supplier_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("is_direct", sa.Boolean(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("ordered_at", UtcDateTime(), nullable=False),
        sa.Column("ordered_by", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmation", sa.String(length=120), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ruleset", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('ordered', 'confirmed', 'received', 'closed', 'cancelled')",
            name=op.f("ck_purchase_order_state_known"),
        ),
        sa.CheckConstraint("is_direct = (order_id IS NOT NULL)", name=op.f("ck_purchase_order_direct_has_order")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_purchase_order_entity_id")),
        sa.ForeignKeyConstraint(["ruleset"], ["ruleset.hash"], name=op.f("fk_purchase_order_ruleset")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_purchase_order_site_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_purchase_order_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_purchase_order_entity_id_number")),
    )
    op.create_index(
        "ix_purchase_order_open",
        "purchase_order",
        ["site_id", "state"],
        unique=False,
        sqlite_where=sa.text("state IN ('ordered', 'confirmed')"),
        postgresql_where=sa.text("state IN ('ordered', 'confirmed')"),
    )
    op.create_index(
        "ix_purchase_order_order",
        "purchase_order",
        ["order_id"],
        unique=False,
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index("ix_purchase_order_site", "purchase_order", ["site_id", "ordered_at"], unique=False)
    op.create_index("ix_purchase_order_supplier", "purchase_order", ["supplier_id"], unique=False)
    op.create_table(
        "supplier_item",
        sa.Column("supplier_id", Key, autoincrement=False, nullable=False),
        sa.Column("item_id", Key, autoincrement=False, nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("lead_days", sa.SmallInteger(), nullable=True),
        sa.Column("supplier_code", sa.String(length=120), nullable=True),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("lead_days >= 0", name=op.f("ck_supplier_item_lead_not_negative")),
        sa.CheckConstraint("price > 0", name=op.f("ck_supplier_item_price_positive")),
        sa.CheckConstraint("rank BETWEEN 1 AND 99", name=op.f("ck_supplier_item_rank_range")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_supplier_item_item_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_supplier_item_supplier_id")),
        sa.PrimaryKeyConstraint("supplier_id", "item_id", name=op.f("pk_supplier_item")),
    )
    op.create_index("ix_supplier_item_item", "supplier_item", ["item_id", "rank"], unique=False)
    op.create_table(
        "purchase_order_line",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("purchase_id", Key, nullable=False),
        sa.Column("line_no", sa.SmallInteger(), nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("first_confirmed_on", sa.Date(), nullable=True),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(first_confirmed_on IS NULL) = (confirmed_on IS NULL)", name=op.f("ck_purchase_order_line_confirmed_once")
        ),
        sa.CheckConstraint(
            "quantity > 0 AND received >= 0 AND cancelled >= 0 AND cancelled <= quantity",
            name=op.f("ck_purchase_order_line_adds_up"),
        ),
        sa.CheckConstraint("unit_price > 0", name=op.f("ck_purchase_order_line_price_positive")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_purchase_order_line_item_id")),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchase_order.id"], name=op.f("fk_purchase_order_line_purchase_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order_line")),
        sa.UniqueConstraint("purchase_id", "line_no", name=op.f("uq_purchase_order_line_purchase_id_line_no")),
    )
    op.create_index("ix_purchase_order_line_item", "purchase_order_line", ["item_id"], unique=False)
    op.create_index(
        "ix_purchase_order_line_order_line",
        "purchase_order_line",
        ["order_line_id"],
        unique=False,
        sqlite_where=sa.text("order_line_id IS NOT NULL"),
        postgresql_where=sa.text("order_line_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_purchase_order_line_order_line",
        table_name="purchase_order_line",
        sqlite_where=sa.text("order_line_id IS NOT NULL"),
        postgresql_where=sa.text("order_line_id IS NOT NULL"),
    )
    op.drop_index("ix_purchase_order_line_item", table_name="purchase_order_line")
    op.drop_table("purchase_order_line")
    op.drop_index("ix_supplier_item_item", table_name="supplier_item")
    op.drop_table("supplier_item")
    op.drop_index("ix_purchase_order_supplier", table_name="purchase_order")
    op.drop_index("ix_purchase_order_site", table_name="purchase_order")
    op.drop_index(
        "ix_purchase_order_order",
        table_name="purchase_order",
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_purchase_order_open",
        table_name="purchase_order",
        sqlite_where=sa.text("state IN ('ordered', 'confirmed')"),
        postgresql_where=sa.text("state IN ('ordered', 'confirmed')"),
    )
    op.drop_table("purchase_order")
    op.drop_index("ix_supplier_site", table_name="supplier")
    op.drop_table("supplier")
