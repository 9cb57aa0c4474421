"""Backorders: promised anew, cancelled by rule, taken back by two people; protections keep what contracts say."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.jobs.backorders import settle_backorders
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, IllegalMove, NotAllowed, RuleBroken
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.backorders import PROMISE, Repromise, cancel_waiting, repromise_lines
from erpcore.orders.protections import CHANGE, ProtectStock, end_protection, protect_stock
from erpcore.orders.rerun import run_allocation
from erpcore.orders.takeback import APPROVE, TAKE_BACK, TakeBack, decide_take_back, take_back
from tests.db.core.test_scarce_stock import allocated_of, receive
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.rows import rows
from tests.support.steps import allocated, released
from tests.support.threads import at_once

DESK = Actor(id=61, role="customer_service", permissions=frozenset({PROMISE}))
LEAD = Actor(id=62, role="site_lead", permissions=frozenset({TAKE_BACK, APPROVE, CHANGE}))
OTHER = Actor(id=63, role="site_lead", permissions=frozenset({TAKE_BACK, APPROVE, CHANGE}))


def lines(database):
    query = "SELECT promised_on, promise_reason, cancelled, allocated FROM order_line ORDER BY id"
    return [(str(row[0]), *row[1:]) for row in rows(database, query)]


def told(database, kind):
    return rows(database, "SELECT COUNT(*) FROM event_log WHERE type = :t", t=kind)[0][0]


def test_a_line_is_promised_anew_for_the_day_somebody_states_and_keeps_its_age(database):
    business = a_business(database, items=1, stock=4)
    order = allocated(business, [(0, 6)])
    since = rows(database, "SELECT since FROM reservation WHERE unmet > 0")
    with business.work(DESK) as work:
        repromise_lines(work, [Repromise(line=order.lines[0].id, reason="the supplier wrote", day=date(2026, 4, 7))])
    assert lines(database) == [("2026-04-07", "stated", 0, 4000)]
    assert rows(database, "SELECT since FROM reservation WHERE unmet > 0") == since
    assert rows(database, "SELECT unmet FROM reservation WHERE unmet > 0") == [(2000,)]
    assert told(database, "order.repromised") == 2
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reason": " "}, "reason_required"), ({"day": date(2026, 3, 1)}, "promise_past"),
        ({"day": date(2036, 3, 1)}, "promise_past"),
    ],
)  # fmt: skip
def test_a_promise_that_nobody_can_give_is_refused_and_nothing_changes(database, change, code):
    business = a_business(database, items=1, stock=4)
    order = allocated(business, [(0, 6)])
    before = lines(database)
    with pytest.raises(RuleBroken, match=code), business.work(DESK) as work:
        repromise_lines(work, [Repromise(**{"line": order.lines[0].id, "reason": "because", **change})])
    assert lines(database) == before


def test_what_a_line_has_got_meanwhile_is_not_cancelled_with_what_it_waits_for(database):
    business = a_business(database, items=1, stock=4)
    order = allocated(business, [(0, 6)])
    line = order.lines[0].id
    receive(business, 1)
    with business.work() as work:
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    with business.work() as work:
        cancel_waiting(work, [line], "discontinued")
    assert rows(database, "SELECT cancelled, allocated FROM order_line") == [(1000, 5000)]
    with pytest.raises(RuleBroken, match="not_waiting"), business.work() as work:
        cancel_waiting(work, [line], "discontinued")
    assert rows(database, "SELECT cancelled, allocated FROM order_line") == [(1000, 5000)]
    assert_books_agree(database)


def test_a_line_that_lacks_nothing_is_not_promised_anew(database):
    business = a_business(database, items=1, stock=9)
    order = allocated(business, [(0, 6)])
    with pytest.raises(RuleBroken, match="not_waiting"), business.work(DESK) as work:
        repromise_lines(work, [Repromise(line=order.lines[0].id, reason="because", day=date(2026, 4, 7))])
    assert told(database, "order.repromised") == 0


def test_patience_ends_by_rule_and_what_is_reserved_stays(database):
    business = a_business(database, items=1, stock=4)
    approve(business, "backorder_rule", "cancel_after_days")
    approve(business, "backorder_cancel_days", 10)
    allocated(business, [(0, 6)])
    business.clock.advance(timedelta(days=9))
    assert settle_backorders(database, clock=business.clock) == 0
    business.clock.advance(timedelta(days=1, minutes=10))
    assert settle_backorders(database, clock=business.clock) == 1
    assert [row[2:] for row in lines(database)] == [(2000, 4000)]
    assert settle_backorders(database, clock=business.clock) == 0
    assert told(database, "order.cancelled") == 1
    assert_books_agree(database)


def test_a_missed_promise_is_made_anew_by_rule_once_and_not_day_by_day(database):
    business = a_business(database, items=1, stock=0)
    approve(business, "backorder_rule", "re_promise")
    allocated(business, [(0, 6)])
    first = lines(database)[0][0]
    business.clock.advance(timedelta(days=3))
    assert settle_backorders(database, clock=business.clock) == 0
    business.clock.advance(timedelta(days=30))
    assert settle_backorders(database, clock=business.clock) == 1
    assert lines(database)[0][0] > first
    business.clock.advance(timedelta(days=1))
    assert settle_backorders(database, clock=business.clock) == 0
    assert_books_agree(database)


def test_the_standard_rule_keeps_what_waits(database):
    business = a_business(database, items=1, stock=0)
    allocated(business, [(0, 6)])
    before = lines(database)
    business.clock.advance(timedelta(days=200))
    assert settle_backorders(database, clock=business.clock) == 0
    assert lines(database) == before


@pytest.fixture
def contested(database):
    """All six pieces are held by the later order; the earlier one waits for six."""
    business = a_business(database, items=1, stock=6)
    first = released(business, [(0, 6)])
    business.clock.advance(timedelta(hours=1))
    later = allocated(business, [(0, 6)])
    with business.work() as work:
        allocate_orders(work, [first.id], rules=RULES, cells=OPEN)
    wish = TakeBack(line=later.lines[0].id, to=first.lines[0].id, quantity=4000, reason="promised first")
    return business, first, later, wish


def test_a_second_person_agrees_before_stock_is_taken_back(database, contested):
    business, first, later, wish = contested
    approve(business, "take_back_rule", "second_person")
    with business.work(LEAD) as work:
        (asked,) = take_back(work, [wish], rules=RULES, cells=OPEN)
    assert allocated_of(database, first, later) == [0, 6000]
    with pytest.raises(NotAllowed, match="own_request"), business.work(LEAD) as work:
        decide_take_back(work, asked.wish, agreed=True, note="", rules=RULES, cells=OPEN)
    assert allocated_of(database, first, later) == [0, 6000]
    with business.work(OTHER) as work:
        decide_take_back(work, asked.wish, agreed=True, note="yes", rules=RULES, cells=OPEN)
    assert allocated_of(database, first, later) == [4000, 2000]
    with pytest.raises(IllegalMove), business.work(OTHER) as work:
        decide_take_back(work, asked.wish, agreed=True, note="", rules=RULES, cells=OPEN)
    assert_books_agree(database)


def test_a_wish_whose_lines_have_changed_is_out_of_date(database, contested):
    business, first, later, wish = contested
    approve(business, "take_back_rule", "second_person")
    with business.work(LEAD) as work:
        (asked,) = take_back(work, [wish], rules=RULES, cells=OPEN)
    receive(business, 6)
    with business.work() as work:
        run_allocation(work, business.site, rules=RULES, cells=OPEN)
    with pytest.raises(Conflict, match="take_back_outdated"), business.work(OTHER) as work:
        decide_take_back(work, asked.wish, agreed=True, note="", rules=RULES, cells=OPEN)
    assert allocated_of(database, first, later) == [6000, 6000]


def test_the_rule_may_leave_what_is_allocated(database, contested):
    business, first, later, wish = contested
    approve(business, "take_back_rule", "never")
    with pytest.raises(RuleBroken, match="take_back_never"), business.work(LEAD) as work:
        take_back(work, [wish], rules=RULES, cells=OPEN)
    assert allocated_of(database, first, later) == [0, 6000]


def test_one_wish_decided_twice_at_once_is_done_once(database, contested):
    business, first, later, wish = contested
    approve(business, "take_back_rule", "second_person")
    with business.work(LEAD) as work:
        (asked,) = take_back(work, [wish], rules=RULES, cells=OPEN)

    def decide():
        with business.work(OTHER) as work:
            decide_take_back(work, asked.wish, agreed=True, note="", rules=RULES, cells=OPEN)

    outcomes = at_once(decide, decide)
    assert sorted(type(one).__name__ for one in outcomes) == ["IllegalMove", "NoneType"]
    assert allocated_of(database, first, later) == [4000, 2000]
    assert_books_agree(database)


def protection(business, **changes):
    return ProtectStock(
        **{
            "site": business.site, "item": business.items[0], "customer": business.customer, "quantity": Decimal(5),
            "contract": "frame contract 7", "valid_from": date(2026, 1, 1), **changes,
        }
    )  # fmt: skip


def test_a_protection_is_entered_once_and_ended(database):
    business = a_business(database, items=1, stock=0)
    with business.work(LEAD) as work:
        (row,) = protect_stock(work, [protection(business)])
    with pytest.raises(Conflict, match="protection_exists"), business.work(LEAD) as work:
        protect_stock(work, [protection(business, valid_from=date(2026, 2, 1))])
    with business.work(LEAD) as work:
        end_protection(work, row.id)
    with pytest.raises(RuleBroken, match="protection_ended"), business.work(LEAD) as work:
        end_protection(work, row.id)
    assert rows(database, "SELECT quantity, contract FROM stock_protection") == [(5000, "frame contract 7")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"quantity": Decimal(0)}, "quantity_absurd"), ({"quantity": Decimal(-1)}, "quantity_absurd"),
        ({"contract": " "}, "reason_required"), ({"valid_until": date(2025, 1, 1)}, "validity_empty"),
    ],
)  # fmt: skip
def test_a_protection_that_protects_nothing_is_refused(database, change, code):
    business = a_business(database, items=1, stock=0)
    with pytest.raises(RuleBroken, match=code), business.work(LEAD) as work:
        protect_stock(work, [protection(business, **change)])
    assert rows(database, "SELECT COUNT(*) FROM stock_protection") == [(0,)]
