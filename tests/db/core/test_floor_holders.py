"""Who holds a task: one at a time, handed over, taken over from who is gone, and nothing half done when things break."""

from __future__ import annotations

from datetime import timedelta

import pytest

from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, start_task
from erpcore.fulfilment.floor.tasks import (
    assign_task,
    claim_task,
    give_back,
    next_task,
    reprioritise_task,
)
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import (
    ANNA,
    BEN,
    SUPERVISOR,
    a_task,
    killed,
    one,
    person,
    refused,
    rows,
)
from tests.support.steps import allocated
from tests.support.threads import at_once


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


def test_a_line_shown_to_somebody_else_conflicts(database):
    business = a_business(database)
    (task,) = a_task(business, allocated(business))
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=1_000))
    with pytest.raises(Conflict), business.work(ANNA) as work:
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=1_000, before=0))
