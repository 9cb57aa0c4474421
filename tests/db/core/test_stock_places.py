"""Where stock lies, of which lot, in which status: places, put-away, blocking, lots and serials, and what picks take."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.holds import PickDemand, choose_bins, free_bins, pick_bins
from erpcore.inventory.places import KeepItem, block_location, keep_item
from erpcore.inventory.shifting import ChangeStatus, MoveBin, PutAway, change_status, move_bins, put_away
from erpcore.kernel.errors import DomainError, RuleBroken
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.steps import allocated, released
from tests.support.warehouse import (
    ANNA,
    balance,
    bins,
    day,
    everything,
    locations,
    lot_id,
    no_names,
    received,
    tracked,
)

SAME = {"rules": RULES, "cells": OPEN, "order_names": no_names}


def put(business, quantity, location, *, source=None, lot=None, actor=None):
    with business.work(actor) as work:
        command = PutAway(
            site=business.site, item=business.items[0], quantity=Decimal(quantity), source=source, location=location, lot=lot
        )  # fmt: skip
        put_away(work, [command], **SAME)


def moved(business, quantity, source, location, **changes):
    with business.work() as work:
        command = MoveBin(
            site=business.site, item=business.items[0], quantity=Decimal(quantity), source=source, location=location, **changes
        )  # fmt: skip
        move_bins(work, [command], **SAME)


def status(business, quantity, source, target, **changes):
    with business.work() as work:
        command = ChangeStatus(
            **{
                "site": business.site, "item": business.items[0], "quantity": Decimal(quantity), "source": source,
                "target": target, "note": "wet", **changes,
            }
        )  # fmt: skip
        change_status(work, [command], **SAME)


def ship(business, order):
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)


def test_goods_received_wait_at_the_receiving_location_and_are_free_once_put_away(database):
    business = a_business(database, items=1, stock=0)
    (dock,) = locations(business, "DOCK", kind="receiving")
    (shelf,) = locations(business, "A-01")
    assert received(business, 12).waits
    assert balance(business) == (12, 0, 12, 12)
    assert bins(business) == {("DOCK", None, "received"): 12}
    put(business, 8, shelf, source=dock)
    put(business, 4, None, source=dock)
    assert balance(business) == (12, 0, 0, 8)
    assert bins(business) == {("A-01", None, "available"): 8}
    assert_books_agree(database)


def test_at_a_site_without_a_receiving_location_goods_are_available_at_once_and_need_no_bin(database):
    business = a_business(database, items=1, stock=0)
    assert not received(business, 12).waits
    assert balance(business) == (12, 0, 0, 0)
    assert bins(business) == {}


def test_what_waits_to_be_put_away_is_not_promised(database):
    business = a_business(database, items=1, stock=3)
    locations(business, "DOCK", kind="receiving")
    received(business, 10)
    order = allocated(business, [(0, 8)])
    assert [line.allocated for line in order.lines] == [3000]
    assert balance(business) == (13, 3, 10, 10)
    assert_books_agree(database)


def test_damaged_goods_are_not_promised_and_become_so_when_released(database):
    business = a_business(database, items=1, stock=10)
    status(business, 4, "available", "damaged")
    assert balance(business) == (10, 0, 4, 4)
    status(business, 1, "damaged", "available")
    assert balance(business) == (10, 0, 3, 3)
    assert_books_agree(database)


def test_stock_under_a_promise_is_not_blocked_and_the_refusal_names_who_it_is_promised_to(database):
    business = a_business(database, items=1, stock=10)
    order = allocated(business, [(0, 8)])
    before = everything(business)
    with pytest.raises(RuleBroken) as refusal:
        status(business, 3, "available", "quarantine")
    assert (refusal.value.code, refusal.value.facts["orders"]) == ("stock_promised", f"line {order.lines[0].id}")
    assert everything(business) == before
    status(business, 2, "available", "quarantine")
    assert balance(business) == (10, 8, 2, 2)


def test_a_status_change_needs_a_reason_and_never_leads_out_of_transit(database):
    business = a_business(database, items=1, stock=10)
    with pytest.raises(RuleBroken, match="reason_required"):
        status(business, 1, "available", "damaged", note=" ")
    with pytest.raises(RuleBroken, match="status_not_by_hand"):
        status(business, 1, "in_transit", "available")


@pytest.mark.parametrize(
    ("quantity", "code"),
    [("0", "quantity_not_positive_here"), ("-3", "quantity_not_positive_here"), ("11", "bin_short"), ("1.5", "quantity_too_precise"),
     ("1e12", "quantity_absurd")],
)  # fmt: skip
def test_a_move_of_nothing_less_than_nothing_too_much_or_too_many_places_changes_nothing(database, quantity, code):
    business = a_business(database, items=1, stock=10)
    (shelf,) = locations(business, "A-01")
    before = everything(business)
    with pytest.raises(RuleBroken) as refusal:
        moved(business, quantity, None, shelf)
    assert refusal.value.code == code
    assert everything(business) == before


def test_a_shipment_takes_what_lies_in_bins_and_the_books_follow(database):
    business = a_business(database, items=1, stock=10)
    (near, far) = locations(business, "A-01", "B-09")
    moved(business, 6, None, far)
    moved(business, 3, None, near)
    order = allocated(business, [(0, 8)])
    ship(business, order)
    assert balance(business) == (2, 0, 0, 1)
    assert bins(business) == {("B-09", None, "available"): 1}
    assert_books_agree(database)


def two_lots(business):
    """Lot L-EARLY (5, expires in 10 days, came second) and L-LATE (5, expires in 90 days, came first)."""
    tracked(business, "lot")
    received(business, 5, lot="L-LATE", expires_on=day(90))
    business.clock.advance(timedelta(hours=1))
    received(business, 5, lot="L-EARLY", expires_on=day(10))


def chosen(business, order, quantity, rules=RULES):
    with business.work() as work:
        demand = PickDemand(order.lines[0].id, business.site, business.items[0], quantity * 1000)
        return choose_bins(work, [demand], rules)[0]


class FirstIn:
    """Rules of a site where what came first leaves first."""

    def __getattr__(self, name):
        return getattr(RULES, name)

    def resolve(self, work, **scope):
        found = RULES.resolve(work, **scope)
        return type(found)(found.hash, {**found.values, "lot_rule": "first_in"}, found.variants)


def test_the_lot_that_expires_first_is_picked_first_and_by_the_other_rule_the_one_that_came_first(database):
    business = a_business(database, items=1, stock=0)
    two_lots(business)
    order = allocated(business, [(0, 7)])
    early, late = lot_id(business, "L-EARLY"), lot_id(business, "L-LATE")
    found = chosen(business, order, 7)
    assert [(one.lot, one.quantity) for one in found] == [(early, 5000), (late, 2000)]
    with business.work() as work:
        free_bins(work, [one.hold for one in found])
    assert [(one.lot, one.quantity) for one in chosen(business, order, 7, FirstIn())] == [(late, 5000), (early, 2000)]


def test_two_picks_never_hold_the_same_goods(database):
    business = a_business(database, items=1, stock=0)
    two_lots(business)
    first, second = allocated(business, [(0, 4)]), allocated(business, [(0, 4)])
    early, late = lot_id(business, "L-EARLY"), lot_id(business, "L-LATE")
    assert [(one.lot, one.quantity) for one in chosen(business, first, 4)] == [(early, 4000)]
    assert [(one.lot, one.quantity) for one in chosen(business, second, 4)] == [(early, 1000), (late, 3000)]
    with pytest.raises(RuleBroken, match="bin_short"):
        moved(business, 3, None, locations(business, "A-01")[0], lot=late)


def test_a_shipment_uses_up_what_its_pick_held(database):
    business = a_business(database, items=1, stock=0)
    two_lots(business)
    first, second = allocated(business, [(0, 4)]), allocated(business, [(0, 4)])
    mine, other = chosen(business, first, 4), chosen(business, second, 4)
    with business.work() as work:
        pick_bins(work, {one.hold: one.quantity for one in other})
    ship(business, second)
    assert bins(business) == {(None, "L-EARLY", "available"): 4, (None, "L-LATE", "available"): 2}
    with business.work() as work, pytest.raises(RuleBroken, match="held_too_little"):
        pick_bins(work, {mine[0].hold: 4001})
    assert_books_agree(database)


def test_an_expired_lot_is_never_picked(database):
    business = a_business(database, items=1, stock=0)
    two_lots(business)
    order = allocated(business, [(0, 7)])
    business.clock.advance(timedelta(days=11))
    late = lot_id(business, "L-LATE")
    assert [(one.lot, one.quantity) for one in chosen(business, order, 7)] == [(late, 5000)]
    before = everything(business)
    with pytest.raises(RuleBroken, match="nothing_to_pick"):
        ship(business, order)
    assert everything(business) == before


def test_what_comes_or_is_put_away_past_its_last_day_is_promised_to_nobody(database):
    business = a_business(database, items=1, stock=0)
    tracked(business, "lot")
    received(business, 5, lot="L-OLD", expires_on=day(-1))
    received(business, 3, lot="L-TODAY", expires_on=day(0))
    assert balance(business)[:3] == (8, 0, 5)
    assert sum(line.unallocated for line in allocated(business, [(0, 7)]).lines) == 4_000
    (dock,) = locations(business, "DOCK", kind="receiving")
    (shelf,) = locations(business, "A-02")
    received(business, 2, lot="L-TODAY", expires_on=day(0))
    business.clock.advance(timedelta(days=1))
    put(business, 2, shelf, source=dock, lot=lot_id(business, "L-TODAY"))
    assert balance(business)[:3] == (10, 3, 7)
    assert_books_agree(database)


def test_a_lot_is_good_through_its_last_day_where_the_site_stands(database):
    business = a_business(database, items=1, stock=0)
    tracked(business, "lot")
    received(business, 5, lot="L-1", expires_on=day(0))
    order = allocated(business, [(0, 5)])
    assert [one.quantity for one in chosen(business, order, 5)] == [5000]


def test_nothing_is_picked_from_a_blocked_location(database):
    business = a_business(database, items=1, stock=10)
    (shelf,) = locations(business, "A-01")
    moved(business, 7, None, shelf)
    with business.work() as work:
        block_location(work, shelf, blocked=True, reason="a beam is bent")
    order = released(business, [(0, 9)])
    assert [(one.location, one.quantity) for one in chosen(business, order, 9)] == [(None, 3000)]


def test_an_item_without_bins_is_picked_from_the_default_place_and_nothing_is_held(database):
    business = a_business(database, items=1, stock=10)
    order = allocated(business, [(0, 9)])
    before = everything(business)
    assert chosen(business, order, 9) == [(0, None, None, 9000)]
    assert everything(business) == before


def test_a_serial_number_is_in_stock_once_and_twice_is_refused(database):
    business = a_business(database, items=1, stock=0)
    tracked(business, "serial")
    received(business, 2, serials=["S-1", "S-2"])
    before = everything(business)
    for serials in (["S-3", "S-1"], ["S-4", "S-4"]):
        with pytest.raises(RuleBroken, match="serial_in_stock"):
            received(business, 2, serials=serials)
    assert everything(business) == before
    with pytest.raises(RuleBroken, match="serials_missing"):
        received(business, 3, serials=["S-5", "S-6"])
    assert bins(business) == {(None, "S-1", "available"): 1, (None, "S-2", "available"): 1}


def test_a_serial_number_that_left_may_come_back(database):
    business = a_business(database, items=1, stock=0)
    tracked(business, "serial")
    received(business, 1, serials=["S-1"])
    order = allocated(business, [(0, 1)])
    ship(business, order)
    assert bins(business) == {}
    received(business, 1, serials=["S-1"])
    assert bins(business) == {(None, "S-1", "available"): 1}
    assert_books_agree(database)


def test_a_lot_keeps_one_last_day_and_a_tracked_item_never_comes_without_its_lot(database):
    business = a_business(database, items=2, stock=0)
    tracked(business, "lot")
    received(business, 5, lot="L-1", expires_on=day(10))
    before = everything(business)
    for changes, code in (
        ({"lot": "L-1", "expires_on": day(11)}, "lot_other_expiry"),
        ({}, "lot_required"),
        ({"item": 1, "lot": "L-1"}, "not_tracked"),
    ):
        with pytest.raises(DomainError) as refusal:
            received(business, 5, **changes)
        assert refusal.value.code == code
    assert everything(business) == before


def test_how_an_item_is_tracked_changes_only_while_there_is_none(database):
    business = a_business(database, items=1, stock=10)
    with business.work() as work, pytest.raises(RuleBroken, match="tracking_with_stock"):
        keep_item(work, KeepItem(item=business.items[0], tracking="lot"))


def test_somebody_without_the_permission_or_the_site_moves_nothing(database):
    business = a_business(database, items=1, stock=10)
    (shelf,) = locations(business, "A-01")
    before = everything(business)
    elsewhere = type(ANNA)(id=7, role="warehouse_operator", permissions=ANNA.permissions, sites=frozenset({1}))
    nobody = type(ANNA)(id=8, role="auditor", permissions=frozenset(), sites=None)
    for actor, code in ((elsewhere, "not_found"), (nobody, "not_allowed")):
        with pytest.raises(DomainError, match=code):
            put(business, 1, shelf, actor=actor)
    assert everything(business) == before
