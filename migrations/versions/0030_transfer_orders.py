"""Transfer orders: what one site asks another for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transfer_order",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("from_site_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("wanted_on", sa.Date(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("promise_reason", sa.String(length=48), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'shipped', 'rejected', 'cancelled')",
            name=op.f("ck_transfer_order_state_known"),
        ),
        sa.CheckConstraint("from_site_id <> site_id", name=op.f("ck_transfer_order_two_sites")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_transfer_order_entity_id")),
        sa.ForeignKeyConstraint(["from_site_id"], ["site.id"], name=op.f("fk_transfer_order_from_site_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_transfer_order_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_order")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_transfer_order_entity_id_number")),
    )
    op.create_index("ix_transfer_order_from", "transfer_order", ["from_site_id", "requested_at"], unique=False)
    op.create_index(
        "ix_transfer_order_open",
        "transfer_order",
        ["from_site_id", "state"],
        unique=False,
        sqlite_where=sa.text("state IN ('requested', 'approved')"),
        postgresql_where=sa.text("state IN ('requested', 'approved')"),
    )
    op.create_index("ix_transfer_order_site", "transfer_order", ["site_id", "requested_at"], unique=False)
    op.create_table(
        "transfer_order_line",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("line_no", sa.SmallInteger(), nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("shipped", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND reserved >= 0 AND shipped >= 0 AND cancelled >= 0",
            name=op.f("ck_transfer_order_line_not_negative"),
        ),
        sa.CheckConstraint("shipped + cancelled + reserved <= quantity", name=op.f("ck_transfer_order_line_adds_up")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_transfer_order_line_item_id")),
        sa.ForeignKeyConstraint(["order_id"], ["transfer_order.id"], name=op.f("fk_transfer_order_line_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_order_line")),
        sa.UniqueConstraint("order_id", "line_no", name=op.f("uq_transfer_order_line_order_id_line_no")),
    )
    op.create_index("ix_transfer_order_line_item", "transfer_order_line", ["item_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_transfer_order_line_item", table_name="transfer_order_line")
    op.drop_table("transfer_order_line")
    op.drop_index("ix_transfer_order_site", table_name="transfer_order")
    op.drop_index(
        "ix_transfer_order_open",
        table_name="transfer_order",
        sqlite_where=sa.text("state IN ('requested', 'approved')"),
        postgresql_where=sa.text("state IN ('requested', 'approved')"),
    )
    op.drop_index("ix_transfer_order_from", table_name="transfer_order")
    op.drop_table("transfer_order")
