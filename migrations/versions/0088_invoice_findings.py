"""What is doubtful about an invoice is kept with it; the latest of a customer are found without reading the others.

Revision ID: 0088
Revises: 0086
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoice", sa.Column("findings", sa.Text(), nullable=True))
    op.drop_index("ix_invoice_customer", table_name="invoice")
    op.create_index("ix_invoice_customer", "invoice", ["customer_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_invoice_customer", table_name="invoice")
    op.create_index("ix_invoice_customer", "invoice", ["customer_id"])
    op.drop_column("invoice", "findings")
