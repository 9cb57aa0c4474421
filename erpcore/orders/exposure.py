"""What an order adds to its customer's exposure: counted from its lines whenever it changed, so no step can forget it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from erpcore.credit.services import Part, Party, change_exposures
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.documents import Order
from erpcore.orders.models import OrderState
from erpcore.orders.rules import uninvoiced_value, value_of


def parts_of(order: Order) -> tuple[int, int]:
    """Shipped and not invoiced, whatever the order's state; and what is still to leave, while the order is released.

    The two add up to ``uninvoiced_value`` of the lines, so that rounding cannot tear them apart.
    """
    shipped = released = 0
    for line in order.lines:
        gone = line.shipped - line.invoiced
        out = value_of(line, gone, order.currency) if gone else 0
        shipped += out
        if order.state == OrderState.RELEASED:
            released += uninvoiced_value(line, order.currency) - out
    return shipped, released


def releasable_value(order: Order) -> int:
    """What the order would add to exposure if it were released now."""
    shipped, _ = parts_of(order)
    return sum(uninvoiced_value(line, order.currency) for line in order.lines) - shipped


def remember_exposure(work: UnitOfWork, orders: Iterable[Order]) -> None:
    """Keep what these orders count for as they stand in the database."""
    counted = _counted(work)
    for order in orders:
        counted[order.id] = parts_of(order)


def _counted(work: UnitOfWork) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = work.memo.setdefault("orders_counted", {})
    return found


def count_exposure(work: UnitOfWork) -> None:
    """Hand on by how much the orders in hand count for more or less than at the last time."""
    orders: dict[int, Order] = work.memo.get("orders", {})
    counted = _counted(work)
    shipped: dict[Party, int] = defaultdict(int)
    released: dict[Party, int] = defaultdict(int)
    for order in orders.values():
        before, now = counted.get(order.id, (0, 0)), parts_of(order)
        if before != now:
            counted[order.id] = now
            party = (order.customer_id, order.entity_id)
            shipped[party] += now[0] - before[0]
            released[party] += now[1] - before[1]
    change_exposures(work, shipped, Part.SHIPPED)
    change_exposures(work, released, Part.RELEASED)
