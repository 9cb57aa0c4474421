"""Prices: rules with kinds, discounts and groups; lists that change many; tiers of customers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_KINDS = "'contract', 'customer', 'promotion', 'group', 'channel', 'break', 'list'"


def upgrade() -> None:
    op.add_column("customer", sa.Column("tier", sa.SmallInteger(), server_default="2", nullable=False))
    op.create_table(
        "price_list",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", UtcDateTime(), nullable=False),
        sa.Column("applied_by", sa.BigInteger(), nullable=True),
        sa.Column("applied_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_price_list_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list")),
        sa.UniqueConstraint("entity_id", "content_hash", name=op.f("uq_price_list_entity_id_content_hash")),
    )
    # A table of rules is made anew around the old rows: what was required before may now be absent. Nobody noted when
    # they were saved.
    op.execute("CREATE TABLE price_rule_before AS SELECT * FROM price_rule")
    op.drop_table("price_rule")
    _create_rules()
    op.execute(
        "INSERT INTO price_rule (id, entity_id, kind, item_id, customer_id, customer_key, customer_group_id, channel_id,"
        " minimum_quantity, unit_price, currency, valid_from, valid_until, saved_by, saved_at)"
        " SELECT id, entity_id, CASE WHEN customer_id IS NOT NULL THEN 'contract' WHEN customer_group_id IS NOT NULL"
        " THEN 'group' WHEN channel_id IS NOT NULL THEN 'channel' WHEN minimum_quantity > 0 THEN 'break' ELSE 'list' END,"
        " item_id, customer_id, COALESCE(customer_id, 0), customer_group_id, channel_id, minimum_quantity, unit_price,"
        " currency, valid_from, valid_until, 0, '1970-01-01 00:00:00.000000' FROM price_rule_before"
    )
    op.execute("DROP TABLE price_rule_before")


def _create_rules() -> None:
    op.create_table(
        "price_rule",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("item_id", Key, nullable=True),
        sa.Column("item_group_id", Key, nullable=True),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("customer_key", sa.BigInteger(), nullable=False),
        sa.Column("customer_group_id", Key, nullable=True),
        sa.Column("channel_id", Key, nullable=True),
        sa.Column("minimum_quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=True),
        sa.Column("discount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("price_list_id", Key, nullable=True),
        sa.Column("saved_by", sa.BigInteger(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("ck_price_rule_kind_known")),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_price_rule_validity")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_price_rule_not_negative")),
        sa.CheckConstraint("discount > 0 AND discount <= 1000000", name=op.f("ck_price_rule_discount_share")),
        sa.CheckConstraint("(unit_price IS NULL) <> (discount IS NULL)", name=op.f("ck_price_rule_price_or_discount")),
        sa.CheckConstraint("(item_id IS NULL) <> (item_group_id IS NULL)", name=op.f("ck_price_rule_item_or_group")),
        sa.CheckConstraint(
            "item_group_id IS NULL OR discount IS NOT NULL", name=op.f("ck_price_rule_groups_by_discount")
        ),
        sa.CheckConstraint("minimum_quantity >= 0", name=op.f("ck_price_rule_some_quantity")),
        sa.CheckConstraint("customer_key = COALESCE(customer_id, 0)", name=op.f("ck_price_rule_customer_key")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_price_rule_channel_id")),
        sa.ForeignKeyConstraint(
            ["customer_group_id"], ["customer_group.id"], name=op.f("fk_price_rule_customer_group_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_price_rule_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_price_rule_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_price_rule_item_id")),
        sa.ForeignKeyConstraint(["item_group_id"], ["item_group.id"], name=op.f("fk_price_rule_item_group_id")),
        sa.ForeignKeyConstraint(["price_list_id"], ["price_list.id"], name=op.f("fk_price_rule_price_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_rule")),
    )
    op.create_index("ix_price_rule_item", "price_rule", ["item_id", "customer_key"], unique=False)
    op.create_index("ix_price_rule_group", "price_rule", ["item_group_id", "customer_key"], unique=False)
    op.create_index("ix_price_rule_customer", "price_rule", ["customer_id"], unique=False)


def downgrade() -> None:
    op.execute("CREATE TABLE price_rule_after AS SELECT * FROM price_rule")
    op.drop_table("price_rule")
    op.create_table(
        "price_rule",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("customer_group_id", Key, nullable=True),
        sa.Column("channel_id", Key, nullable=True),
        sa.Column("minimum_quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_price_rule_not_negative")),
        sa.CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name=op.f("ck_price_rule_validity")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_price_rule_channel_id")),
        sa.ForeignKeyConstraint(
            ["customer_group_id"], ["customer_group.id"], name=op.f("fk_price_rule_customer_group_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_price_rule_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_price_rule_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_price_rule_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_rule")),
    )
    op.create_index("ix_price_rule_item", "price_rule", ["item_id", "valid_from"], unique=False)
    # Discounts and rules that never held have no place in the older table.
    op.execute(
        "INSERT INTO price_rule SELECT id, entity_id, item_id, customer_id, customer_group_id, channel_id, minimum_quantity,"
        " unit_price, currency, valid_from, valid_until FROM price_rule_after WHERE unit_price IS NOT NULL"
        " AND (valid_until IS NULL OR valid_until > valid_from)"
    )
    op.execute("DROP TABLE price_rule_after")
    op.drop_table("price_list")
    op.drop_column("customer", "tier")
