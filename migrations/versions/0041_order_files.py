"""Files of orders: what stood in them, and what became of each order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_file",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("entered", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", UtcDateTime(), nullable=False),
        sa.Column("looked_at", UtcDateTime(), nullable=False),
        sa.Column("entered_by", sa.BigInteger(), nullable=True),
        sa.Column("entered_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(entered_by IS NULL) = (entered_at IS NULL)", name=op.f("ck_order_file_entered_by_somebody")
        ),
        sa.CheckConstraint("entered + refused <= orders", name=op.f("ck_order_file_orders_add_up")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_order_file_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_file")),
        sa.UniqueConstraint("entity_id", "content_hash", name=op.f("uq_order_file_entity_id_content_hash")),
    )
    op.create_index("ix_order_file_uploaded_by", "order_file", ["uploaded_by"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_order_file_uploaded_by", table_name="order_file")
    op.drop_table("order_file")
