"""Goods that were received and not put away are exceptions too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_SUBJECTS = "subject IN ('order', 'shipment', 'bill', 'invoice', 'return', 'expected', 'count', 'adjustment'{})"
_WAITS = sa.text("status = 'received' AND quantity > 0")


def upgrade() -> None:
    _subjects(", 'put_away'")
    op.create_index(
        "ix_stock_bin_received", "stock_bin", ["site_id"], unique=False, sqlite_where=_WAITS, postgresql_where=_WAITS
    )


def downgrade() -> None:
    op.drop_index("ix_stock_bin_received", table_name="stock_bin")
    # What people decided about such goods; the acts stay in the entries.
    op.execute("DELETE FROM exception_case WHERE subject = 'put_away'")
    _subjects("")


def _subjects(more: str) -> None:
    with op.batch_alter_table("exception_case") as table:
        table.drop_constraint(op.f("ck_exception_case_subject_known"), type_="check")
        table.create_check_constraint(op.f("ck_exception_case_subject_known"), _SUBJECTS.format(more))
