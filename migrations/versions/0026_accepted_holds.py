"""A hold that is let go covers what the order was then; staged changes keep what they would have done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("order_hold") as table:
        table.add_column(sa.Column("covers", sa.Text(), nullable=True))
    # What was let go before covers the order as it stands now.
    op.execute(
        """UPDATE order_hold SET covers = (
               SELECT '{"worth":' || CAST(o.value_minor AS TEXT) || '}' FROM sales_order o WHERE o.id = order_hold.order_id
           ) WHERE released_at IS NOT NULL AND NOT is_cured"""
    )
    with op.batch_alter_table("order_amendment") as table:
        table.add_column(sa.Column("foreseen", sa.Text(), server_default="{}", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("order_amendment") as table:
        table.drop_column("foreseen")
    with op.batch_alter_table("order_hold") as table:
        table.drop_column("covers")
