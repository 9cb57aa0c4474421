"""What every step of an order shares: its cell still admits what is under way, and its event names it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.documents import Line, Order
from erpcore.orders.rules import value_of
from erpcore.ports import Cell, CellStates, Process, admit
from erpcore.published import CapturedLine


def admit_order(
    work: UnitOfWork,
    cells: CellStates,
    order: Order,
    *,
    process: Process = Process.ORDER_TO_CASH,
    site: int | None = None,
) -> None:
    """Raise unless the order's cell still admits what is under way, and that of the ``site`` that ships of it."""
    admit_cell(
        work, cells, order.site_id, order.channel_id, order.customer_group, process=process, site=site or order.site_id
    )


def admit_cell(
    work: UnitOfWork,
    cells: CellStates,
    seller: int,
    channel: int,
    group: int | None,
    *,
    site: int,
    process: Process = Process.ORDER_TO_CASH,
) -> None:
    """As ``admit_order``, of orders that are known by their seller, channel and customer group alone."""
    for key in {seller, site}:
        place = site_facts(work, key)
        admit(work, cells, place.entity.realm, Cell(place.live_id, channel, process, group), begins=False)


def captured_line(line: Line, abc: str | None, currency: str, *, less: int = 0) -> CapturedLine:
    """The line as the customer ordered it, and its worth; ``less`` is what the customer has taken back since."""
    quantity = line.quantity - less
    return CapturedLine(
        line=line.id, item=line.item_id, kind=line.kind, quantity=quantity, price=line.unit_price,
        value=value_of(line, quantity, currency), requested=line.requested_on, requested_ship=line.requested_ship_on,
        committed=line.committed_on, basis=line.basis, early=line.early_days, late=line.late_days, abc=abc,
    )  # fmt: skip


def publish_order(work: UnitOfWork, order: Order, event: Any, step: str, at: datetime) -> None:
    """Tell of an order, under the version that this change gives it."""
    work.publish(
        event, order.place(work), step=f"order_to_cash.{step}", subject=("order", order.id, order.version + 1),
        journey=order.id, at=at,
    )  # fmt: skip
