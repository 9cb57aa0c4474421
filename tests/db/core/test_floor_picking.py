"""Tasks and pick waves on the floor: who holds what, what counts as picked, and what happens when things break."""

from __future__ import annotations

from datetime import UTC, time, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.fulfilment.floor.models import PickMethod
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, put_back, start_task
from erpcore.fulfilment.floor.planning import pick_now
from erpcore.fulfilment.floor.tasks import (
    assign_task,
    cancel_task,
    claim_task,
    give_back,
    next_task,
    reprioritise_task,
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
from erpcore.inventory.bins import Slot
from erpcore.inventory.models import Location, MoveReason, Zone
from erpcore.inventory.services import Movement, move_stock
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove, NotAllowed, NotFound, RuleBroken
from erpcore.orders.cancelling import CancelLines, cancel_lines
from tests.db.core.test_two_at_once import at_once
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import a_floor, a_task, person, picked_by
from tests.support.policies import approve
from tests.support.steps import allocated, released

ANNA, BEN, SUPERVISOR = person(101), person(102), person(201, "warehouse_supervisor")
TABLES = ("warehouse_task", "warehouse_task_line", "pick_wave", "shipment", "shipment_line", "stock_balance", "reservation", "order_line")  # fmt: skip


def rows(database, *tables):
    """Everything in these tables, to be compared."""
    with reading(database) as session:
        return {name: sorted(map(str, session.execute(text(f"SELECT * FROM {name}")))) for name in tables or TABLES}


def one(database, sql, **values):
    with reading(database) as session:
        return session.execute(text(sql), values).one()


def killed(business, who, act):
    """The process dies when the act is done and not yet on disk."""
    with pytest.raises(RuntimeError, match="the power went"), business.work(who) as work:
        _die_after(work, act)


def _die_after(work, act):
    act(work)
    raise RuntimeError("the power went")


def refused(business, who, act, code):
    """The act is refused with this code, and nothing has changed."""
    before = rows(business.database)
    with pytest.raises(DomainError) as error, business.work(who) as work:
        act(work)
    assert error.value.code == code
    assert rows(business.database) == before
    return error.value


def test_a_picked_task_is_picked_for_the_order_and_asks_for_packing(database):
    business = a_business(database)
    a_floor(business)
    order = allocated(business, [(0, 10), (1, 4)])
    (task,) = a_task(business, order)

    done = picked_by(business, ANNA, task.id)

    assert (done.task.state, done.task.owner_id) == ("done", ANNA.id)
    (shipment,) = done.shipments
    assert sorted(shipment.lines) == [(order.lines[0].id, 10_000), (order.lines[1].id, 4_000)]
    assert one(database, "SELECT sum(allocated), sum(picked) FROM order_line") == (0, 14_000)
    pack = one(database, "SELECT kind, state, document_id FROM warehouse_task WHERE kind = 'pack'")
    assert tuple(pack) == ("pack", "open", shipment.id)
    with business.work() as work:
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    assert_books_agree(database)


def test_two_pickers_on_one_task_one_gets_it(database):
    business = a_business(database)
    (task,) = a_task(business, allocated(business))

    def claim(who):
        def act():
            with business.work(who) as work:
                return claim_task(work, task.id).owner_id

        return act

    results = at_once(claim(ANNA), claim(BEN))
    winner = next(one for one in results if isinstance(one, int))
    (loser,) = [one for one in results if isinstance(one, Exception)]
    assert loser.code == "task_taken"
    assert tuple(one(database, "SELECT owner_id, state, version FROM warehouse_task")) == (winner, "claimed", 2)


def test_two_who_ask_for_the_next_task_get_different_ones(database):
    business = a_business(database)
    tasks = a_task(business, allocated(business, [(0, 2)]), allocated(business, [(1, 2)]))

    def ask(who):
        def act():
            with business.work(who) as work:
                return next_task(work, business.site).id

        return act

    assert sorted(at_once(ask(ANNA), ask(BEN))) == sorted(task.id for task in tasks)


def test_a_picker_who_dies_leaves_a_task_that_another_takes_over_with_what_was_done(database):
    business = a_business(database)
    order = allocated(business, [(0, 10), (1, 4)])
    (task,) = a_task(business, order)
    with business.work(ANNA) as work:
        start_task(work, task.id, device="scanner 7")
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=10_000))
    refused(business, BEN, lambda work: start_task(work, task.id), "task_taken")

    business.clock.advance(timedelta(minutes=15))
    with business.work(BEN) as work:
        taken = start_task(work, task.id)
        assert (taken.owner_id, [line.picked for line in taken.lines]) == (BEN.id, [10_000, 0])
    refused(
        business,
        ANNA,
        lambda work: confirm_pick(work, ConfirmPick(task=task.id, line=2, quantity=4_000)),
        "task_not_yours",
    )
    with business.work(BEN) as work:
        confirm_pick(work, ConfirmPick(task=task.id, line=2, quantity=4_000))
        finish_pick(work, task.id, rules=RULES, cells=OPEN)
    assert one(database, "SELECT count(*), sum(quantity) FROM shipment_line") == (2, 14_000)
    assert one(database, "SELECT count(*) FROM event_log WHERE type = 'task.started'") == (1,)
    assert_books_agree(database)


def test_a_worker_killed_while_finishing_leaves_nothing_half_done_and_can_finish_again(database):
    business = a_business(database)
    order = allocated(business)
    (task,) = a_task(business, order)
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=10_000))
    before = rows(database)
    killed(business, ANNA, lambda work: finish_pick(work, task.id, rules=RULES, cells=OPEN))
    assert rows(database) == before

    with business.work(ANNA) as work:
        finish_pick(work, task.id, rules=RULES, cells=OPEN)
    refused(business, ANNA, lambda work: finish_pick(work, task.id, rules=RULES, cells=OPEN), "task_not_there")
    assert one(database, "SELECT count(*), sum(quantity) FROM shipment_line") == (1, 10_000)
    assert_books_agree(database)


def test_finishing_twice_at_once_picks_once(database):
    business = a_business(database)
    (task,) = a_task(business, allocated(business))
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=10_000))

    def finish():
        with business.work(ANNA) as work:
            finish_pick(work, task.id, rules=RULES, cells=OPEN)

    results = at_once(finish, finish)
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "RuleBroken"]
    assert one(database, "SELECT count(*), sum(quantity) FROM shipment_line") == (1, 10_000)
    assert_books_agree(database)


def test_picking_more_than_the_line_asks_for_is_refused(database):
    business = a_business(database)
    (task,) = a_task(business, allocated(business))
    with business.work(ANNA) as work:
        start_task(work, task.id)
    error = refused(
        business,
        ANNA,
        lambda work: confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=10_001)),
        "pick_over_line",
    )
    assert error.facts["most"] == "10"


def test_a_scan_of_another_item_is_refused_and_says_which_is_wanted(database):
    business = a_business(database)
    (task,) = a_task(business, allocated(business))
    with business.work(ANNA) as work:
        start_task(work, task.id)
    error = refused(
        business, ANNA, lambda work: confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=1000, scanned="40-2")),
        "scan_wrong_item",
    )  # fmt: skip
    assert error.facts == {"scanned": "40-2", "expected": "40-0"}
    with business.work(ANNA) as work:
        assert confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=1000, scanned=" 40-0 ")).picked == 1000


def test_a_confirmation_sent_twice_counts_once(database):
    business = a_business(database)
    (task,) = a_task(business, allocated(business))
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=4_000, before=0))
    refused(
        business,
        ANNA,
        lambda work: confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=4_000, before=0)),
        "line_moved_on",
    )


def test_a_short_pick_frees_what_was_not_there_and_damaged_goods_do_not_ship(database):
    business = a_business(database)
    order = allocated(business, [(0, 10)])
    (task,) = a_task(business, order)
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=6_000, damaged=1_000, short_reason="shelf empty"))
        done = finish_pick(work, task.id, rules=RULES, cells=OPEN)
    assert done.shipments[0].lines == [(order.lines[0].id, 6_000)]
    assert one(database, "SELECT allocated, picked FROM order_line") == (0, 6_000)
    with reading(database) as session:
        told = session.execute(
            text("SELECT data FROM event_log WHERE type = 'shipment.short_picked' ORDER BY seq")
        ).scalars()
        reasons = sorted(part for part in ("damaged at pick", "shelf empty") for data in [*told] if part in data)
    assert one(database, "SELECT count(*) FROM event_log WHERE type = 'shipment.short_picked'") == (2,)
    assert reasons
    assert_books_agree(database)


@pytest.mark.parametrize("permille", [0, 100])
def test_what_is_missing_within_the_under_ship_tolerance_is_cancelled_by_us(database, permille):
    business = a_business(database)
    if permille:
        approve(business, "under_ship_tolerance_permille", permille)
    order = allocated(business, [(0, 100)])
    (task,) = a_task(business, order)
    picked_by(business, ANNA, task.id, short={1: 90_000})
    cancelled = one(database, "SELECT cancelled FROM order_line")[0]
    assert cancelled == (10_000 if permille else 0)
    if permille:
        told = one(database, "SELECT data FROM event_log WHERE type = 'order.cancelled'")[0]
        assert '"reason":"within the under-ship tolerance"' in told
        assert '"by_customer":false' in told
    assert_books_agree(database)


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


def shelved(business, codes=("A-01", "A-02"), zones=("A", "B")):
    """Forty of the first item on one shelf and sixty on another, each in a zone of its own."""
    with business.work() as work:
        ids = iter(work.ids.reserve(20))
        placed = []
        for number, (code, zone) in enumerate(zip(codes, zones, strict=True)):
            area = Zone(id=next(ids), site_id=business.site, code=zone, name=f"Zone {zone}")
            work.session.add(area)
            work.session.flush()
            shelf = Location(
                id=next(ids),
                site_id=business.site,
                zone_id=area.id,
                code=code,
                kind="storage",
                walk=number,
                is_blocked=False,
            )
            work.session.add(shelf)
            placed.append(shelf.id)
        work.session.flush()
        for shelf, quantity in zip(placed, (40_000, 60_000), strict=True):
            there = {"entity": business.entity, "site": business.site, "item": business.items[0], "unit_cost": 4_000_000,
                     "currency": "EUR", "reason": MoveReason.PLACEMENT, "document_type": "stock_change",
                     "document_id": shelf, "moved_at": work.now}  # fmt: skip
            move_stock(
                work,
                [
                    Movement(**there, quantity=-quantity, slot=Slot(business.site, business.items[0])),
                    Movement(**there, quantity=quantity, slot=Slot(business.site, business.items[0], shelf)),
                ],
            )
    return placed


def test_a_task_names_the_place_and_holds_it_so_that_no_other_takes_the_same(database):
    business = a_business(database)
    first, second = shelved(business)
    (task,) = a_task(business, allocated(business, [(0, 50)]))
    assert [(line.location_id, line.quantity) for line in task.lines] == [(first, 40_000), (second, 10_000)]
    (other,) = a_task(business, allocated(business, [(0, 50)]))
    assert [(line.location_id, line.quantity) for line in other.lines] == [(second, 50_000)]
    with business.work(ANNA) as work:
        start_task(work, task.id)
    error = refused(
        business, ANNA,
        lambda work: confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=40_000, scanned_location="A-02")),
        "scan_wrong_location",
    )  # fmt: skip
    assert error.facts == {"scanned": "A-02", "expected": "A-01"}
    for number, quantity in ((1, 40_000), (2, 7_000)):
        with business.work(ANNA) as work:
            confirm_pick(
                work,
                ConfirmPick(
                    task=task.id, line=number, quantity=quantity, short_reason="shelf empty" if number == 2 else None
                ),
            )
    with business.work(ANNA) as work:
        done = finish_pick(work, task.id, rules=RULES, cells=OPEN)
    assert one(database, "SELECT sum(picked), sum(freed) FROM bin_hold") == (47_000, 3_000)
    with business.work() as work:
        confirm_shipments(work, [done.shipments[0].id], rules=RULES, cells=OPEN)
    with reading(database) as session:
        left = session.execute(text("SELECT location_id, quantity FROM stock_bin ORDER BY location_id")).all()
    assert [tuple(row) for row in left] == [(first, 0), (second, 53_000)]
    with business.work(SUPERVISOR) as work:
        cancel_task(work, other.id, "truck broke down")
    assert one(database, "SELECT sum(quantity - used - freed) FROM bin_hold") == (0,)
    # The shelves were filled past the services that tell of it.
    assert_books_agree(database, but=("events_stock",))


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


def test_a_task_is_not_finished_while_a_line_is_open(database):
    business = a_business(database)
    (task,) = a_task(business, allocated(business, [(0, 10), (1, 4)]))
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=10_000))
    refused(business, ANNA, lambda work: finish_pick(work, task.id, rules=RULES, cells=OPEN), "task_unfinished")
    refused(
        business, ANNA, lambda work: confirm_pick(work, ConfirmPick(task=task.id, line=2, quantity=0)), "pick_nothing"
    )


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


def test_a_task_handed_to_somebody_waits_for_them(database):
    business = a_business(database)
    (task,) = a_task(business, allocated(business))
    with business.work(SUPERVISOR) as work:
        assign_task(work, task.id, BEN.id)
    refused(business, ANNA, lambda work: claim_task(work, task.id), "task_given")
    with business.work(ANNA) as work:
        assert next_task(work, business.site) is None
    with business.work(BEN) as work:
        assert next_task(work, business.site).id == task.id
    with business.work(BEN) as work:
        assert give_back(work, task.id).owner_id is None


def test_moving_a_task_up_by_hand_needs_a_reason_and_authority(database):
    business = a_business(database)
    first, second = a_task(business, allocated(business, [(0, 1)]), allocated(business, [(1, 1)]))
    refused(business, ANNA, lambda work: reprioritise_task(work, second.id, 1, "boss said so"), "not_allowed")
    refused(business, SUPERVISOR, lambda work: reprioritise_task(work, second.id, 1, "  "), "reason_required")
    refused(business, SUPERVISOR, lambda work: reprioritise_task(work, second.id, 0, "x"), "priority_unknown")
    refused(business, SUPERVISOR, lambda work: reprioritise_task(work, second.id, 5, "x"), "priority_same")
    with business.work(SUPERVISOR) as work:
        reprioritise_task(work, second.id, 1, "customer waits at the counter")
    with business.work(ANNA) as work:
        assert next_task(work, business.site).id == second.id
    assert first.priority == 5
    assert one(database, "SELECT data FROM event_log WHERE type = 'task.reprioritised'")[0] == (
        '{"old":5,"new":1,"reason":"customer waits at the counter"}'
    )


def test_tasks_of_another_site_are_not_there_for_me(database):
    business = a_business(database)
    (task,) = a_task(business, allocated(business))
    stranger = person(103, sites=[business.site + 1])
    with pytest.raises(NotFound), business.work(stranger) as work:
        claim_task(work, task.id)
    clerk = person(104, "billing")
    with pytest.raises(NotAllowed), business.work(clerk) as work:
        claim_task(work, task.id)


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


def test_a_line_shown_to_somebody_else_conflicts(database):
    business = a_business(database)
    (task,) = a_task(business, allocated(business))
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=1_000))
    with pytest.raises(Conflict), business.work(ANNA) as work:
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=1_000, before=0))
