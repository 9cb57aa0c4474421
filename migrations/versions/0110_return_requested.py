"""Returns of a company by the days on which they were requested: the report of reasons reads no others."""

from __future__ import annotations

from alembic import op

revision = "0110"
down_revision = "0109"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_return_order_requested", "return_order", ["entity_id", "requested_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_return_order_requested", table_name="return_order")
