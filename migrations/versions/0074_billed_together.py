"""What goes on one invoice: shipments of a whole order, or of a customer's period."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import UtcDateTime

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None

_WITH = sa.text("bill_with IS NOT NULL")
_NOT_DUE = sa.text("invoice_id IS NULL AND invoice_due_at IS NULL AND state <> 'picked'")


def upgrade() -> None:
    op.add_column("shipment", sa.Column("bill_with", sa.String(length=96), nullable=True))
    op.add_column("shipment", sa.Column("bill_after", UtcDateTime(), nullable=True))
    op.add_column("invoice", sa.Column("bill_with", sa.String(length=96), nullable=True))
    op.create_index(
        "ix_shipment_bill_with", "shipment", ["bill_with"], unique=False, sqlite_where=_WITH, postgresql_where=_WITH
    )
    op.create_index(
        "ix_shipment_not_due", "shipment", ["entity_id", "id"], unique=False, sqlite_where=_NOT_DUE,
        postgresql_where=_NOT_DUE,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_shipment_not_due", table_name="shipment")
    op.drop_index("ix_shipment_bill_with", table_name="shipment")
    # Not by a rebuilt table: triggers of other tables read this one.
    op.drop_column("invoice", "bill_with")
    op.drop_column("shipment", "bill_after")
    op.drop_column("shipment", "bill_with")
