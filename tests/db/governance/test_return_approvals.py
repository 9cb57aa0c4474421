"""A return outside of its policy comes back by others' word, or not at all; within it one press, or none, is enough."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from app.composition.approving import withdraw
from app.composition.return_approvals import BY_RULES
from erpcore.fulfilment.models import ReturnOrder
from erpcore.fulfilment.return_deciding import authorise_returns, decline_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.kernel.errors import DomainError, IllegalMove, NotAllowed, RuleBroken
from governance.approvals.models import ApprovalRequest
from tests.db.core.test_two_at_once import at_once
from tests.support.approvals import a_rule, answered, person
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.steps import invoiced
from tests.support.story import rows
from tests.support.trader import fingerprint_of


def asked_back(business, order=None, quantity=4, days=45, **changes):
    """The customer asks to give something back, so many days after it arrived."""
    business.clock.advance(timedelta(days=days))
    line = ReturnedLine(
        item=business.items[0], quantity=Decimal(quantity), order_line=order.lines[0].id if order else None,
        unit_price=None if order else Decimal("9.00"),
    )  # fmt: skip
    command = RequestReturn(
        site=business.site, channel=business.channel, customer=business.customer, lines=[line],
        **{"reason": "not wanted", "fault": "customer", **changes},
    )  # fmt: skip
    with business.work() as work:
        return request_returns(work, [command], rules=RULES, cells=OPEN)[0]


def authorised(business, row, who=None, reason="he is a good customer"):
    with business.work(who) as work:
        return authorise_returns(work, [row.id], authority=BY_RULES, reason=reason)[0].state


def request_of(business):
    with business.work() as work:
        (request,) = work.session.scalars(select(ApprovalRequest))
        return request


def state_of(business):
    with business.work() as work:
        return work.session.scalars(select(ReturnOrder.state)).one()


@pytest.fixture
def waiting(database):
    """The business, a return outside of its window that waits for others, and the lead who asked."""
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = asked_back(business, order)
    lead = person(business, "site_lead")
    assert authorised(business, row, lead) == "waiting"
    return business, row, lead


def test_it_waits_for_whom_the_rules_name_never_for_who_asked_and_then_comes_back(waiting):
    business, row, lead = waiting
    request = request_of(business)
    assert (request.kind, request.subject_id, request.subject_version) == ("return_outside", row.id, 2)
    assert request.summary == f"Return {row.number} outside of the policy: 45 days after delivery, 30 allowed"
    assert request.facts == '{"amount_minor":4000,"currency":"EUR"}'
    with pytest.raises(NotAllowed) as refused:
        answered(business, lead, request.id)
    assert refused.value.code == "approval_own"
    with pytest.raises(RuleBroken) as refused, business.work(lead) as work:
        withdraw(work, request.id, reason="never mind")
    assert refused.value.code == "approval_stays"
    for act in (
        lambda work: authorise_returns(work, [row.id], reason="x"),
        lambda work: decline_returns(work, [row.id], "x"),
    ):
        with pytest.raises(IllegalMove), business.work(lead) as work:
            act(work)
    assert answered(business, person(business, "process_owner"), request.id) == "approved"
    assert state_of(business) == "authorised"
    moves = rows(business, "SELECT move, to_state, reason FROM transition WHERE document_type = 'return' ORDER BY id")
    assert [tuple(one) for one in moves][:2] == [
        ("request", "requested", "not wanted"), ("ask", "waiting", "he is a good customer"),
    ]  # fmt: skip
    assert [one[0] for one in moves] == ["request", "ask", "agree"]
    assert_books_agree(business.database)


def test_a_no_declines_it_and_the_sale_may_be_given_back_another_time(waiting):
    business, _, _ = waiting
    assert rows(business, "SELECT returned FROM order_line") == [(4000,)]
    other = person(business, "site_lead")
    assert answered(business, other, request_of(business).id, "reject", "far too late") == "rejected"
    assert state_of(business) == "declined"
    assert rows(business, "SELECT returned FROM order_line") == [(0,)]
    assert_books_agree(business.database)


def test_two_who_answer_at_once_decide_once(waiting):
    business, _, _ = waiting
    request = request_of(business).id
    one, two = person(business, "site_lead"), person(business, "process_owner")
    found = at_once(
        lambda: answered(business, one, request), lambda: answered(business, two, request, "reject", "too late")
    )
    assert sum(not isinstance(each, DomainError) for each in found) == 1
    assert state_of(business) in ("authorised", "declined")
    assert (
        len(rows(business, "SELECT 1 FROM transition WHERE document_type = 'return' AND move IN ('agree', 'refuse')"))
        == 1
    )
    assert_books_agree(business.database)


def test_what_the_rules_approve_by_themselves_comes_back_at_once(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    with business.work() as work:
        work.session.execute(text("DELETE FROM approval_rule WHERE kind = 'return_outside'"))
    a_rule(business, "small", kind="return_outside", automatic=True)
    row = asked_back(business, order)
    assert authorised(business, row, person(business, "site_lead")) == "authorised"


def test_without_a_reason_it_is_refused_by_name_and_nothing_changes(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = asked_back(business, order)
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken) as refused:
        authorised(business, row, reason=" ")
    assert (refused.value.code, refused.value.facts["why"]) == (
        "return_outside_policy", "45 days after delivery, 30 allowed",
    )  # fmt: skip
    assert fingerprint_of(database) == before


def test_where_the_policy_lets_nobody_it_can_only_be_declined(database):
    business = a_business(database)
    approve(business, "return_exception_rule", "never")
    order, _, _ = invoiced(business)
    row = asked_back(business, order)
    with pytest.raises(RuleBroken) as refused:
        authorised(business, row)
    assert refused.value.code == "return_outside_never"
    with business.work() as work:
        decline_returns(work, [row.id], "too late")
    assert state_of(business) == "declined"


def test_where_one_with_authority_is_enough_it_takes_that_authority(database):
    business = a_business(database)
    approve(business, "return_exception_rule", "authority")
    order, _, _ = invoiced(business)
    row = asked_back(business, order)
    with pytest.raises(NotAllowed):
        authorised(business, row, person(business, "customer_service"))
    assert authorised(business, row, person(business, "site_lead")) == "authorised"
    assert rows(business, "SELECT count(*) FROM approval_request") == [(0,)]


def test_goods_of_no_sale_come_back_by_others_word_at_the_price_that_is_stated(database):
    business = a_business(database)
    row = asked_back(business, days=1)
    assert authorised(business, row, person(business, "site_lead")) == "waiting"
    assert request_of(business).summary.endswith("outside of the policy: no sale behind it")
    assert answered(business, person(business, "process_owner"), request_of(business).id) == "approved"
    assert state_of(business) == "authorised"
    assert_books_agree(database)


def test_what_keeps_to_a_policy_that_asks_nobody_may_come_at_once(database):
    business = a_business(database)
    approve(business, "return_approval_rule", "outside_policy")
    order, _, _ = invoiced(business)
    assert asked_back(business, order, 1, days=30).state == "authorised"
    assert asked_back(business, order, 1, days=1).state == "requested"
    moves = rows(business, "SELECT move, reason FROM transition WHERE document_type = 'return' ORDER BY id")
    assert [tuple(one) for one in moves] == [
        ("request", "not wanted"), ("authorise", "by the policy"), ("request", "not wanted"),
    ]  # fmt: skip
    events = rows(business, "SELECT type FROM event_log WHERE type LIKE 'return.%' ORDER BY seq")
    assert [one[0] for one in events] == ["return.requested", "return.authorised", "return.requested"]


def test_a_value_of_the_policy_holds_for_returns_asked_for_while_it_does(database):
    """The return keeps what was said of it: a later change of the policy changes nothing for it."""
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = asked_back(business, order, days=20)
    approve(business, "return_window_days", 14)
    assert authorised(business, row, reason=None) == "authorised"
    assert authorised(business, asked_back(business, order, 1, days=0), person(business, "site_lead")) == "waiting"
