"""A customer's line raises a purchase order, the supplier confirms and sends the goods; stock stays, the books prove it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.direct import (
    OrderRest,
    ShipDirect,
    confirm_with_promises,
    order_direct,
    order_rest,
    release_with_purchases,
    ship_direct,
)
from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.records import lock_orders
from erpcore.orders.services import NewLine, capture_orders
from erpcore.purchasing.records import lock_purchases
from erpcore.purchasing.services import ConfirmedLine, ConfirmPurchase
from tests.db.core.test_purchases import refused
from tests.db.core.test_ship_to import address
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.supply import BUYER, a_supplier, column, head, lines_of, row
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import TODAY, balance, day, second_site


def captured(business, lines=((0, 10, True),)):
    """An order of (item position, quantity, drop-ship?) lines."""
    wanted = [NewLine(item=business.items[i], quantity=Decimal(q), drop_ship=direct) for i, q, direct in lines]
    with business.work() as work:
        command = replace(business.order(), lines=wanted)
        (order,) = capture_orders(work, [command], rules=RULES, cells=OPEN)
    return order


def released(business, lines=((0, 10, True),)):
    """The order, released, with the purchase orders it raised."""
    order = captured(business, lines)
    with business.work() as work:
        (order,) = release_with_purchases(work, [order.id], rules=RULES, cells=OPEN)
        made = [one.id for one in work.memo.get("purchases", {}).values()]
    with business.work() as work:
        return order, lock_purchases(work, made)


def confirmed(business, purchase, days, quantity=None, *, line=0):
    said = ConfirmedLine(line=purchase.lines[line].id, on=TODAY + timedelta(days=days), quantity=quantity)
    with business.work(BUYER) as work:
        confirm_with_promises(work, [ConfirmPurchase(purchase=purchase.id, lines=[said])])


def sent(business, purchase, quantity=None, *, actor=BUYER, line=0, **changes):
    lines = None if quantity is None else {purchase.lines[line].id: Decimal(quantity)}
    with business.work(actor) as work:
        command = ShipDirect(purchase=purchase.id, paper="DN 771", lines=lines, **changes)
        (shipment,) = ship_direct(work, command, rules=RULES, cells=OPEN)
        return shipment


def posted(business, role):
    """Credits less debits of an account."""
    sql = (
        "SELECT COALESCE(SUM(l.credit_minor - l.debit_minor), 0) FROM journal_line l JOIN ledger_account a ON a.id = l.account_id "
        "WHERE a.role = :role"
    )
    return column(business, sql, role=role)[0]


def lines_in(business, order):
    with business.work() as work:
        return lock_orders(work, [order.id])[0].lines


def line_of(business, order):
    return row(business, "SELECT * FROM order_line WHERE order_id = :key ORDER BY line_no", key=order.id)


def test_a_released_drop_ship_line_is_ordered_from_the_supplier_that_sends_straight(database):
    business = a_business(database)
    a_supplier(business, "NEAR", prices=(("3.00", 0),))
    supplier = a_supplier(business, "ROHR", ships_direct=True, prices=(("3.50", 0),))
    order, (purchase,) = released(business, ((0, 10, True), (1, 5, False)))
    assert (purchase.supplier_id, purchase.order_id, purchase.is_direct) == (supplier, order.id, True)
    assert [(line.quantity, line.order_line_id) for line in purchase.lines] == [(10_000, order.lines[0].id)]
    assert column(business, "SELECT COUNT(*) FROM expected_receipt") == [0]
    assert balance(business) == (100, 0, 0, 0)
    with business.work() as work:
        again = order_direct(work, lock_orders(work, [order.id]), rules=RULES, cells=OPEN)
    assert again == []
    assert_books_agree(database)


def test_what_the_supplier_sends_is_a_shipment_without_a_move_of_stock_and_its_price_is_the_cost(database):
    business = a_business(database)
    a_supplier(business, ships_direct=True)
    order, (purchase,) = released(business)
    opened = posted(business, "inventory")
    shipment = sent(business, purchase, 6)
    assert balance(business) == (100, 0, 0, 0)
    assert posted(business, "inventory") == opened
    assert (posted(business, "received_not_invoiced"), posted(business, "cost_of_sales")) == (2100, -2100)
    assert lines_of(business, purchase) == [(10, 6, 0)]
    assert sent(business, purchase).id != shipment.id
    assert (head(business, purchase).state, line_of(business, order).shipped) == ("received", 10_000)
    with business.work() as work:
        deliver_shipments(work, [DeliverShipment(shipment=shipment.id)], rules=RULES, cells=OPEN)
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
        post_invoices(work, [invoice.id], cells=OPEN)
    assert posted(business, "revenue") == 6000
    types = column(business, "SELECT type FROM event_log WHERE subject_type = 'purchase' ORDER BY seq")
    assert types == ["purchase.ordered", "purchase.received", "purchase.received"]
    assert_books_agree(database)


def test_the_customer_is_promised_the_day_that_the_supplier_confirms(database):
    business = a_business(database)
    a_supplier(business, ships_direct=True)
    order, (purchase,) = released(business)
    before = line_of(business, order)
    confirmed(business, purchase, 9)
    after = line_of(business, order)
    assert (str(after.promised_on), after.promise_reason) == (day(9).isoformat(), "drop_ship")
    assert (after.committed_on, after.first_promised_on) == (before.committed_on, before.first_promised_on)
    told = column(business, "SELECT type FROM event_log WHERE type = 'order.repromised'")
    assert told == ["order.repromised"]
    assert_books_agree(database)


def test_goods_to_two_addresses_are_sent_as_two_shipments_of_which_each_costs_its_own(database):
    business = a_business(database)
    a_supplier(business, ships_direct=True, prices=(("3.50", 0), ("2.00", 1)))
    site = address(business)
    lines = [
        NewLine(item=business.items[0], quantity=Decimal(10), drop_ship=True),
        NewLine(item=business.items[1], quantity=Decimal(5), drop_ship=True, ship_to=site),
    ]
    with business.work() as work:
        (order,) = capture_orders(work, [replace(business.order(), lines=lines)], rules=RULES, cells=OPEN)
    with business.work() as work:
        release_with_purchases(work, [order.id], rules=RULES, cells=OPEN)
        (purchase,) = [one.id for one in work.memo.get("purchases", {}).values()]
    with business.work(BUYER) as work:
        made = ship_direct(work, ShipDirect(purchase=purchase, paper="DN 1"), rules=RULES, cells=OPEN)
    assert [one.state for one in made] == ["confirmed", "confirmed"]
    assert column(business, "SELECT ship_to_id FROM shipment ORDER BY id")[1] == site
    assert (posted(business, "received_not_invoiced"), posted(business, "cost_of_sales")) == (4500, -4500)
    assert_books_agree(database)


def test_who_buys_at_the_works_alone_confirms_and_records_what_they_send(database):
    business = a_business(database)
    works = second_site(business, "WKS", kind="drop_ship")
    a_supplier(business, ships_direct=True, site=works)
    here = replace(business, site=works)
    order, (purchase,) = released(here)
    assert purchase.site_id == works
    there = replace(BUYER, sites=frozenset({works}))
    said = ConfirmedLine(line=purchase.lines[0].id, on=TODAY + timedelta(days=7))
    with business.work(there) as work:
        confirm_with_promises(work, [ConfirmPurchase(purchase=purchase.id, lines=[said])])
    sent(business, purchase, 4, actor=there)
    assert (line_of(business, order).shipped, head(business, purchase).state) == (4000, "confirmed")
    sent(business, purchase, actor=there)
    assert (line_of(business, order).shipped, head(business, purchase).state) == (10_000, "received")
    assert_books_agree(database)


def test_a_line_of_which_nothing_is_confirmed_is_promised_no_day(database):
    business = a_business(database)
    a_supplier(business, ships_direct=True, prices=(("3.50", 0), ("2.00", 1)))
    order, (purchase,) = released(business, ((0, 10, True), (1, 5, True)))
    before = [one.promised_on for one in lines_in(business, order)]
    told = [
        ConfirmedLine(line=purchase.lines[0].id, on=TODAY + timedelta(days=9)),
        ConfirmedLine(line=purchase.lines[1].id, on=TODAY + timedelta(days=9), quantity=Decimal(0)),
    ]
    with business.work(BUYER) as work:
        confirm_with_promises(work, [ConfirmPurchase(purchase=purchase.id, lines=told)])
    assert [one.promised_on for one in lines_in(business, order)] == [day(9), before[1]]
    assert_books_agree(database)


def test_what_a_supplier_falls_short_of_is_ordered_by_a_buyer_and_promised_with_its_last_part(database):
    business = a_business(database)
    a_supplier(business, ships_direct=True)
    other = a_supplier(business, "BLECH", ships_direct=True, lead_days=12)
    order, (purchase,) = released(business)
    confirmed(business, purchase, 7, Decimal(4))

    def rest(**said):
        return lambda work: order_rest(work, OrderRest(purchase=purchase.id, **said), rules=RULES, cells=OPEN)

    clerk = replace(BUYER, permissions=BUYER.permissions - {"purchasing:order:place"})
    refused(business, "not_allowed", rest(), clerk)
    refused(business, "changed_meanwhile", rest(seen_version=1))
    refused(business, "direct_rest_none", rest(supplier=a_supplier(business, "NIX", prices=())))
    with business.work(BUYER) as work:
        (more,) = rest(supplier=other)(work)
    assert (more.supplier_id, [line.quantity for line in more.lines]) == (other, [6000])
    assert lines_in(business, order)[0].promised_on == day(12)
    refused(business, "direct_rest_none", rest())
    confirmed(business, purchase, 8, Decimal(4))
    assert lines_in(business, order)[0].promised_on == day(12)
    confirmed(business, more, 14)
    assert lines_in(business, order)[0].promised_on == day(14)
    assert_books_agree(database)


def test_two_who_order_the_rest_order_it_once(database):
    business = a_business(database)
    a_supplier(business, ships_direct=True)
    _, (purchase,) = released(business)
    confirmed(business, purchase, 7, Decimal(4))

    def again():
        with business.work(BUYER) as work:
            order_rest(work, OrderRest(purchase=purchase.id), rules=RULES, cells=OPEN)

    told = [getattr(one, "code", one) for one in at_once(again, again)]
    assert sorted(told, key=str) == [None, "direct_rest_none"]
    assert column(business, "SELECT quantity FROM purchase_order_line ORDER BY id") == [10_000, 6000]


def test_nobody_picks_from_a_shelf_what_a_supplier_is_to_send(database):
    business = a_business(database)
    a_supplier(business, ships_direct=True)
    order, (purchase,) = released(business)
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match="pick_too_much"), business.work() as work:
        pick_orders(work, [PickOrder(order=order.id, lines={order.lines[0].id: 1000})], cells=OPEN)
    assert fingerprint_of(database) == before
    with business.work() as work:
        assert pick_orders(work, [PickOrder(order=order.id)], cells=OPEN) == []
    sent(business, purchase)
    assert_books_agree(database)


def test_without_a_supplier_that_sends_straight_the_desk_records_what_left_by_hand(database):
    business = a_business(database)
    order, purchases = released(business)
    assert purchases == []
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    assert (line_of(business, order).shipped, balance(business)) == (10_000, (100, 0, 0, 0))
    assert_books_agree(database)


def test_more_than_is_open_or_wanted_is_not_sent(database):
    business = a_business(database)
    a_supplier(business, ships_direct=True)
    order, (purchase,) = released(business)
    with business.work() as work:
        cancel = CancelLines(order=order.id, reason="changed mind", by_customer=True, lines={order.lines[0].id: 4000})
        cancel_lines(work, [cancel])
    before = fingerprint_of(database)
    clerk = Actor(id=9, role="clerk", permissions=frozenset({"warehouse:shipment:pick"}), sites=None)
    for quantity, changes, code in (
        (11, {}, "sent_too_much"), (7, {}, "sent_unwanted"), (0, {}, "sent_nothing"), (None, {}, "sent_unwanted"),
        (2, {"actor": clerk}, "not_allowed"), (2, {"seen_version": 9}, "changed_meanwhile"),
    ):  # fmt: skip
        with pytest.raises(Exception) as error:  # noqa: PT011  # of several kinds
            sent(business, purchase, quantity, **changes)
        assert error.value.code == code
    assert fingerprint_of(database) == before
    sent(business, purchase, 6)
    assert_books_agree(database)


def test_two_who_note_the_same_delivery_ship_it_once(database):
    business = a_business(database)
    a_supplier(business, ships_direct=True)
    order, (purchase,) = released(business)
    results = at_once(*([lambda: sent(business, purchase, 10, seen_version=1) and None] * 2))
    refused = [one for one in results if one is not None]
    assert len(refused) == 1
    assert isinstance(refused[0], Conflict | RuleBroken)
    assert line_of(business, order).shipped == 10_000
    assert_books_agree(database)


def test_a_crash_between_shipment_and_purchase_order_leaves_nothing(database, monkeypatch):
    business = a_business(database)
    a_supplier(business, ships_direct=True)
    _, (purchase,) = released(business)
    before = fingerprint_of(database)
    from erpcore.fulfilment import direct

    def power_cut(*_, **__):
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(direct, "save_purchases", power_cut)
        with pytest.raises(RuntimeError):
            sent(business, purchase)
    assert fingerprint_of(database) == before
    sent(business, purchase)
    assert_books_agree(database)
