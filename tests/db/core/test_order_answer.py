"""What a program is told about an order after each of its moves, and how many statements that takes."""

from decimal import Decimal

import pytest

from app.composition.uow import reading
from app.queries.order_answer import order_answered
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.kernel.actor import Actor
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.holds import HoldOrder, hold_orders
from erpcore.orders.models import HoldKind
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from tests.support.core import OPEN, RULES, a_business
from tests.support.queries import queries


@pytest.fixture
def business(database):
    return a_business(database, items=2, stock=100)


def _captured(business):
    with business.work() as work:
        (order,) = capture_orders(work, [business.order([(0, 3), (1, 4)])], rules=RULES, cells=OPEN)
    return order.id


def _answered(business, order):
    with reading(business.database) as session, queries(business.database) as ran:
        found = order_answered(session, Actor.system("test"), order)
    return found, len(ran)


def test_an_order_without_papers_is_answered_in_two_statements(business):
    found, asked = _answered(business, _captured(business))
    assert [line.quantity for line in found.lines] == [Decimal(3), Decimal(4)]
    assert (list(found.shipments), list(found.holds), list(found.invoices)) == ([], [], [])
    assert asked == 2


def test_each_kind_of_paper_an_order_has_takes_one_statement_more(business):
    order = _captured(business)
    with business.work() as work:
        hold_orders(work, [HoldOrder(order=order, kind=HoldKind.MANUAL, reason="ask first")])
    found, asked = _answered(business, order)
    assert [(hold.kind, hold.reason) for hold in found.holds] == [("manual", "ask first")]
    assert asked == 3


def test_shipments_and_invoices_are_in_the_answer(business):
    order = _captured(business)
    with business.work() as work:
        release_orders(work, [order], rules=RULES, cells=OPEN)
        allocate_orders(work, [order], rules=RULES, cells=OPEN)
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order)], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
        post_invoices(work, [invoice.id], cells=OPEN)
    found, asked = _answered(business, order)
    assert ([one.id for one in found.shipments], list(found.invoices)) == ([shipment.id], [invoice.id])
    assert asked == 4
