"""Counts and adjustments: blind, by the rules of the site, decided by somebody else where it matters."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, start_task
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.adjusting import decide_adjustment
from erpcore.inventory.count_plan import PlanCount, plan_counts, plan_due_counts, set_cadence
from erpcore.inventory.counting import cancel_count, decide_count, record_count, start_count
from erpcore.inventory.documents import CountState
from erpcore.inventory.flow import ADJUSTMENT, COUNT, TRANSFER
from erpcore.inventory.holds import PickDemand, choose_bins, pick_bins
from erpcore.inventory.shifting import MoveBin, move_bins
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed, RuleBroken
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import ANNA as PICKER
from tests.support.floor import a_floor, a_task
from tests.support.rows import rows
from tests.support.steps import allocated
from tests.support.threads import at_once
from tests.support.warehouse import (
    ANNA,
    BEN,
    CARLA,
    adjusted,
    balance,
    bins,
    everything,
    locations,
    lot_id,
    no_names,
    received,
    tracked,
)

SAME = {"rules": RULES, "cells": OPEN}


class Rules:
    """The standard, departed from as a test says."""

    def __init__(self, **values):
        self.values = values

    def _departed(self, found):
        return type(found)(found.hash, {**found.values, **self.values}, found.variants)

    def resolve(self, work, **scope):
        return self._departed(RULES.resolve(work, **scope))

    def stored(self, work, hash_):
        return self._departed(RULES.stored(work, hash_))


def planned(business, **where):
    with business.work() as work:
        (task,) = plan_counts(work, [PlanCount(site=business.site, item=business.items[0], **where)], **SAME)
    return task


def started(business, task, actor=ANNA, rules=RULES):
    with business.work(actor) as work:
        start_count(work, task, rules=rules, cells=OPEN)


def found(business, task, quantity, actor=ANNA, rules=RULES):
    with business.work(actor) as work:
        return record_count(work, task, Decimal(quantity), rules=rules, cells=OPEN).state


def counted(business, task, quantity, actor=ANNA, rules=RULES):
    started(business, task, actor, rules)
    return found(business, task, quantity, actor, rules)


def decided(business, task, actor, *, approved=True, note="seen it myself"):
    with business.work(actor) as work:
        decide_count(work, task, approved=approved, note=note, **SAME)


def events(business, kind):
    with reading(business.database) as session:
        return session.execute(text("SELECT COUNT(*) FROM event_log WHERE type = :t"), {"t": kind}).scalar_one()


def ship(business, order):
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)


def test_a_count_that_finds_what_the_book_says_changes_nothing_but_is_told(database):
    business = a_business(database, items=1, stock=100)
    assert counted(business, planned(business), 100) == CountState.DONE
    assert balance(business) == (100, 0, 0, 0)
    assert (events(business, "stock.counted"), events(business, "stock.adjusted")) == (1, 0)


def test_a_difference_within_tolerance_is_booked_at_once(database):
    business = a_business(database, items=1, stock=1000)
    assert counted(business, planned(business), 996) == CountState.DONE
    assert balance(business) == (996, 0, 0, 0)
    assert_books_agree(database)


def test_beyond_tolerance_somebody_else_counts_again_and_what_that_one_finds_holds(database):
    business = a_business(database, items=1, stock=100)
    task = planned(business)
    assert counted(business, task, 90) == CountState.RECOUNT
    assert balance(business) == (100, 0, 0, 0)
    before = everything(business)
    with pytest.raises(NotAllowed, match="recount_by_other"):
        started(business, task, ANNA)
    assert everything(business) == before
    assert counted(business, task, 98, BEN) == CountState.DONE
    assert balance(business) == (98, 0, 0, 0)
    assert (events(business, "stock.counted"), events(business, "stock.recounted")) == (1, 1)
    assert_books_agree(database)


def test_above_the_limit_of_the_site_a_third_person_decides(database):
    business = a_business(database, items=1, stock=1000)
    task = planned(business)
    counted(business, task, 800)
    assert counted(business, task, 800, BEN) == CountState.PROPOSED
    assert balance(business) == (1000, 0, 0, 0)
    before = everything(business)
    for counter in (ANNA, BEN):
        with pytest.raises(NotAllowed, match="counted_it_oneself"):
            decided(business, task, counter)
    with pytest.raises(RuleBroken, match="reason_required"):
        decided(business, task, CARLA, note=" ")
    assert everything(business) == before
    decided(business, task, CARLA)
    assert balance(business) == (800, 0, 0, 0)
    assert_books_agree(database)


def test_who_decides_may_have_it_counted_once_more_by_neither_of_the_two(database):
    business = a_business(database, items=1, stock=1000)
    task = planned(business)
    counted(business, task, 800)
    counted(business, task, 800, BEN)
    decided(business, task, CARLA, approved=False)
    for counter in (ANNA, BEN):
        with pytest.raises(NotAllowed, match="recount_by_other"):
            started(business, task, counter)
    assert counted(business, task, 1000, CARLA) == CountState.DONE
    assert balance(business) == (1000, 0, 0, 0)


@pytest.mark.parametrize(
    ("rule", "first", "state"),
    [("never", 90, "done"), ("always", 100, "recount"), ("beyond_tolerance", 100, "done"), ("beyond_tolerance", 90, "recount")],
)  # fmt: skip
def test_when_is_counted_again_is_the_site_s_rule(database, rule, first, state):
    business = a_business(database, items=1, stock=100)
    assert counted(business, planned(business), first, rules=Rules(recount_rule=rule)) == state


def test_at_unknown_cost_a_difference_is_never_booked_without_approval(database):
    business = a_business(database, items=1, stock=100, cost=None)
    assert counted(business, planned(business), 99, rules=Rules(recount_rule="never")) == CountState.PROPOSED


def test_a_shipment_during_a_count_is_taken_into_account(database):
    business = a_business(database, items=1, stock=100)
    order = allocated(business, [(0, 30)])
    task = planned(business)
    started(business, task)
    ship(business, order)
    assert found(business, task, 70) == CountState.DONE
    assert balance(business) == (70, 0, 0, 0)


def test_a_difference_is_not_booked_when_something_moved_while_it_was_counted(database):
    business = a_business(database, items=1, stock=100)
    order = allocated(business, [(0, 30)])
    task = planned(business)
    started(business, task, rules=Rules(recount_rule="never"))
    ship(business, order)
    assert found(business, task, 100, rules=Rules(recount_rule="never")) == CountState.RECOUNT
    assert balance(business) == (70, 0, 0, 0)


def in_a_bin(business, quantity):
    (shelf,) = locations(business, "A-01")
    with business.work() as work:
        command = MoveBin(
            site=business.site, item=business.items[0], quantity=Decimal(quantity), source=None, location=shelf
        )  # fmt: skip
        move_bins(work, [command], order_names=no_names, **SAME)
    return shelf


def test_a_count_during_picking_does_not_expect_what_has_been_picked_and_not_shipped(database):
    business = a_business(database, items=1, stock=50)
    shelf = in_a_bin(business, 50)
    order = allocated(business, [(0, 20)])
    task = planned(business, location=shelf)
    with business.work() as work:
        demand = PickDemand(order.lines[0].id, business.site, business.items[0], 20_000)
        (chosen,) = choose_bins(work, [demand], RULES)
        pick_bins(work, {one.hold: one.quantity for one in chosen})
    assert counted(business, task, 30) == CountState.DONE
    assert bins(business) == {("A-01", None, "available"): 50}
    ship(business, order)
    assert bins(business) == {("A-01", None, "available"): 30}
    assert_books_agree(database)


@pytest.mark.parametrize("there", [38, 37])
def test_a_count_during_picking_leaves_the_order_its_task_and_its_reservation_as_they_are(database, there):
    """Twelve of twenty lie in the tote when the place is counted; what is missing there is missing to nobody's order."""
    business = a_business(database, items=1, stock=50)
    a_floor(business)
    shelf = in_a_bin(business, 50)
    order = allocated(business, [(0, 20)])
    (pick,) = a_task(business, order)
    with business.work(PICKER) as work:
        start_task(work, pick.id)
        confirm_pick(work, ConfirmPick(task=pick.id, line=1, quantity=12_000))
    kept = [
        "SELECT state, version, value_minor FROM sales_order", "SELECT * FROM order_line", "SELECT * FROM reservation",
        "SELECT * FROM bin_hold", "SELECT state, owner_id, version FROM warehouse_task", "SELECT * FROM warehouse_task_line",
        "SELECT type FROM event_log WHERE subject_type IN ('order', 'shipment', 'task') ORDER BY seq",
    ]  # fmt: skip
    before = [rows(database, query) for query in kept]
    task = planned(business, location=shelf)
    assert counted(business, task, there, rules=Rules(recount_rule="never")) == CountState.DONE
    assert [rows(database, query) for query in kept] == before
    left = there + 12
    assert (balance(business), bins(business)) == ((left, 20, 0, left), {("A-01", None, "available"): left})
    assert_books_agree(database)
    with business.work(PICKER) as work:
        confirm_pick(work, ConfirmPick(task=pick.id, line=1, quantity=8_000))
        (shipment,) = finish_pick(work, pick.id, **SAME).shipments
    with business.work() as work:
        confirm_shipments(work, [shipment.id], **SAME)
    assert rows(database, "SELECT allocated, picked, shipped FROM order_line") == [(0, 0, 20_000)]
    assert balance(business) == (left - 20, 0, 0, left - 20)
    assert_books_agree(database)


def test_where_the_site_freezes_nothing_moves_at_the_place_until_it_is_counted(database):
    business = a_business(database, items=1, stock=50)
    frozen = Rules(count_freeze=True)
    shelf = in_a_bin(business, 50)
    order = allocated(business, [(0, 20)])
    task = planned(business, location=shelf)
    started(business, task, rules=frozen)
    before = everything(business)
    with pytest.raises(RuleBroken, match="nothing_to_pick"):
        ship(business, order)
    with pytest.raises(RuleBroken, match="bin_frozen"):
        adjusted(business, -1, location=shelf)
    with business.work() as work:
        demand = PickDemand(order.lines[0].id, business.site, business.items[0], 20_000)
        assert choose_bins(work, [demand], RULES) == [[]]
    assert everything(business) == before
    assert_books_agree(database)
    assert found(business, task, 50, rules=frozen) == CountState.DONE
    ship(business, order)
    assert balance(business) == (30, 0, 0, 30)
    assert_books_agree(database)


def test_a_frozen_default_place_stands_still_too_and_moves_again_when_the_count_is_cancelled(database):
    business = a_business(database, items=1, stock=50)
    order = allocated(business, [(0, 20)])
    task = planned(business)
    started(business, task, rules=Rules(count_freeze=True))
    before = everything(business)
    with pytest.raises(RuleBroken, match="nothing_to_pick"):
        ship(business, order)
    assert everything(business) == before
    with business.work(CARLA) as work:
        cancel_count(work, task, "the line waits")
    ship(business, order)
    assert balance(business) == (30, 0, 0, 0)
    assert_books_agree(database)


def test_less_than_is_promised_is_not_booked_but_decided_by_somebody(database):
    business = a_business(database, items=1, stock=50)
    allocated(business, [(0, 50)])
    task = planned(business)
    assert counted(business, task, 49, rules=Rules(recount_rule="never")) == CountState.PROPOSED
    before = everything(business)
    with pytest.raises(RuleBroken, match="stock_short"):
        decided(business, task, CARLA)
    assert everything(business) == before


def test_two_counters_begin_one_count_and_only_one_has_it(database):
    business = a_business(database, items=1, stock=50)
    task = planned(business)
    results = at_once(lambda: started(business, task, ANNA), lambda: started(business, task, BEN))
    assert sorted(type(one).__name__ for one in results) == ["IllegalMove", "NoneType"]
    with reading(database) as session:
        mine = session.execute(text("SELECT started_by FROM count_task")).scalar_one()
    other = BEN if mine == ANNA.id else ANNA
    before = everything(business)
    with pytest.raises(NotAllowed, match="count_of_other"):
        found(business, task, 50, other)
    assert everything(business) == before


@pytest.mark.parametrize(
    ("quantity", "code"), [("-1", "found_negative"), ("1.5", "quantity_too_precise"), ("1e12", "quantity_absurd")]
)
def test_a_count_of_what_cannot_be_found_changes_nothing(database, quantity, code):
    business = a_business(database, items=1, stock=50)
    task = planned(business)
    started(business, task)
    before = everything(business)
    with pytest.raises(RuleBroken) as refusal:
        found(business, task, quantity)
    assert refusal.value.code == code
    assert everything(business) == before


def test_a_count_seen_in_an_older_state_is_a_conflict(database):
    business = a_business(database, items=1, stock=50)
    task = planned(business)
    started(business, task)
    with business.work(ANNA) as work, pytest.raises(Conflict):
        record_count(work, task, Decimal(50), seen_version=1, **SAME)


def test_one_piece_of_a_serial_number_is_counted_at_most_once(database):
    business = a_business(database, items=1, stock=0)
    tracked(business, "serial")
    received(business, 1, serials=["S-1"])
    task = planned(business, lot=lot_id(business, "S-1"))
    started(business, task)
    with pytest.raises(RuleBroken, match="serial_counted_twice"):
        found(business, task, 2)
    assert found(business, task, 0, rules=Rules(recount_rule="never")) == CountState.DONE
    assert bins(business) == {}
    assert_books_agree(database)


def test_places_are_due_by_the_cadence_of_their_class_and_planned_once(database):
    business = a_business(database, items=3, stock=50)  # classes A, B, C
    with business.work() as work:
        set_cadence(work, business.site, "A", 7)
        assert plan_due_counts(work, business.site) == 3  # nothing was ever counted
    with business.work() as work:
        assert plan_due_counts(work, business.site) == 0
    with reading(database) as session:
        tasks = session.execute(text("SELECT id FROM count_task ORDER BY id")).scalars().all()
    for task in tasks:
        counted(business, task, 50)
    business.clock.advance(timedelta(days=7))
    with business.work() as work:
        assert plan_due_counts(work, business.site) == 1
    business.clock.advance(timedelta(days=173))
    with business.work() as work:
        assert plan_due_counts(work, business.site) == 2


def test_a_small_adjustment_is_booked_at_once_with_its_reason(database):
    business = a_business(database, items=1, stock=100)
    assert not adjusted(business, -3).waits
    assert balance(business) == (97, 0, 0, 0)
    with reading(database) as session:
        row = session.execute(text("SELECT state, reason_code, value_minor FROM stock_adjustment")).one()
    assert tuple(row) == ("booked", "damaged", -1200)
    assert_books_agree(database)


def decide(business, adjustment, actor, *, approved=True, note="checked"):
    with business.work(actor) as work:
        decide_adjustment(work, adjustment, approved=approved, note=note, **SAME)


def test_above_the_limit_an_adjustment_waits_for_somebody_else(database):
    business = a_business(database, items=1, stock=1000)
    asked = adjusted(business, -200)
    assert asked.waits
    assert balance(business) == (1000, 0, 0, 0)
    before = everything(business)
    with pytest.raises(NotAllowed, match="own_request"):
        decide(business, asked.id, ANNA)
    assert everything(business) == before
    decide(business, asked.id, BEN)
    assert balance(business) == (800, 0, 0, 0)
    with pytest.raises(RuleBroken, match="illegal_move"):
        decide(business, asked.id, CARLA)
    assert_books_agree(database)


def test_a_rejected_adjustment_moves_nothing_and_says_why(database):
    business = a_business(database, items=1, stock=1000)
    asked = adjusted(business, -200)
    with pytest.raises(RuleBroken, match="reason_required"):
        decide(business, asked.id, BEN, approved=False, note="")
    decide(business, asked.id, BEN, approved=False, note="they are in the van")
    assert balance(business) == (1000, 0, 0, 0)


def test_two_people_approve_one_adjustment_and_it_is_booked_once(database):
    business = a_business(database, items=1, stock=1000)
    asked = adjusted(business, -200)
    results = at_once(lambda: decide(business, asked.id, BEN), lambda: decide(business, asked.id, CARLA))
    assert sorted(type(one).__name__ for one in results) == ["IllegalMove", "NoneType"]
    assert balance(business) == (800, 0, 0, 0)
    assert_books_agree(database)


def test_an_adjustment_of_unknown_worth_waits_too(database):
    business = a_business(database, items=1, stock=100, cost=None)
    assert adjusted(business, -1).waits


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": "0"}, "quantity_zero"),
        ({"quantity": "-101"}, "bin_short|stock_short"),
        ({"quantity": "0.5"}, "quantity_too_precise"),
        ({"quantity": "-1", "reason": "mood"}, "choice_unknown"),
        ({"quantity": "-1", "note": " "}, "reason_required"),
    ],
)
def test_an_adjustment_that_cannot_be_changes_nothing(database, changes, code):
    business = a_business(database, items=1, stock=100)
    before = everything(business)
    with pytest.raises(DomainError, match=code):
        adjusted(business, **changes)
    assert everything(business) == before


@pytest.mark.parametrize("flow", [COUNT, ADJUSTMENT, TRANSFER], ids=lambda flow: flow.document)
def test_every_move_of_the_papers_leads_from_its_sources_and_from_nowhere_else(flow):
    for move in flow.moves.values():
        for state in flow.states:
            if state in move.sources:
                assert flow.target(move.name, state, reason="why") == move.target
            else:
                with pytest.raises(RuleBroken, match="illegal_move"):
                    flow.target(move.name, state, reason="why")
    assert flow.finals()
