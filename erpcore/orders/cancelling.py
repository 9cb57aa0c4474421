"""Ending orders: cancelling what is still open, closing what is shipped, invoiced and paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from erpcore.inventory.services import free_reservations
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.charges import charge_leaves
from erpcore.masterdata.models import ChargeLeaves
from erpcore.masterdata.units import require_countable
from erpcore.orders.documents import Line, Order
from erpcore.orders.flow import ORDER
from erpcore.orders.models import OrderState, Progress
from erpcore.orders.moving import publish_order
from erpcore.orders.records import lock_orders, save_orders
from erpcore.published import LineQuantity, OrderCancelled, OrderClosed


@dataclass(frozen=True, kw_only=True)
class CancelLines:
    """Cancel what is still open: ``lines`` maps line ids to thousandths of the unit; ``None`` means everything open."""

    order: int
    reason: str
    by_customer: bool
    lines: Mapping[int, int] | None = None
    seen_version: int | None = None


def cancel_lines(work: UnitOfWork, commands: Sequence[CancelLines], *, by_rule: bool = False) -> list[Order]:
    """Cancel what is still open of orders; reserved stock is freed, exposure goes down, an order with nothing left ends.

    ``by_rule``: a rule of the order decided it, whoever's step it came with.
    """
    seen = {c.order: c.seen_version for c in commands if c.seen_version is not None}
    orders = {order.id: order for order in lock_orders(work, [c.order for c in commands], seen=seen)}
    changed: list[Line] = []
    for command in commands:
        order = orders[command.order]
        if not by_rule:
            work.actor.require("orders:order:cancel", site=order.site_id)
        was = order.state
        target = ORDER.target("cancel", was, reason=command.reason)
        gone = _cancellable(order, command)
        if command.lines is not None and not by_rule:
            require_countable(work, [(line.item_id, quantity) for line, quantity in gone], field="lines")
        gone += _for_nothing(work, order, {line.id: quantity for line, quantity in gone})
        freed = free_reservations(
            work, {line.id: min(line.allocated, max(0, q - line.unallocated)) for line, q in gone if line.has_stock}
        )
        for line, quantity in gone:
            line.allocated -= freed.get(line.id, 0)
            line.cancelled += quantity
            changed.append(line)
        quantities = [LineQuantity(line=line.id, quantity=q) for line, q in gone]
        facts = {"by_customer": command.by_customer, "lines": {str(line.id): q for line, q in gone}}
        move = "cancel_lines"
        if all(line.cancelled == line.quantity for line in order.lines):
            order.state, move = target, "cancel"
        record_move(work, "order", order.id, move, was, order.state, reason=command.reason, facts=facts)
        event = OrderCancelled(by_customer=command.by_customer, reason=command.reason, lines=quantities)
        publish_order(work, order, event, "capture", work.now)
    save_orders(work, list(orders.values()), changed)
    for order in orders.values():
        close_if_done(work, order)
    return list(orders.values())


def _cancellable(order: Order, command: CancelLines) -> list[tuple[Line, int]]:
    out = []
    asked = command.lines if command.lines is not None else {line.id: line.open - line.picked for line in order.lines}
    for line in order.lines:
        quantity = asked.get(line.id, 0)
        if quantity < 0 or quantity > line.open - line.picked:
            raise RuleBroken("cancel_too_much", field="lines", line=line.line_no, document=order.number)
        if quantity:
            out.append((line, quantity))
    if not out:
        raise RuleBroken("nothing_to_cancel", document=order.number)
    return out


def _for_nothing(work: UnitOfWork, order: Order, gone: Mapping[int, int]) -> list[tuple[Line, int]]:
    """Charges and services that were to go with goods of which none has left nor ever will."""
    goods = [line for line in order.lines if line.is_goods]
    rest = [line for line in order.lines if not line.is_goods and line.open > line.picked and line.id not in gone]
    if not goods or not rest or any(line.shipped or line.picked or line.open > gone.get(line.id, 0) for line in goods):
        return []
    leaves = charge_leaves(work, {line.item_id for line in rest})
    return [(line, line.open - line.picked) for line in rest if leaves[line.item_id] != ChargeLeaves.BY_ITSELF]


def close_if_done(work: UnitOfWork, order: Order, *, at: datetime | None = None) -> bool:
    """Close an order that is shipped, invoiced and paid in full. True when it was closed now."""
    done = (
        order.state == OrderState.RELEASED
        and order.delivery_status == Progress.DONE
        and order.billing_status == Progress.DONE
        and order.payment_status == Progress.DONE
    )
    if not done:
        return False
    was = order.state
    order.state = ORDER.target("close", was)
    record_move(work, "order", order.id, "close", was, order.state, at=at)
    publish_order(work, order, OrderClosed(), "cash", at or work.now)
    save_orders(work, [order])
    return True
