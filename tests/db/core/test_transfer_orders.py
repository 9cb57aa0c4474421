"""A branch asks another site for goods: promised with a reason, approved by somebody else, reserved, shipped, in transit, received."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erpcore.fulfilment.branch.services import (
    AskLine,
    AskTransfer,
    DecideTransfer,
    ShipAsked,
    ask_transfers,
    cancel_asked,
    decide_transfers,
    ship_asked,
)
from erpcore.inventory.transfers import ArrivedLine, ReceiveTransfer, receive_transfer
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.masterdata.lanes import KeepLane, keep_lanes
from erpcore.orders.services import capture_orders
from tests.db.core.test_purchases import refused
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.supply import a_supplier, column, confirmed, ordered, row
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import balance, day, no_names, second_site

MAY = frozenset(
    {
        "supply:transfer_order:request",
        "supply:transfer_order:approve",
        "warehouse:transfer:ship",
        "warehouse:stock:receive",
    }
)
BRANCH, CENTRE = (
    Actor(id=301, role="site_lead", permissions=MAY),
    Actor(id=302, role="warehouse_supervisor", permissions=MAY),
)
BOTH = {"rules": RULES, "cells": OPEN}


def two_sites(database, stock=100):
    business = a_business(database, items=2, stock=stock)
    return business, second_site(business)


def asked(business, branch, quantity=30, *, item=0, **changes):
    command = AskTransfer(
        **{
            "from_site": business.site, "to_site": branch, "lines": [AskLine(item=business.items[item], quantity=Decimal(quantity))],
            **changes,
        }
    )  # fmt: skip
    with business.work(BRANCH) as work:
        return ask_transfers(work, [command], **BOTH)[0]


def decided(business, order, approve=True, *, actor=CENTRE, **changes):
    with business.work(actor) as work:
        return decide_transfers(work, [DecideTransfer(order=order.id, approve=approve, **changes)], **BOTH)[0]


def shipped(business, order, quantity=None, **changes):
    lines = None if quantity is None else {order.lines[0].id: Decimal(quantity)}
    with business.work(CENTRE) as work:
        return ship_asked(work, ShipAsked(order=order.id, lines=lines, **changes), **BOTH)


def stored(business, order):
    return row(business, "SELECT * FROM transfer_order WHERE id = :k", k=order.id)


def line(business, order):
    found = row(
        business,
        "SELECT quantity, reserved, shipped, cancelled FROM transfer_order_line WHERE order_id = :k",
        k=order.id,
    )
    return tuple(int(value) // 1000 for value in found)


def test_goods_go_from_the_request_to_the_shelf_of_the_branch(database):
    business, branch = two_sites(database)
    order = asked(business, branch)
    assert (order.promised_on, order.promise_reason) == (day(1), "stock")
    decided(business, order)
    assert (line(business, order), balance(business)) == ((30, 30, 0, 0), (100, 30, 0, 0))
    sent = shipped(business, order)
    assert (stored(business, order).state, line(business, order)) == ("shipped", (30, 0, 30, 0))
    assert (balance(business), balance(business, site=branch)) == ((70, 0, 0, 0), (30, 0, 30, 30))
    assert str(row(business, "SELECT * FROM expected_receipt").expected_on) == day(1).isoformat()
    with business.work(BRANCH) as work:
        (key,) = list(work.session.connection().exec_driver_sql("SELECT id FROM stock_transfer_line").scalars())
        arrived = ReceiveTransfer(transfer=sent.id, lines=[ArrivedLine(line=key, quantity=Decimal(30))])
        receive_transfer(work, arrived, **BOTH, order_names=no_names)
    assert balance(business, site=branch) == (30, 0, 0, 0)
    types = column(
        business, "SELECT type FROM event_log WHERE subject_type IN ('transfer', 'transfer_order') ORDER BY seq"
    )
    assert types == [
        "transfer.requested",
        "transfer.approved",
        "stock.transfer_shipped",
        "stock.arrived",
        "stock.transfer_received",
    ]
    assert_books_agree(database)


def test_the_promise_says_what_it_was_made_from(database):
    business, branch = two_sites(database, stock=10)
    with business.work() as work:
        keep_lanes(work, [KeepLane(site=business.site, country="Germany", transit_days=3, cost_minor=0)])
    assert (asked(business, branch).promise_reason, asked(business, branch).promised_on) == ("lead_time", day(7 + 3))
    confirmed(business, ordered(business, a_supplier(business)), 4)
    order = asked(business, branch)
    assert (order.promise_reason, order.promised_on) == ("receipt", day(4 + 3))
    assert asked(business, branch, 5, wanted_on=day(9)).promised_on == day(9)


def test_what_comes_is_promised_to_a_branch_after_the_customers_who_wait_for_it(database):
    business, branch = two_sites(database, stock=10)
    confirmed(business, ordered(business, a_supplier(business)), 4)
    with business.work() as work:
        (order,) = capture_orders(work, [business.order([(0, 25)])], rules=RULES, cells=OPEN)
    assert (order.lines[0].promise_reason, order.lines[0].promised_on) == ("receipt", day(4))
    early = asked(business, branch, 5)
    assert (early.promise_reason, early.promised_on) == ("receipt", day(5))
    assert asked(business, branch, 6).promise_reason == "lead_time"
    assert_books_agree(database)


def test_what_is_approved_is_promised_to_nobody_else(database):
    business, branch = two_sites(database)
    decided(business, asked(business, branch, 90))
    with business.work() as work:
        (order,) = capture_orders(work, [business.order([(0, 20)])], rules=RULES, cells=OPEN)
    assert order.lines[0].promise_reason == "lead_time"
    assert_books_agree(database)


def test_customers_of_the_branch_are_promised_from_what_is_on_its_way(database):
    business, branch = two_sites(database)
    order = asked(business, branch)
    decided(business, order)
    shipped(business, order, arrives_on=day(4))
    from dataclasses import replace

    with business.work() as work:
        (made,) = capture_orders(work, [replace(business.order([(0, 20)]), site=branch)], rules=RULES, cells=OPEN)
    assert (made.lines[0].promise_reason, made.lines[0].promised_on) == ("transit", day(4))


def test_who_asked_does_not_approve_and_another_day_needs_a_reason(database):
    business, branch = two_sites(database)
    order = asked(business, branch)
    own = DecideTransfer(order=order.id, approve=True)
    refused(business, "transfer_own_request", lambda work: decide_transfers(work, [own], **BOTH), BRANCH)
    late = DecideTransfer(order=order.id, approve=True, arrives_on=day(20))
    refused(business, "reason_required", lambda work: decide_transfers(work, [late], **BOTH), CENTRE)
    decided(business, order, arrives_on=day(20), reason="the lorry goes monthly")
    assert (str(stored(business, order).promised_on), stored(business, order).promise_reason) == (
        day(20).isoformat(),
        "stated",
    )


def test_rejected_and_cancelled_orders_give_back_what_they_held(database):
    business, branch = two_sites(database)
    first, second = asked(business, branch), asked(business, branch)
    decided(business, first, False, reason="season stock")
    decided(business, second)
    shipped(business, second, 10)
    with business.work(BRANCH) as work:
        cancel_asked(work, second.id, "sold out there", **BOTH)
    assert (stored(business, first).state, line(business, first)) == ("rejected", (30, 0, 0, 30))
    assert (stored(business, second).state, line(business, second)) == ("cancelled", (30, 0, 10, 20))
    assert balance(business) == (90, 0, 0, 0)
    assert_books_agree(database)


def test_the_rest_that_will_not_be_sent_is_given_up(database):
    business, branch = two_sites(database)
    order = asked(business, branch)
    decided(business, order)
    shipped(business, order, 12, last=True)
    assert (stored(business, order).state, line(business, order), balance(business)) == (
        "shipped",
        (30, 0, 12, 18),
        (88, 0, 0, 0),
    )
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": 0}, "quantity_not_positive_here"), ({"quantity": -4}, "quantity_not_positive_here"),
        ({"quantity": "1.5"}, "quantity_too_precise"), ({"wanted_on": day(-1)}, "wanted_day_absurd"),
        ({"wanted_on": day(999)}, "wanted_day_absurd"), ({"lines": []}, "transfer_lines"),
    ],
)  # fmt: skip
def test_nonsense_is_not_asked_for(database, changes, code):
    business, branch = two_sites(database)
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken) as error:
        asked(business, branch, **changes)
    assert error.value.code == code
    assert fingerprint_of(database) == before


def test_more_than_asked_than_there_is_or_before_approval_is_not_shipped(database):
    business, branch = two_sites(database)
    order = asked(business, branch, 120)
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match="illegal_move"):
        shipped(business, order)
    assert fingerprint_of(database) == before
    decided(business, order)
    before = fingerprint_of(database)
    for quantity, code in ((121, "transfer_above_open"), (110, "stock_short"), (0, "transfer_empty")):
        with pytest.raises(RuleBroken) as error:
            shipped(business, order, quantity)
        assert error.value.code == code
    assert fingerprint_of(database) == before
    assert_books_agree(database)


def test_two_who_ship_the_same_send_it_once(database):
    business, branch = two_sites(database)
    order = asked(business, branch)
    decided(business, order)
    results = at_once(*([lambda: shipped(business, order, 30, seen_version=2) and None] * 2))
    refused_ = [one for one in results if one is not None]
    assert len(refused_) == 1
    assert isinstance(refused_[0], Conflict | RuleBroken)
    assert balance(business)[0] == 70
    assert_books_agree(database)


def test_two_branches_that_want_the_last_get_no_more_than_there_is(database):
    business, branch = two_sites(database)
    other = second_site(business, "BRE")
    orders = [asked(business, site, 70) for site in (branch, other)]
    at_once(*([lambda order=order: decided(business, order) and None for order in orders]))
    assert balance(business) == (100, 100, 0, 0)
    assert_books_agree(database)
