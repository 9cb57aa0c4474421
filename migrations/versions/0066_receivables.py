"""What was applied after a day is found by its time, so that receivables of a past day need not read all applications."""

from __future__ import annotations

from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_receipt_application_applied", "receipt_application", ["applied_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_receipt_application_applied", table_name="receipt_application")
