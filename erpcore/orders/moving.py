"""What every step of an order shares: its cell still admits what is under way, and its event names it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.documents import Order
from erpcore.ports import Cell, CellStates, Process, admit


def admit_order(
    work: UnitOfWork,
    cells: CellStates,
    order: Order,
    *,
    process: Process = Process.ORDER_TO_CASH,
    site: int | None = None,
) -> None:
    """Raise unless the order's cell still admits what is under way, and that of the ``site`` that ships of it."""
    for key in {order.site_id, site or order.site_id}:
        place = site_facts(work, key)
        cell = Cell(place.live_id, order.channel_id, process, order.customer_group)
        admit(work, cells, place.entity.realm, cell, begins=False)


def publish_order(work: UnitOfWork, order: Order, event: Any, step: str, at: datetime) -> None:
    """Tell of an order, under the version that this change gives it."""
    work.publish(
        event, order.place(work), step=f"order_to_cash.{step}", subject=("order", order.id, order.version + 1),
        journey=order.id, at=at,
    )  # fmt: skip
