"""How do people call the orders that stock is promised to? The core's stock knows their lines only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from erpcore.kernel.work import UnitOfWork
from erpcore.orders.models import OrderLine, SalesOrder


def order_names(work: UnitOfWork, lines: Sequence[int]) -> list[str]:
    """The numbers of the orders of these lines, in their order."""
    rows = work.session.execute(
        select(OrderLine.id, SalesOrder.number)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .where(OrderLine.id.in_(list(lines)))
    )
    found = {row.id: row.number for row in rows}
    return [found[line] for line in lines if line in found]
