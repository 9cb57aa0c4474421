"""An order taken through the core step by step, as sites do it."""

from __future__ import annotations

from decimal import Decimal

from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.returned_goods import InspectReturn, ReceiveReturn, inspect_returns, receive_returns
from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from tests.support.core import OPEN, RULES


def captured(business, lines=((0, 10),), **changes):
    with business.work() as work:
        (order,) = capture_orders(work, [business.order(lines, **changes)], rules=RULES, cells=OPEN)
    return order


def released(business, lines=((0, 10),), **changes):
    order = captured(business, lines, **changes)
    with business.work() as work:
        (order,) = release_orders(work, [order.id], rules=RULES, cells=OPEN)
    return order


def allocated(business, lines=((0, 10),), **changes):
    order = released(business, lines, **changes)
    with business.work() as work:
        (order,) = allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    return order


def shipped(business, lines=((0, 10),), **changes):
    """The order and its confirmed shipment."""
    order = allocated(business, lines, **changes)
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    return order, shipment


def invoiced(business, lines=((0, 10),), **changes):
    """The order, its delivered shipment and its posted invoice."""
    order, shipment = shipped(business, lines, **changes)
    with business.work() as work:
        deliver_shipments(work, [DeliverShipment(shipment=shipment.id)], rules=RULES, cells=OPEN)
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
        post_invoices(work, [invoice.id], cells=OPEN)
    return order, shipment, invoice


def taken_back(work, *returns):
    """All that was authorised comes, and becomes what its request said."""
    receive_returns(work, [ReceiveReturn(id=key) for key in returns], cells=OPEN)
    return inspect_returns(work, [InspectReturn(id=key) for key in returns], cells=OPEN)


def paid(business, lines=((0, 10),), **changes):
    """The order and its invoice, paid in full."""
    order, _, invoice = invoiced(business, lines, **changes)
    with business.work() as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=invoice.gross_minor)]
        )
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=invoice.gross_minor)])
    return order, invoice


def qty(value) -> Decimal:
    """Thousandths as the decimal quantity people speak of."""
    return Decimal(value).scaleb(-3)
