"""Customers have addresses; orders, lines and shipments name the one that goods go to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key
from migrations.ddl import refuse_changes

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_PRESENT = sa.text("followed_by IS NULL")
_USUAL = sa.text("is_default AND followed_by IS NULL")
_HOLDERS = ("sales_order", "order_line", "shipment")


def upgrade() -> None:
    op.create_table(
        "customer_address",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("street", sa.String(length=120), nullable=False),
        sa.Column("postal_code", sa.String(length=16), nullable=False),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=True),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("gln", sa.String(length=13), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("needs_export_check", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("followed_by", Key, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_customer_address_validity")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_customer_address_customer_id")),
        sa.ForeignKeyConstraint(["followed_by"], ["customer_address.id"], name=op.f("fk_customer_address_followed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_address")),
    )
    op.create_index("ix_customer_address_customer", "customer_address", ["customer_id", "code"])
    op.create_index(
        "uq_customer_address_code", "customer_address", ["customer_id", "code"], unique=True, sqlite_where=_PRESENT,
        postgresql_where=_PRESENT,
    )  # fmt: skip
    op.create_index(
        "uq_customer_address_default", "customer_address", ["customer_id"], unique=True, sqlite_where=_USUAL,
        postgresql_where=_USUAL,
    )  # fmt: skip
    for name in _HOLDERS:
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("ship_to_id", Key, nullable=True))
            table.create_foreign_key(op.f(f"fk_{name}_ship_to_id"), "customer_address", ["ship_to_id"], ["id"])
    with op.batch_alter_table("order_amendment_change") as table:
        table.drop_constraint(op.f("ck_order_amendment_change_kind_known"), type_="check")
        table.create_check_constraint(
            op.f("ck_order_amendment_change_kind_known"), "kind IN ('add', 'drop', 'quantity', 'date', 'address')"
        )
    _history_again()


def _history_again() -> None:
    """SQLite rebuilds the table without the triggers that refuse changes."""
    if op.get_bind().dialect.name == "sqlite":
        refuse_changes("order_amendment_change")


def downgrade() -> None:
    with op.batch_alter_table("order_amendment_change") as table:
        table.drop_constraint(op.f("ck_order_amendment_change_kind_known"), type_="check")
        table.create_check_constraint(
            op.f("ck_order_amendment_change_kind_known"), "kind IN ('add', 'drop', 'quantity', 'date')"
        )
    _history_again()
    for name in reversed(_HOLDERS):
        with op.batch_alter_table(name) as table:
            table.drop_constraint(op.f(f"fk_{name}_ship_to_id"), type_="foreignkey")
            table.drop_column("ship_to_id")
    op.drop_table("customer_address")
