"""Every policy point does what it says: a value changes what the core does in its scope, and nothing outside of it.

A point that offers no choice yet has nothing to try; one whose effect is tried elsewhere is found there by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.fulfilment.models import Condition
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.count_plan import PlanCount, plan_counts
from erpcore.inventory.counting import record_count, start_count
from erpcore.inventory.holds import PickDemand, choose_bins
from erpcore.kernel.errors import DomainError
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, capture_orders
from erpcore.ports import POLICY_POINTS, Freedom
from tests.support.controls import assert_books_agree
from tests.support.core import MONDAY, OPEN, RULES, a_business
from tests.support.disputes import paid_short
from tests.support.floor import a_floor, a_task, person, picked_by
from tests.support.policies import approve
from tests.support.pricing import DESK, an_entered
from tests.support.steps import allocated, captured, invoiced, shipped
from tests.support.warehouse import ANNA, adjusted, expected, lot_id, received, tracked

PICKER = person(301)


def asked(business, query):
    with reading(business.database) as session:
        return session.execute(text(query)).scalar()


def outcome(act):
    """What came of it: what the act returns, or the code of its refusal."""
    try:
        return act()
    except DomainError as refusal:
        return refusal.code


def what_leaves_first(business):
    allocated(business, [(0, 10), (1, 200)])
    return int(asked(business, "SELECT allocated FROM order_line WHERE line_no = 10"))


def the_same_order_again(business):
    def enter():
        with business.work(DESK, source="screen") as work:
            (order,) = capture_orders(work, [business.order()], rules=RULES, cells=OPEN)
        return order.state

    enter()
    return outcome(enter)


def ten_of_a_hundred_missing(business):
    order = allocated(business, [(0, 100)])
    (task,) = a_task(business, order)
    picked_by(business, PICKER, task.id, short={1: 90_000})
    return int(asked(business, "SELECT cancelled FROM order_line"))


def five_more_than_ordered(business):
    order = allocated(business, [(0, 100)])
    line = order.lines[0].id

    def leave():
        with business.work() as work:
            (shipment,) = pick_orders(work, [PickOrder(order=order.id, lines={line: 105_000})], cells=OPEN, rules=RULES)
            confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
        return int(asked(business, "SELECT shipped FROM order_line"))

    return outcome(leave)


def asked_as_a_rush(business):
    def enter():
        with business.work() as work:
            (order,) = capture_orders(work, [business.order(rush=True)], rules=RULES, cells=OPEN)
        return (order.lines[0].promised_on - order.lines[0].committed_on).days

    return outcome(enter)


def invoice_once_shipped(business):
    shipped(business)
    return asked(business, "SELECT invoice_due_at FROM shipment") is not None


def entered(price, column="state"):
    def act(business):
        order = CaptureOrder(
            site=business.site,
            channel=business.channel,
            customer=business.customer,
            lines=[an_entered(business, price)],
        )
        with business.work(DESK) as work:
            (made,) = capture_orders(work, [order], rules=RULES, cells=OPEN)
        return made.state if column == "state" else asked(business, "SELECT level FROM order_hold")

    return act


def released_over_the_limit(business):
    order = captured(business)
    with business.work() as work:
        (order,) = release_orders(work, [order.id], rules=RULES, cells=OPEN)
    return order.state


def released_while_an_invoice_is_overdue(business):
    invoiced(business)
    business.clock.advance(timedelta(days=60))
    return released_over_the_limit(business)


def two_more_than_expected(business):
    key = expected(business, 20)
    return outcome(lambda: received(business, 22, expected=key).discrepancies[0])


def promised_as_committed_though_stock_is_short(business):
    captured(business, [(0, 200)])
    return bool(asked(business, "SELECT promised_on = committed_on FROM order_line"))


def counted(quantity):
    def act(business):
        task = a_count(business)
        with business.work(ANNA) as work:
            return str(record_count(work, task, Decimal(quantity), rules=RULES, cells=OPEN).state)

    return act


def a_count(business):
    """A count that Anna has begun."""
    with business.work() as work:
        (task,) = plan_counts(work, [PlanCount(site=business.site, item=business.items[0])], rules=RULES, cells=OPEN)
    with business.work(ANNA) as work:
        start_count(work, task, rules=RULES, cells=OPEN)
    return task


def picked_while_counted(business):
    order = allocated(business, [(0, 5)])
    a_count(business)
    with business.work() as work:
        demand = PickDemand(order.lines[0].id, business.site, business.items[0], 5_000)
        return sum(one.quantity for one in choose_bins(work, [demand], RULES)[0])


def one_piece_written_off(business):
    adjusted(business, -1)
    return asked(business, "SELECT state FROM stock_adjustment")


def paid_one_euro_short(business):
    _, _, invoice = invoiced(business)
    paid_short(business, invoice, invoice.gross_minor - 100)
    return asked(business, "SELECT state FROM dispute")


def asked_back(days=1, **said):
    """What becomes of goods that a customer asks to give back, so many days after they arrived."""

    def act(business):
        order, _, _ = invoiced(business)
        business.clock.advance(timedelta(days=days))
        line = ReturnedLine(item=business.items[0], quantity=Decimal(1), order_line=order.lines[0].id)
        command = RequestReturn(
            site=business.site, channel=business.channel, customer=business.customer, lines=[line],
            **{"reason": "not wanted", "fault": "customer", **said},
        )  # fmt: skip
        with business.work() as work:
            (row,) = request_returns(work, [command], rules=RULES, cells=OPEN)
        return row.state if row.state == "authorised" else outcome(lambda: allowed(business, row.id))

    return act


def allowed(business, key, reason=None):
    with business.work() as work:
        return "asked" if authorise_returns(work, [key], reason=reason)[0].state == "authorised" else "others are asked"


def given_back_too_late(business):
    order, _, _ = invoiced(business)
    business.clock.advance(timedelta(days=40))
    line = ReturnedLine(item=business.items[0], quantity=Decimal(1), order_line=order.lines[0].id)
    command = RequestReturn(
        site=business.site, channel=business.channel, customer=business.customer, lines=[line], reason="not wanted",
        fault="customer",
    )  # fmt: skip
    with business.work() as work:
        (row,) = request_returns(work, [command], rules=RULES, cells=OPEN)
    return outcome(lambda: allowed(business, row.id, "a good customer"))


def given_back_without_a_sale(business):
    line = ReturnedLine(item=business.items[0], quantity=Decimal(1), unit_price=Decimal(5))
    command = RequestReturn(
        site=business.site, channel=business.channel, customer=business.customer, lines=[line], reason="not wanted",
        fault="customer",
    )  # fmt: skip
    with business.work() as work:
        (row,) = request_returns(work, [command], rules=RULES, cells=OPEN)
    return outcome(lambda: allowed(business, row.id))


def which_lot_leaves(business):
    tracked(business, "lot")
    received(business, 5, lot="LATE", expires_on=MONDAY.date() + timedelta(days=90))
    business.clock.advance(timedelta(hours=1))
    received(business, 5, lot="EARLY", expires_on=MONDAY.date() + timedelta(days=10))
    order = allocated(business, [(0, 3)])
    with business.work() as work:
        demand = PickDemand(order.lines[0].id, business.site, business.items[0], 3_000)
        (found,) = choose_bins(work, [demand], RULES)[0]
    return "EARLY" if found.lot == lot_id(business, "EARLY") else "LATE"


def when_a_task_is_due(business):
    a_floor(business, cut_off=time(12))
    (task,) = a_task(business, allocated(business, [(0, 1)]))
    return task.due_at.astimezone(UTC).isoformat()[:16]


def shipped_unpacked(business):
    order = allocated(business)
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)

    def confirm():
        with business.work() as work:
            confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
        return "confirmed"

    return outcome(confirm)


@dataclass(frozen=True, kw_only=True)
class Case:
    """With ``value`` the act comes to ``changed`` instead of ``standard``."""

    value: Any
    act: Callable[[Any], Any]
    standard: Any
    changed: Any
    made: dict[str, Any] = field(default_factory=dict)


CASES = {
    "partial_shipment": Case(value=False, act=what_leaves_first, standard=10_000, changed=0),
    "duplicate_rule": Case(value="off", act=the_same_order_again, standard="order_duplicate", changed="captured"),
    "under_ship_tolerance_permille": Case(value=100, act=ten_of_a_hundred_missing, standard=0, changed=10_000),
    "rush_rule": Case(value="refuse", act=asked_as_a_rush, standard=-2, changed="rush_refused"),
    "over_ship_tolerance_permille": Case(
        value=50, act=five_more_than_ordered, standard="pick_too_much", changed=105_000, made={"stock": 200}
    ),
    "invoice_trigger": Case(value="delivered", act=invoice_once_shipped, standard=True, changed=False),
    "price_tolerance_permille": Case(value=50, act=entered("9.50"), standard="held", changed="captured"),
    "minimum_margin_permille": Case(value=700, act=entered("10.01"), standard="captured", changed="held"),
    "override_authority": Case(
        value="process_owner", act=entered("9.00", "level"), standard="site_lead", changed="process_owner"
    ),
    "override_limit_minor": Case(
        value=999, act=entered("9.00", "level"), standard="site_lead", changed="process_owner"
    ),
    "credit_check": Case(
        value=False, act=released_over_the_limit, standard="held", changed="released", made={"limit": 9_900}
    ),
    "credit_overdue_days": Case(
        value=14, act=released_while_an_invoice_is_overdue, standard="released", changed="held"
    ),
    "credit_order_share_permille": Case(
        value=50, act=released_over_the_limit, standard="held", changed="released", made={"limit": 9_900}
    ),
    "short_pay_tolerance_minor": Case(value=0, act=paid_one_euro_short, standard="settled", changed="raised"),
    "return_window_days": Case(value=7, act=asked_back(8), standard="asked", changed="return_outside_policy"),
    "return_fault_window_days": Case(
        value=30, act=asked_back(31, fault="ours"), standard="asked", changed="return_outside_policy"
    ),
    "return_condition_rule": Case(
        value="unused", act=asked_back(condition=Condition.USED), standard="asked", changed="return_outside_policy"
    ),
    "return_receipt_rule": Case(
        value="not_needed", act=given_back_without_a_sale, standard="return_outside_policy", changed="asked"
    ),
    "return_approval_rule": Case(value="outside_policy", act=asked_back(), standard="asked", changed="authorised"),
    "return_exception_rule": Case(
        value="authority", act=given_back_too_late, standard="others are asked", changed="asked"
    ),
    "over_receipt_tolerance_permille": Case(
        value=100, act=two_more_than_expected, standard="received_too_much", changed="over", made={"stock": 0}
    ),
    "count_tolerance_permille": Case(
        value=3, act=counted(996), standard="done", changed="recount", made={"stock": 1000}
    ),
    "promise_rule": Case(
        value="commitment", act=promised_as_committed_though_stock_is_short, standard=False, changed=True
    ),
    "recount_rule": Case(value="always", act=counted(100), standard="done", changed="recount"),
    "count_freeze": Case(value=True, act=picked_while_counted, standard=5_000, changed=0),
    "adjustment_limit_minor": Case(value=399, act=one_piece_written_off, standard="booked", changed="proposed"),
    "lot_rule": Case(
        value="first_in", act=which_lot_leaves, standard="EARLY", changed="LATE", made={"items": 1, "stock": 0}
    ),
    "task_priority_rule": Case(
        value="cut_off", act=when_a_task_is_due, standard="2026-03-04T22:59", changed="2026-03-02T11:00"
    ),
    "packing_required": Case(value=True, act=shipped_unpacked, standard="confirmed", changed="not_packed"),
}
#: Points whose effect is not built: they offer the one value that is true today.
NOT_BUILT = {
    name for name, point in POLICY_POINTS.items() if not point.has_alternative and point.freedom != Freedom.LOCKED
}


def _tried_elsewhere(name):
    """The files of other tests that approve a value of this point, or run the core under one."""
    here = Path(__file__)
    return [
        path.name
        for path in here.parents[2].rglob("test_*.py")
        if path != here
        and (source := path.read_text(encoding="utf-8"))
        and re.search(rf'(approve\([^)]*"{name}"|Rules\([^)]*\b{name}=)', source)
    ]


@pytest.mark.parametrize("name", sorted(POLICY_POINTS))
def test_every_point_is_tried_or_offers_no_choice(name):
    point = POLICY_POINTS[name]
    if point.freedom == Freedom.LOCKED or name in NOT_BUILT:
        assert name not in CASES
        assert point.admits(point.standard)
        return
    assert name in CASES or _tried_elsewhere(name), f"{name} offers a choice that no test tries"


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_value_changes_what_the_core_does_where_it_holds(database, name):
    case = CASES[name]
    business = a_business(database, **case.made)
    approve(business, name, case.value)
    assert case.act(business) == case.changed
    assert_books_agree(database)


def elsewhere(business, point):
    """Scopes that this business is not in, of every dimension by which the point may differ."""
    for dimension in point.dimensions:
        yield {dimension: (getattr(business, dimension, None) or 900) + 7}


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_value_for_others_changes_nothing_here(database, name):
    case = CASES[name]
    business = a_business(database, **case.made)
    for scope in elsewhere(business, POLICY_POINTS[name]):
        approve(business, name, case.value, **scope)
    approve(business, name, case.value, starts=business.clock.now() + timedelta(days=200), days=20)
    assert case.act(business) == case.standard
    assert_books_agree(database)


def test_what_is_not_built_is_known_by_name():
    """Grows shorter; a point that leaves it brings its case."""
    assert {
        "allocation_rule", "backorder_cancel_days", "backorder_rule", "promise_rule",
        "sourcing_rule", "substitution_rule",
    } >= NOT_BUILT  # fmt: skip
