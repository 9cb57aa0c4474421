"""Adjustments of stock that is not available, and of what was lost on its way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_LINE = "fk_stock_adjustment_transfer_line_id"
_STATUS = "ck_stock_adjustment_status_known"


def upgrade() -> None:
    with op.batch_alter_table("stock_adjustment") as batch:
        batch.add_column(sa.Column("status", sa.String(length=12), server_default="available", nullable=False))
        batch.add_column(sa.Column("transfer_line_id", Key, nullable=True))
        batch.create_foreign_key(op.f(_LINE), "stock_transfer_line", ["transfer_line_id"], ["id"])
        batch.create_check_constraint(
            op.f(_STATUS), "status IN ('available', 'received', 'quarantine', 'damaged', 'in_transit')"
        )


def downgrade() -> None:
    with op.batch_alter_table("stock_adjustment") as batch:
        batch.drop_constraint(op.f(_STATUS), type_="check")
        batch.drop_constraint(op.f(_LINE), type_="foreignkey")
        batch.drop_column("transfer_line_id")
        batch.drop_column("status")
