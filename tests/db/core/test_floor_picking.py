"""Picking a task: what counts as picked, what a scan refuses, what is short, damaged or to be put back."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, start_task
from erpcore.fulfilment.floor.tasks import (
    cancel_task,
    next_task,
)
from erpcore.fulfilment.leaving import send_off
from erpcore.fulfilment.services import confirm_shipments
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import (
    ANNA,
    SUPERVISOR,
    a_floor,
    a_task,
    one,
    picked_by,
    refused,
    shelved,
)
from tests.support.policies import approve
from tests.support.steps import allocated


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


def test_what_leaves_unpacked_leaves_no_task_to_pack_it_behind(database):
    business = a_business(database)
    a_floor(business)
    orders = [allocated(business, [(0, 10)]), allocated(business, [(1, 4)])]
    left, stays = (picked_by(business, ANNA, a_task(business, order)[0].id).shipments[0].id for order in orders)
    with business.work(ANNA) as work:
        next_task(work, business.site, kinds=["pack"])
    with business.work() as work:
        send_off(work, [left], rules=RULES, cells=OPEN)
    tasks = "SELECT state, owner_id FROM warehouse_task WHERE kind = 'pack' AND document_id = :shipment"
    assert tuple(one(database, tasks, shipment=left)) == ("cancelled", None)
    assert one(database, tasks, shipment=stays).state in ("open", "claimed", "started")
    why = "SELECT reason FROM transition WHERE document_type = 'task' AND move = 'cancel'"
    assert one(database, why).reason == "left without being packed"
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
    about = "SELECT DISTINCT subject_type, subject_id FROM event_log WHERE type = 'shipment.short_picked'"
    assert one(database, "SELECT count(*) FROM event_log WHERE type = 'shipment.short_picked'") == (2,)
    assert one(database, about) == ("order", order.id)
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
