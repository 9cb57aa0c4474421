"""Differences with customers stand in the exception queues, with the owner that they have themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.composition.cases import AssignCases, Document, ExceptionCase, Queue, assign_cases, set_rule
from app.composition.uow import reading
from app.queries.listing import Asked
from app.queries.trouble_control import compare_ownership, unowned
from app.queries.troubles import TROUBLES, queue_sums
from app.security.roles import Role, permissions_of
from erpcore.billing.disputes.models import Dispute
from erpcore.kernel.actor import Actor
from tests.support.core import a_business
from tests.support.disputes import objected, paid_short, settled
from tests.support.steps import invoiced
from tests.support.web import a_person


@pytest.fixture
def business(database):
    return a_business(database)


@pytest.fixture
def people(business):
    roles = (Role.SITE_LEAD, Role.BILLING, Role.CUSTOMER_SERVICE, Role.SUPER_USER)
    return {role: a_person(business.database, role, clock=business.clock) for role in roles}


def actor_of(people, role):
    return Actor(id=people[role].id, role=role, permissions=permissions_of(role), sites=None)


def queued(business):
    with reading(business.database) as session:
        asked = Asked(values={"subject": "dispute"}, sort="number")
        return list(TROUBLES.all_rows(session, Actor.system("test"), asked, business.clock.now()))


def kept(business, dispute):
    with reading(business.database) as session:
        return session.execute(select(Dispute.owner_id, Dispute.owner_role).where(Dispute.id == dispute)).one()


def test_a_difference_is_a_variance_until_its_day_and_late_after_it(business, people):
    _, _, invoice = invoiced(business)
    _, dispute = paid_short(business, invoice, 9_600, reason="damaged", note="Two pieces dented")
    (row,) = queued(business)
    with reading(business.database) as session:
        wanted = session.get_one(Dispute, dispute)
        assert (row.queue, row.id, row.link_id, row.number) == ("variance", dispute, dispute, wanted.number)
        assert (row.value_minor, row.currency, row.since) == (wanted.open_minor, "EUR", wanted.raised_at)
        assert (row.owner_id, row.owner_role) == (wanted.owner_id, wanted.owner_role)
        assert row.due_at.date() == wanted.due_on
        due = wanted.due_on
        assert unowned(session, business.clock.now()) == 0
    business.clock.advance(due - business.clock.now().date())
    (row,) = queued(business)
    assert (row.queue, row.due_at) == ("variance", None), "on its last day nobody is late"
    business.clock.advance(timedelta(days=1))
    (row,) = queued(business)
    assert (row.queue, row.due_at.date(), row.priority) == ("late", due, 2)
    settled(business, dispute, rebill_minor=row.value_minor)
    assert queued(business) == []
    with reading(business.database) as session:
        assert unowned(session, business.clock.now()) == 0


def test_who_takes_it_in_the_queue_owns_the_difference_itself(business, people):
    _, _, invoice = invoiced(business)
    dispute = objected(business, invoice, 1_000)
    first = kept(business, dispute)
    lead = actor_of(people, Role.BILLING)
    document = [Document(subject="dispute", id=dispute, site=business.site)]
    with business.work(lead) as work:
        assign_cases(work, AssignCases(documents=document, person=lead.id, note="I know the customer"))
    assert tuple(kept(business, dispute)) == (lead.id, Role.BILLING)
    (row,) = queued(business)
    assert (row.owner_id, row.owner_role, row.is_by_rule) == (lead.id, Role.BILLING, False)
    with reading(business.database) as session:
        assert session.scalar(select(ExceptionCase)) is None, "it has one owner, kept in one place"
        (mine,) = queue_sums(session, lead, business.clock.now())
        assert (mine.queue, mine.count, mine.mine) == ("variance", 1, 1)
    with business.work(actor_of(people, Role.SITE_LEAD)) as work:
        set_rule(work, site=business.site, queue=Queue.VARIANCE, role=Role.SUPER_USER)
    assert queued(business)[0].owner_id == lead.id, "rules of the queue leave it alone"
    with business.work() as work:
        assign_cases(work, AssignCases(documents=document))
    assert tuple(kept(business, dispute)) == tuple(first), "by rule it is whose differences of this reason are"


def test_a_difference_whose_owner_works_nowhere_is_found(business, people):
    _, _, invoice = invoiced(business)
    dispute = objected(business, invoice, 1_000)
    with business.work() as work:
        work.session.get_one(Dispute, dispute).owner_id = 987_654
    with reading(business.database) as session:
        (one,) = [row for row in compare_ownership(session, business.clock.now()) if row.site == business.site]
    assert (one.left, one.right, one.difference, one.first_key) == (1, 0, 1, f"dispute {dispute}")
