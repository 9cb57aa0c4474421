"""Lines that are split off from others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.ddl import refuse_changes

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('add', 'drop', 'quantity', 'date', 'address'{})"


def upgrade() -> None:
    op.add_column("order_line", sa.Column("split_from_id", sa.BigInteger(), nullable=True))
    _kinds(", 'split'")


def downgrade() -> None:
    _kinds("")
    op.drop_column("order_line", "split_from_id")


def _kinds(more: str) -> None:
    with op.batch_alter_table("order_amendment_change") as table:
        table.drop_constraint(op.f("ck_order_amendment_change_kind_known"), type_="check")
        table.create_check_constraint(op.f("ck_order_amendment_change_kind_known"), _KINDS.format(more))
    # SQLite rebuilds the table without the triggers that refuse changes.
    if op.get_bind().dialect.name == "sqlite":
        refuse_changes("order_amendment_change")
