"""Which tasks there are: pick waves from plan to completion, what goes first, and an order line in one task only."""

from __future__ import annotations

from datetime import UTC, time
from decimal import Decimal

import pytest

from erpcore.fulfilment.floor.models import PickMethod
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, put_back, start_task
from erpcore.fulfilment.floor.planning import pick_now
from erpcore.fulfilment.floor.tasks import (
    cancel_task,
    claim_task,
    next_task,
)
from erpcore.fulfilment.floor.waves import (
    PlanPickWave,
    cancel_pick_wave,
    interrupt_pick_wave,
    plan_pick_wave,
    release_pick_wave,
    resume_pick_wave,
)
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.kernel.errors import IllegalMove, RuleBroken
from erpcore.orders.cancelling import CancelLines, cancel_lines
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import (
    ANNA,
    BEN,
    SUPERVISOR,
    a_floor,
    a_task,
    one,
    picked_by,
    refused,
    shelved,
)
from tests.support.policies import approve
from tests.support.steps import allocated, released
from tests.support.threads import at_once


@pytest.mark.parametrize(
    ("rule", "priority", "due"),
    [
        ("promise", 5, "2026-03-04T22:59:59.999999+00:00"),
        ("channel", 4, "2026-03-04T22:59:59.999999+00:00"),
        ("cut_off", 5, "2026-03-02T11:00:00+00:00"),
    ],
)
def test_the_site_says_what_goes_first(database, rule, priority, due):
    business = a_business(database)
    a_floor(business, cut_off=time(12))
    if rule != "promise":
        approve(business, "task_priority_rule", rule)
    (task,) = a_task(business, allocated(business, [(0, 1)]))
    assert (task.priority, task.due_at.astimezone(UTC).isoformat()) == (priority, due)


def test_a_wave_of_one_zone_takes_only_what_lies_there(database):
    business = a_business(database)
    shelved(business)
    allocated(business, [(0, 50)])
    with business.work(SUPERVISOR) as work:
        _, (task,) = plan_pick_wave(
            work, PlanPickWave(site=business.site, zone="B", method=PickMethod.ZONE), rules=RULES, cells=OPEN
        )
    assert [(line.quantity) for line in task.lines] == [10_000]
    assert task.zone == "B"
    assert one(database, "SELECT sum(quantity - freed) FROM bin_hold") == (10_000,)


def test_an_order_cut_while_it_is_picked_tells_the_picker_what_to_put_back(database):
    business = a_business(database)
    order = allocated(business)
    (task,) = a_task(business, order)
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=10_000))
    with business.work() as work:
        cancel_lines(
            work,
            [CancelLines(order=order.id, reason="customer cut it", by_customer=True, lines={order.lines[0].id: 3_000})],
        )
    error = refused(
        business, ANNA, lambda work: finish_pick(work, task.id, rules=RULES, cells=OPEN), "pick_no_longer_wanted"
    )
    assert error.facts["quantity"] == "3"
    with business.work(ANNA) as work:
        put_back(work, task.id, 1, quantity=3_000)
        done = finish_pick(work, task.id, rules=RULES, cells=OPEN)
    assert done.shipments[0].lines == [(order.lines[0].id, 7_000)]
    assert_books_agree(database)


def test_a_task_whose_order_was_picked_another_way_is_not_wanted(database):
    business = a_business(database)
    order = allocated(business)
    (task,) = a_task(business, order)
    with business.work() as work:
        pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
    refused(business, ANNA, lambda work: start_task(work, task.id), "task_not_wanted")
    with business.work(SUPERVISOR) as work:
        cancel_task(work, task.id, "picked at the counter")
    assert_books_agree(database)


def test_an_order_line_is_in_one_task_only(database):
    business = a_business(database)
    order = allocated(business)
    a_task(business, order)
    refused(
        business,
        SUPERVISOR,
        lambda work: pick_now(work, [order.id], site=business.site, rules=RULES, cells=OPEN),
        "nothing_to_plan",
    )


def test_two_planners_at_once_put_an_order_into_one_task(database):
    business = a_business(database)
    order = allocated(business)

    def plan():
        with business.work(SUPERVISOR) as work:
            pick_now(work, [order.id], site=business.site, rules=RULES, cells=OPEN)

    results = at_once(plan, plan)
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "RuleBroken"]
    assert one(database, "SELECT count(*) FROM warehouse_task_line") == (1,)


@pytest.mark.parametrize(("method", "tasks"), [(PickMethod.ORDER, 3), (PickMethod.BATCH, 1)])
def test_a_wave_waits_for_its_release_and_completes_with_its_last_task(database, method, tasks):
    business = a_business(database)
    floor = a_floor(business)
    orders = [allocated(business, [(0, 2), (1, 1)]) for _ in range(3)]
    with business.work(SUPERVISOR) as work:
        wave, made = plan_pick_wave(
            work, PlanPickWave(site=business.site, service=floor.parcel, method=method), rules=RULES, cells=OPEN
        )
    assert (len(made), sum(len(task.lines) for task in made)) == (tasks, 6)
    assert wave.cut_off_at.isoformat() == "2026-03-02T16:00:00+01:00"
    assert {line.tote for task in made for line in task.lines} == ({1} if tasks == 3 else {1, 2, 3})
    refused(business, ANNA, lambda work: claim_task(work, made[0].id), "task_not_there")
    with business.work(SUPERVISOR) as work:
        release_pick_wave(work, wave.id)
    for task in made:
        picked_by(business, ANNA, task.id)
    assert one(database, "SELECT state FROM pick_wave") == ("completed",)
    assert one(database, "SELECT count(*) FROM shipment") == (len(orders),)
    assert_books_agree(database)


def test_the_last_two_tasks_of_a_wave_finished_at_once_complete_it(database):
    business = a_business(database)
    for _ in range(2):
        allocated(business, [(0, 2)])
    with business.work(SUPERVISOR) as work:
        wave, made = plan_pick_wave(work, PlanPickWave(site=business.site), rules=RULES, cells=OPEN)
        release_pick_wave(work, wave.id)
    for who, task in zip((ANNA, BEN), made, strict=True):
        with business.work(who) as work:
            start_task(work, task.id)
            confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=2_000))

    def finish(who, task):
        def act():
            with business.work(who) as work:
                finish_pick(work, task.id, rules=RULES, cells=OPEN)

        return act

    assert at_once(finish(ANNA, made[0]), finish(BEN, made[1])) == [None, None]
    assert one(database, "SELECT state FROM pick_wave") == ("completed",)
    assert_books_agree(database)


def test_an_interrupted_wave_goes_on_where_its_pickers_were(database):
    business = a_business(database)
    allocated(business, [(0, 2), (1, 3)])
    with business.work(SUPERVISOR) as work:
        wave, (task,) = plan_pick_wave(work, PlanPickWave(site=business.site), rules=RULES, cells=OPEN)
        release_pick_wave(work, wave.id)
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=2_000))
    refused(business, SUPERVISOR, lambda work: interrupt_pick_wave(work, wave.id, ""), "reason_required")
    with business.work(SUPERVISOR) as work:
        interrupt_pick_wave(work, wave.id, "ambulance order")
    refused(
        business,
        ANNA,
        lambda work: confirm_pick(work, ConfirmPick(task=task.id, line=2, quantity=3_000)),
        "task_interrupted",
    )
    refused(business, SUPERVISOR, lambda work: cancel_pick_wave(work, wave.id, "not today"), "task_has_goods")

    urgent = allocated(business, [(2, 1)])
    with business.work(SUPERVISOR) as work:
        (rush,) = pick_now(work, [urgent.id], site=business.site, rules=RULES, cells=OPEN)
    with business.work(ANNA) as work:
        assert next_task(work, business.site).id == rush.id
    picked_by(business, ANNA, rush.id)
    with business.work(SUPERVISOR) as work:
        resume_pick_wave(work, wave.id)
    with business.work(BEN) as work:
        again = start_task(work, task.id)
        assert [line.picked for line in again.lines] == [2_000, 0]
        confirm_pick(work, ConfirmPick(task=task.id, line=2, quantity=3_000))
        finish_pick(work, task.id, rules=RULES, cells=OPEN)
    assert one(database, "SELECT state FROM pick_wave") == ("completed",)
    with pytest.raises(IllegalMove), business.work(SUPERVISOR) as work:
        resume_pick_wave(work, wave.id)
    assert_books_agree(database)


def test_a_wave_takes_whole_orders_up_to_its_capacity_and_a_cancelled_one_can_be_planned_anew(database):
    business = a_business(database)
    for _ in range(3):
        allocated(business, [(0, 1), (1, 1)])
    with business.work(SUPERVISOR) as work:
        wave, made = plan_pick_wave(work, PlanPickWave(site=business.site, capacity=5), rules=RULES, cells=OPEN)
    assert sum(len(task.lines) for task in made) == 4
    with business.work(SUPERVISOR) as work:
        cancel_pick_wave(work, wave.id, "truck broke down")
    with business.work(SUPERVISOR) as work:
        _, again = plan_pick_wave(work, PlanPickWave(site=business.site), rules=RULES, cells=OPEN)
    assert sum(len(task.lines) for task in again) == 6
    refused(
        business,
        SUPERVISOR,
        lambda work: plan_pick_wave(work, PlanPickWave(site=business.site), rules=RULES, cells=OPEN),
        "nothing_to_plan",
    )
    refused(
        business,
        SUPERVISOR,
        lambda work: plan_pick_wave(work, PlanPickWave(site=business.site, capacity=0), rules=RULES, cells=OPEN),
        "capacity_absurd",
    )


def test_later_goods_of_an_order_join_the_shipment_that_nobody_has_begun_to_pack(database):
    business = a_business(database, stock=6)
    order = allocated(business, [(0, 10), (1, 2)])
    (task,) = a_task(business, order)
    first = picked_by(business, ANNA, task.id)
    with business.work() as work:
        from erpcore.inventory.stock import ChangeStock, receive_stock
        from erpcore.orders.allocation import allocate_orders

        receive_stock(
            work,
            [ChangeStock(site=business.site, item=business.items[0], quantity=Decimal(20), note="truck")],
            rules=RULES,
            cells=OPEN,
        )
    with business.work() as work:
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    (more,) = a_task(business, order)
    second = picked_by(business, ANNA, more.id)
    assert [one.id for one in second.shipments] == [one.id for one in first.shipments]
    assert sorted(second.shipments[0].lines) == [(order.lines[0].id, 10_000), (order.lines[1].id, 2_000)]
    assert one(database, "SELECT count(*) FROM warehouse_task WHERE kind = 'pack'") == (1,)
    with business.work() as work:
        confirm_shipments(work, [first.shipments[0].id], rules=RULES, cells=OPEN)
    assert_books_agree(database)


def test_an_order_that_is_not_released_has_nothing_to_pick(database):
    business = a_business(database)
    order = released(business)
    refused(
        business,
        SUPERVISOR,
        lambda work: pick_now(work, [order.id], site=business.site, rules=RULES, cells=OPEN),
        "nothing_to_plan",
    )
    with pytest.raises(RuleBroken), business.work(SUPERVISOR) as work:
        plan_pick_wave(work, PlanPickWave(site=business.site, totes=0), rules=RULES, cells=OPEN)
