"""What is past its last day is blocked and promised to nobody; what was promised of it before is taken back by the rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.composition.letter_consumer import LetterConsumer
from app.composition.letters import keep_contact
from app.composition.scarcity import FOLLOWERS
from app.jobs.consumers import ConsumerRunner
from app.jobs.expiry import block_expired_lots
from erpcore.fulfilment.expired import set_expired_apart
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, start_task
from erpcore.inventory.bins import Slot
from erpcore.inventory.stock import ChangeStock, adjust_stock
from erpcore.kernel.errors import RuleBroken
from erpcore.masterdata.services import NewCustomer, add_customers
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.protections import ProtectStock, protect_stock
from tests.db.core.test_faults import _dies
from tests.db.core.test_scarce_stock import allocated_of
from tests.db.core.test_transfer_orders import asked, decided
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import ANNA, a_floor, a_task
from tests.support.operate import open_cells
from tests.support.policy import Rules
from tests.support.rows import rows
from tests.support.steps import allocated, released
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import balance, bins, day, lot_id, received, second_site, tracked

BOTH = {"rules": RULES, "cells": OPEN}
SHORTAGES = "SELECT order_line_id, unmet FROM reservation WHERE unmet > 0 ORDER BY order_line_id"


@pytest.fixture
def business(database):
    """Ten of a lot with five days left, seven of one with ninety."""
    made = a_business(database, items=1, stock=0)
    open_cells(made)
    tracked(made, "lot")
    received(made, 10, lot="L-1", expires_on=day(5))
    received(made, 7, lot="L-2", expires_on=day(90))
    return made


def late(business):
    """The first lot is past its last day."""
    business.clock.advance(timedelta(days=6))


def blocked(business):
    return block_expired_lots(business.database, clock=business.clock)


def another_customer(business, tier):
    with business.work() as work:
        new = NewCustomer(
            entity=business.entity, code="C-9", name="Rohr und Sohn", country="Germany", currency="EUR", tier=tier
        )
        return add_customers(work, [new])[0].id


def events(business, order):
    query = "SELECT type, data FROM event_log WHERE journey = :o AND type IN ('order.deallocated', 'order.backordered', 'order.repromised')"
    return [row[0] for row in rows(business.database, query + " ORDER BY seq", o=order.id)]


def test_a_lot_past_its_last_day_is_not_free_and_nothing_else_changes(business):
    assert blocked(business) == 0
    assert balance(business)[:3] == (17, 0, 0)
    late(business)
    assert blocked(business) == 1
    assert balance(business)[:3] == (17, 0, 10)
    assert blocked(business) == 0
    order = allocated(business, [(0, 9)])
    assert order.lines[0].allocated == 7000
    assert_books_agree(business.database)


def test_what_the_rest_covers_stays_reserved(business):
    order = allocated(business, [(0, 7)])
    late(business)
    assert blocked(business) == 1
    assert balance(business)[:3] == (17, 7, 10)
    assert (allocated_of(business.database, order), events(business, order)) == ([7000], [])
    assert_books_agree(business.database)


def test_what_the_rest_does_not_cover_is_taken_back_from_who_came_last(business):
    database = business.database
    with business.work() as work:
        keep_contact(work, customer=business.customer, email="kauf@b.example", language=None, wants_none=False, seen=0)
    first = allocated(business, [(0, 6)])
    business.clock.advance(timedelta(hours=1))
    last = allocated(business, [(0, 8)])
    late(business)
    assert blocked(business) == 1
    assert balance(business)[:3] == (17, 7, 10)
    assert bins(business) == {(None, "L-1", "quarantine"): 10, (None, "L-2", "available"): 7}
    assert allocated_of(database, first, last) == [6000, 1000]
    assert (events(business, first), events(business, last)) == (
        [], ["order.deallocated", "order.backordered", "order.repromised"]
    )  # fmt: skip
    assert rows(database, SHORTAGES) == [(last.lines[0].id, 7000)]
    said = "SELECT move, reason FROM transition WHERE document_type = 'order' AND document_id = :o AND move = 'lot_expired'"
    assert rows(database, said, o=last.id) == [("lot_expired", "lot L-1 expired on 2026-03-07")]
    days = "SELECT promise_reason, promised_on FROM order_line WHERE id = :l"
    ((why, when),) = rows(database, days, l=last.lines[0].id)
    assert (why, str(when)) == ("lead_time", "2026-03-15")
    ConsumerRunner(database, LetterConsumer(), clock=business.clock).run_to_head()
    letters = "SELECT event, order_id FROM letter WHERE event NOT IN ('confirmation') ORDER BY event_seq"
    assert rows(database, letters) == [("shortage", last.id)]
    assert blocked(business) == 0
    assert_books_agree(database)


def test_the_rule_of_the_place_says_who_loses(business):
    """Who came last ranks first by tier, or has a contract; by shares everybody loses in proportion."""
    database, better = business.database, another_customer(business, 1)
    first = allocated(business, [(0, 6)])
    business.clock.advance(timedelta(hours=1))
    last = allocated(business, [(0, 8)], customer=better)
    with business.work() as work:
        kept = ProtectStock(
            site=business.site, item=business.items[0], customer=better, quantity=Decimal(3), contract="F-1",
            valid_from=day(0),
        )  # fmt: skip
        protect_stock(work, [kept])
    late(business)
    lost = {}
    for rule in ("first_come", "priority", "contract_protection", "fair_share"):
        with business.work() as work, work.trial() as attempt:
            place = (business.site, business.items[0])
            found = set_expired_apart(attempt, place, rules=Rules(allocation_rule=rule), cells=OPEN)
            lost[rule] = [found.lines.get(order.lines[0].id, 0) for order in (first, last)]
    assert lost == {
        "first_come": [0, 7000], "priority": [6000, 1000], "contract_protection": [2000, 5000], "fair_share": [3000, 4000],
    }  # fmt: skip
    assert allocated_of(database, first, last) == [6000, 8000]
    assert_books_agree(database)


def test_who_was_short_before_lacks_more_and_keeps_its_place(business):
    database = business.database
    order = allocated(business, [(0, 20)])
    since = rows(database, "SELECT since FROM reservation WHERE unmet > 0")
    late(business)
    assert blocked(business) == 1
    assert allocated_of(database, order) == [7000]
    assert rows(database, SHORTAGES) == [(order.lines[0].id, 13_000)]
    assert rows(database, "SELECT since FROM reservation WHERE unmet > 0") == since
    assert events(business, order).count("order.backordered") == 1
    assert_books_agree(database)


def test_branches_lose_before_customers_and_ship_what_is_free_when_they_leave(business):
    database = business.database
    decided(business, asked(business, second_site(business), 9))
    order = allocated(business, [(0, 5)])
    late(business)
    assert blocked(business) == 1
    assert balance(business)[:3] == (17, 7, 10)
    assert rows(database, "SELECT reserved FROM transfer_order_line") == [(2000,)]
    assert allocated_of(database, order) == [5000]
    assert_books_agree(database)


def test_nobody_is_sent_to_an_expired_lot_and_what_was_picked_of_it_stays_with_its_order(business):
    """Of twelve, ten are to be fetched from the first lot: four of them are in the tote when it expires."""
    database = business.database
    a_floor(business)
    order = allocated(business, [(0, 12)])
    (task,) = a_task(business, order)
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=4_000))
    late(business)
    assert blocked(business) == 1
    assert bins(business) == {
        (None, "L-1", "available"): 4,
        (None, "L-1", "quarantine"): 6,
        (None, "L-2", "available"): 7,
    }
    assert allocated_of(database, order) == [11_000]
    assert balance(business)[:3] == (17, 11, 6)
    lines = "SELECT quantity, picked FROM warehouse_task_line WHERE task_id = :t ORDER BY line_no"
    assert rows(database, lines, t=task.id) == [(4000, 4000), (2000, 0)]
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=2, quantity=2_000))
        finish_pick(work, task.id, **BOTH)
    assert allocated_of(database, order) == [5000]
    (rest,) = a_task(business, order)
    assert [(line.quantity, line.lot_id is not None) for line in rest.lines] == [(5000, True)]
    assert_books_agree(database)


def test_a_pick_that_meets_an_expired_lot_does_not_wait_for_the_job(business):
    database = business.database
    business.database = replace(database, followers=FOLLOWERS)
    order = allocated(business, [(0, 12)])
    with business.work() as work:
        change = ChangeStock(
            site=business.site, item=business.items[0], quantity=Decimal(-5), note="broken",
            slot=Slot(business.site, business.items[0], None, lot_id(business, "L-2")),
        )  # fmt: skip
        adjust_stock(work, [change], **BOTH)
    late(business)
    (task,) = a_task(business, order)
    assert [line.quantity for line in task.lines] == [2000]
    assert balance(business)[:3] == (12, 2, 10)
    assert rows(database, SHORTAGES) == [(order.lines[0].id, 10_000)]
    assert_books_agree(database)


def test_a_pick_refused_because_all_has_expired_blocks_it_at_once(business):
    database = business.database
    order = allocated(business, [(0, 17)])
    business.database = replace(database, followers=FOLLOWERS)
    business.clock.advance(timedelta(days=91))
    with pytest.raises(RuleBroken, match="nothing_to_plan"):
        a_task(business, order)
    assert balance(business)[:3] == (17, 0, 17)
    assert rows(database, SHORTAGES) == [(order.lines[0].id, 17_000)]
    assert_books_agree(database)


def test_a_task_that_would_fetch_nothing_else_is_off_the_queue(business):
    a_floor(business)
    order = allocated(business, [(0, 3)])
    (task,) = a_task(business, order)
    late(business)
    assert blocked(business) == 1
    assert rows(business.database, "SELECT state FROM warehouse_task WHERE id = :t", t=task.id) == [("cancelled",)]
    assert allocated_of(business.database, order) == [3000]
    (again,) = a_task(business, order)
    assert [line.quantity for line in again.lines] == [3000]
    assert_books_agree(business.database)


def test_two_who_find_it_at_once_while_others_allocate_take_back_once(business):
    database = business.database
    orders = [allocated(business, [(0, 4)]) for _ in range(4)]
    late(business)
    more = [released(business, [(0, 1)]) for _ in range(2)]

    def give(order):
        def task():
            with business.work() as work:
                allocate_orders(work, [order.id], **BOTH)

        return task

    found = at_once(lambda: blocked(business), lambda: blocked(business), *(give(order) for order in more))
    assert not [one for one in found if isinstance(one, Exception)], found
    while blocked(business):
        pass
    assert balance(business)[:3] == (17, 7, 10)
    assert sum(allocated_of(database, *orders, *more)) == 7000
    ((taken,),) = rows(database, "SELECT SUM(freed) FROM reservation")
    ((reserved,),) = rows(database, "SELECT SUM(quantity) FROM reservation")
    assert reserved - taken == 7000
    assert_books_agree(database)


def test_killed_in_between_nothing_has_changed(business):
    allocated(business, [(0, 12)])
    late(business)
    before = fingerprint_of(business.database)
    with pytest.raises(KeyboardInterrupt), business.work() as work:
        _dies(work, lambda work: set_expired_apart(work, (business.site, business.items[0]), **BOTH))
    assert fingerprint_of(business.database) == before
    assert blocked(business) == 1
    assert_books_agree(business.database)
