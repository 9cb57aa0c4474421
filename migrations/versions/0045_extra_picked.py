"""What picks of a task took beyond what its orders want."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Quantity

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_TABLE, _NAME = "warehouse_task_line", "ck_warehouse_task_line_extra_beyond_all"


def upgrade() -> None:
    with op.batch_alter_table(_TABLE) as table:
        table.add_column(sa.Column("extra", Quantity, server_default=sa.text("0"), nullable=False))
        table.create_check_constraint(op.f(_NAME), "extra = 0 OR (extra > 0 AND picked = quantity)")


def downgrade() -> None:
    with op.batch_alter_table(_TABLE) as table:
        table.drop_constraint(op.f(_NAME), type_="check")
        table.drop_column("extra")
