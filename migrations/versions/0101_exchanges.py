"""A return knows the order of what the customer gets instead."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key

revision = "0101"
down_revision = "0100"
branch_labels = None
depends_on = None

_ORDER = "fk_return_order_replacement_id"


def upgrade() -> None:
    with op.batch_alter_table("return_order") as head:
        head.add_column(sa.Column("replacement_id", Key, nullable=True))
        head.create_foreign_key(op.f(_ORDER), "sales_order", ["replacement_id"], ["id"])
        head.create_index("ix_return_order_replacement", ["replacement_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("return_order") as head:
        head.drop_index("ix_return_order_replacement")
        head.drop_constraint(op.f(_ORDER), type_="foreignkey")
        head.drop_column("replacement_id")
