"""When is an order line short? When it was allocated, nothing is kept for part of it, and its order goes on.

The order board, the exceptions, the list of short lines and that of short items all ask here. A line that nobody has tried to
allocate yet lacks nothing so far, and one that waits for what another order might leave free is short until it is allocated.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists

from erpcore.orders.models import OrderLine, OrderState, SalesOrder

#: Of own stock: what a supplier sends is not allocated.
HAS_STOCK = OrderLine.kind.in_(("stock", "free"))

#: What of a line nothing is kept for, as ``Line.unallocated`` says it.
LACKS = (
    OrderLine.quantity + OrderLine.extra - OrderLine.shipped - OrderLine.cancelled - OrderLine.allocated - OrderLine.picked
)  # fmt: skip


def is_short() -> ColumnElement[bool]:
    """Whether a line is short, of an order in the same statement."""
    return and_(
        HAS_STOCK, OrderLine.backordered_at.is_not(None), LACKS > 0, SalesOrder.state == OrderState.RELEASED.value
    )


def has_short_line() -> ColumnElement[bool]:
    """Whether any line of the order is short."""
    return exists().where(OrderLine.order_id == SalesOrder.id, is_short()).correlate(SalesOrder)
