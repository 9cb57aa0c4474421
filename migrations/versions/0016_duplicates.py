"""Orders that people and programs enter carry a digest by which the same one again is noticed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ENTERED = sa.text("duplicate_key IS NOT NULL")


def upgrade() -> None:
    op.add_column("sales_order", sa.Column("duplicate_key", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_sales_order_duplicate",
        "sales_order",
        ["duplicate_key"],
        unique=False,
        sqlite_where=_ENTERED,
        postgresql_where=_ENTERED,
    )


def downgrade() -> None:
    op.drop_index(
        "ix_sales_order_duplicate", table_name="sales_order", sqlite_where=_ENTERED, postgresql_where=_ENTERED
    )
    op.drop_column("sales_order", "duplicate_key")
