"""Scarce stock: who waits keeps the turn, runs are simulated before they are committed, and stock is taken back by authority."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.scarcity import FOLLOWERS
from app.jobs.allocation import serve_waiting_lines
from erpcore.inventory.stock import ChangeStock, adjust_stock, receive_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, IllegalMove, NotAllowed, RuleBroken
from erpcore.masterdata.services import NewCustomer, add_customers, ensure_channel
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.protections import ProtectStock, protect_stock
from erpcore.orders.ranking import Why
from erpcore.orders.rerun import run_allocation
from erpcore.orders.runs import (
    COMMIT,
    OVERRIDE,
    SIMULATE,
    MoveLine,
    SimulateRun,
    commit_run,
    move_line,
    reject_run,
    simulate_run,
)
from erpcore.orders.takeback import TakeBack, take_back
from erpcore.ports import Admission, CellState
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, Cells, a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.rows import rows
from tests.support.steps import allocated, captured, released
from tests.support.threads import at_once
from tests.support.warehouse import expected

PERMISSIONS = frozenset({SIMULATE, COMMIT, OVERRIDE})
PLANNER = Actor(id=51, role="site_lead", permissions=PERMISSIONS)
LEAD = Actor(id=52, role="site_lead", permissions=PERMISSIONS)


def receive(business, quantity, item=0):
    with business.work() as work:
        change = ChangeStock(site=business.site, item=business.items[item], quantity=Decimal(quantity), note="delivery")
        receive_stock(work, [change], rules=RULES, cells=OPEN)


def allocated_of(database, *orders):
    return [
        rows(database, "SELECT allocated FROM order_line WHERE order_id = :o", o=order.id)[0][0] for order in orders
    ]


@pytest.fixture
def queue(database):
    """Nothing on the shelf; three orders wait for the same item, an hour apart, for 6, 6 and 3."""
    business = a_business(database, items=1, stock=0)
    orders = []
    for quantity in (6, 6, 3):
        orders.append(allocated(business, [(0, quantity)]))
        business.clock.advance(timedelta(hours=1))
    return business, orders


def test_a_short_line_keeps_its_unmet_part_and_its_promise_on_one_row(database, queue):
    business, (first, *_) = queue
    found = rows(
        database, "SELECT unmet, quantity FROM reservation WHERE order_line_id = :line", line=first.lines[0].id
    )
    assert found == [(6000, 0)]
    receive(business, 4)
    with business.work() as work:
        allocate_orders(work, [first.id], rules=RULES, cells=OPEN)
    assert sorted(
        rows(database, "SELECT unmet, quantity FROM reservation WHERE order_line_id = :l", l=first.lines[0].id)
    ) == [(0, 4000), (2000, 0)]
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=first.id, reason="no longer", by_customer=True)])
    assert rows(database, "SELECT SUM(unmet) FROM reservation WHERE order_line_id = :l", l=first.lines[0].id) == [(0,)]
    assert_books_agree(database)


def test_a_new_order_does_not_take_what_others_wait_for(database, queue):
    business, waiting = queue
    receive(business, 14)
    late = allocated(business, [(0, 5)])
    assert allocated_of(database, *waiting, late) == [0, 0, 0, 0]
    receive(business, 3)
    with business.work() as work:
        allocate_orders(work, [late.id], rules=RULES, cells=OPEN)
    assert allocated_of(database, late) == [2000]
    assert_books_agree(database)


def test_a_receipt_is_promised_once_in_the_order_of_the_promises(database):
    business = a_business(database, items=1, stock=0)
    with business.work() as work:
        work.session.execute(
            text(
                "INSERT INTO expected_receipt (id, entity_id, site_id, item_id, quantity, received, cancelled, expected_on, "
                "source, number, version, entered_at) SELECT :id, entity_id, site_id, item_id, 10000, 0, 0, '2026-03-06', "
                "'typed', 'PO-7', 1, recorded_at FROM (SELECT :e AS entity_id, :s AS site_id, :i AS item_id) AS p, "
                "(SELECT first_used_at AS recorded_at FROM ruleset UNION ALL SELECT :now LIMIT 1) AS t"
            ),
            {"id": work.ids.one(), "e": business.entity, "s": business.site, "i": business.items[0], "now": work.now},
        )
    first, second, third = (captured(business, [(0, quantity)]).lines[0] for quantity in (6, 4, 1))
    assert [(line.promise_reason, line.promised_on) for line in (first, second, third)] == [
        ("receipt", date(2026, 3, 6)), ("receipt", date(2026, 3, 6)), ("lead_time", date(2026, 3, 9))
    ]  # fmt: skip
    assert_books_agree(database)


def test_a_run_gives_what_came_to_who_waits_longest(database, queue):
    business, waiting = queue
    receive(business, 9)
    with business.work() as work:
        given = run_allocation(work, business.site, rules=RULES, cells=OPEN)
    assert sorted(given.values()) == [3000, 6000]
    assert allocated_of(database, *waiting) == [6000, 3000, 0]
    with business.work() as work:
        assert run_allocation(work, business.site, rules=RULES, cells=OPEN) == {}
    assert_books_agree(database)


def test_a_simulated_run_explains_every_line_and_changes_nothing_until_committed(database, queue):
    business, waiting = queue
    receive(business, 10)
    with business.work(PLANNER) as work:
        run = simulate_run(work, SimulateRun(site=business.site), rules=RULES, cells=OPEN)
    told = rows(
        database,
        "SELECT rank, got, why, by_first_come, by_priority, by_contract, by_fair_share FROM allocation_run_line "
        "ORDER BY rank",
    )
    assert told == [
        (1, 6000, Why.SERVED, 6000, 6000, 6000, 4000),
        (2, 4000, Why.PART, 4000, 4000, 4000, 4000),
        (3, 0, Why.EARLIER_RANKS, 0, 0, 0, 2000),
    ]
    assert allocated_of(database, *waiting) == [0, 0, 0]
    with business.work(PLANNER) as work:
        commit_run(work, run.id, rules=RULES, cells=OPEN)
    assert allocated_of(database, *waiting) == [6000, 4000, 0]
    assert_books_agree(database)


def test_fair_share_as_an_approved_value_shares_the_shortage(database):
    business = a_business(database, items=1, stock=0)
    approve(business, "allocation_rule", "fair_share")
    waiting = [allocated(business, [(0, quantity)]) for quantity in (6, 6, 3)]
    receive(business, 10)
    with business.work() as work:
        run_allocation(work, business.site, rules=RULES, cells=OPEN)
    assert allocated_of(database, *waiting) == [4000, 4000, 2000]
    assert_books_agree(database)


def test_a_run_is_out_of_date_once_stock_moved_and_nothing_happens(database, queue):
    business, waiting = queue
    receive(business, 10)
    with business.work(PLANNER) as work:
        run = simulate_run(work, SimulateRun(site=business.site), rules=RULES, cells=OPEN)
    receive(business, 1)
    with pytest.raises(Conflict, match="run_outdated"), business.work(PLANNER) as work:
        commit_run(work, run.id, rules=RULES, cells=OPEN)
    assert allocated_of(database, *waiting) == [0, 0, 0]
    assert rows(database, "SELECT state FROM allocation_run") == [("simulated",)]


def test_a_ranking_changed_by_hand_is_committed_by_somebody_else(database, queue):
    business, waiting = queue
    receive(business, 10)
    with business.work(PLANNER) as work:
        run = simulate_run(work, SimulateRun(site=business.site), rules=RULES, cells=OPEN)
    last = waiting[2].lines[0].id
    with pytest.raises(RuleBroken, match="reason_required"), business.work(PLANNER) as work:
        move_line(work, MoveLine(run=run.id, line=last, rank=1, reason=" "), rules=RULES, cells=OPEN)
    with business.work(PLANNER) as work:
        move_line(
            work, MoveLine(run=run.id, line=last, rank=1, reason="the line stands still"), rules=RULES, cells=OPEN
        )
    with pytest.raises(NotAllowed, match="own_request"), business.work(PLANNER) as work:
        commit_run(work, run.id, rules=RULES, cells=OPEN)
    assert allocated_of(database, *waiting) == [0, 0, 0]
    with business.work(LEAD) as work:
        commit_run(work, run.id, rules=RULES, cells=OPEN)
    assert allocated_of(database, *waiting) == [6000, 1000, 3000]
    assert rows(database, "SELECT COUNT(*) FROM event_log WHERE type = 'order.allocation_overridden'") == [(2,)]
    assert_books_agree(database)


def test_who_gets_less_by_a_ranking_made_by_hand_is_told_of_it_as_well(database, queue):
    business, waiting = queue
    receive(business, 6)
    with business.work(PLANNER) as work:
        run = simulate_run(work, SimulateRun(site=business.site), rules=RULES, cells=OPEN)
    with business.work(PLANNER) as work:
        move = MoveLine(run=run.id, line=waiting[1].lines[0].id, rank=1, reason="stands still")
        move_line(work, move, rules=RULES, cells=OPEN)
    with business.work(LEAD) as work:
        commit_run(work, run.id, rules=RULES, cells=OPEN)
    assert allocated_of(database, *waiting) == [0, 6000, 0]
    query = "SELECT subject_id, data FROM event_log WHERE type = 'order.allocation_overridden' ORDER BY subject_id"
    told = {
        subject: [part["quantity"] for part in json.loads(data)["lines"]] for subject, data in rows(database, query)
    }
    assert told == {waiting[0].id: [0], waiting[1].id: [6000]}
    assert_books_agree(database)


def test_a_second_person_does_not_rank_in_a_run_that_somebody_else_has_ranked(database, queue):
    business, waiting = queue
    receive(business, 10)
    with business.work(PLANNER) as work:
        run = simulate_run(work, SimulateRun(site=business.site), rules=RULES, cells=OPEN)
    for actor, number in ((PLANNER, 2), (PLANNER, 1)):
        with business.work(actor) as work:
            line = waiting[number].lines[0].id
            move_line(work, MoveLine(run=run.id, line=line, rank=1, reason="stands still"), rules=RULES, cells=OPEN)
    before = rows(database, "SELECT * FROM allocation_run_line ORDER BY rank")
    move = MoveLine(run=run.id, line=waiting[0].lines[0].id, rank=3, reason="mine")
    with pytest.raises(NotAllowed, match="run_moved_by_another"), business.work(LEAD) as work:
        move_line(work, move, rules=RULES, cells=OPEN)
    assert rows(database, "SELECT * FROM allocation_run_line ORDER BY rank") == before
    assert rows(database, "SELECT moved_by FROM allocation_run") == [(PLANNER.id,)]
    with pytest.raises(NotAllowed, match="own_request"), business.work(PLANNER) as work:
        commit_run(work, run.id, rules=RULES, cells=OPEN)


def test_a_rejected_run_cannot_be_committed(queue):
    business, _ = queue
    receive(business, 10)
    with business.work(PLANNER) as work:
        run = simulate_run(work, SimulateRun(site=business.site), rules=RULES, cells=OPEN)
    with business.work(LEAD) as work:
        reject_run(work, run.id, "the delivery was miscounted")
    with pytest.raises(IllegalMove), business.work(LEAD) as work:
        commit_run(work, run.id, rules=RULES, cells=OPEN)


def test_stock_is_taken_back_only_for_a_line_that_ranks_better(database):
    business = a_business(database, items=1, stock=6)
    first = released(business, [(0, 6)])
    business.clock.advance(timedelta(hours=1))
    later = allocated(business, [(0, 6)])
    with business.work() as work:
        allocate_orders(work, [first.id], rules=RULES, cells=OPEN)
    wrong = TakeBack(line=first.lines[0].id, to=later.lines[0].id, quantity=2000, reason="they shout")
    with pytest.raises(RuleBroken), business.work() as work:
        take_back(work, [wrong], rules=RULES, cells=OPEN)
    assert allocated_of(database, first, later) == [0, 6000]
    command = TakeBack(line=later.lines[0].id, to=first.lines[0].id, quantity=4000, reason="promised first")
    with business.work() as work:
        (done,) = take_back(work, [command], rules=RULES, cells=OPEN)
    assert done.wish is None
    assert allocated_of(database, first, later) == [4000, 2000]
    assert rows(database, "SELECT COUNT(*) FROM event_log WHERE type = 'order.deallocated'") == [(1,)]
    assert_books_agree(database)


def test_who_is_short_already_and_loses_more_is_promised_anew(database):
    business = a_business(database, items=1, stock=6)
    expected(business, 3, days=2)
    first = released(business, [(0, 6)])
    business.clock.advance(timedelta(hours=1))
    later = allocated(business, [(0, 8)])
    with business.work() as work:
        allocate_orders(work, [first.id], rules=RULES, cells=OPEN)
    promises = "SELECT promise_reason, CAST(promised_on AS TEXT) FROM order_line ORDER BY id"
    assert rows(database, promises) == [("lead_time", "2026-03-09"), ("receipt", "2026-03-04")]
    command = TakeBack(line=later.lines[0].id, to=first.lines[0].id, quantity=4000, reason="promised first")
    with business.work() as work:
        take_back(work, [command], rules=RULES, cells=OPEN)
    assert allocated_of(database, first, later) == [4000, 2000]
    assert rows(database, promises)[1] == ("lead_time", "2026-03-09")
    assert rows(database, "SELECT COUNT(*) FROM event_log WHERE type = 'order.backordered'") == [(2,)]
    assert_books_agree(database)


def test_runs_and_new_orders_at_once_never_promise_more_than_there_is(database):
    business = a_business(database, items=2, stock=0)
    for _ in range(5):
        allocated(business, [(0, 7), (1, 7)])
    for item in (0, 1):
        receive(business, 20, item)
    fresh = [released(business, [(1, 6), (0, 6)]) for _ in range(3)]

    def run():
        with business.work() as work:
            run_allocation(work, business.site, rules=RULES, cells=OPEN)

    def allocate(order):
        def task():
            with business.work() as work:
                allocate_orders(work, [order.id], rules=RULES, cells=OPEN)

        return task

    assert at_once(run, run, *(allocate(order) for order in fresh)) == [None] * 5
    assert rows(database, "SELECT on_hand, reserved FROM stock_balance") == [(20000, 20000)] * 2
    assert_books_agree(database)


def test_a_worker_killed_in_a_run_leaves_nothing_and_the_next_run_does_it(database, queue):
    business, waiting = queue
    receive(business, 9)

    def killed():
        with business.work() as work:
            run_allocation(work, business.site, rules=RULES, cells=OPEN)
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        killed()
    assert allocated_of(database, *waiting) == [0, 0, 0]
    assert_books_agree(database)
    with business.work() as work:
        run_allocation(work, business.site, rules=RULES, cells=OPEN)
    assert allocated_of(database, *waiting) == [6000, 3000, 0]


def test_an_order_that_leaves_whole_gets_nothing_in_a_run_until_all_its_lines_are_covered(database):
    business = a_business(database, items=2, stock=0)
    approve(business, "partial_shipment", False)
    order = allocated(business, [(0, 6), (1, 2)])
    receive(business, 9)
    with business.work() as work:
        assert run_allocation(work, business.site, rules=RULES, cells=OPEN) == {}
    receive(business, 2, item=1)
    with business.work() as work:
        run_allocation(work, business.site, [business.items[1]], rules=RULES, cells=OPEN)
    assert rows(
        database, "SELECT allocated FROM order_line WHERE order_id = :o ORDER BY line_no", o=order.id
    ) == [(6000,), (2000,)]  # fmt: skip
    assert_books_agree(database)


def test_orders_whose_cell_is_closed_hold_up_nobody(database, queue):
    business, waiting = queue
    receive(business, 9)
    with business.work() as work:
        assert run_allocation(work, business.site, rules=RULES, cells=Cells(CellState.CLOSED)) == {}
    assert allocated_of(database, *waiting) == [0, 0, 0]


def test_who_waits_in_a_closed_cell_keeps_no_stock_from_a_new_order(database, queue):
    business, waiting = queue
    receive(business, 4)
    with business.work() as work:
        other = ensure_channel(work, "web", "Web shop").id
        work.session.execute(text("UPDATE sales_order SET channel_id = :c").bindparams(c=other))
    late = released(business, [(0, 5)])

    class Some(Cells):
        def admission(self, work, realm, cell):
            state = CellState.OPEN if cell.channel == business.channel else CellState.CLOSED
            return Admission(state, 1, {"wave": "W2", "waits_for": "its gate"})

    with business.work() as work:
        allocate_orders(work, [late.id], rules=RULES, cells=Some())
    assert allocated_of(database, *waiting, late) == [0, 0, 0, 4000]
    assert_books_agree(database)


def test_a_contract_protects_from_its_first_day_at_the_site_on(database):
    # Half past midnight at the site, and the day before by the clock of the server.
    business = a_business(database, items=1, stock=6, at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    approve(business, "allocation_rule", "contract_protection", entity=business.entity)
    with business.work() as work:
        command = NewCustomer(entity=business.entity, code="2", name="Neu", country="Germany", currency="EUR")
        (other,) = add_customers(work, [command])
        protect_stock(
            work,
            [
                ProtectStock(
                    site=business.site, item=business.items[0], customer=other.id, quantity=Decimal(5),
                    contract="frame 7", valid_from=date(2026, 3, 2),
                )
            ],
        )  # fmt: skip
    assert allocated_of(database, allocated(business, [(0, 6)])) == [1000]
    assert_books_agree(database)


def test_an_automatic_run_is_kept_with_its_explanation(database, queue):
    business, _ = queue
    receive(business, 9)
    with business.work() as work:
        run_allocation(work, business.site, rules=RULES, cells=OPEN)
    assert rows(database, "SELECT state, trigger, places, lines FROM allocation_run") == [("committed", "stock", 1, 3)]
    told = rows(database, "SELECT rank, wanted, got, why FROM allocation_run_line ORDER BY rank")
    assert told == [(1, 6000, 6000, Why.SERVED), (2, 6000, 3000, Why.PART), (3, 3000, 0, Why.EARLIER_RANKS)]


@pytest.mark.parametrize("free", ["receipt", "cancellation", "adjustment"])
def test_what_becomes_free_is_given_at_once_to_who_waits(database, free):
    business = a_business(database, items=1, stock=6)
    business.database = replace(database, followers=FOLLOWERS)
    open_cells(business)
    holder = allocated(business, [(0, 6)])
    waiting = allocated(business, [(0, 4)])
    assert allocated_of(database, holder, waiting) == [6000, 0]
    with business.work() as work:
        if free == "cancellation":
            cancel_lines(work, [CancelLines(order=holder.id, reason="no longer", by_customer=True)])
        else:
            change = ChangeStock(site=business.site, item=business.items[0], quantity=Decimal(4), note="found again")
            change_stock = receive_stock if free == "receipt" else adjust_stock
            change_stock(work, [change], rules=RULES, cells=OPEN)
    assert allocated_of(database, waiting) == [4000]
    assert rows(database, "SELECT trigger FROM allocation_run") == [("stock",)]
    assert_books_agree(database)


def test_the_job_serves_what_was_left_lying(database, queue):
    business, waiting = queue
    open_cells(business)
    receive(business, 9)
    assert serve_waiting_lines(database, clock=business.clock) == 2
    assert allocated_of(database, *waiting) == [6000, 3000, 0]
    assert serve_waiting_lines(database, clock=business.clock) == 0
    assert_books_agree(database)
