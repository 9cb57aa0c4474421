"""What of a place is held for a task's line."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("warehouse_task_line", sa.Column("hold_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("warehouse_task_line") as batch:
        batch.drop_column("hold_id")
