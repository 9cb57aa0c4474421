"""Who may approve, who may not, and what two people and two databases make of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.composition.approving import Answer, Ask, answer, ask, withdraw
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import verify_chain
from erpcore.kernel.errors import Conflict, IllegalMove, NotAllowed, NotFound, RuleBroken
from governance.approvals.models import ApprovalAnswer, ApprovalNeed, ApprovalRequest
from governance.approvals.rules import Facts, Need
from governance.approvals.services import escalate, outdate
from governance.programme.kinds import BodyKind
from tests.support.approvals import (
    a_body,
    a_rule,
    acting,
    answered,
    asked,
    person,
    recent_events,
    refused,
    state_of,
    things,
    written,
)
from tests.support.core import a_business
from tests.support.threads import at_once

EUR = {"currency": "EUR"}


@pytest.fixture
def business(database):
    return a_business(database)


@pytest.fixture
def made():
    return things()


def test_two_different_people_of_the_role_that_the_amount_asks_for_approve_and_the_subject_is_told_once(business, made):
    a_rule(business, "desk", capacity="role:site_lead")
    a_rule(business, "money", people=2, amount_from_minor=5_000_00, **EUR)
    asker, one, two, lead = (person(business, role) for role in ("pmo", "finance", "finance", "site_lead"))
    request = asked(business, asker, facts=Facts(amount_minor=5_000_00, currency="EUR"))
    assert answered(business, one, request) == "waiting"
    assert made.told == []
    refused(business, "approval_not_yours", lead, request)
    assert answered(business, two, request) == "approved"
    assert made.told == [(1, "approved", False)]
    with business.work() as work:
        row = work.session.get_one(ApprovalRequest, request)
        assert row.rule_text == "From 5,000.00 EUR on, two different people of Finance decide."
        assert (row.settled_by, row.version) == (two.id, 2)
        assert [event.type for event in recent_events(work.session, 2)][::-1] == [
            "approval.requested",
            "approval.decided",
        ]
        assert verify_chain(work.session).broken_at is None


def test_one_rejection_settles_it_and_says_why(business, made):
    a_rule(business, people=2)
    asker, one, two = person(business, "pmo"), person(business), person(business)
    request = asked(business, asker)
    refused(business, "reason_required", one, request, verdict="reject", reason=" ")
    assert answered(business, one, request, "reject", "too dear") == "rejected"
    assert made.told == [(1, "rejected", False)]
    refused(business, "approval_settled", two, request)


def test_a_low_risk_is_approved_at_once_by_nobody_and_the_record_says_so(business, made):
    a_rule(business, "small", automatic=True)
    a_rule(business, "large", amount_from_minor=500_00, **EUR)
    asker = person(business, "pmo")
    request = asked(business, asker, facts=Facts(amount_minor=499_99, currency="EUR"))
    with business.work() as work:
        row = work.session.get_one(ApprovalRequest, request)
        assert (row.state, row.is_automatic, row.settle_reason) == (
            "approved", True, "In every case, nobody is asked: it is approved automatically.",
        )  # fmt: skip
        (event,) = recent_events(work.session, 1)
        assert (event.type, '"automatic":true' in event.data) == ("approval.decided", True)
    assert made.told == [(1, "approved", True)]


def test_whoever_asked_or_wrote_the_standard_never_decides(business, made):
    a_rule(business)
    asker, author, other = person(business), person(business), person(business)
    request = asked(business, asker, excluded=[author.id])
    refused(business, "approval_own", asker, request)
    refused(business, "approval_own", author, request)
    assert answered(business, other, request) == "approved"


def test_acting_twice_counts_once_with_a_key_and_without(business, made):
    a_rule(business, people=2)
    asker, one = person(business, "pmo"), person(business)
    request = asked(business, asker)
    for _ in range(2):
        assert answered(business, one, request, key="thumb-1") == "waiting"
    assert answered(business, one, request) == "waiting"
    with business.work() as work:
        assert work.session.scalar(select(func.count()).select_from(ApprovalAnswer)) == 1
    refused(business, "approval_answered", one, request, verdict="reject")
    refused(business, "request_key_reused", one, request, verdict="reject", key="thumb-1")


def test_what_changed_since_it_was_asked_cannot_be_approved(business, made):
    a_rule(business)
    asker, one = person(business, "pmo"), person(business)
    request = asked(business, asker)
    made.versions[1] = 2
    refused(business, "approval_outdated", one, request)
    made.versions[1] = None
    refused(business, "approval_outdated", one, request)
    with business.work() as work:
        outdate(work, "thing", [1], reason="it moved on")
    assert state_of(business, request) == "outdated"
    refused(business, "approval_settled", one, request)
    assert made.told == []


def test_asking_anew_outdates_what_waits_for_the_same_thing(business, made):
    a_rule(business)
    asker, one = person(business, "pmo"), person(business)
    first = asked(business, asker)
    made.versions[1] = 2
    second = asked(business, asker, version=2)
    assert (state_of(business, first), state_of(business, second)) == ("outdated", "waiting")
    assert answered(business, one, second) == "approved"


def test_a_page_that_shows_an_earlier_version_of_the_request_approves_nothing(business, made):
    a_rule(business, timeout_hours=1, escalate_to="role:sponsor")
    asker, one = person(business, "pmo"), person(business)
    request = asked(business, asker)
    business.clock.set(business.clock.now() + timedelta(hours=3))
    with business.work() as work:
        assert escalate(work, request) is True
    refused(business, "changed_meanwhile", one, request, seen_version=1)
    assert answered(business, one, request, seen_version=2) == "approved"


def test_only_who_asked_takes_it_back_and_with_a_reason(business, made):
    a_rule(business)
    asker, one = person(business, "pmo"), person(business)
    request = asked(business, asker)
    for who, reason, error in ((one, "no need", NotAllowed), (asker, "", RuleBroken)):
        with pytest.raises(error), business.work(who) as work:
            withdraw(work, request, reason=reason)
    with business.work(asker) as work:
        withdraw(work, request, reason="no need any more")
    assert state_of(business, request) == "withdrawn"
    with pytest.raises(IllegalMove), business.work(asker) as work:
        withdraw(work, request, reason="again")
    refused(business, "approval_settled", one, request)


def test_two_approvers_at_once_make_one_approval_with_both_answers(business, made):
    a_rule(business, people=2)
    asker, people = person(business, "pmo"), [person(business) for _ in range(4)]
    request = asked(business, asker)
    found = at_once(*(lambda who=who: answered(business, who, request) for who in people))
    assert sorted(one for one in found if isinstance(one, str)) == ["approved", "waiting"]
    assert [one.code for one in found if isinstance(one, Conflict)] == ["approval_settled"] * 2
    assert made.told == [(1, "approved", False)]
    with business.work() as work:
        assert work.session.scalar(select(func.count()).select_from(ApprovalAnswer)) == 2


def test_yes_and_no_at_once_end_in_one_of_them(business, made):
    a_rule(business)
    asker, one, two = person(business, "pmo"), person(business), person(business)
    request = asked(business, asker)
    found = at_once(
        lambda: answered(business, one, request), lambda: answered(business, two, request, "reject", "no")
    )  # fmt: skip
    settled = [each for each in found if isinstance(each, str)]
    assert settled == [state_of(business, request)]
    assert len(made.told) == 1


def test_the_same_person_twice_at_once_counts_once(business, made):
    a_rule(business, people=2)
    asker, one = person(business, "pmo"), person(business)
    request = asked(business, asker)
    assert at_once(*[lambda: answered(business, one, request)] * 3) == ["waiting"] * 3
    with business.work() as work:
        assert work.session.scalar(select(func.count()).select_from(ApprovalAnswer)) == 1


def test_two_who_ask_about_the_same_thing_at_once_leave_one_request_waiting(business, made):
    a_rule(business)
    askers = [person(business, "pmo") for _ in range(3)]
    at_once(*(lambda who=who: asked(business, who) for who in askers))
    with business.work() as work:
        waiting = select(func.count()).select_from(ApprovalRequest).where(ApprovalRequest.state == "waiting")
        assert work.session.scalar(waiting) == 1


def test_a_crash_between_the_last_answer_and_its_effect_leaves_neither(business, made):
    a_rule(business)
    asker, one = person(business, "pmo"), person(business)
    request = asked(business, asker)
    before = written(business)

    class Crash(Exception):
        pass

    def answers_and_dies():
        with business.work(one) as work:
            answer(work, Answer(request=request, verdict="approve"))
            raise Crash

    with pytest.raises(Crash):
        answers_and_dies()
    assert written(business) == before
    assert answered(business, one, request) == "approved"


def test_a_body_decides_with_the_quorum_of_the_seats_that_are_not_excluded(business, made):
    people = [person(business, "steering_member") for _ in range(6)]
    a_body(business, BodyKind.STEERING, people)
    a_rule(business, capacity="body:steering", people=None)
    request = asked(business, people[0])
    with business.work() as work:
        assert work.session.scalars(select(ApprovalNeed.people)).all() == [4]  # two thirds of five, rounded up
    assert [answered(business, who, request) for who in people[1:5]] == ["waiting"] * 3 + ["approved"]


def test_the_consent_of_a_named_person_is_asked_for_beside_the_rules(business, made):
    a_rule(business)
    asker, finance, owner = person(business, "pmo"), person(business), person(business, "process_owner")
    request = asked(business, asker, route=[Need(capacity=f"person:{owner.id}")])
    assert answered(business, finance, request) == "waiting"
    assert answered(business, owner, request) == "approved"
    with business.work() as work:
        said = work.session.get_one(ApprovalRequest, request).rule_text
    assert said == "In every case, one person of Finance decides. For this request also, the person named decides."


def test_a_role_at_another_site_sees_nothing_and_decides_nothing(business, made):
    a_rule(business, capacity="role:site_lead")
    asker = person(business, "customer_service", site=business.site)
    here, elsewhere = (
        person(business, "site_lead", site=business.site),
        acting(99, "site_lead", sites=frozenset({business.site + 1})),
    )
    request = asked(business, asker, site=business.site)
    with pytest.raises(NotFound):
        answered(business, elsewhere, request)
    assert answered(business, here, request) == "approved"


def test_a_site_lead_does_not_decide_what_concerns_all_sites(business, made):
    a_rule(business, capacity="role:site_lead")
    request = asked(business, person(business, "pmo"))
    refused(business, "approval_not_yours", person(business, "site_lead", site=business.site), request)
    assert answered(business, person(business, "site_lead"), request) == "approved"


def test_whoever_may_do_a_thing_at_the_site_is_a_capacity_too(business, made):
    a_rule(business, capacity="may:warehouse:stock:approve_adjustment")
    request = asked(business, person(business, "warehouse_operator"), site=business.site)
    refused(business, "approval_not_yours", person(business, "finance"), request)
    assert answered(business, person(business, "warehouse_supervisor", site=business.site), request) == "approved"


def test_jobs_answer_nothing(business, made):
    a_rule(business)
    request = asked(business, person(business, "pmo"))
    refused(business, "approval_not_yours", Actor.system("nightly"), request)


def test_answers_are_history(business, made):
    a_rule(business)
    request = asked(business, person(business, "pmo"))
    answered(business, person(business), request)
    with pytest.raises(DBAPIError, match="is history"), business.work() as work:
        work.session.execute(text("UPDATE approval_answer SET verdict = 'reject'"))


def test_what_nobody_knows_what_to_do_with_is_not_asked_for(business, made):
    with pytest.raises(RuleBroken) as refusal, business.work(person(business, "pmo")) as work:
        ask(work, Ask(kind="nothing", subject_type="thing", subject_id=1, subject_version=1, summary="x"))
    assert refusal.value.code == "approval_kind_unknown"
