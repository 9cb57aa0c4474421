"""Drop-ship: a customer's line raises a purchase order, the supplier sends the goods, and what it sent is our shipment.

The goods never are our stock: nothing moves. When they leave the supplier's works they are ours and the customer's in one
instant, so their price goes straight from *goods received, not invoiced* to cost of sales.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from erpcore.fulfilment.records import ShipmentRow
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import ItemFacts, items, site_facts
from erpcore.masterdata.suppliers import offers
from erpcore.masterdata.units import in_own_unit
from erpcore.orders.direct_promise import direct_offer, promise_direct
from erpcore.orders.documents import Order
from erpcore.orders.models import LineKind, OrderState
from erpcore.orders.moving import publish_order
from erpcore.orders.records import lock_orders, save_orders
from erpcore.orders.releasing import cure_orders, release_orders
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import LinePromise, OrderRepromised
from erpcore.purchasing.flow import PURCHASE
from erpcore.purchasing.models import PurchaseOrder
from erpcore.purchasing.receiving import note_received
from erpcore.purchasing.records import Purchase, PurchaseLineRow, last_due, lock_purchases, on_order, save_purchases
from erpcore.purchasing.services import (
    PLACE,
    ConfirmPurchase,
    PlacePurchase,
    WantedLine,
    confirm_purchases,
    place_purchases,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShipDirect:
    """What a supplier says it has sent to the customer: ``lines`` by the purchase order's lines, ``None`` all that is open.

    ``paper``: the number of its delivery note.
    """

    purchase: int
    paper: str
    lines: Mapping[int, Decimal] | None = None
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRest:
    """Order once more what a direct purchase order falls short of for its customer. ``supplier``: another than the usual one."""

    purchase: int
    supplier: int | None = None
    seen_version: int | None = None


def release_with_purchases(
    work: UnitOfWork,
    order_ids: Iterable[int],
    *,
    rules: ProcessRules,
    cells: CellStates,
    seen: dict[int, int] | None = None,
    at: Mapping[int, datetime] | None = None,
) -> list[Order]:
    """Release orders, and order from suppliers what they send straight to the customers of those that are released."""
    orders = release_orders(work, order_ids, rules=rules, cells=cells, seen=seen, at=at)
    order_direct(work, orders, rules=rules, cells=cells)
    return orders


def cure_with_purchases(
    work: UnitOfWork, order_ids: Iterable[int], *, rules: ProcessRules, cells: CellStates
) -> list[Order]:
    """As ``cure_orders``, and order from suppliers for those that nothing holds any more."""
    orders = cure_orders(work, order_ids, rules=rules, cells=cells)
    order_direct(work, orders, rules=rules, cells=cells)
    return orders


def order_direct(
    work: UnitOfWork,
    orders: Sequence[Order],
    *,
    rules: ProcessRules,
    cells: CellStates,
    only_lines: Collection[int] | None = None,
    supplier: int | None = None,
) -> list[Purchase]:
    """Order what drop-ship lines of these locked, released orders still need, one purchase order per order and supplier.

    A line whose item no supplier (or not the ``supplier`` named) sends straight stays as it is: somebody records by hand what
    was sent.
    """
    lines = [
        (order, line)
        for order in orders
        if order.state == OrderState.RELEASED
        for line in order.lines
        if line.kind == LineKind.DROP_SHIP and line.open > line.picked and (only_lines is None or line.id in only_lines)
    ]
    if not lines or work.is_stated:
        return []
    known = offers(work, {line.item_id for _, line in lines})
    ordered = on_order(work, [line.id for _, line in lines])
    wanted: dict[tuple[int, int, int], list[WantedLine]] = defaultdict(list)
    by_id = {order.id: order for order in orders}
    for order, line in lines:
        left = line.open - line.picked - ordered.get(line.id, 0)
        asked_of = [one for one in known.get(line.item_id, ()) if supplier in (None, one.supplier.id)]
        offer = direct_offer(asked_of, line)
        if left <= 0 or offer is None:
            continue
        today = local_day(work.now, site_facts(work, line.site_id).time_zone)
        day = max(today + timedelta(days=offer.lead_days), line.requested_ship_on)
        quantity = Decimal(left).scaleb(-QUANTITY_PLACES)
        wanted[order.id, line.site_id, offer.supplier.id].append(
            WantedLine(item=line.item_id, quantity=quantity, wanted_on=day, order_line=line.id)
        )
    commands = [
        PlacePurchase(
            site=site, supplier=supplier, lines=asked, direct_order=order, note=f"for {by_id[order].number}",
            place=by_id[order].place(work)._replace(site=site),
        )
        for (order, site, supplier), asked in sorted(wanted.items())
    ]  # fmt: skip
    return place_purchases(work, commands, rules=rules, cells=cells) if commands else []


def order_rest(work: UnitOfWork, command: OrderRest, *, rules: ProcessRules, cells: CellStates) -> list[Purchase]:
    """A buyer orders again what a supplier sends less of, or did not send, than the customer still wants.

    It is a person's decision: who confirmed less once would be asked the same without end. The customer is promised the day of
    the last part. Raises ``RuleBroken("direct_rest_none")`` when nothing is left to order, or nobody sends it straight.
    """
    heads = read_rows(work, PurchaseOrder, ("id", "order_id"), "id", [command.purchase])
    orders = _orders_of(work, [row.order_id for row in heads if row.order_id])
    (purchase,) = lock_purchases(work, [command.purchase], seen={command.purchase: command.seen_version})
    work.actor.require(PLACE, site=purchase.site_id)
    if purchase.order_id is None:
        raise RuleBroken("purchase_not_direct", number=purchase.number)
    order = orders[purchase.order_id]
    lines = {line.order_line_id for line in purchase.lines if line.order_line_id is not None}
    made = order_direct(work, [order], rules=rules, cells=cells, only_lines=lines, supplier=command.supplier)
    if not made:
        raise RuleBroken("direct_rest_none", field="supplier", number=purchase.number, document=order.number)
    _promise(work, order, lines)
    return made


def confirm_with_promises(work: UnitOfWork, commands: Sequence[ConfirmPurchase]) -> list[Purchase]:
    """As ``confirm_purchases``; customers whose goods the supplier sends are promised the day it confirms."""
    heads = read_rows(work, PurchaseOrder, ("id", "order_id"), "id", {c.purchase for c in commands})
    orders = _orders_of(work, [row.order_id for row in heads if row.order_id])
    done = confirm_purchases(work, commands)
    told = {line.line for c in commands for line in c.lines}
    for purchase in done:
        if purchase.order_id is not None:
            said = {line.order_line_id for line in purchase.lines if line.id in told and line.order_line_id}
            _promise(work, orders[purchase.order_id], said)
    return done


def _orders_of(work: UnitOfWork, ids: Sequence[int]) -> dict[int, Order]:
    """Customers' orders are locked before purchase orders, everywhere."""
    return {order.id: order for order in lock_orders(work, ids)}


def _promise(work: UnitOfWork, order: Order, said: Iterable[int]) -> None:
    """Promise these lines the day of the last part on order. Of one confirmed at none nothing comes: no day of it is a promise."""
    changed, due = [], last_due(work, said)
    for line in order.lines:
        day = due.get(line.id)
        if day is None or line.open <= line.picked:
            continue
        if promise_direct(work, order, line, day):
            changed.append(line)
    if not changed or order.state in (OrderState.CLOSED, OrderState.CANCELLED):
        return
    promises = [
        LinePromise(line=one.id, day=one.promised_on, basis=one.basis, reason=one.promise_reason) for one in changed
    ]
    publish_order(work, order, OrderRepromised(lines=promises), "promise", work.now)
    save_orders(work, [order], changed)


def ship_direct(work: UnitOfWork, command: ShipDirect, *, rules: ProcessRules, cells: CellStates) -> list[ShipmentRow]:
    """The supplier has sent goods to the customer: one confirmed shipment per address, without a move of stock.

    Raises ``RuleBroken`` for more than is open, or than the customer still wants.
    """
    if not command.paper.strip():
        raise RuleBroken("paper_missing", field="paper")
    heads = read_rows(work, PurchaseOrder, ("id", "order_id"), "id", [command.purchase])
    orders = _orders_of(work, [row.order_id for row in heads if row.order_id])
    (purchase,) = lock_purchases(work, [command.purchase], seen={command.purchase: command.seen_version})
    work.actor.require(PURCHASE.moves["confirm"].permission, site=purchase.site_id)
    if purchase.order_id is None:
        raise RuleBroken("purchase_not_direct", number=purchase.number)
    PURCHASE.target("settle", purchase.state)
    order = orders[purchase.order_id]
    came = _sent(work, purchase, order, command)
    taken: dict[int, int] = defaultdict(int)
    bought: dict[int, int] = defaultdict(int)
    for line, quantity in came:
        line.received += quantity
        taken[line.order_line_id or 0] += quantity
        bought[line.order_line_id or 0] += scaled_amount(quantity, line.unit_price, purchase.currency)
    pick = PickOrder(order=order.id, lines=dict(taken), is_direct=True)
    picked = pick_orders(work, [pick], cells=cells)
    shipments = confirm_shipments(work, [one.id for one in picked], rules=rules, cells=cells, bought=bought)
    note_received(work, purchase, came, paper=command.paper.strip())
    save_purchases(work, [purchase], [line for line, _ in came])
    return shipments


def _sent(work: UnitOfWork, purchase: Purchase, order: Order, command: ShipDirect) -> list[tuple[PurchaseLineRow, int]]:
    """Lines of the purchase order and thousandths that were sent."""
    by_id = {line.id: line for line in purchase.lines}
    own = {line.id: line for line in order.lines}
    known = items(work, {line.item_id for line in purchase.lines})
    asked = (
        {line.id: line.open for line in purchase.lines if line.open}
        if command.lines is None
        else {
            key: _units(known, by_id, key, quantity, index)
            for index, (key, quantity) in enumerate(command.lines.items())
        }
    )
    came = []
    for key, quantity in asked.items():
        line, customer = by_id[key], own.get(by_id[key].order_line_id or 0)
        item = known[line.item_id]
        if not 0 <= quantity <= line.open:
            raise RuleBroken("sent_too_much", field=f"line_{key}", item=item.code, number=purchase.number)
        if customer is None or quantity > customer.open - customer.picked:
            raise RuleBroken("sent_unwanted", field=f"line_{key}", item=item.code, document=order.number)
        if quantity:
            came.append((line, quantity))
    if not came:
        raise RuleBroken("sent_nothing", field="lines", number=purchase.number)
    return came


def _units(
    known: Mapping[int, ItemFacts], by_id: Mapping[int, PurchaseLineRow], key: int, quantity: Decimal, index: int
) -> int:
    if key not in by_id:
        raise RuleBroken("line_unknown", field=f"lines-{index}-line", line=key)
    own = in_own_unit(quantity, None, known[by_id[key].item_id].quantity_places, field=f"line_{key}")
    return scaled_int(own, QUANTITY_PLACES)
