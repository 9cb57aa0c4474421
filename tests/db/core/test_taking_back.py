"""A picked shipment does not leave after all: goods, promises, tasks and figures are as if it had not been picked; its story is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.scarcity import FOLLOWERS
from erpcore.fulfilment.floor.records import lock_tasks, save_tasks
from erpcore.fulfilment.floor.tasks import take
from erpcore.fulfilment.leaving import send_off
from erpcore.fulfilment.packing.services import PackCarton, pack_cartons, void_carton
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.fulfilment.taking_back import take_back_shipment
from erpcore.kernel.errors import Busy, DomainError, IllegalMove
from erpcore.orders.allocation import allocate_orders
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import ANNA, BEN, SUPERVISOR, a_floor, a_task, killed, person, picked_by, shelved
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.rows import rows
from tests.support.steps import allocated
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import balance, bins, day, received, tracked

LINES = "SELECT allocated, picked, shipped, extra FROM order_line ORDER BY line_no"
HOLDS = "SELECT sum(quantity - used - freed), sum(picked - used) FROM bin_hold"


@pytest.fixture
def business(database):
    return a_business(database)


def back(business, shipment, who=ANNA, reason="the customer asks us to wait"):
    with business.work(who) as work:
        return take_back_shipment(work, shipment.id, reason, cells=OPEN)


def confirmed(business, shipment):
    with business.work() as work:
        return send_off(work, [shipment.id], rules=RULES, cells=OPEN)


def refused(business, act, code, *, kind=DomainError):
    before = fingerprint_of(business.database)
    with pytest.raises(kind) as error:
        act()
    assert error.value.code == code
    assert fingerprint_of(business.database) == before


def test_goods_and_promises_are_as_before_the_pick_and_the_story_is_kept(database, business):
    a_floor(business)
    shelved(business)
    order = allocated(business, [(0, 10), (1, 4)])
    stood = (
        rows(database, LINES),
        balance(business),
        bins(business),
        rows(database, "SELECT sum(quantity - consumed - freed) FROM reservation"),
    )
    shipment = picked_by(business, ANNA, a_task(business, order)[0].id).shipments[0]
    assert rows(database, LINES) == [(0, 10_000, 0, 0), (0, 4_000, 0, 0)]

    done = back(business, shipment)

    assert done.state == "taken_back"
    assert stood == (
        rows(database, LINES),
        balance(business),
        bins(business),
        rows(database, "SELECT sum(quantity - consumed - freed) FROM reservation"),
    )
    assert rows(database, HOLDS) == [(0, 0)]
    assert rows(database, "SELECT state FROM warehouse_task WHERE kind = 'pack'") == [("cancelled",)]
    said = "SELECT move, from_state, to_state, reason FROM transition WHERE document_type = 'shipment' ORDER BY id"
    assert rows(database, said)[-1] == ("put_back", "picked", "taken_back", "the customer asks us to wait")
    assert rows(database, "SELECT order_line_id, quantity FROM shipment_line ORDER BY 1") == [
        (order.lines[0].id, 10_000), (order.lines[1].id, 4_000),
    ]  # fmt: skip
    assert_books_agree(database)
    again = picked_by(business, BEN, a_task(business, order)[0].id).shipments[0]
    assert again.id != shipment.id
    confirmed(business, again)
    assert rows(database, LINES) == [(0, 0, 10_000, 0), (0, 0, 4_000, 0)]
    assert_books_agree(database)


def test_only_what_lies_here_unpacked_is_taken_back_by_who_may_with_a_reason(database, business):
    floor = a_floor(business)
    shipment = picked_by(business, ANNA, a_task(business, allocated(business))[0].id).shipments[0]
    refused(business, lambda: back(business, shipment, reason=" "), "reason_required")
    refused(business, lambda: back(business, shipment, who=person(9, "finance_controller")), "not_allowed")
    refused(business, lambda: back(business, shipment, who=person(9, sites=[1])), "order_unknown")
    with business.work(ANNA) as work:
        (carton,) = pack_cartons(work, [PackCarton(shipment=shipment.id, carton_type=floor.box, weight_kg=Decimal(8))])
    refused(business, lambda: back(business, shipment), "unpack_first")
    with business.work(ANNA) as work:
        void_carton(work, carton.id, "taken back")
    back(business, shipment)
    refused(business, lambda: back(business, shipment), "illegal_move", kind=IllegalMove)
    refused(business, lambda: confirmed(business, shipment), "illegal_move", kind=IllegalMove)
    refused(
        business,
        lambda: _pack(business, shipment, floor),
        "shipment_taken_back",
    )
    assert_books_agree(database)


def _pack(business, shipment, floor):
    with business.work(ANNA) as work:
        pack_cartons(work, [PackCarton(shipment=shipment.id, carton_type=floor.box, weight_kg=Decimal(8))])


def test_what_was_picked_beyond_the_order_is_free_again(database, business):
    approve(business, "over_ship_tolerance_permille", 50, entity=business.entity)
    small = allocated(business, [(1, 40)])
    with business.work() as work:
        (shipment,) = pick_orders(
            work, [PickOrder(order=small.id, lines={small.lines[0].id: 42_000})], cells=OPEN, rules=RULES
        )
    line = "SELECT allocated, picked, extra FROM order_line WHERE id = :l"
    reserved = "SELECT reserved FROM stock_balance WHERE item_id = :i"
    assert rows(database, line, l=small.lines[0].id) == [(0, 42_000, 2_000)]
    back(business, shipment)
    assert rows(database, line, l=small.lines[0].id) == [(40_000, 0, 0)]
    assert rows(database, reserved, i=business.items[1]) == [(40_000,)]
    assert_books_agree(database)


def test_goods_that_went_past_their_last_day_in_the_tote_do_not_leave(database):
    """The way out: taken back, the lot is set apart at once, and the order is picked from the next lot."""
    business = a_business(database, items=1, stock=0)
    open_cells(business)
    a_floor(business)
    tracked(business, "lot")
    received(business, 10, lot="L-1", expires_on=day(5))
    received(business, 7, lot="L-2", expires_on=day(90))
    business.database = replace(database, followers=FOLLOWERS)
    order = allocated(business, [(0, 6)])
    shipment = picked_by(business, ANNA, a_task(business, order)[0].id).shipments[0]
    business.clock.advance(timedelta(days=6))
    refused(business, lambda: confirmed(business, shipment), "picked_expired")

    back(business, shipment, reason="past its last day")

    assert bins(business) == {(None, "L-1", "quarantine"): 10, (None, "L-2", "available"): 7}
    assert rows(database, "SELECT allocated, picked FROM order_line") == [(6_000, 0)]
    again = picked_by(business, ANNA, a_task(business, order)[0].id).shipments[0]
    confirmed(business, again)
    assert bins(business) == {(None, "L-1", "quarantine"): 10, (None, "L-2", "available"): 1}
    assert_books_agree(database)


@pytest.fixture
def two_lots(database):
    """A business, and two shipments of one line: the first of a lot that soon expires, the second of one that does not."""
    business = a_business(database, items=1, stock=0)
    a_floor(business)
    tracked(business, "lot")
    received(business, 6, lot="L-1", expires_on=day(5))
    order = allocated(business, [(0, 10)])
    first = picked_by(business, ANNA, a_task(business, order)[0].id).shipments[0]
    with business.work(ANNA) as work:
        task = work.session.scalars(text("SELECT id FROM warehouse_task WHERE kind = 'pack'")).one()
        take(work, pack_task := lock_tasks(work, [task])[0], None)
        save_tasks(work, [pack_task])
    received(business, 4, lot="L-2", expires_on=day(90))
    with business.work() as work:
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    second = picked_by(business, BEN, a_task(business, order)[0].id).shipments[0]
    assert first.id != second.id
    return business, first, second


def test_of_two_shipments_of_a_line_each_gives_back_the_lot_that_it_holds(database, two_lots):
    business, first, second = two_lots
    back(business, first)
    business.clock.advance(timedelta(days=6))
    confirmed(business, second)
    assert bins(business) == {(None, "L-1", "available"): 6}
    assert_books_agree(database)


def test_of_two_shipments_of_a_line_each_leaves_with_the_lot_that_it_holds(database, two_lots):
    business, first, second = two_lots
    confirmed(business, second)
    assert bins(business) == {(None, "L-1", "available"): 6}
    business.clock.advance(timedelta(days=6))
    refused(business, lambda: confirmed(business, first), "picked_expired")
    assert_books_agree(database)


def test_a_history_says_what_left_even_past_its_last_day(database):
    business = a_business(database, items=1, stock=0)
    a_floor(business)
    tracked(business, "lot")
    received(business, 10, lot="L-1", expires_on=day(5))
    shipment = picked_by(business, ANNA, a_task(business, allocated(business, [(0, 6)]))[0].id).shipments[0]
    business.clock.advance(timedelta(days=6))
    with business.work(source="back-entry") as work:
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    assert_books_agree(database)


def test_taken_back_and_shipped_at_once_one_of_them_happens(database, business):
    a_floor(business)
    shelved(business)
    for _ in range(3):
        shipment = picked_by(business, ANNA, a_task(business, allocated(business, [(0, 5), (1, 2)]))[0].id).shipments[0]
        found = at_once(lambda s=shipment: back(business, s), lambda s=shipment: confirmed(business, s))
        wrong = [one for one in found if isinstance(one, Exception)]
        assert len(wrong) == 1
        assert isinstance(wrong[0], IllegalMove | Busy), wrong
        state = rows(database, "SELECT state FROM shipment WHERE id = :s", s=shipment.id)
        assert state in ([("taken_back",)], [("confirmed",)])
    assert_books_agree(database)


def test_killed_in_between_it_is_as_picked_as_before(database, business):
    a_floor(business)
    shipment = picked_by(business, ANNA, a_task(business, allocated(business))[0].id).shipments[0]
    before = fingerprint_of(database)
    killed(business, SUPERVISOR, lambda work: take_back_shipment(work, shipment.id, "cannot wait", cells=OPEN))
    assert fingerprint_of(database) == before
    back(business, shipment)
    assert_books_agree(database)
