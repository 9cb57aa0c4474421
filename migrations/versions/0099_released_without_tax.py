"""Invoices that were released without a known tax wait again: they are released under a tax rule, or once there is one that fits."""

from __future__ import annotations

from alembic import op

revision = "0099"
down_revision = "0098"
branch_labels = None
depends_on = None

_UNTAXED = """
UPDATE invoice SET state = 'blocked', version = version + 1, block_reason = COALESCE(block_reason, 'its tax is unknown')
WHERE state = 'draft' AND EXISTS (
    SELECT 1 FROM invoice_line WHERE invoice_line.invoice_id = invoice.id AND invoice_line.tax_rate IS NULL
)
"""


def upgrade() -> None:
    op.execute(_UNTAXED)


def downgrade() -> None:
    """What waits, waits: before, it could be released as well."""
