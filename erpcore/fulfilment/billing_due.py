"""When is a shipment to be billed, and with what else? By its order's policy: on its own as it leaves or arrives, with the whole order,
or with all that the customer got in a period.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from erpcore.fulfilment.models import Shipment
from erpcore.fulfilment.records import ShipmentRow, lock_shipments, orders_of, save_shipments
from erpcore.kernel.clock import day_start, local_day
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.documents import Line, Order
from erpcore.orders.records import lines_by_id, lock_orders
from erpcore.orders.rules import value_of
from erpcore.ports import ProcessRules
from erpcore.published import InvoiceTriggered

LEAVES, WHOLE, ARRIVES, PERIODIC = "shipment_confirmed", "order_complete", "delivered", "periodic"
_WEEK = 7


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


#: The first day after the period in which a day lies, by the calendar: weeks begin on Monday.
_NEXT: dict[str, Callable[[date], date]] = {
    "day": lambda day: day + timedelta(days=1),
    "week": lambda day: day + timedelta(days=_WEEK - day.weekday()),
    "month": _next_month,
}


def period_end(day: date, period: str) -> date:
    """The first day that is no longer in the period of ``day``: of a day, a week or a month."""
    return _NEXT[period](day)


def left(
    work: UnitOfWork, order: Order, shipment: ShipmentRow, by_line: Mapping[int, Line], rules: ProcessRules
) -> None:
    """The goods have left: their invoice is due now, or what it waits for is written down. The caller saves the shipment."""
    values = rules.stored(work, order.ruleset)
    policy, at = values["invoice_trigger"], shipment.confirmed_at or work.now
    if policy == LEAVES:
        fall_due(work, order, shipment, by_line, LEAVES, at)
    elif policy == WHOLE:
        shipment.bill_with = f"order {order.id}"
    elif policy == PERIODIC:
        place = order.place(work)
        last = period_end(local_day(at, place.time_zone), values["invoice_period"])
        shipment.bill_after = day_start(last, place.time_zone)
        # What one invoice can hold: one customer, place, channel and currency.
        of = f"{order.entity_id} {order.site_id} {order.channel_id} {order.customer_id} {order.currency}"
        shipment.bill_with = f"period {last:%Y-%m-%d} {of}"


def whole_orders_left(work: UnitOfWork, orders: Iterable[Order], leaving: Sequence[ShipmentRow]) -> None:
    """What of these orders waited for the rest of its order falls due with the last of it. They must be locked.

    The caller saves what is ``leaving``; what left earlier is saved here.
    """
    done = {order.id: order for order in orders if _is_complete(order)}
    waiting = {one.bill_with for one in leaving if one.order_id in done and one.bill_with == f"order {one.order_id}"}
    if not waiting:
        return
    ids = {row.id for row in read_rows(work, Shipment, ("id",), "bill_with", waiting)}
    ids |= {one.id for one in leaving if one.bill_with in waiting}
    due = [one for one in lock_shipments(work, ids) if one.invoice_due_at is None and one.invoice_id is None]
    _fall_due(work, done, due, max((one.confirmed_at for one in leaving if one.confirmed_at), default=work.now))
    now_leaving = {one.id for one in leaving}
    save_shipments(work, [one for one in due if one.id not in now_leaving])


def trigger_shipments(work: UnitOfWork, shipment_ids: Iterable[int]) -> list[ShipmentRow]:
    """Those of these shipments whose wait is over fall due: their period has ended, or nothing of their order is still to leave.

    The others, and those that are due or billed already, stay as they are. Returns those that fell due.
    """
    wanted = list(shipment_ids)
    orders = {order.id: order for order in lock_orders(work, orders_of(work, wanted))}
    due = []
    for shipment in lock_shipments(work, wanted):
        work.actor.require("billing:invoice:draft", site=shipment.site_id)
        if shipment.invoice_due_at is None and shipment.invoice_id is None and shipment.bill_with is not None:
            ended = shipment.bill_after is not None and shipment.bill_after <= work.now
            if ended or (shipment.bill_after is None and _is_complete(orders[shipment.order_id])):
                due.append(shipment)
    _fall_due(work, orders, due, work.now)
    save_shipments(work, due)
    return due


def fall_due(
    work: UnitOfWork, order: Order, shipment: ShipmentRow, by_line: Mapping[int, Line], policy: str, at: datetime
) -> None:
    """The invoice of a shipment is due since then. The caller saves the shipment."""
    shipment.invoice_due_at = at
    value = sum(value_of(by_line[line], quantity, order.currency) for line, quantity in shipment.lines)
    work.publish(
        InvoiceTriggered(policy=policy, shipment=shipment.id, value=value), order.place(work),
        step="order_to_cash.invoice", subject=("shipment", shipment.id, shipment.version + 1), journey=order.id, at=at,
    )  # fmt: skip


def _fall_due(
    work: UnitOfWork, orders: Mapping[int, Order], shipments: Iterable[ShipmentRow], complete_at: datetime
) -> None:
    by_line = lines_by_id(orders.values())
    for shipment in shipments:
        policy = WHOLE if shipment.bill_after is None else PERIODIC
        at = shipment.bill_after or complete_at
        fall_due(work, orders[shipment.order_id], shipment, by_line, policy, at)


def _is_complete(order: Order) -> bool:
    """Nothing is still to leave: every line is shipped or cancelled, and nothing lies picked."""
    return all(line.open <= 0 and line.picked == 0 for line in order.lines)
