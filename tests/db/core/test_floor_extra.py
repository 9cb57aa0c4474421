"""A picker takes a little more than was ordered, within the tolerance, by order, batch and zone; beyond it nothing happens."""

from __future__ import annotations

import pytest

from app.composition.uow import reading
from app.queries.order_detail import order_page
from app.queries.order_rules import spare_of_line, spare_of_lines
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, put_back, start_task
from erpcore.fulfilment.floor.tasks import cancel_task
from erpcore.fulfilment.services import confirm_shipments
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import RuleBroken
from erpcore.orders.cancelling import CancelLines, cancel_lines
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import ANNA, BEN, SUPERVISOR, a_task, killed, one, refused, shelved
from tests.support.policies import approve
from tests.support.steps import allocated
from tests.support.threads import at_once


@pytest.fixture
def business(database):
    """Of each item there are 110; 50 of a thousand may leave beyond the order."""
    made = a_business(database, stock=110)
    approve(made, "over_ship_tolerance_permille", 50, entity=made.entity)
    return made


def started(business, *orders, by=ANNA):
    (task,) = a_task(business, *orders)
    with business.work(by) as work:
        start_task(work, task.id)
    return task


def said(task, quantity, line=1, **more):
    return lambda work: confirm_pick(work, ConfirmPick(task=task.id, line=line, quantity=quantity, **more), rules=RULES)


def say(business, task, quantity, line=1, *, by=ANNA, **more):
    with business.work(by) as work:
        return said(task, quantity, line, **more)(work)


def finished(business, task, by=ANNA):
    with business.work(by) as work:
        return finish_pick(work, task.id, rules=RULES, cells=OPEN)


def on_task(database):
    return tuple(one(database, "SELECT sum(quantity), sum(picked), sum(extra) FROM warehouse_task_line"))


def test_a_little_more_counts_for_the_order_when_the_task_is_finished_and_ships_with_it(database, business):
    order = allocated(business, [(0, 100)])
    task = started(business, order)
    line = say(business, task, 105_000)
    assert (line.picked, line.extra, line.left) == (100_000, 5_000, 0)
    assert tuple(one(database, "SELECT allocated, picked, extra FROM order_line")) == (100_000, 0, 0)
    assert_books_agree(database)
    (shipment,) = finished(business, task).shipments
    assert tuple(one(database, "SELECT quantity, allocated, picked, extra FROM order_line")) == (
        100_000,
        0,
        105_000,
        5_000,
    )
    assert shipment.lines == [(order.lines[0].id, 105_000)]
    assert_books_agree(database)
    with business.work() as work:
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    assert tuple(one(database, "SELECT min(on_hand), sum(reserved) FROM stock_balance")) == (5_000, 0)
    assert one(database, "SELECT delivery_status FROM sales_order")[0] == "done"
    assert_books_agree(database)


def test_the_tolerance_of_what_is_counted_in_pieces_ends_at_a_whole_piece(database, business):
    order = allocated(business, [(0, 30)])
    task = started(business, order)
    with reading(database) as session:
        assert spare_of_line(session, order.lines[0].id) == 1
        assert spare_of_lines(session, order_page(session, Actor.system("test"), order.id)) == {order.lines[0].id: 1}
    error = refused(business, ANNA, said(task, 32_000), "pick_over_line")
    assert error.facts == {"most": "31", "item": "40-0"}
    say(business, task, 31_000)
    finished(business, task)
    assert_books_agree(database)


def test_in_steps_the_tolerance_is_used_once(database, business):
    task = started(business, allocated(business, [(0, 100)]))
    say(business, task, 60_000)
    error = refused(business, ANNA, said(task, 45_001), "pick_over_line")
    assert error.facts == {"most": "45", "item": "40-0"}
    say(business, task, 43_000)
    assert on_task(database) == (100_000, 100_000, 3_000)
    error = refused(business, ANNA, said(task, 3_000), "pick_over_line")
    assert error.facts["most"] == "2"
    say(business, task, 2_000)
    refused(business, ANNA, said(task, 1), "pick_over_line")
    finished(business, task)
    assert_books_agree(database)


def test_without_a_tolerance_or_with_damaged_ones_no_more_than_ordered_is_taken(database):
    business = a_business(database, stock=110)
    task = started(business, allocated(business, [(0, 100)]))
    error = refused(business, ANNA, said(task, 100_001), "pick_over_line")
    assert error.facts["most"] == "100"
    approve(business, "over_ship_tolerance_permille", 50)
    # The rules that the order was taken under stand.
    refused(business, ANNA, said(task, 100_001), "pick_over_line")
    refused(business, ANNA, said(task, 100_000, damaged=1_000), "pick_over_line")


def test_what_is_not_free_or_somebody_waits_for_is_refused_at_the_shelf(database, business):
    first = allocated(business, [(0, 100)])
    task = started(business, first)
    allocated(business, [(0, 8)])
    error = refused(business, ANNA, said(task, 103_000), "pick_over_no_stock")
    assert error.facts == {"line": 10, "document": first.number}
    say(business, task, 102_000)
    finished(business, task)
    assert_books_agree(database)


def test_what_somebody_else_got_meanwhile_is_put_back_before_the_task_is_finished(database, business):
    task = started(business, allocated(business, [(0, 100)]))
    say(business, task, 105_000)
    allocated(business, [(0, 8)])
    error = refused(
        business, ANNA, lambda work: finish_pick(work, task.id, rules=RULES, cells=OPEN), "pick_over_no_stock"
    )
    assert error.facts["line"] == 10
    with business.work(ANNA) as work:
        line = put_back(work, task.id, 1, quantity=3_000)
    assert (line.picked, line.extra) == (100_000, 2_000)
    finished(business, task)
    assert tuple(one(database, "SELECT sum(extra), sum(picked) FROM order_line")) == (2_000, 102_000)
    assert_books_agree(database)


def test_an_order_that_was_cut_meanwhile_bears_less_beyond_it(database, business):
    order = allocated(business, [(0, 100)])
    task = started(business, order)
    say(business, task, 105_000)
    with business.work() as work:
        cancel_lines(
            work, [CancelLines(order=order.id, reason="less", by_customer=True, lines={order.lines[0].id: 20_000})]
        )
    finish = lambda work: finish_pick(work, task.id, rules=RULES, cells=OPEN)  # noqa: E731 - given to be refused
    assert refused(business, ANNA, finish, "pick_no_longer_wanted").facts["quantity"] == "25"
    with business.work(ANNA) as work:
        line = put_back(work, task.id, 1, quantity=25_000)
    assert (line.picked, line.extra) == (80_000, 0)
    finished(business, task)
    assert tuple(one(database, "SELECT picked, extra FROM order_line")) == (80_000, 0)
    assert_books_agree(database)


def test_in_a_batch_each_order_has_its_own_tolerance(database, business):
    orders = [allocated(business, [(0, 40)]), allocated(business, [(0, 60)])]
    tasks = []
    for order in orders:
        tasks += a_task(business, order)
    for who, task, more in ((ANNA, tasks[0], 42_000), (BEN, tasks[1], 63_000)):
        with business.work(who) as work:
            start_task(work, task.id)
        say(business, task, more, by=who)
        finished(business, task, by=who)
    assert tuple(one(database, "SELECT sum(picked), sum(extra) FROM order_line")) == (105_000, 5_000)
    assert_books_agree(database)


def test_from_two_places_more_goes_along_only_once_all_of_it_is_picked_and_is_held_where_it_lay(database, business):
    first, second = shelved(business)
    task = started(business, allocated(business, [(0, 50)]))
    assert [(line.location_id, line.quantity) for line in task.lines] == [(first, 40_000), (second, 10_000)]
    refused(business, ANNA, said(task, 40_001), "pick_over_not_yet")
    say(business, task, 40_000)
    say(business, task, 12_000, line=2)
    assert tuple(one(database, "SELECT sum(quantity), sum(picked) FROM bin_hold")) == (52_000, 52_000)
    with business.work(ANNA) as work:
        put_back(work, task.id, 2, quantity=1_000)
    assert tuple(one(database, "SELECT sum(quantity), sum(picked) FROM bin_hold")) == (51_000, 51_000)
    (shipment,) = finished(business, task).shipments
    with business.work() as work:
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    assert one(database, f"SELECT quantity FROM stock_bin WHERE location_id = {second}")[0] == 49_000
    # The shelves were filled past the services that tell of it.
    assert_books_agree(database, but=("events_stock",))


def test_what_lies_there_for_another_pick_stays_there(database, business):
    shelved(business)
    task = started(business, allocated(business, [(0, 40)]))
    a_task(business, allocated(business, [(0, 60)]))
    # Ten are free at the default place, none on this shelf.
    refused(business, ANNA, said(task, 41_000), "held_elsewhere")


def test_a_task_that_is_cancelled_gives_back_what_was_beyond_it(database, business):
    shelved(business)
    task = started(business, allocated(business, [(0, 39)]))
    say(business, task, 40_000)
    with business.work(ANNA) as work:
        put_back(work, task.id, 1, quantity=40_000)
    with business.work(SUPERVISOR) as work:
        cancel_task(work, task.id, "the truck broke down")
    assert on_task(database) == (39_000, 0, 0)
    assert one(database, "SELECT sum(quantity - used - freed) FROM bin_hold")[0] == 0
    assert_books_agree(database, but=("events_stock",))


def test_a_device_that_dies_keeps_what_was_said_and_nothing_else(database, business):
    task = started(business, allocated(business, [(0, 100)]))
    killed(business, ANNA, said(task, 105_000))
    assert on_task(database) == (100_000, 0, 0)
    say(business, task, 105_000)
    killed(business, ANNA, lambda work: finish_pick(work, task.id, rules=RULES, cells=OPEN))
    assert tuple(one(database, "SELECT allocated, picked, extra FROM order_line")) == (100_000, 0, 0)
    finished(business, task)
    assert_books_agree(database)


def test_two_who_take_more_of_the_last_two_never_take_more_than_there_is(database, business):
    tasks = []
    for who in (ANNA, BEN):
        (task,) = a_task(business, allocated(business, [(0, 54)]))
        with business.work(who) as work:
            start_task(work, task.id)
        say(business, task, 56_000, by=who)
        tasks.append((who, task))
    results = at_once(*([lambda who=who, task=task: finished(business, task, by=who) for who, task in tasks]))
    assert sorted(type(result).__name__ for result in results) == ["Finished", "RuleBroken"]
    assert next(one for one in results if isinstance(one, RuleBroken)).code == "pick_over_no_stock"
    assert one(database, "SELECT max(reserved) FROM stock_balance")[0] == 110_000
    assert_books_agree(database)
