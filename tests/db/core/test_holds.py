"""Holds and credit: several at once, ended by authority but never by who asked, or by themselves; exposure in three parts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.composition import curing
from app.composition.curing import cure_after, cure_held_orders
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.orders import releasing
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.holds import HoldOrder, ReleaseHold, hold_orders, place_hold, release_holds
from erpcore.orders.models import HoldKind
from erpcore.orders.records import lock_orders
from erpcore.orders.releasing import cure_orders, release_orders
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells
from tests.support.policy import Rules
from tests.support.rows import rows
from tests.support.steps import captured, invoiced, released, shipped
from tests.support.threads import at_once

DESK = Actor(id=7, role="customer_service", permissions=frozenset({"orders:hold:place", "orders:hold:release", "orders:hold:settle",
                                                                   "orders:order:release", "credit:hold:release"}))  # fmt: skip
LEAD = Actor(id=8, role="site_lead", permissions=DESK.permissions)
CLERK = Actor(id=9, role="super_user", permissions=frozenset({"orders:hold:release"}))


def exposure(database):
    return rows(database, "SELECT receivable_minor, shipped_minor, released_minor FROM credit_exposure")


def everything(database):
    """What a refusal must leave alone."""
    return [
        rows(database, f"SELECT * FROM {table} ORDER BY 1")
        for table in ("sales_order", "order_line", "order_hold", "transition", "event_log", "credit_exposure")
    ]


def held(business, *kinds, actor=DESK):
    order = captured(business)
    for kind in kinds:
        with business.work(actor) as work:
            hold_orders(work, [HoldOrder(order=order.id, kind=kind, reason=f"{kind} in doubt")])
    return order


def holds(database):
    return [row[0] for row in rows(database, "SELECT id FROM order_hold ORDER BY id")]


def end(business, hold, actor=LEAD):
    with business.work(actor) as work:
        (order,) = release_holds(work, [ReleaseHold(hold=hold, reason="looked at")])
    return order


def test_two_holds_stand_side_by_side_and_the_last_one_frees_the_order(database):
    business = a_business(database)
    held(business, HoldKind.ADDRESS, HoldKind.EXPORT)
    first, second = holds(database)
    assert end(business, first).state == "held"
    assert end(business, second).state == "captured"
    assert rows(database, "SELECT kind, reason, asked_by, released_by, is_cured FROM order_hold ORDER BY id") == [
        ("address", "address in doubt", 7, 8, False),
        ("export", "export in doubt", 7, 8, False),
    ]
    told = rows(
        database, "SELECT type FROM event_log WHERE type LIKE 'order.hold%' OR type = 'order.held' ORDER BY seq"
    )
    assert told == [("order.held",), ("order.held",), ("order.hold_released",), ("order.hold_released",)]


def test_who_asked_for_it_never_ends_the_hold(database):
    business = a_business(database)
    held(business, HoldKind.MANUAL)
    before = everything(database)
    with pytest.raises(NotAllowed, match="hold_own_request"):
        end(business, holds(database)[0], DESK)
    assert everything(database) == before


def test_a_hold_that_a_person_placed_is_not_ended_by_a_desk_that_may_approve_prices(database):
    business = a_business(database)
    held(business, HoldKind.MANUAL)
    desk = Actor(id=9, role="super_user", permissions=frozenset({"orders:hold:release", "orders:price:approve_desk"}))
    before = everything(database)
    with pytest.raises(NotAllowed, match="not_allowed"):
        end(business, holds(database)[0], desk)
    assert everything(database) == before
    assert end(business, holds(database)[0], LEAD).state == "captured"


def test_what_a_person_doubts_is_not_cured_by_the_job(database):
    business = a_business(database)
    open_cells(business)
    held(business, HoldKind.ADDRESS, HoldKind.DATA)
    assert cure_held_orders(database, clock=business.clock) == 0
    assert rows(database, "SELECT COUNT(*) FROM order_hold WHERE released_at IS NULL") == [(2,)]


def test_a_credit_hold_takes_more_than_the_right_to_end_holds(database):
    business = a_business(database, limit=5000)
    order = captured(business)
    with business.work(DESK) as work:
        release_orders(work, [order.id], rules=RULES, cells=OPEN)
    before = everything(database)
    with pytest.raises(NotAllowed, match="not_allowed"):
        end(business, holds(database)[0], CLERK)
    assert everything(database) == before
    assert end(business, holds(database)[0], LEAD).state == "captured"


def test_the_same_kind_holds_an_order_once(database):
    business = a_business(database)
    order = held(business, HoldKind.MANUAL)
    before = everything(database)
    with pytest.raises(RuleBroken, match="hold_exists"), business.work(LEAD) as work:
        hold_orders(work, [HoldOrder(order=order.id, kind=HoldKind.MANUAL, reason="again")])
    assert everything(database) == before


def test_another_rule_that_finds_the_same_adds_its_facts_and_keeps_the_age(database):
    business = a_business(database)
    order = captured(business)
    for lost in (100, 300):
        with business.work(DESK) as work:
            (locked,) = lock_orders(work, [order.id])
            place_hold(work, locked, HoldKind.PRICE, reason="below the floor", facts={"lost": lost},
                       permission="orders:price:approve", level="process_owner")  # fmt: skip
        business.clock.advance(timedelta(hours=1))
    found = rows(database, "SELECT kind, facts, permission, level FROM order_hold")
    assert found == [("price", '{"lost":300,"note":"below the floor"}', "orders:price:approve", "process_owner")]
    assert rows(database, "SELECT COUNT(*) FROM event_log WHERE type = 'order.held'") == [(1,)]


def test_a_hold_of_another_site_is_not_there(database):
    business = a_business(database)
    held(business, HoldKind.MANUAL)
    elsewhere = Actor(id=8, role="site_lead", permissions=DESK.permissions, sites=frozenset({1}))
    before = everything(database)
    with pytest.raises(NotFound):
        end(business, holds(database)[0], elsewhere)
    assert everything(database) == before


def test_two_people_end_one_hold_and_only_one_does(database):
    business = a_business(database)
    held(business, HoldKind.MANUAL)
    (hold,) = holds(database)
    done = at_once(lambda: end(business, hold, LEAD).state, lambda: end(business, hold, Actor.system("test")).state)
    assert sorted(str(one) for one in done if isinstance(one, str)) == ["captured"]
    assert [one.code for one in done if isinstance(one, RuleBroken)] == ["hold_ended"]
    assert rows(database, "SELECT COUNT(*) FROM event_log WHERE type = 'order.hold_released'") == [(1,)]


def test_exposure_moves_from_part_to_part_as_the_order_goes_on(database):
    business = a_business(database)
    released(business, [(0, 10)])
    assert exposure(database) == [(0, 0, 10000)]
    shipped(business, [(1, 5)])
    assert exposure(database) == [(0, 5000, 10000)]
    invoiced(business, [(2, 2)])
    assert exposure(database) == [(2400, 5000, 10000)]
    assert_books_agree(database)


def test_what_has_left_counts_although_the_order_is_held(database):
    business = a_business(database, stock=6)
    order, _ = shipped(business, [(0, 10)])
    with business.work() as work:
        hold_orders(work, [HoldOrder(order=order.id, kind=HoldKind.MANUAL, reason="wait")])
    assert exposure(database) == [(0, 6000, 0)]
    assert_books_agree(database)


def test_two_orders_of_one_customer_released_at_once_do_not_both_fit_under_the_limit(database):
    business = a_business(database, limit=15000)
    orders = [captured(business).id for _ in range(2)]

    def release(order):
        def task():
            with business.work() as work:
                return release_orders(work, [order], rules=RULES, cells=OPEN)[0].state

        return task

    assert sorted(at_once(*(release(order) for order in orders))) == ["held", "released"]
    assert exposure(database) == [(0, 0, 10000)]
    assert_books_agree(database)


def test_an_order_may_exceed_the_limit_by_the_share_that_the_rules_allow(database):
    business = a_business(database, limit=9500)
    order = captured(business)
    with business.work() as work:
        (order,) = release_orders(work, [order.id], rules=Rules(credit_order_share_permille=50), cells=OPEN)
    assert order.state == "released"
    assert released(business).state == "held"


def test_an_overdue_invoice_stops_orders_and_paying_it_lets_them_go(database):
    business = a_business(database)
    open_cells(business)
    _, _, invoice = invoiced(business)
    business.clock.advance(timedelta(days=60))
    order = captured(business)
    rules = Rules(credit_overdue_days=14)
    with business.work(DESK) as work:
        (order,) = release_orders(work, [order.id], rules=rules, cells=OPEN)
    assert order.state == "held"
    assert '"allowed_days":14' in rows(database, "SELECT facts FROM order_hold")[0][0]
    with business.work() as work:
        assert cure_orders(work, [order.id], rules=rules, cells=OPEN) == []
    pay(business, invoice)
    with business.work() as work:
        (order,) = cure_orders(work, [order.id], rules=rules, cells=OPEN)
    assert order.state == "released"
    assert rows(database, "SELECT is_cured, release_reason FROM order_hold") == [
        (True, "the customer's credit bears it again")
    ]
    assert_books_agree(database)


def pay(business, invoice):
    with business.work() as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=invoice.gross_minor)]
        )
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=invoice.gross_minor)])


def test_who_mends_something_waits_for_a_few_orders_and_no_failure_is_said_of_what_is_done(database, monkeypatch):
    business = a_business(database, limit=12000)
    open_cells(business)
    first = released(business, [(0, 10)])
    waiting = [released(business, [(1, 3)]) for _ in range(3)]
    assert [order.state for order in waiting] == ["held"] * 3
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=first.id, reason="no longer wanted", by_customer=True)])
    ask = {"clock": business.clock, "customers": {business.customer}}

    def breaks(*_, **__):
        raise OperationalError("SELECT", {}, RuntimeError("the server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(curing, "cure_with_purchases", breaks)
        assert cure_after(database, **ask) == 0
    assert rows(database, "SELECT state FROM sales_order ORDER BY id")[1:] == [("held",)] * 3
    monkeypatch.setattr(curing, "MOST_AT_ONCE", 2)
    assert cure_after(database, **ask) == 2
    assert cure_held_orders(database, clock=business.clock) == 1


def test_the_job_frees_what_fits_again_the_oldest_first_and_no_more(database):
    business = a_business(database, limit=12000)
    open_cells(business)
    first = released(business, [(0, 10)])
    waiting = [released(business, [(1, 8)]), released(business, [(1, 8)])]
    assert [order.state for order in waiting] == ["held", "held"]
    assert cure_held_orders(database, clock=business.clock) == 0
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=first.id, reason="no longer wanted", by_customer=True)])
    assert cure_held_orders(database, clock=business.clock) == 1
    assert rows(database, "SELECT state FROM sales_order ORDER BY id") == [("cancelled",), ("released",), ("held",)]
    told = rows(database, "SELECT type, actor FROM event_log WHERE type IN ('order.hold_released', 'order.released') "
                          "AND journey = (SELECT MIN(id) FROM sales_order WHERE state = 'released') ORDER BY seq")  # fmt: skip
    assert told == [("order.hold_released", 0), ("order.released", 0)]
    assert_books_agree(database)


def test_a_worker_killed_while_curing_leaves_the_order_held_and_the_next_run_frees_it(database, monkeypatch):
    business = a_business(database, limit=12000)
    open_cells(business)
    first = released(business, [(0, 10)])
    released(business, [(1, 8)])
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=first.id, reason="no longer wanted", by_customer=True)])
    before = everything(database)

    class Killed(BaseException):
        pass

    def killed(*_args, **_options):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(releasing, "release_orders", killed)
        with pytest.raises(Killed):
            cure_held_orders(database, clock=business.clock)
    assert everything(database) == before
    assert cure_held_orders(database, clock=business.clock) == 1
    assert cure_held_orders(database, clock=business.clock) == 0
    assert_books_agree(database)


def test_an_open_order_of_a_customer_who_was_deactivated_is_held_and_goes_on_when_they_are_back(database):
    business = a_business(database)
    open_cells(business)
    order, going = captured(business), released(business)
    block(business, blocked=True)
    with business.work() as work:
        (order,) = release_orders(work, [order.id], rules=RULES, cells=OPEN)
    assert order.state == "held"
    assert rows(database, "SELECT kind, reason FROM order_hold") == [("data", "the customer is blocked")]
    assert rows(database, f"SELECT state FROM sales_order WHERE id = {going.id}") == [("released",)]
    with pytest.raises(RuleBroken, match="customer_blocked"):
        captured(business)
    assert cure_held_orders(database, clock=business.clock) == 0
    block(business, blocked=False)
    assert cure_held_orders(database, clock=business.clock) == 1
    assert rows(database, "SELECT state FROM sales_order") == [("released",), ("released",)]
    assert_books_agree(database)


def block(business, *, blocked):
    with business.work() as work:
        work.session.execute(text("UPDATE customer SET is_blocked = :b"), {"b": blocked})


def test_a_hold_by_somebody_who_saw_an_older_order_is_refused(database):
    business = a_business(database)
    order = held(business, HoldKind.MANUAL)
    before = everything(database)
    with pytest.raises(Conflict, match="changed_meanwhile"), business.work(LEAD) as work:
        hold_orders(work, [HoldOrder(order=order.id, kind=HoldKind.DATA, reason="x", seen_version=1)])
    assert everything(database) == before
