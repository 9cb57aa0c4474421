"""Changes to orders are staged, checked together and applied once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_STAGED = sa.text("state = 'staged'")


def upgrade() -> None:
    op.create_table(
        "order_amendment",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("by_customer", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("order_version", sa.Integer(), nullable=False),
        sa.Column("staged_at", UtcDateTime(), nullable=False),
        sa.Column("staged_by", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('staged', 'applied', 'withdrawn')", name=op.f("ck_order_amendment_state_known")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_order_amendment_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_amendment")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_order_amendment_order_id_number")),
    )
    op.create_index(
        "uq_order_amendment_open",
        "order_amendment",
        ["order_id"],
        unique=True,
        sqlite_where=_STAGED,
        postgresql_where=_STAGED,
    )
    op.create_table(
        "order_amendment_change",
        sa.Column("amendment_id", Key, autoincrement=False, nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("order_line_id", Key, nullable=True),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('add', 'drop', 'quantity', 'date')", name=op.f("ck_order_amendment_change_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["amendment_id"], ["order_amendment.id"], name=op.f("fk_order_amendment_change_amendment_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_order_amendment_change_item_id")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_order_amendment_change_order_line_id")
        ),
        sa.PrimaryKeyConstraint("amendment_id", "no", name=op.f("pk_order_amendment_change")),
    )
    refuse_changes("order_amendment_change")


def downgrade() -> None:
    op.drop_table("order_amendment_change")
    op.drop_index(
        "uq_order_amendment_open", table_name="order_amendment", sqlite_where=_STAGED, postgresql_where=_STAGED
    )
    op.drop_table("order_amendment")
