"""Entered prices beyond the tolerance are decided by the rules of approval: who, how many, and what becomes of the order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial

import orjson
import pytest
from sqlalchemy import select

from app.composition.approving import Answer, answer, propose_rule, withdraw
from app.composition.order_approvals import BY_RULES, let_go
from app.jobs.approvals import escalate_due
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed, RuleBroken
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Customer
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.holds import ReleaseHold
from erpcore.orders.models import ChangeKind, OrderHold, OrderLine, SalesOrder
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from governance.approvals.models import ApprovalExcluded, ApprovalRequest
from governance.approvals.rulebook import ProposeRule
from governance.approvals.rules import Materiality
from governance.approvals.services import outdate_moved_on
from tests.db.core.test_two_at_once import at_once
from tests.support.approvals import a_rule, answered, person
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.pricing import an_entered
from tests.support.trader import fingerprint_of


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    return made


def entered(business, by, *prices, quantity=10):
    """The id of an order at prices that this person entered; the rules give 10.00."""
    lines = [an_entered(business, price, quantity) for price in prices]
    with business.work(by, source="screen") as work:
        command = replace(business.order(), lines=lines)
        return capture_orders(work, [command], rules=RULES, cells=OPEN, authority=BY_RULES)[0].id


def the(business, table):
    """Its rows in the order of their ids."""
    with business.work() as work:
        return work.session.scalars(select(table).order_by(table.id)).all()


def ended(business, who, hold, reason="a good customer"):
    with business.work(who) as work:
        return let_go(work, [ReleaseHold(hold=hold.id, reason=reason)])


@pytest.mark.parametrize(
    ("role", "level", "text"),
    [
        ("super_user", "desk", "In every case, one person who may approve"),
        ("site_lead", "site_lead", "Of medium materiality or higher, one person who may approve"),
        ("process_owner", "process_owner", "Of high materiality, one person who may approve"),
    ],
)
def test_what_comes_with_the_product_asks_whom_the_policy_names(business, role, level, text):
    if level != "site_lead":  # which is the standard
        approve(business, "override_authority", level)
    entered(business, person(business, "customer_service"), "9.00")
    (hold,), (request,) = the(business, OrderHold), the(business, ApprovalRequest)
    facts = orjson.loads(request.facts)
    assert (facts["amount_minor"], facts["currency"], facts["margin_permille"], facts["tier"]) == (1_000, "EUR", 555, 2)
    assert request.rule_text.startswith(text)
    assert (request.subject_type, request.subject_id, request.subject_version) == ("order", hold.order_id, 1)
    assert (request.site_id, request.entity_id, request.state) == (business.site, business.entity, "waiting")
    assert answered(business, person(business, role), request.id) == "approved"
    (hold,) = the(business, OrderHold)
    assert (hold.is_cured, hold.release_reason) == (False, "it fits")


def test_what_is_approved_goes_on_and_is_not_held_again(business):
    desk, lead = person(business, "customer_service"), person(business, "site_lead")
    order = entered(business, desk, "9.00")
    (request,) = the(business, ApprovalRequest)
    assert request.summary == f"Price of SO-{order} for {_customer(business)}: 10.00 EUR less than by the rules"
    assert answered(business, lead, request.id) == "approved"
    assert answered(business, lead, request.id) == "approved", "a second time finds the first"
    with business.work(desk) as work:
        assert release_orders(work, [order], rules=RULES, cells=OPEN)[0].state == "released"
    (hold,) = the(business, OrderHold)
    assert (hold.released_by, hold.version) == (lead.id, 1)


def _customer(business):
    with business.work() as work:
        return work.session.get_one(Customer, business.customer).code


def _at_work(business, who, act):
    with business.work(who) as work:
        act(work)


def test_who_entered_the_price_decides_neither_by_the_request_nor_by_the_hold(business):
    lead, other = person(business, "site_lead"), person(business, "site_lead")
    entered(business, lead, "9.00")
    (hold,), (request,) = the(business, OrderHold), the(business, ApprovalRequest)
    clerk, before = person(business, "customer_service"), fingerprint_of(business.database)

    def own(work):
        withdraw(work, request.id, reason="never mind")

    acts = [
        ("approval_own", lambda: answered(business, lead, request.id)),
        ("approval_own", lambda: answered(business, lead, request.id, "reject")),
        ("hold_own_request", lambda: ended(business, lead, hold)),
        ("approval_stays", lambda: _at_work(business, lead, own)),
        ("approval_not_yours", lambda: ended(business, clerk, hold)),
    ]
    for code, act in acts:
        with pytest.raises((NotAllowed, RuleBroken)) as refused:
            act()
        assert refused.value.code == code
        # The line, the hold, the order, what was told of them: nothing has moved.
        assert fingerprint_of(business.database) == before, code
    assert ended(business, other, hold) == 1
    assert the(business, ApprovalRequest)[0].state == "approved"


def test_more_people_decide_where_a_rule_says_so_and_the_hold_waits_for_all_of_them(business):
    a_rule(
        business, "large", kind="price_override", people=2, amount_from_minor=500, currency="EUR",
        capacity="may:orders:price:approve_site", materiality=Materiality.MEDIUM,
    )  # fmt: skip
    order = entered(business, person(business, "customer_service"), "9.00")
    (hold,) = the(business, OrderHold)
    one, two = person(business, "site_lead"), person(business, "process_owner")
    assert ended(business, one, hold) == 0
    with business.work() as work:
        assert work.session.get_one(SalesOrder, order).state == "held"
    assert ended(business, one, hold) == 0, "acting twice is harmless"
    assert ended(business, two, hold) == 1
    with business.work() as work:
        assert work.session.get_one(SalesOrder, order).state == "captured"


def test_rejected_it_stays_held_with_the_reason_until_other_prices_are_asked_about(business):
    desk, lead = person(business, "customer_service"), person(business, "site_lead")
    order = entered(business, desk, "9.00")
    (request,) = the(business, ApprovalRequest)
    assert answered(business, lead, request.id, "reject", "too little left") == "rejected"
    (hold,) = the(business, OrderHold)
    assert (hold.released_at, hold.reason) == (None, "rejected: too little left")
    with business.work() as work:
        told = work.session.scalars(select(Transition.move).where(Transition.document_id == order)).all()
        assert told[-1] == "refuse_hold"
    with pytest.raises(RuleBroken) as refused:
        ended(business, lead, hold)
    assert refused.value.code == "price_rejected"
    changed(business, desk, order, quantity=5)
    first, second = the(business, ApprovalRequest)
    assert (first.state, second.state, second.subject_version) == ("rejected", "waiting", 2)
    assert orjson.loads(second.facts)["amount_minor"] == 500
    assert answered(business, lead, second.id) == "approved"


def test_rejected_it_says_so_after_a_change_that_leaves_the_prices_as_they_were(business):
    desk, lead = person(business, "customer_service"), person(business, "site_lead")
    order = entered(business, desk, "9.00", "10.00")
    (request,) = the(business, ApprovalRequest)
    answered(business, lead, request.id, "reject", "too little left")
    changed(business, desk, order, quantity=12, place=1)
    assert len(the(business, ApprovalRequest)) == 1
    assert the(business, OrderHold)[0].reason == "rejected: too little left"


def changed(business, who, order, *, quantity, place=0):
    with business.work(who) as work:
        line = work.session.scalars(_first_line(order)).all()[place]
        change = Amend(kind=ChangeKind.QUANTITY, line=line, quantity=Decimal(quantity))
        command = StageAmendment(order=order, by_customer=True, reason="he called", changes=[change])
        (staged,) = stage_amendments(work, [command], rules=RULES, cells=OPEN)
    with business.work(who) as work:
        apply_amendments(work, [staged.id], rules=RULES, cells=OPEN, authority=BY_RULES)


def _first_line(order):
    return select(OrderLine.id).where(OrderLine.order_id == order).order_by(OrderLine.line_no)


def test_what_was_asked_about_other_facts_approves_nothing_and_both_who_entered_and_who_changed_stay_out(business):
    desk, lead, other = (person(business, role) for role in ("customer_service", "site_lead", "site_lead"))
    order = entered(business, desk, "9.00")
    (first,) = the(business, ApprovalRequest)
    changed(business, lead, order, quantity=20)
    first, second = the(business, ApprovalRequest)
    assert (first.state, second.state) == ("outdated", "waiting")
    with pytest.raises(Conflict):
        answered(business, other, first.id)
    with business.work() as work:
        query = select(ApprovalExcluded.person_id).where(ApprovalExcluded.request_id == second.id)
        assert set(work.session.scalars(query)) == {desk.id, lead.id}
    assert answered(business, other, second.id) == "approved"


def test_a_change_that_leaves_the_prices_as_they_were_keeps_the_request_and_its_answers(business):
    a_rule(
        business, "large", kind="price_override", people=2, amount_from_minor=500, currency="EUR",
        capacity="may:orders:price:approve_site", materiality=Materiality.MEDIUM,
    )  # fmt: skip
    desk, lead = person(business, "customer_service"), person(business, "site_lead")
    order = entered(business, desk, "9.00")
    (request,) = the(business, ApprovalRequest)
    assert answered(business, lead, request.id) == "waiting"
    with business.work(desk) as work:
        line = next(iter(work.session.scalars(_first_line(order))))
        day = business.clock.now().date().replace(day=28)
        change = Amend(kind=ChangeKind.DATE, line=line, day=day)
        command = StageAmendment(order=order, by_customer=True, reason="later", changes=[change])
        (staged,) = stage_amendments(work, [command], rules=RULES, cells=OPEN)
    with business.work(desk) as work:
        apply_amendments(work, [staged.id], rules=RULES, cells=OPEN, authority=BY_RULES)
    assert answered(business, person(business, "site_lead"), request.id) == "approved"


def test_a_cancelled_order_waits_for_nobody(business):
    desk, lead = person(business, "customer_service"), person(business, "site_lead")
    order = entered(business, desk, "9.00")
    (request,) = the(business, ApprovalRequest)
    with business.work(desk) as work:
        cancel_lines(work, [CancelLines(order=order, reason="not wanted", by_customer=True)])
    with pytest.raises(Conflict) as refused:
        answered(business, lead, request.id)
    assert refused.value.code == "approval_outdated"
    escalate_due(business.database, clock=business.clock)
    assert the(business, ApprovalRequest)[0].state == "outdated"


def test_a_request_that_cannot_be_outdated_holds_up_no_other(business, monkeypatch):
    desk = person(business, "customer_service")
    orders = [entered(business, desk, "9.00", quantity=quantity) for quantity in (10, 20)]
    with business.work(desk) as work:
        cancel_lines(work, [CancelLines(order=one, reason="not wanted", by_customer=True) for one in orders])
    broken, _ = the(business, ApprovalRequest)

    def some(work, request, around):
        if request == broken.id:
            raise RuleBroken("approval_outdated")
        return outdate_moved_on(work, request, around)

    with monkeypatch.context() as patch:
        patch.setattr("app.jobs.approvals.outdate_moved_on", some)
        escalate_due(business.database, clock=business.clock)
    assert [one.state for one in the(business, ApprovalRequest)] == ["waiting", "outdated"]


def test_no_rule_lets_a_price_through_without_anybody(business):
    with pytest.raises(RuleBroken) as refused, business.work(person(business, "pmo")) as work:
        propose_rule(work, ProposeRule(kind="price_override", code="small", reason="quicker", is_automatic=True))
    assert refused.value.code == "approval_rule_never_automatic"


def test_two_who_let_it_go_at_once_end_the_hold_once(business):
    desk, one, two = (person(business, role) for role in ("customer_service", "site_lead", "process_owner"))
    for more in range(3):
        order = entered(business, desk, "9.00", quantity=10 + more)
        hold = the(business, OrderHold)[-1]
        request = the(business, ApprovalRequest)[-1].id
        found = at_once(partial(ended, business, one, hold), partial(_agreed, business, two, request))
        assert [isinstance(each, DomainError) for each in found].count(True) == 1, found
        with business.work() as work:
            assert work.session.get_one(SalesOrder, order).state == "captured"
            moves = select(Transition.id).where(Transition.document_id == order, Transition.move == "release_hold")
            assert len(work.session.scalars(moves).all()) == 1


def _agreed(business, who, request):
    with business.work(who) as work:
        return answer(work, Answer(request=request, verdict="approve")).state
