"""More leaves than was ordered, within the tolerance: reserved, shipped, invoiced and owed; beyond it nothing happens."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.kernel.errors import RuleBroken
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments
from erpcore.orders.models import ChangeKind
from erpcore.orders.records import lock_orders
from tests.db.core.test_scarce_stock import receive
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.rows import rows
from tests.support.steps import allocated
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of


@pytest.fixture
def business(database):
    """Of each of two items there are 110; 50 of a thousand may leave beyond the order."""
    made = a_business(database, items=2, stock=110)
    approve(made, "over_ship_tolerance_permille", 50, entity=made.entity)
    return made


def picked(business, order, thousandths, *, rules=RULES):
    with business.work() as work:
        lines = {order.lines[0].id: thousandths}
        return pick_orders(work, [PickOrder(order=order.id, lines=lines)], cells=OPEN, rules=rules)[0]


def left(business, shipment):
    with business.work() as work:
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)


def refused(database, act, code):
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match=code):
        act()
    assert fingerprint_of(database) == before


def test_what_leaves_beyond_the_order_is_reserved_shipped_invoiced_and_owed(database, business):
    order = allocated(business, [(0, 100)])
    shipment = picked(business, order, 105_000)
    assert rows(database, "SELECT on_hand, reserved FROM stock_balance ORDER BY item_id") == [
        (110_000, 105_000),
        (110_000, 0),
    ]
    assert rows(database, "SELECT quantity, extra, picked, allocated FROM order_line") == [(100_000, 5_000, 105_000, 0)]
    assert_books_agree(database)
    left(business, shipment)
    assert rows(database, "SELECT on_hand, reserved FROM stock_balance ORDER BY item_id") == [(5_000, 0), (110_000, 0)]
    assert rows(database, "SELECT shipped_minor, released_minor FROM credit_exposure") == [(105_000, 0)]
    assert rows(database, "SELECT delivery_status, value_minor FROM sales_order") == [("done", 100_000)]
    assert_books_agree(database)
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
        post_invoices(work, [invoice.id], cells=OPEN)
    assert rows(database, "SELECT net_minor, gross_minor, is_quantity_right FROM invoice") == [(105_000, 126_000, True)]
    assert rows(database, "SELECT shipped_minor, receivable_minor FROM credit_exposure") == [(0, 126_000)]
    assert rows(database, "SELECT billing_status FROM sales_order") == [("done",)]
    assert_books_agree(database)


def test_in_parts_the_tolerance_is_of_the_whole_line_and_is_used_once(database, business):
    order = allocated(business, [(0, 100)])
    left(business, picked(business, order, 60_000))
    refused(database, lambda: picked(business, order, 45_001), "pick_too_much")
    left(business, picked(business, order, 45_000))
    refused(database, lambda: picked(business, order, 1_000), "pick_too_much")
    assert rows(database, "SELECT shipped, extra FROM order_line") == [(105_000, 5_000)]
    assert_books_agree(database)


def test_beyond_the_tolerance_and_without_the_rules_nothing_more_leaves(database, business):
    order = allocated(business, [(0, 100)])
    refused(database, lambda: picked(business, order, 105_001), "pick_too_much")
    refused(database, lambda: picked(business, order, 100_001, rules=None), "pick_too_much")


def test_a_line_that_is_short_does_not_get_more_than_was_reserved_for_it(database, business):
    order = allocated(business, [(0, 120)])
    refused(database, lambda: picked(business, order, 111_000), "pick_too_much")


def test_what_is_not_free_or_somebody_waits_for_is_not_sent_beyond_an_order(database, business):
    first = allocated(business, [(0, 100)])
    allocated(business, [(0, 8)])
    refused(database, lambda: picked(business, first, 103_000), "pick_over_no_stock")
    allocated(business, [(0, 30)])
    receive(business, 20)
    refused(database, lambda: picked(business, first, 101_000), "pick_over_no_stock")
    assert_books_agree(database)


def test_what_left_beyond_the_order_is_part_of_it_once_the_customer_orders_more(database, business):
    order = allocated(business, [(0, 100)])
    left(business, picked(business, order, 105_000))
    change = Amend(kind=ChangeKind.QUANTITY, line=order.lines[0].id, quantity=Decimal(108))
    with business.work() as work:
        command = StageAmendment(order=order.id, by_customer=True, reason="called", changes=[change])
        (staged,) = stage_amendments(work, [command], rules=RULES, cells=OPEN)
        apply_amendments(work, [staged.id], rules=RULES, cells=OPEN)
    assert rows(database, "SELECT quantity, extra, shipped FROM order_line") == [(108_000, 0, 105_000)]
    with business.work() as work:
        assert lock_orders(work, [order.id])[0].lines[0].open == 3_000
    assert_books_agree(database)


def test_two_who_take_more_of_the_last_two_never_take_more_than_there_is(database, business):
    orders = [allocated(business, [(0, 54)]), allocated(business, [(0, 54)])]
    results = at_once(*([lambda order=order: picked(business, order, 56_000) for order in orders]))
    assert sorted(type(one).__name__ for one in results) == ["RuleBroken", "ShipmentRow"]
    assert rows(database, "SELECT on_hand, reserved FROM stock_balance ORDER BY item_id")[0] == (110_000, 110_000)
    assert_books_agree(database)
