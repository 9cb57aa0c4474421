"""A line may be sent instead of another one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("order_line", sa.Column("replaces_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("order_line", "replaces_id")
