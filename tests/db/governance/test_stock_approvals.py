"""Another item instead, and stock taken back: asked about by the port, decided by the rules, carried out with the last answer."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select

from app.composition.approving import propose_rule, withdraw
from app.composition.order_approvals import BY_RULES, decide_on_substitution, decide_on_take_back, let_go
from app.jobs.approvals import escalate_due
from erpcore.fulfilment.shortage import Choose, choose
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed, RuleBroken
from erpcore.orders.allocation_models import TakeBackWish
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.holds import ReleaseHold
from erpcore.orders.models import OrderHold, OrderLine, SalesOrder
from erpcore.orders.rerun import run_allocation
from erpcore.orders.substitution import DecideSubstitution
from erpcore.orders.takeback import take_back
from governance.approvals.models import ApprovalRequest
from governance.approvals.rulebook import ProposeRule
from tests.db.core.test_backorders import allocated_of, contested, receive
from tests.db.core.test_shortages import short, substitutable
from tests.db.core.test_two_at_once import at_once
from tests.support.approvals import a_rule, answered, person
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells
from tests.support.policies import approve

__all__ = ["contested"]


def the(business, table):
    """Its one row."""
    with business.work() as work:
        (row,) = work.session.scalars(select(table))
        return row


@pytest.fixture
def waiting(database):
    """The business, and who asked for another item instead of twenty that are short."""
    business = a_business(database, items=2, stock=0)
    substitutable(business, same_group=False)
    open_cells(business)
    line = short(business, rule="with_approval")
    desk = person(business, "customer_service")
    with business.work(desk) as work:
        command = Choose(line=line, option=f"substitute:{business.items[1]}", reason="he cannot wait")
        choose(work, command, rules=RULES, cells=OPEN, authority=BY_RULES)
    return business, desk


def decided(business, who, *, approve=True):
    command = DecideSubstitution(hold=the(business, OrderHold).id, approve=approve, reason="he agrees")
    with business.work(who) as work:
        return decide_on_substitution(work, command, rules=RULES, cells=OPEN)[1]


def replaced(business):
    """How much of another item the order gets instead."""
    with business.work() as work:
        query = select(OrderLine.quantity).where(OrderLine.replaces_id.is_not(None))
        return [int(quantity) for quantity in work.session.scalars(query)]


def test_another_item_instead_waits_for_somebody_else_and_is_sent_with_the_answer(waiting):
    business, desk = waiting
    request = the(business, ApprovalRequest)
    assert (request.kind, request.subject_type, request.subject_version) == ("substitution", "order", 1)
    assert request.facts == '{"amount_minor":20000,"currency":"EUR","tier":2}'
    assert request.rule_text.startswith("In every case, one person who may approve")
    with pytest.raises(NotAllowed) as refused:
        answered(business, desk, request.id)
    assert refused.value.code == "approval_own"
    with pytest.raises(NotAllowed) as refused:
        decided(business, desk)
    assert refused.value.code == "hold_own_request"
    with pytest.raises(RuleBroken) as refused, business.work(desk) as work:
        withdraw(work, request.id, reason="never mind")
    assert refused.value.code == "approval_stays"
    assert replaced(business) == []
    assert answered(business, person(business, "site_lead"), request.id) == "approved"
    assert replaced(business) == [20]
    assert the(business, SalesOrder).state == "captured"
    assert_books_agree(business.database)


def test_one_no_leaves_the_order_as_it_was_ordered(waiting):
    business, _ = waiting
    assert (
        answered(business, person(business, "site_lead"), the(business, ApprovalRequest).id, "reject", "no")
        == "rejected"
    )
    assert (replaced(business), the(business, SalesOrder).state) == ([], "captured")
    assert the(business, OrderHold).release_reason == "no"


def test_ending_the_hold_of_a_substitution_declines_it(waiting):
    business, _ = waiting
    lead, hold = person(business, "site_lead"), the(business, OrderHold)
    with business.work(lead) as work:
        assert let_go(work, [ReleaseHold(hold=hold.id, reason="as ordered")]) == 1
    assert (replaced(business), the(business, ApprovalRequest).state) == ([], "rejected")


def test_where_the_cell_is_closed_another_item_is_declined_and_not_sent(database):
    business = a_business(database, items=2, stock=0)
    substitutable(business, same_group=False)
    line = short(business, rule="with_approval")
    with business.work(person(business, "customer_service")) as work:
        command = Choose(line=line, option=f"substitute:{business.items[1]}", reason="he cannot wait")
        choose(work, command, rules=RULES, cells=OPEN, authority=BY_RULES)
    lead = person(business, "site_lead")
    with pytest.raises(RuleBroken) as refused:
        decided(business, lead)
    assert (refused.value.code, the(business, ApprovalRequest).state) == ("cell_closed", "waiting")
    hold = the(business, OrderHold).id
    with business.work(lead) as work:
        assert let_go(work, [ReleaseHold(hold=hold, reason="as ordered")]) == 1
    assert (the(business, ApprovalRequest).state, the(business, SalesOrder).state) == ("rejected", "captured")


def test_two_decide_on_another_item_where_the_rule_says_so(database):
    business = a_business(database, items=2, stock=0)
    a_rule(
        business, "large", kind="substitution", people=2, amount_from_minor=10_000, currency="EUR",
        capacity="may:orders:substitution:approve",
    )  # fmt: skip
    substitutable(business, same_group=False)
    open_cells(business)
    line = short(business, rule="with_approval")
    desk = person(business, "customer_service")
    with business.work(desk) as work:
        command = Choose(line=line, option=f"substitute:{business.items[1]}", reason="he cannot wait")
        choose(work, command, rules=RULES, cells=OPEN, authority=BY_RULES)
    one, two = person(business, "site_lead"), person(business, "site_lead")
    assert decided(business, one) is True
    assert replaced(business) == []
    assert decided(business, two) is False
    assert replaced(business) == [20]


def test_a_cancelled_order_asks_nobody_for_another_item(waiting):
    business, desk = waiting
    order = the(business, SalesOrder).id
    with business.work(desk) as work:
        cancel_lines(work, [CancelLines(order=order, reason="too late", by_customer=True)])
    escalate_due(business.database, clock=business.clock)
    assert the(business, ApprovalRequest).state == "outdated"


@pytest.fixture
def wished(contested):
    """The business with both orders, who asked for four of the later one's six, and the wish."""
    business, first, later, wish = contested
    approve(business, "take_back_rule", "second_person")
    open_cells(business)
    lead = person(business, "site_lead")
    with business.work(lead) as work:
        (asked,) = take_back(work, [wish], rules=RULES, cells=OPEN, authority=BY_RULES)
    return business, first, later, lead, asked.wish


def agreed(business, who, wish, *, agreed=True):
    with business.work(who) as work:
        return decide_on_take_back(work, wish, agreed=agreed, note="promised first", rules=RULES, cells=OPEN).state


def test_stock_is_taken_back_with_the_answer_of_somebody_else(wished):
    business, first, later, lead, wish = wished
    request = the(business, ApprovalRequest)
    assert (request.kind, request.subject_type, request.subject_id) == ("take_back", "take_back", wish)
    assert request.facts == '{"amount_minor":4000,"currency":"EUR","tier":2}'
    assert request.summary == f"Take 4 of 40-0 at Duisburg back from {later.number} for {first.number}"
    with pytest.raises(NotAllowed) as refused:
        agreed(business, lead, wish)
    assert refused.value.code == "own_request"
    with pytest.raises(NotAllowed) as refused:
        answered(business, lead, request.id)
    assert refused.value.code == "approval_own"
    assert allocated_of(business.database, first, later) == [0, 6000]
    assert answered(business, person(business, "process_owner"), request.id) == "approved"
    assert allocated_of(business.database, first, later) == [4000, 2000]
    assert the(business, TakeBackWish).state == "done"
    assert_books_agree(business.database)


def test_a_wish_that_is_rejected_leaves_the_stock_where_it_is(wished):
    business, first, later, _, wish = wished
    assert agreed(business, person(business, "site_lead"), wish, agreed=False) == "rejected"
    assert the(business, ApprovalRequest).state == "rejected"
    assert allocated_of(business.database, first, later) == [0, 6000]


def test_lines_that_have_changed_are_not_taken_from_and_the_request_still_waits(wished):
    business, first, later, _, _ = wished
    receive(business, 6)
    with business.work() as work:
        run_allocation(work, business.site, rules=RULES, cells=OPEN)
    request = the(business, ApprovalRequest)
    with pytest.raises(Conflict) as refused:
        answered(business, person(business, "site_lead"), request.id)
    assert refused.value.code == "take_back_outdated"
    assert the(business, ApprovalRequest).state == "waiting"
    assert allocated_of(business.database, first, later) == [6000, 6000]
    assert answered(business, person(business, "site_lead"), request.id, "reject", "not needed") == "rejected"


def test_two_who_agree_at_once_take_the_stock_back_once(wished):
    business, first, later, _, wish = wished
    one, two = person(business, "site_lead"), person(business, "process_owner")
    request = the(business, ApprovalRequest).id
    found = at_once(partial(agreed, business, one, wish), partial(answered, business, two, request))
    assert [isinstance(each, DomainError) for each in found].count(True) == 1, found
    assert allocated_of(business.database, first, later) == [4000, 2000]
    assert_books_agree(business.database)


@pytest.mark.parametrize("kind", ["substitution", "take_back"])
def test_no_rule_lets_them_through_without_anybody(database, kind):
    business = a_business(database)
    office = person(business, "pmo")
    with pytest.raises(RuleBroken) as refused, business.work(office) as work:
        propose_rule(work, ProposeRule(kind=kind, code="small", reason="quicker", is_automatic=True))
    assert refused.value.code == "approval_rule_never_automatic"
