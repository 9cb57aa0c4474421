"""Charges and services are ordered beside goods: they need no stock, leave by their terms, and are invoiced with what they leave with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.masterdata.charges import DeclareCharge, declare_charges
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from tests.db.core.test_scarce_stock import receive
from tests.support.charges import a_charge, with_charges
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import a_task, person, picked_by
from tests.support.policies import approve
from tests.support.rows import rows
from tests.support.trader import fingerprint_of


def ordered(business, *charges, goods=((0, 10),)):
    with business.work() as work:
        command = replace(business.order(), **with_charges(business, *charges, goods=goods))
        (order,) = capture_orders(work, [command], rules=RULES, cells=OPEN)
    with business.work() as work:
        release_orders(work, [order.id], rules=RULES, cells=OPEN)
        (order,) = allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    return order


def leave(business, order, lines=None):
    with business.work() as work:
        shipments = pick_orders(work, [PickOrder(order=order.id, lines=lines)], cells=OPEN, rules=RULES)
        confirm_shipments(work, [one.id for one in shipments], rules=RULES, cells=OPEN)
    return shipments


def shipped(database):
    return [row[0] for row in rows(database, "SELECT shipped FROM order_line ORDER BY line_no")]


def test_a_charge_waits_for_no_stock_and_is_invoiced_with_the_first_goods(database):
    business = a_business(database, items=1, stock=4)
    order = ordered(business, a_charge(business))
    assert rows(database, "SELECT kind, allocated, backordered_at IS NULL FROM order_line ORDER BY line_no") == [
        ("stock", 4_000, False), ("charge", 0, True),
    ]  # fmt: skip
    assert rows(database, "SELECT COUNT(*) FROM reservation WHERE order_line_id = :line", line=order.lines[1].id) == [
        (0,)
    ]
    assert_books_agree(database)
    (shipment,) = leave(business, order)
    assert shipped(database) == [4_000, 1_000]
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
        post_invoices(work, [invoice.id], cells=OPEN)
    assert rows(database, "SELECT net_minor FROM invoice") == [(4_750,)]
    query = (
        "SELECT a.role, SUM(l.credit_minor - l.debit_minor) FROM journal_line l JOIN ledger_account a ON a.id = l.account_id "
        "WHERE a.role IN ('revenue', 'charges') GROUP BY a.role ORDER BY a.role"
    )
    assert rows(database, query) == [("charges", 750), ("revenue", 4_000)]
    assert_books_agree(database)


def test_what_leaves_last_waits_for_the_last_goods(database):
    business = a_business(database, items=1, stock=4)
    order = ordered(business, a_charge(business, leaves="last_goods"))
    leave(business, order)
    assert shipped(database) == [4_000, 0]
    receive(business, 6)
    with business.work() as work:
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    leave(business, order)
    assert shipped(database) == [10_000, 1_000]
    assert rows(database, "SELECT delivery_status FROM sales_order") == [("done",)]
    assert_books_agree(database)


def test_without_goods_that_leave_no_charge_leaves(database):
    business = a_business(database, items=1, stock=0)
    order = ordered(business, a_charge(business))
    assert leave(business, order) == []
    assert shipped(database) == [0, 0]


def test_a_service_by_itself_leaves_when_somebody_says_that_it_is_done(database):
    business = a_business(database, items=1)
    service = a_charge(business, "FITTING", kind="service", leaves="by_itself", price="90.00")
    order = ordered(business, service)
    leave(business, order)
    assert shipped(database) == [10_000, 0]
    assert rows(database, "SELECT delivery_status FROM sales_order") == [("partial",)]
    (done,) = leave(business, order, {order.lines[1].id: 1_000})
    with business.work() as work:
        draft_invoices(work, [done.id], cells=OPEN)
    assert shipped(database) == [10_000, 1_000]
    assert rows(database, "SELECT net_minor FROM invoice") == [(9_000,)]
    assert_books_agree(database)


def test_an_order_of_services_alone_is_released_done_and_invoiced(database):
    business = a_business(database, items=1, stock=0)
    service = a_charge(business, "ADVICE", kind="service", price="50.00")
    order = ordered(business, service, goods=())
    assert order.state == "released"
    (shipment,) = leave(business, order)
    assert (shipped(database), len(shipment.lines)) == ([1_000], 1)
    assert rows(database, "SELECT COUNT(*) FROM stock_move") == [(0,)]
    assert_books_agree(database)


def test_goods_that_leave_whole_are_not_kept_by_a_charge(database):
    business = a_business(database, items=1, stock=10)
    approve(business, "partial_shipment", value=False)
    order = ordered(business, a_charge(business))
    assert [line.allocated for line in order.lines] == [10_000, 0]


def test_a_task_takes_along_what_goes_with_its_goods_and_nothing_else(database):
    business = a_business(database, items=1)
    first, alone = a_charge(business), a_charge(business, "FITTING", kind="service", leaves="by_itself")
    order = ordered(business, first, alone)
    (task,) = a_task(business, order)
    picked_by(business, person(301), task.id)
    assert rows(database, "SELECT picked FROM order_line ORDER BY line_no") == [(10_000,), (1_000,), (0,)]
    assert_books_agree(database)


def test_charges_of_goods_that_never_leave_are_cancelled_with_them_and_services_stay(database):
    business = a_business(database, items=1)
    first, alone = a_charge(business), a_charge(business, "FITTING", kind="service", leaves="by_itself")
    order = ordered(business, first, alone)
    for quantity, gone in ((4_000, [4_000, 0, 0]), (6_000, [10_000, 1_000, 0])):
        with business.work() as work:
            lines = {order.lines[0].id: quantity}
            cancel_lines(work, [CancelLines(order=order.id, reason="no longer made", by_customer=False, lines=lines)])
        assert [row[0] for row in rows(database, "SELECT cancelled FROM order_line ORDER BY line_no")] == gone
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": "40-0"}, "charge_is_goods"), ({"code": " "}, "charge_code"), ({"name": ""}, "charge_name"),
        ({"kind": "stock"}, "choice_unknown"), ({"leaves": "never"}, "choice_unknown"),
        ({"code": "FREIGHT", "kind": "service"}, "charge_kind_stays"),
    ],
)  # fmt: skip
def test_a_charge_that_makes_no_sense_is_refused(database, change, code):
    business = a_business(database, items=1)
    a_charge(business)
    before = fingerprint_of(database)
    command = DeclareCharge(**{"entity": business.entity, "code": "PALLET", "name": "Pallet", **change})
    with pytest.raises(RuleBroken, match=code), business.work() as work:
        declare_charges(work, [command])
    with pytest.raises(NotAllowed), business.work(Actor(id=9, role="clerk", permissions=frozenset())) as work:
        declare_charges(work, [DeclareCharge(entity=business.entity, code="PALLET", name="Pallet")])
    with pytest.raises(NotFound, match="entity_unknown"), business.work() as work:
        declare_charges(work, [DeclareCharge(entity=7, code="PALLET", name="Pallet")])
    assert fingerprint_of(database) == before


def test_one_charge_of_a_company_is_what_a_rush_costs(database):
    business = a_business(database, items=1)
    first, second = (a_charge(business, code, is_rush=True) for code in ("RUSH", "EXPRESS"))
    assert rows(database, "SELECT item_id FROM charge_terms WHERE is_rush") == [(second,)]
    assert a_charge(business, "RUSH", price=None, is_rush=True) == first
    assert rows(database, "SELECT item_id FROM charge_terms WHERE is_rush") == [(first,)]
