"""Who answers for whom: delegates of people and of seats, and what ends with those they stand for."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, text

from app.composition.approving import AROUND
from app.composition.variants import person_leaves
from app.identity.services import close_account
from erpcore.kernel.errors import DomainError, NotAllowed
from governance.approvals.delegations import Delegate, delegate, end_delegation
from governance.approvals.models import ApprovalAnswer
from governance.approvals.queries import delegations_of
from governance.programme.kinds import BodyKind
from governance.programme.permissions import ProgrammePermission
from governance.programme.seats import DelegateSeat, delegate_seat
from tests.support.approvals import (
    a_body,
    a_rule,
    answered,
    asked,
    delegated,
    person,
    refused,
    things,
)
from tests.support.core import a_business
from tests.support.threads import at_once


@pytest.fixture
def business(database):
    return a_business(database)


@pytest.fixture
def made():
    return things()


def test_self_approval_through_a_delegate_isrefused(business, made):
    a_rule(business)
    asker, helper, other = person(business), person(business), person(business)
    delegated(business, asker, helper)
    request = asked(business, asker)
    refused(business, "approval_tied", helper, request)
    assert answered(business, other, request) == "approved"


def test_who_acts_for_the_asker_or_for_whom_the_asker_acts_does_not_decide_even_after_the_delegation_has_ended(
    business, made
):
    a_rule(business)
    asker, away, other = person(business), person(business), person(business)
    made_at = delegated(business, away, asker)
    request = asked(business, asker)
    refused(business, "approval_tied", away, request)
    business.clock.set(business.clock.now() + timedelta(minutes=5))
    with business.work(away) as work:
        end_delegation(work, made_at, reason="back again")
    refused(business, "approval_tied", away, request)
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
    refused(business, "approval_answered_for_you", giver, request)
    assert answered(business, taker, request) == "waiting"
    assert answered(business, third, request) == "approved"


def test_a_delegation_is_not_passed_on_and_ends_when_it_ends(business, made):
    a_rule(business)
    asker, giver = person(business, "pmo"), person(business)
    taker, further = person(business, "customer_service"), person(business, "customer_service")
    delegated(business, giver, taker)
    delegated(business, taker, further)
    request = asked(business, asker)
    refused(business, "approval_not_yours", further, request)
    business.clock.set(business.clock.now() + timedelta(days=7))
    refused(business, "approval_not_yours", taker, request)


def test_a_delegate_of_somebody_who_left_decides_nothing(business, made):
    a_rule(business)
    asker, giver, taker = person(business, "pmo"), person(business), person(business, "customer_service")
    delegated(business, giver, taker)
    request = asked(business, asker)
    with business.work() as work:
        close_account(work, giver.id, reason="left")
    refused(business, "approval_not_yours", taker, request)


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
    refused(business, "approval_tied", deputy, own)


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
    refused(business, "approval_not_yours", deputy, request)


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
    refused(business, "approval_not_yours", deputy, request)


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
