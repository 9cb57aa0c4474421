"""Differences with customers stand in the exception queues."""

from __future__ import annotations

from alembic import op

revision = "0089"
down_revision = "0088"
branch_labels = None
depends_on = None

_SUBJECTS = (
    "subject IN ('order', 'shipment', 'bill', 'invoice', 'return', 'expected', 'count', 'adjustment', 'put_away'{})"
)


def upgrade() -> None:
    _subjects(", 'dispute'")


def downgrade() -> None:
    # What people decided about them; the acts stay in the entries.
    op.execute("DELETE FROM exception_case WHERE subject = 'dispute'")
    _subjects("")


def _subjects(more: str) -> None:
    with op.batch_alter_table("exception_case") as table:
        table.drop_constraint(op.f("ck_exception_case_subject_known"), type_="check")
        table.create_check_constraint(op.f("ck_exception_case_subject_known"), _SUBJECTS.format(more))
