"""Documents in trouble: each in exactly one queue, each somebody's, and what people do about them is kept."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text

from app.composition.cases import (
    AssignCases,
    Document,
    ExceptionCase,
    ExceptionEntry,
    NoteCases,
    Queue,
    SnoozeCases,
    assign_cases,
    history_of,
    note_cases,
    set_rule,
    snooze_cases,
)
from app.composition.uow import reading
from app.queries.listing import Asked
from app.queries.trouble_control import _watched, compare_ownership, unowned
from app.queries.troubles import TROUBLES, QueueSum, named_troubles, queue_sums
from app.security.roles import Role, permissions_of
from erpcore.inventory.shifting import PutAway, put_away
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.orders.holds import HoldOrder, hold_orders
from erpcore.orders.models import HoldKind
from tests.support.core import OPEN, RULES, a_business
from tests.support.steps import allocated, captured, shipped
from tests.support.warehouse import ANNA, locations, no_names, received
from tests.support.web import a_person

ROLES = (
    Role.SITE_LEAD, Role.SUPER_USER, Role.CUSTOMER_SERVICE, Role.WAREHOUSE_SUPERVISOR, Role.BILLING, Role.FINANCE,
)  # fmt: skip


@pytest.fixture
def business(database):
    return a_business(database, limit=9_000_000)


@pytest.fixture
def people(business):
    return {role: a_person(business.database, role, clock=business.clock) for role in ROLES}


def actor_of(people, role, sites=None):
    return Actor(id=people[role].id, role=role, permissions=permissions_of(role), sites=sites)


def rows(business, **values):
    with reading(business.database) as session:
        found = TROUBLES.page(session, Actor.system("test"), Asked(values=values, sort="number"), business.clock.now())
        return {(row.queue, row.subject): row for row in found.rows}, found


def trading(business):
    """One document for each way into trouble, and one that is in none."""
    held, lacking, old = captured(business, ((0, 1),)), allocated(business, ((1, 500),)), captured(business, ((0, 1),))
    fine = allocated(business, ((0, 2),))
    with business.work() as work:
        hold_orders(work, [HoldOrder(order=held.id, kind=HoldKind.ADDRESS, reason="no street")])
    return held, lacking, old, fine


def test_a_document_is_in_the_first_queue_that_fits_and_in_no_other(business, people):
    held, lacking, old, fine = trading(business)
    found, page = rows(business)
    assert {key: row.id for key, row in found.items()} == {
        ("blocked", "order"): held.id, ("short", "order"): lacking.id,
    }  # fmt: skip
    business.clock.set(business.clock.now() + timedelta(days=1, minutes=1))
    assert {key: row.id for key, row in rows(business)[0].items()} == {
        ("blocked", "order"): held.id, ("short", "order"): lacking.id, ("stuck", "order"): old.id,
    }  # fmt: skip
    business.clock.set(business.clock.now() + timedelta(days=20))
    _, page = rows(business)
    assert sorted((row.queue, row.id) for row in page.rows) == [
        ("blocked", held.id), ("late", old.id), ("late", fine.id), ("short", lacking.id)
    ]  # fmt: skip
    assert page.counts["queue"] == {"blocked": 1, "late": 2, "short": 1}
    with reading(business.database) as session:
        assert unowned(session, business.clock.now()) == 0


def test_a_shipment_that_nobody_bills_is_stuck(business, people):
    _, shipment = shipped(business)
    business.clock.set(business.clock.now() + timedelta(days=2))
    found, _ = rows(business)
    assert found["stuck", "bill"].number == shipment.number
    assert found["stuck", "bill"].owner_role == "billing"


def test_goods_that_were_received_and_not_put_away_are_stuck_until_they_are(business, people):
    (dock,) = locations(business, "DOCK", kind="receiving")
    received(business, 10)
    (shelf,) = locations(business, "A-01")

    def stow(quantity):
        command = PutAway(
            site=business.site, item=business.items[0], quantity=Decimal(quantity), source=dock, location=shelf
        )
        with business.work(ANNA) as work:
            put_away(work, [command], rules=RULES, cells=OPEN, order_names=no_names)

    business.clock.set(business.clock.now() + timedelta(hours=24))
    assert rows(business)[0] == {}
    business.clock.set(business.clock.now() + timedelta(minutes=1))
    stow(4)
    found, _ = rows(business)
    ((key, row),) = found.items()
    assert key == ("stuck", "put_away")
    assert (row.cause, row.owner_role, row.since) == (
        "received, not put away", "warehouse_supervisor", business.clock.now() - timedelta(hours=24, minutes=1)
    )  # fmt: skip
    lead = actor_of(people, Role.WAREHOUSE_SUPERVISOR)
    with business.work(lead) as work:
        assign_cases(
            work, AssignCases(documents=[Document(subject="put_away", id=row.id, site=business.site)], person=lead.id)
        )
    with reading(business.database) as session:
        assert unowned(session, business.clock.now()) == 0
    stow(6)
    assert rows(business)[0] == {}


def test_a_document_that_is_nobodys_is_found(business, people):
    held, *_ = trading(business)
    with reading(business.database) as session:
        assert unowned(session, business.clock.now()) == 0
    with business.work() as work:
        assert set_rule(work, site=business.site, queue=Queue.BLOCKED, role=Role.COLLECTIONS) is None
    with reading(business.database) as session:
        (found,) = compare_ownership(session, business.clock.now())
    assert (found.left, found.right, found.difference, found.first_key) == (2, 1, 1, f"order {held.id}")
    a_person(business.database, Role.COLLECTIONS, clock=business.clock)
    with reading(business.database) as session:
        assert unowned(session, business.clock.now()) == 0


def test_owners_notes_and_being_left_alone_are_kept(business, people):
    held, lacking, *_ = trading(business)
    documents = [Document(subject="order", id=one.id, site=business.site) for one in (held, lacking)]
    lead, clerk = actor_of(people, Role.SITE_LEAD), actor_of(people, Role.CUSTOMER_SERVICE)
    until = business.clock.now() + timedelta(days=3)
    with business.work(clerk) as work:
        assign_cases(work, AssignCases(documents=documents, person=clerk.id, note="I call them"))
    with business.work(lead) as work:
        assign_cases(work, AssignCases(documents=documents[1:], role=Role.WAREHOUSE_SUPERVISOR))
        note_cases(work, NoteCases(documents=documents, text="promised by phone"))
        snooze_cases(work, SnoozeCases(documents=documents[:1], until=until, reason="customer is away"))
    found, _ = rows(business)
    assert (found["blocked", "order"].owner_id, found["blocked", "order"].owner_role) == (clerk.id, "customer_service")
    assert (found["short", "order"].owner_id, found["short", "order"].owner_role) == (None, "warehouse_supervisor")
    assert list(rows(business, wake="now")[0]) == [("short", "order")]
    assert list(rows(business, wake="snoozed")[0]) == [("blocked", "order")]
    with reading(business.database) as session:
        assert [(one.act, one.text) for one in history_of(session, "order", held.id)] == [
            ("snoozed", "customer is away"), ("noted", "promised by phone"), ("assigned", "I call them")
        ]  # fmt: skip
        sums = queue_sums(session, actor_of(people, Role.WAREHOUSE_SUPERVISOR), business.clock.now())
        assert sums == [QueueSum(queue="short", count=1, mine=1, oldest=business.clock.now())]
    business.clock.set(until + timedelta(seconds=1))
    assert ("blocked", "order") in rows(business, wake="now")[0]
    with reading(business.database) as session:
        assert unowned(session, business.clock.now()) == 0


def test_what_is_refused_changes_nothing(business, people):
    held, *_ = trading(business)
    documents = [Document(subject="order", id=held.id, site=business.site)]
    lead, clerk = actor_of(people, Role.SITE_LEAD), actor_of(people, Role.CUSTOMER_SERVICE)
    elsewhere = actor_of(people, Role.SITE_LEAD, frozenset({business.site + 7}))
    now = business.clock.now()
    tries = [
        (clerk, assign_cases, AssignCases(documents=documents, role=Role.SITE_LEAD), NotAllowed),
        (elsewhere, assign_cases, AssignCases(documents=documents, person=elsewhere.id), NotFound),
        (lead, assign_cases, AssignCases(documents=documents, role=Role.COLLECTIONS), RuleBroken),
        (lead, assign_cases, AssignCases(documents=documents, person=999), RuleBroken),
        (lead, note_cases, NoteCases(documents=documents, text="  "), RuleBroken),
        (lead, snooze_cases, SnoozeCases(documents=documents, until=now, reason="x"), RuleBroken),
        (lead, snooze_cases, SnoozeCases(documents=documents, until=now + timedelta(days=31), reason="x"), RuleBroken),
        (lead, snooze_cases, SnoozeCases(documents=documents, until=now + timedelta(days=1), reason=" "), RuleBroken),
    ]  # fmt: skip
    for who, move, command, refusal in tries:
        with pytest.raises(refusal), business.work(who) as work:
            move(work, command)
    with reading(business.database) as session:
        for table in (ExceptionCase, ExceptionEntry):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_another_sites_documents_are_not_seen(business, people):
    held, *_ = trading(business)
    with reading(business.database) as session:
        mine = named_troubles(session, actor_of(people, Role.SITE_LEAD), [("order", held.id)], business.clock.now())
        none = named_troubles(
            session, actor_of(people, Role.SITE_LEAD, frozenset({9})), [("order", held.id)], business.clock.now()
        )
    assert [row.number for row in mine] == [held.number]
    assert none == []


def test_what_is_over_is_not_read_to_find_what_is_in_trouble(business, people):
    _, shipment = shipped(business)
    with business.work() as work:
        work.session.execute(text("UPDATE shipment SET invoice_due_at = NULL"))
        work.session.execute(text("UPDATE sales_order SET state = 'closed'"))
    with reading(business.database) as session:
        assert session.execute(_watched(set())).all() == []
        assert [row.id for row in session.execute(_watched({shipment.id}))] == [shipment.id]
        assert unowned(session, business.clock.now()) == 0
        # Plain rows: nothing of what was read stays in the session.
        assert list(session.identity_map) == []
