"""The site that ships an order line."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("order_line", sa.Column("site_id", Key, nullable=True))
    op.execute(
        "UPDATE order_line SET site_id = (SELECT site_id FROM sales_order WHERE sales_order.id = order_line.order_id)"
    )
    with op.batch_alter_table("order_line") as batch:
        batch.alter_column("site_id", existing_type=Key, nullable=False)
        batch.create_foreign_key(op.f("fk_order_line_site_id"), "site", ["site_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("order_line") as batch:
        batch.drop_constraint(op.f("fk_order_line_site_id"), type_="foreignkey")
        batch.drop_column("site_id")
