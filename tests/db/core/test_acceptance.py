"""Who lets a held order go lets that order go, and not what it becomes; what is mended lets orders go at once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from erpcore.kernel.actor import Actor
from erpcore.orders.acceptance import Facts
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments
from erpcore.orders.holds import ReleaseHold, release_holds
from erpcore.orders.models import ChangeKind
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import NewLine, capture_orders
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.rows import rows
from tests.support.steps import captured, released

CLERK = Actor(id=7, role="customer_service", permissions=frozenset({"orders:order:amend"}))


def let_go(business):
    with business.work() as work:
        (hold,) = rows(business.database, "SELECT id FROM order_hold WHERE released_at IS NULL")
        (order,) = release_holds(work, [ReleaseHold(hold=hold[0], reason="agreed")])
    return order


def release(business, order):
    with business.work() as work:
        (order,) = release_orders(work, [order.id], rules=RULES, cells=OPEN)
    return order


def amend(business, order, *changes, by_customer=True):
    command = StageAmendment(order=order.id, by_customer=by_customer, reason="called", changes=changes)
    with business.work(CLERK) as work:
        (staged,) = stage_amendments(work, [command], rules=RULES, cells=OPEN)
    with business.work(CLERK) as work:
        (order,) = apply_amendments(work, [staged.id], rules=RULES, cells=OPEN)
    return order


def quantity(line, value):
    return Amend(kind=ChangeKind.QUANTITY, line=line.id, quantity=Decimal(value))


def held_for_credit(business):
    order = released(business, [(0, 10)])
    assert order.state == "held"
    return release(business, let_go(business))


def test_the_order_that_was_let_go_is_released_and_the_larger_one_is_held_again(database):
    business = a_business(database, limit=5_000)
    order = held_for_credit(business)
    assert order.state == "released"
    order = amend(business, order, quantity(order.lines[0], 11))
    assert order.state == "held"
    found = rows(database, "SELECT kind, covers FROM order_hold ORDER BY id")
    assert found == [("credit", '{"lost":0,"margin":600,"places":[],"worth":10000}'), ("credit", None)]
    assert release(business, let_go(business)).state == "released"
    assert_books_agree(database)


def test_less_of_it_is_still_what_was_let_go(database):
    business = a_business(database, limit=5_000)
    order = held_for_credit(business)
    order = amend(business, order, quantity(order.lines[0], 8))
    assert order.state == "released"
    # Grown again, but not beyond what was looked at.
    assert amend(business, order, quantity(order.lines[0], 10)).state == "released"
    assert rows(database, "SELECT COUNT(*) FROM order_hold") == [(1,)]
    assert_books_agree(database)


def test_an_entered_price_is_let_go_for_what_it_gave_away_and_no_more(database):
    business = a_business(database)
    line = NewLine(item=business.items[0], quantity=Decimal(10), unit_price=Decimal("9.00"), price_reason="a favour")
    with business.work() as work:
        (order,) = capture_orders(work, [replace(business.order(), lines=[line])], rules=RULES, cells=OPEN)
    assert order.state == "held"
    order = release(business, let_go(business))
    assert order.state == "released"
    order = amend(business, order, quantity(order.lines[0], 12))
    assert order.state == "held"
    kept = rows(database, "SELECT kind, covers FROM order_hold ORDER BY id")
    assert kept == [("price", '{"lost":1000,"margin":555,"places":[],"worth":9000}'), ("price", None)]
    assert_books_agree(database)


def test_a_smaller_share_above_cost_is_not_what_was_let_go():
    then = Facts(worth=10_000, lost=0, margin=400)
    assert then.covers(Facts(10_000, 0, 400))
    assert not then.covers(Facts(9_000, 0, 399))
    assert then.covers(Facts(9_000, 0, None))
    assert not then.covers(Facts(10_001, 0, 500))
    assert not then.covers(Facts(10_000, 1, 400))
    assert Facts.read(then.kept()) == then


def test_what_was_let_go_before_such_facts_were_kept_covers_its_worth():
    assert Facts.read('{"worth":10000}').covers(Facts(10_000, 50, 100))
    assert not Facts.read('{"worth":10000}').covers(Facts(10_001, 50, 100))


def test_what_somebody_only_captured_is_asked_for_its_credit_when_it_is_released(database):
    business = a_business(database, limit=5_000)
    order = captured(business, [(0, 4)])
    order = amend(business, order, quantity(order.lines[0], 9))
    assert order.state == "captured"
    (foreseen,) = rows(database, "SELECT foreseen FROM order_amendment")
    assert '"on_release":[["credit",' in foreseen[0]
    assert release(business, order).state == "held"
