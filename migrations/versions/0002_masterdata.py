"""Master data: entities, sites, channels, customers, items, prices, tax, commitments, rulesets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("code", name=op.f("uq_channel_code")),
    )
    op.create_table(
        "customer_group",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_group")),
        sa.UniqueConstraint("code", name=op.f("uq_customer_group_code")),
    )
    op.create_table(
        "entity",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("realm", sa.String(length=12), nullable=False),
        sa.Column("twin_id", Key, nullable=True),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("time_zone", sa.String(length=48), nullable=False),
        sa.CheckConstraint("realm = 'live' OR twin_id IS NOT NULL", name=op.f("ck_entity_twin_named")),
        sa.CheckConstraint("realm IN ('live', 'rehearsal', 'training', 'legacy')", name=op.f("ck_entity_realm_known")),
        sa.ForeignKeyConstraint(["twin_id"], ["entity.id"], name=op.f("fk_entity_twin_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity")),
        sa.UniqueConstraint("code", name=op.f("uq_entity_code")),
    )
    op.create_table(
        "item_group",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_group")),
        sa.UniqueConstraint("code", name=op.f("uq_item_group_code")),
    )
    op.create_table(
        "ruleset",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("catalogue_version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("variants", sa.String(length=200), nullable=False),
        sa.Column("first_used_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_ruleset")),
    )
    op.create_table(
        "customer",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("group_id", Key, nullable=True),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("tax_class", sa.String(length=24), nullable=False),
        sa.Column("payment_days", sa.SmallInteger(), nullable=False),
        sa.Column("credit_limit_minor", sa.BigInteger(), nullable=True),
        sa.Column("is_blocked", sa.Boolean(), nullable=False),
        sa.Column("is_unknown", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_customer_entity_id")),
        sa.ForeignKeyConstraint(["group_id"], ["customer_group.id"], name=op.f("fk_customer_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("entity_id", "code", name=op.f("uq_customer_entity_id_code")),
    )
    op.create_index(op.f("ix_customer_entity_id"), "customer", ["entity_id"], unique=False)
    op.create_table(
        "item",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("group_id", Key, nullable=True),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("unit", sa.String(length=12), nullable=False),
        sa.Column("quantity_places", sa.SmallInteger(), nullable=False),
        sa.Column("standard_cost", sa.BigInteger(), nullable=True),
        sa.Column("tax_class", sa.String(length=24), nullable=False),
        sa.Column("abc", sa.String(length=1), nullable=True),
        sa.Column("replenishment_days", sa.SmallInteger(), nullable=False),
        sa.Column("is_blocked", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('stock', 'service', 'charge')", name=op.f("ck_item_kind_known")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_item_entity_id")),
        sa.ForeignKeyConstraint(["group_id"], ["item_group.id"], name=op.f("fk_item_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("entity_id", "code", name=op.f("uq_item_entity_id_code")),
    )
    op.create_index(op.f("ix_item_entity_id"), "item", ["entity_id"], unique=False)
    op.create_table(
        "site",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("twin_id", Key, nullable=True),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=True),
        sa.Column("time_zone", sa.String(length=48), nullable=False),
        sa.Column("opens_at", sa.Time(), nullable=False),
        sa.Column("closes_at", sa.Time(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('distribution_centre', 'branch', 'store', 'third_party', 'drop_ship')",
            name=op.f("ck_site_kind_known"),
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_site_entity_id")),
        sa.ForeignKeyConstraint(["twin_id"], ["site.id"], name=op.f("fk_site_twin_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("entity_id", "code", name=op.f("uq_site_entity_id_code")),
    )
    op.create_index(op.f("ix_site_entity_id"), "site", ["entity_id"], unique=False)
    op.create_index(op.f("ix_site_twin_id"), "site", ["twin_id"], unique=False)
    op.create_table(
        "tax_rate",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("customer_tax_class", sa.String(length=24), nullable=False),
        sa.Column("item_tax_class", sa.String(length=24), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_tax_rate_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rate")),
    )
    op.create_index("ix_tax_rate_lookup", "tax_rate", ["entity_id", "country"], unique=False)
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
    op.create_table(
        "service_commitment",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("customer_group_id", Key, nullable=True),
        sa.Column("basis", sa.String(length=8), nullable=False),
        sa.Column("lead_days", sa.SmallInteger(), nullable=False),
        sa.Column("transit_days", sa.SmallInteger(), nullable=False),
        sa.Column("cut_off", sa.Time(), nullable=True),
        sa.Column("early_days", sa.SmallInteger(), nullable=False),
        sa.Column("late_days", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("basis IN ('ship', 'delivery')", name=op.f("ck_service_commitment_basis_known")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_service_commitment_channel_id")),
        sa.ForeignKeyConstraint(
            ["customer_group_id"], ["customer_group.id"], name=op.f("fk_service_commitment_customer_group_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_service_commitment_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_commitment")),
    )
    op.create_index(
        "ix_service_commitment_cell", "service_commitment", ["site_id", "channel_id", "valid_from"], unique=False
    )
    refuse_changes("ruleset")


def downgrade() -> None:
    op.drop_index("ix_service_commitment_cell", table_name="service_commitment")
    op.drop_table("service_commitment")
    op.drop_index("ix_price_rule_item", table_name="price_rule")
    op.drop_table("price_rule")
    op.drop_index("ix_tax_rate_lookup", table_name="tax_rate")
    op.drop_table("tax_rate")
    op.drop_index(op.f("ix_site_twin_id"), table_name="site")
    op.drop_index(op.f("ix_site_entity_id"), table_name="site")
    op.drop_table("site")
    op.drop_index(op.f("ix_item_entity_id"), table_name="item")
    op.drop_table("item")
    op.drop_index(op.f("ix_customer_entity_id"), table_name="customer")
    op.drop_table("customer")
    op.drop_table("ruleset")
    op.drop_table("item_group")
    op.drop_table("entity")
    op.drop_table("customer_group")
    op.drop_table("channel")
