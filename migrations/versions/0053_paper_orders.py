"""Orders that were entered from paper are found without the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

_PAPER = sa.text("source = 'back-entry'")


def upgrade() -> None:
    op.create_index(
        "ix_sales_order_paper", "sales_order", ["site_id", "captured_at"], unique=False,
        sqlite_where=_PAPER, postgresql_where=_PAPER,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_sales_order_paper", table_name="sales_order")
