"""How charges and services leave with an order, which of them a rush costs, and lines that are rush."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_RUSH = sa.text("is_rush")


def upgrade() -> None:
    op.create_table(
        "charge_terms",
        sa.Column("item_id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("leaves", sa.String(length=12), nullable=False),
        sa.Column("is_rush", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "leaves IN ('first_goods', 'last_goods', 'by_itself')", name=op.f("ck_charge_terms_leaves_known")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_charge_terms_entity_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_charge_terms_item_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_charge_terms")),
    )
    op.create_index(
        "uq_charge_terms_rush", "charge_terms", ["entity_id"], unique=True, sqlite_where=_RUSH, postgresql_where=_RUSH
    )
    op.add_column("order_line", sa.Column("is_rush", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("order_line", "is_rush")
    op.drop_index("uq_charge_terms_rush", table_name="charge_terms", sqlite_where=_RUSH, postgresql_where=_RUSH)
    op.drop_table("charge_terms")
