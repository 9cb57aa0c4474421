"""Which step does an open order wait for? One of them, or none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, case, exists

from app.queries.short import HAS_STOCK, LACKS, has_short_line
from erpcore.fulfilment.models import Shipment
from erpcore.orders.models import OrderLine, SalesOrder

#: The columns from left to right.
STEPS = ("captured", "held", "to_allocate", "short", "to_pick", "picked", "with_supplier", "to_invoice")
#: The steps as people call them.
STEP_WORDS = {
    "captured": "Captured", "held": "Held", "to_allocate": "To allocate", "short": "Short of stock", "to_pick": "Ready to pick", "picked": "Picking",
    "with_supplier": "With the supplier", "to_invoice": "Shipped, not invoiced",
}  # fmt: skip


def step_of_order() -> Any:
    """The step that an open order waits for, as a column of SQL; ``NULL`` for one that waits for nothing here."""
    line = and_(OrderLine.order_id == SalesOrder.id, OrderLine.shipped + OrderLine.cancelled < OrderLine.quantity)
    picked = exists().where(Shipment.order_id == SalesOrder.id, Shipment.state == "picked").correlate(SalesOrder)
    lacks = exists().where(line, HAS_STOCK, LACKS > 0).correlate(SalesOrder)
    open_ = exists().where(line).correlate(SalesOrder)
    ours = exists().where(line, HAS_STOCK).correlate(SalesOrder)
    direct = exists().where(line, OrderLine.kind == "drop_ship").correlate(SalesOrder)
    unbilled = (
        exists()
        .where(Shipment.order_id == SalesOrder.id, Shipment.confirmed_at.is_not(None), Shipment.invoice_id.is_(None))
        .correlate(SalesOrder)
    )
    return case(
        (SalesOrder.state == "captured", "captured"), (SalesOrder.state == "held", "held"), (picked, "picked"),
        (has_short_line(), "short"), (lacks, "to_allocate"), (ours, "to_pick"), (direct, "with_supplier"), (open_, "to_pick"),
        (unbilled, "to_invoice"),
    )  # fmt: skip
