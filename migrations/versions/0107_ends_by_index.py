"""What a period's end is about is found by indexes: shipments by invoice, and by when they left and arrived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0107"
down_revision = "0106"
branch_labels = None
depends_on = None

_BILLED = sa.text("invoice_id IS NOT NULL")


def upgrade() -> None:
    op.create_index("ix_shipment_invoice", "shipment", ["invoice_id"], sqlite_where=_BILLED, postgresql_where=_BILLED)
    op.create_index("ix_shipment_confirmed", "shipment", ["entity_id", "confirmed_at"])
    op.create_index("ix_shipment_delivered", "shipment", ["entity_id", "delivered_at"])


def downgrade() -> None:
    op.drop_index("ix_shipment_delivered", "shipment")
    op.drop_index("ix_shipment_confirmed", "shipment")
    op.drop_index("ix_shipment_invoice", "shipment")
