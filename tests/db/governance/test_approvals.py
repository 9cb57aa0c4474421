"""Who may approve, who may not, and what two people, two databases and a delegate make of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.composition.approving import AROUND, Answer, Ask, answer, ask, decide_rule, propose_rule, withdraw
from app.composition.variants import person_leaves
from app.identity.services import close_account
from app.jobs.approvals import escalate_due
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry, verify_chain
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.events import EventLog
from governance.approvals.delegations import Delegate, delegate, end_delegation
from governance.approvals.models import ApprovalAnswer, ApprovalNeed, ApprovalRequest, ApprovalRule
from governance.approvals.queries import delegations_of
from governance.approvals.rulebook import ProposeRule
from governance.approvals.rules import Condition, Facts, Need
from governance.approvals.services import escalate, outdate
from governance.programme.kinds import BodyKind
from governance.programme.permissions import ProgrammePermission
from governance.programme.seats import DelegateSeat, delegate_seat
from tests.support.approvals import (
    KIND,
    a_body,
    a_rule,
    acting,
    answered,
    asked,
    delegated,
    person,
    state_of,
    things,
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


def _written(business):
    """How much there is of what answers write: what a refusal must not change."""
    with business.work() as work:
        return (
            *[work.session.scalar(select(func.count()).select_from(table)) for table in (ApprovalAnswer, AuditEntry)],
            work.session.execute(
                select(ApprovalRequest.id, ApprovalRequest.state, ApprovalRequest.version).order_by(ApprovalRequest.id)
            ).all(),
        )


def recent_events(session, count):
    """The last events, the last first."""
    return session.scalars(select(EventLog).order_by(EventLog.seq.desc()).limit(count)).all()


def _refused(business, code, by, request, **fields):
    before = _written(business)
    with pytest.raises(DomainError) as refusal:
        answered(business, by, request, **fields)
    assert refusal.value.code == code
    assert _written(business) == before
    return refusal.value


def test_two_different_people_of_the_role_that_the_amount_asks_for_approve_and_the_subject_is_told_once(business, made):
    a_rule(business, "desk", capacity="role:site_lead")
    a_rule(business, "money", people=2, amount_from_minor=5_000_00, **EUR)
    asker, one, two, lead = (person(business, role) for role in ("pmo", "finance", "finance", "site_lead"))
    request = asked(business, asker, facts=Facts(amount_minor=5_000_00, currency="EUR"))
    assert answered(business, one, request) == "waiting"
    assert made.told == []
    _refused(business, "approval_not_yours", lead, request)
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
    _refused(business, "reason_required", one, request, verdict="reject", reason=" ")
    assert answered(business, one, request, "reject", "too dear") == "rejected"
    assert made.told == [(1, "rejected", False)]
    _refused(business, "approval_settled", two, request)


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


def test_without_a_rule_nobody_may_and_a_rule_that_comes_into_force_takes_the_request_in(business, made):
    asker, finance, chief = person(business, "pmo"), person(business), person(business, "sponsor")
    request = asked(business, asker)
    for who in (finance, chief):
        _refused(business, "approval_nobody", who, request)
    with business.work(asker) as work:
        rule = propose_rule(
            work, ProposeRule(kind=KIND, code="all", reason="somebody must", capacity="role:finance", people=1)
        ).id
    _refused(business, "approval_nobody", finance, request)
    with business.work(chief) as work:
        decide_rule(work, rule, "approve", reason="agreed")
    assert answered(business, finance, request) == "approved"


def test_whoever_asked_or_wrote_the_standard_never_decides(business, made):
    a_rule(business)
    asker, author, other = person(business), person(business), person(business)
    request = asked(business, asker, excluded=[author.id])
    _refused(business, "approval_own", asker, request)
    _refused(business, "approval_own", author, request)
    assert answered(business, other, request) == "approved"


def test_self_approval_through_a_delegate_is_refused(business, made):
    a_rule(business)
    asker, helper, other = person(business), person(business), person(business)
    delegated(business, asker, helper)
    request = asked(business, asker)
    _refused(business, "approval_tied", helper, request)
    assert answered(business, other, request) == "approved"


def test_who_acts_for_the_asker_or_for_whom_the_asker_acts_does_not_decide_even_after_the_delegation_has_ended(
    business, made
):
    a_rule(business)
    asker, away, other = person(business), person(business), person(business)
    made_at = delegated(business, away, asker)
    request = asked(business, asker)
    _refused(business, "approval_tied", away, request)
    business.clock.set(business.clock.now() + timedelta(minutes=5))
    with business.work(away) as work:
        end_delegation(work, made_at, reason="back again")
    _refused(business, "approval_tied", away, request)
    assert answered(business, other, request) == "approved"


def test_a_delegate_answers_for_the_giver_and_both_count_as_one_person(business, made):
    a_rule(business, people=2)
    asker, giver, third = person(business, "pmo"), person(business), person(business)
    taker = person(business, "customer_service")
    delegated(business, giver, taker)
    request = asked(business, asker)
    assert answered(business, taker, request) == "waiting"
    with business.work() as work:
        row = work.session.scalars(select(ApprovalAnswer)).one()
        assert (row.person_id, row.on_behalf_of, row.capacity) == (taker.id, giver.id, "role:finance")
    _refused(business, "approval_answered_for_you", giver, request)
    assert answered(business, taker, request) == "waiting"
    assert answered(business, third, request) == "approved"


def test_a_delegation_is_not_passed_on_and_ends_when_it_ends(business, made):
    a_rule(business)
    asker, giver = person(business, "pmo"), person(business)
    taker, further = person(business, "customer_service"), person(business, "customer_service")
    delegated(business, giver, taker)
    delegated(business, taker, further)
    request = asked(business, asker)
    _refused(business, "approval_not_yours", further, request)
    business.clock.set(business.clock.now() + timedelta(days=7))
    _refused(business, "approval_not_yours", taker, request)


def test_a_delegate_of_somebody_who_left_decides_nothing(business, made):
    a_rule(business)
    asker, giver, taker = person(business, "pmo"), person(business), person(business, "customer_service")
    delegated(business, giver, taker)
    request = asked(business, asker)
    with business.work() as work:
        close_account(work, giver.id, reason="left")
    _refused(business, "approval_not_yours", taker, request)


def test_acting_twice_counts_once_with_a_key_and_without(business, made):
    a_rule(business, people=2)
    asker, one = person(business, "pmo"), person(business)
    request = asked(business, asker)
    for _ in range(2):
        assert answered(business, one, request, key="thumb-1") == "waiting"
    assert answered(business, one, request) == "waiting"
    with business.work() as work:
        assert work.session.scalar(select(func.count()).select_from(ApprovalAnswer)) == 1
    _refused(business, "approval_answered", one, request, verdict="reject")
    _refused(business, "request_key_reused", one, request, verdict="reject", key="thumb-1")


def test_what_changed_since_it_was_asked_cannot_be_approved(business, made):
    a_rule(business)
    asker, one = person(business, "pmo"), person(business)
    request = asked(business, asker)
    made.versions[1] = 2
    _refused(business, "approval_outdated", one, request)
    made.versions[1] = None
    _refused(business, "approval_outdated", one, request)
    with business.work() as work:
        outdate(work, "thing", [1], reason="it moved on")
    assert state_of(business, request) == "outdated"
    _refused(business, "approval_settled", one, request)
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
    _refused(business, "changed_meanwhile", one, request, seen_version=1)
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
    _refused(business, "approval_settled", one, request)


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
    before = _written(business)

    class Crash(Exception):
        pass

    def answers_and_dies():
        with business.work(one) as work:
            answer(work, Answer(request=request, verdict="approve"))
            raise Crash

    with pytest.raises(Crash):
        answers_and_dies()
    assert _written(business) == before
    assert answered(business, one, request) == "approved"


def test_a_body_decides_with_the_quorum_of_the_seats_that_are_not_excluded(business, made):
    people = [person(business, "steering_member") for _ in range(6)]
    a_body(business, BodyKind.STEERING, people)
    a_rule(business, capacity="body:steering", people=None)
    request = asked(business, people[0])
    with business.work() as work:
        assert work.session.scalars(select(ApprovalNeed.people)).all() == [4]  # two thirds of five, rounded up
    assert [answered(business, who, request) for who in people[1:5]] == ["waiting"] * 3 + ["approved"]


def test_the_delegate_of_a_seat_answers_for_the_seat_unless_its_holder_asked(business, made):
    holder, other = person(business, "steering_member"), person(business, "steering_member")
    deputy = person(business, "finance")
    a_body(business, BodyKind.STEERING, [holder, other])
    a_rule(business, capacity="body:steering", people=1)
    with business.work() as work:
        seat = work.session.execute(text("SELECT id FROM seat WHERE person_id = :p"), {"p": holder.id}).scalar_one()
    with business.work(holder) as work:
        command = DelegateSeat(
            seat_id=seat,
            delegate=deputy.id,
            valid_from=work.now,
            valid_until=work.now + timedelta(days=3),
            reason="away",
        )
        delegate_seat(work, command)
    request = asked(business, other)
    assert answered(business, deputy, request) == "approved"
    made.versions[2] = 1
    own = asked(business, holder, subject=2)
    _refused(business, "approval_tied", deputy, own)


def test_a_route_alone_settles_nothing_and_is_asked_for_with_the_rule_that_comes(business, made):
    office, chief, owner = person(business, "pmo"), person(business, "sponsor"), person(business, "process_owner")
    request = asked(business, office, route=[Need(capacity=f"person:{owner.id}")])
    _refused(business, "approval_nobody", owner, request)
    _in_force(business, office, chief, capacity="role:finance", people=1)
    assert answered(business, person(business), request) == "waiting"
    assert answered(business, owner, request) == "approved"


def test_a_rule_that_asks_for_nobody_settles_what_waited_and_its_subject_is_told(business, made):
    office, chief = person(business, "pmo"), person(business, "sponsor")
    made.versions[2] = 1
    request, moved_on = asked(business, office), asked(business, office, subject=2)
    made.versions[2] = 2
    _in_force(business, office, chief, is_automatic=True)
    assert (state_of(business, request), state_of(business, moved_on)) == ("approved", "outdated")
    assert made.told == [(1, "approved", True)]


def _in_force(business, office, chief, **fields):
    with business.work(office) as work:
        rule = propose_rule(work, ProposeRule(kind=KIND, code="all", reason="somebody must", **fields)).id
    with business.work(chief) as work:
        decide_rule(work, rule, "approve", reason="agreed")


@pytest.mark.parametrize("by", ["seat", "person"])
def test_a_closed_account_has_no_voice_that_its_delegate_could_give(business, made, by):
    asker, holder, deputy = person(business, "pmo"), person(business, "steering_member"), person(business)
    if by == "seat":
        a_body(business, BodyKind.STEERING, [holder, person(business, "steering_member")])
        a_rule(business, capacity="body:steering", people=1)
    else:
        a_rule(business, capacity=f"person:{holder.id}", people=1)
    delegated(business, holder, deputy)
    request = asked(business, asker)
    with business.work() as work:
        close_account(work, holder.id, reason="left")
    _refused(business, "approval_not_yours", deputy, request)


def test_the_delegate_of_a_seat_whose_holder_left_answers_nothing(business, made):
    asker, holder, deputy = person(business, "pmo"), person(business, "steering_member"), person(business)
    a_body(business, BodyKind.STEERING, [holder])
    a_rule(business, capacity="body:steering", people=1)
    with business.work() as work:
        seat = work.session.execute(text("SELECT id FROM seat WHERE person_id = :p"), {"p": holder.id}).scalar_one()
    with business.work(holder) as work:
        delegate_seat(
            work,
            DelegateSeat(
                seat_id=seat, delegate=deputy.id, valid_from=work.now, valid_until=work.now + timedelta(days=3), reason="away"
            ),
        )  # fmt: skip
    request = asked(business, asker)
    with business.work() as work:
        close_account(work, holder.id, reason="left")
    _refused(business, "approval_not_yours", deputy, request)


def test_who_leaves_has_no_delegate_any_more_and_is_none(business, made):
    leaver, one, two = person(business), person(business), person(business)
    delegated(business, leaver, one)
    delegated(business, two, leaver, since=business.clock.now() + timedelta(days=1))
    with business.work() as work:
        person_leaves(work, leaver.id, reason="left")
        assert delegations_of(work.session, leaver.id, work.now) == []


def test_who_assigns_seats_names_delegates_for_others_but_never_themselves(business, made):
    giver, office, other = person(business), person(business, "pmo"), person(business)

    def named(taker):
        with business.work(office) as work:
            until = work.now + timedelta(days=7)
            command = Delegate(giver=giver.id, delegate=taker.id, valid_from=work.now, valid_until=until, reason="ill")
            return delegate(work, command, AROUND).id

    assert office.may(ProgrammePermission.SEATS)
    with pytest.raises(NotAllowed) as refusal:
        named(office)
    assert refusal.value.code == "approval_delegate_of_own_making"
    assert named(other)


def test_two_delegates_named_at_once_leave_one(business, made):
    giver, one, two = person(business), person(business), person(business)
    for week in range(4):
        since = business.clock.now() + timedelta(days=10 * week)
        named = partial(delegated, business, giver, since=since, until=since + timedelta(days=7))
        found = at_once(partial(named, one), partial(named, two))
        assert [each.code for each in found if isinstance(each, DomainError)] == ["approval_delegated_already"], found


def test_of_two_rules_for_the_very_same_case_one_comes_to_hold(business, made):
    office, chief = person(business, "pmo"), person(business, "sponsor")

    def proposed(code, tier):
        with business.work(office) as work:
            command = ProposeRule(
                kind=KIND,
                code=code,
                reason="why not",
                capacity="role:finance",
                people=1,
                condition=Condition(tier=tier),
            )
            return propose_rule(work, command).id

    def approved(rule):
        with business.work(chief) as work:
            decide_rule(work, rule, "approve", reason="agreed")

    for tier in range(1, 5):
        rules = [proposed(f"{code}{tier}", tier) for code in ("one", "two")]
        found = at_once(*(lambda rule=rule: approved(rule) for rule in rules))
        assert [each.code for each in found if each is not None] == ["approval_rule_same"], found


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
    _refused(business, "approval_not_yours", person(business, "site_lead", site=business.site), request)
    assert answered(business, person(business, "site_lead"), request) == "approved"


def test_whoever_may_do_a_thing_at_the_site_is_a_capacity_too(business, made):
    a_rule(business, capacity="may:warehouse:stock:approve_adjustment")
    request = asked(business, person(business, "warehouse_operator"), site=business.site)
    _refused(business, "approval_not_yours", person(business, "finance"), request)
    assert answered(business, person(business, "warehouse_supervisor", site=business.site), request) == "approved"


def test_jobs_answer_nothing(business, made):
    a_rule(business)
    request = asked(business, person(business, "pmo"))
    _refused(business, "approval_not_yours", Actor.system("nightly"), request)


@pytest.mark.parametrize(
    ("asked_at", "due_at"),
    [
        # Working hours in Duisburg: 8 to 17 (7 to 16 UTC in winter, 6 to 15 in summer), Monday to Friday.
        (datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 3, 8, tzinfo=UTC)),
        (datetime(2026, 3, 6, 15, tzinfo=UTC), datetime(2026, 3, 9, 14, tzinfo=UTC)),
        (datetime(2026, 3, 7, 12, tzinfo=UTC), datetime(2026, 3, 9, 15, tzinfo=UTC)),
        (datetime(2026, 3, 27, 14, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_time_out_is_counted_in_working_hours_across_weekends_and_the_change_of_the_clock(
    business, made, asked_at, due_at
):
    a_rule(business, timeout_hours=8, escalate_to="role:sponsor")
    asker = person(business, "pmo")
    business.clock.set(asked_at)
    request = asked(business, asker, site=business.site)
    with business.work() as work:
        assert work.session.get_one(ApprovalRequest, request).due_at == due_at


def test_after_the_time_out_those_of_the_other_capacity_may_too_and_not_before(business, made):
    a_rule(business, timeout_hours=8, escalate_to="role:sponsor")
    asker, sponsor = person(business, "pmo"), person(business, "sponsor")
    request = asked(business, asker, site=business.site)
    _refused(business, "approval_not_yours", sponsor, request)
    for later, is_escalated in (
        (timedelta(hours=22, minutes=59), False),
        (timedelta(hours=23), True),
        (timedelta(hours=24), False),
    ):
        business.clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC) + later)
        with business.work() as work:
            assert escalate(work, request) is is_escalated
    with business.work() as work:
        assert [event.type for event in recent_events(work.session, 1)] == ["approval.escalated"]
    assert answered(business, sponsor, request) == "approved"


def test_a_request_that_cannot_be_escalated_holds_up_no_other(business, made, monkeypatch):
    a_rule(business, timeout_hours=8, escalate_to="role:sponsor")
    asker = person(business, "pmo")
    broken, whole = (
        asked(business, asker, site=business.site, subject=1),
        asked(business, asker, site=business.site, subject=2),
    )
    business.clock.set(datetime(2026, 3, 3, 12, tzinfo=UTC))

    def some(work, request):
        if request == broken:
            raise RuleBroken("approval_outdated")
        return escalate(work, request)

    with monkeypatch.context() as patch:
        patch.setattr("app.jobs.approvals.escalate", some)
        assert escalate_due(business.database, clock=business.clock) == 1
    with business.work() as work:
        assert work.session.get_one(ApprovalRequest, whole).escalated_at == business.clock.now()
        assert work.session.get_one(ApprovalRequest, broken).escalated_at is None
    assert escalate_due(business.database, clock=business.clock) == 1


def test_a_rule_changes_by_a_new_version_that_somebody_else_decides_and_open_requests_keep_theirs(business, made):
    a_rule(business, "all")
    office, chief, one, two = (person(business, role) for role in ("pmo", "sponsor", "finance", "finance"))
    request = asked(business, office)
    command = ProposeRule(
        kind=KIND, code="all", reason="two see more", capacity="role:finance", people=2, seen_version=1
    )
    with business.work(office) as work:
        rule = propose_rule(work, command).id
    with pytest.raises(NotAllowed), business.work(acting(office.id, "sponsor")) as work:
        decide_rule(work, rule, "approve", reason="mine")
    with business.work(chief) as work:
        decide_rule(work, rule, "approve", reason="agreed")
        states = work.session.execute(
            select(ApprovalRule.version, ApprovalRule.state)
            .where(ApprovalRule.kind == KIND)
            .order_by(ApprovalRule.version)
        ).all()
        assert states == [(1, "replaced"), (2, "in_force")]
    assert answered(business, one, request) == "approved"
    made.versions[2] = 1
    later = asked(business, office, subject=2)
    assert [answered(business, who, later) for who in (one, two)] == ["waiting", "approved"]


def test_a_rule_ends_by_four_eyes_too(business, made):
    a_rule(business, "all")
    office, chief = person(business, "pmo"), person(business, "sponsor")
    with business.work(office) as work:
        rule = propose_rule(work, ProposeRule(kind=KIND, code="all", reason="not needed", ends=True)).id
    with business.work(chief) as work:
        assert decide_rule(work, rule, "approve", reason="agreed").state == "ended"
    _refused(business, "approval_nobody", person(business), asked(business, office))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason": " "}, "reason_required"), ({"code": "a b"}, "approval_rule_code"), ({"code": ""}, "approval_rule_code"),
        ({"kind": "nothing"}, "approval_kind_unknown"), ({"capacity": "role:king"}, "approval_rule_capacity"),
        ({"capacity": None}, "approval_rule_capacity"), ({"capacity": "person:77"}, "approval_rule_capacity"),
        ({"people": None}, "approval_rule_people"), ({"people": 0}, "approval_rule_people"),
        ({"timeout_hours": 0}, "approval_rule_timeout"), ({"escalate_to": "role:sponsor"}, "approval_rule_escalates_never"),
        ({"escalate_to": "role:finance", "timeout_hours": 8}, "approval_rule_capacity"),
        ({"condition": Condition(amount_from_minor=-1, currency="EUR")}, "approval_rule_amount"),
        ({"condition": Condition(amount_from_minor=1)}, "approval_rule_amount"),
        ({"condition": Condition(margin_below_permille=1001)}, "approval_rule_margin"),
        ({"condition": Condition(tier=0)}, "approval_rule_tier"), ({"condition": Condition()}, "approval_rule_same"),
        ({"seen_version": 1}, "changed_meanwhile"),
    ],
)  # fmt: skip
def test_a_rule_that_says_nothing_sensible_is_refused_and_nothing_is_kept(business, made, fields, code):
    a_rule(business, "all")
    given = {"kind": KIND, "code": "more", "reason": "why not", "capacity": "role:finance", "people": 1,
             "condition": Condition(tier=1), **fields}  # fmt: skip
    with pytest.raises(DomainError) as refusal, business.work(person(business, "pmo")) as work:
        propose_rule(work, ProposeRule(**given))
    assert refusal.value.code == code
    with business.work() as work:
        assert work.session.scalar(select(func.count()).where(ApprovalRule.kind == KIND)) == 1


def test_only_one_version_of_a_rule_waits_for_a_decision(business, made):
    office = person(business, "pmo")
    command = ProposeRule(kind=KIND, code="all", reason="one", capacity="role:finance", people=1)

    def propose():
        with business.work(office) as work:
            return propose_rule(work, command).id

    found = at_once(propose, propose)
    assert sorted(isinstance(each, int) for each in found) == [False, True]
    assert [each.code for each in found if isinstance(each, DomainError)] == ["approval_rule_waits"]


def test_answers_are_history(business, made):
    a_rule(business)
    request = asked(business, person(business, "pmo"))
    answered(business, person(business), request)
    with pytest.raises(DBAPIError, match="is history"), business.work() as work:
        work.session.execute(text("UPDATE approval_answer SET verdict = 'reject'"))


def test_the_rules_that_come_with_the_product_name_who_decides_what(business):
    with business.work() as work:
        rows = work.session.execute(
            select(ApprovalRule.kind, ApprovalRule.code, ApprovalRule.capacity, ApprovalRule.people)
            .where(ApprovalRule.state == "in_force")
            .order_by(ApprovalRule.kind, ApprovalRule.code)
        ).all()
    assert rows == [
        ("controlled_variation", "authority", "body:design_authority", 1),
        ("price_change", "alone", None, None),
        ("price_change", "broad", "may:pricing:rule:approve", 2),
        ("price_change", "second", "may:pricing:rule:approve", 1),
        ("price_override", "desk", "may:orders:price:approve_desk", 1),
        ("price_override", "process", "may:orders:price:approve_process", 1),
        ("price_override", "site", "may:orders:price:approve_site", 1),
        ("quote_price", "desk", "may:orders:price:approve_desk", 1),
        ("quote_price", "process", "may:orders:price:approve_process", 1),
        ("quote_price", "site", "may:orders:price:approve_site", 1),
        ("quote_price", "within", None, None),
        ("return_outside", "another", "may:returns:return:authorise_outside", 1),
        ("stage_gate", "committee", "body:steering", None),
        ("standard_change", "council", "body:process_council", None),
        ("stock_adjustment", "another", "may:warehouse:stock:approve_adjustment", 1),
        ("strategic_exception", "committee", "body:steering", None),
        ("substitution", "another", "may:orders:substitution:approve", 1),
        ("take_back", "another", "may:orders:allocation:approve_take_back", 1),
        ("write_off", "another", "may:billing:debt:write_off", 1),
    ]


def test_what_nobody_knows_what_to_do_with_is_not_asked_for(business, made):
    with pytest.raises(RuleBroken) as refusal, business.work(person(business, "pmo")) as work:
        ask(work, Ask(kind="nothing", subject_type="thing", subject_id=1, subject_version=1, summary="x"))
    assert refusal.value.code == "approval_kind_unknown"
