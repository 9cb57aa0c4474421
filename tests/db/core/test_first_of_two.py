"""Two make the first of something at once: one row comes of it, and who comes second is told so or goes on, but never breaks."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.composition.cases import Document, NoteCases, Queue, SnoozeCases, note_cases, set_rule, snooze_cases
from app.composition.letters import keep_contact, save_script, save_template
from app.composition.proofs import ask_for_proof
from app.composition.saved_views import SaveView, open_with, save_view
from app.composition.uow import reading
from app.security.roles import Role
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError
from erpcore.kernel.first import add_first
from erpcore.masterdata.charges import DeclareCharge, declare_charges
from erpcore.masterdata.models import SourcingLane
from tests.support.core import a_business
from tests.support.steps import captured
from tests.support.web import a_person


def outcome(business, actor, act):
    try:
        with business.work(actor) as work:
            act(work)
    except DomainError as refusal:
        return refusal.code
    return "done"


def raced(business, first, second, actor=None):
    """What became of the second, which began before the first was on disk."""
    actor = actor or Actor.system("test")
    said = []
    with business.work(actor) as work:
        first(work)
        work.session.flush()
        other = threading.Thread(target=lambda: said.append(outcome(business, actor, second)))
        other.start()
        # It has looked and found nothing; now it waits for the key, or on SQLite for the only writer there is.
        time.sleep(0.4)
    other.join(30)
    return said[0]


def count(database, table):
    with reading(database) as session:
        return session.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()


def test_a_queue_has_one_owner_everywhere(database):
    business = a_business(database)

    def owned_by(role):
        return lambda work: set_rule(work, site=None, queue=Queue.LATE, role=role)

    told = raced(business, owned_by("finance"), owned_by("billing"))
    assert told == ("done" if database.is_sqlite else "case_rule_changed")
    assert count(database, "exception_rule") == 1
    with pytest.raises(IntegrityError), database.write_engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO exception_rule (id, site_id, queue, owner_role, version) VALUES (1, NULL, 'late', 'finance', 1)"
        )


def test_two_who_look_after_a_document_for_the_first_time_both_do(database):
    business = a_business(database)
    order = captured(business)
    document = Document(subject="order", id=order.id, site=business.site)
    until = business.clock.now() + timedelta(days=1)
    told = raced(
        business,
        lambda work: note_cases(work, NoteCases(documents=[document], text="called them")),
        lambda work: snooze_cases(work, SnoozeCases(documents=[document], until=until, reason="they call back")),
    )
    assert (told, count(database, "exception_case"), count(database, "exception_entry")) == ("done", 1, 2)
    with reading(database) as session:
        kept = session.execute(text("SELECT note, snoozed_until IS NOT NULL FROM exception_case")).one()
    assert (kept[0], bool(kept[1])) == ("called them", True)


def test_of_two_first_versions_of_a_text_one_is_refused(database):
    business = a_business(database)

    def template(work):
        save_template(work, event="delay", language="en", subject="Later", body="It comes later.", seen=0)

    def script(work):
        save_script(work, situation="hold_credit", body="We look at it today.", seen=0)

    def contact(work):
        keep_contact(work, customer=business.customer, email="a@example.com", language=None, wants_none=False, seen=0)

    assert raced(business, template, template) == "letter_text_changed"
    assert raced(business, script, script) == "letter_text_changed"
    assert raced(business, contact, contact) == "letter_contact_changed"
    assert [count(database, name) for name in ("letter_template", "agent_script", "customer_contact")] == [1, 1, 1]


def test_a_list_opens_with_one_view_and_of_two_with_the_same_name_one_is_refused(database):
    business = a_business(database)
    person = a_person(database, Role.SITE_LEAD, clock=business.clock)
    actor = Actor(id=person.id, role=Role.SITE_LEAD)

    def kept(name):
        return lambda work: save_view(work, SaveView(list_name="orders", name=name, filters={}))

    assert raced(business, kept("Mine"), kept("Mine"), actor) == "view_name_taken"
    with business.work(actor) as work:
        one, two = kept("Late")(work), kept("Short")(work)
    told = raced(
        business, lambda work: open_with(work, one, wanted=True), lambda work: open_with(work, two, wanted=True), actor
    )
    assert (told, count(database, "saved_view"), count(database, "default_view")) == ("done", 3, 1)
    with reading(database) as session:
        assert session.execute(text("SELECT view_id FROM default_view")).scalar_one() == two


def test_two_who_ask_for_a_comparison_wait_for_the_same_one(database):
    business = a_business(database)
    keys = []
    told = raced(
        business, lambda work: keys.append(ask_for_proof(work).id), lambda work: keys.append(ask_for_proof(work).id)
    )
    assert (told, count(database, "proof_run"), len(set(keys))) == ("done", 1, 1)


def test_what_breaks_another_rule_than_being_second_is_no_conflict(database):
    business = a_business(database)
    row = SourcingLane(id=1, site_id=999_999, country="Germany", transit_days=1, cost_minor=0)
    with pytest.raises(IntegrityError), business.work() as work:
        add_first(work, row, "case_rule_changed")


def test_two_who_declare_the_same_charge_or_what_a_rush_costs_both_do_and_the_second_stands(database):
    business = a_business(database)

    def declared(code, name):
        command = DeclareCharge(entity=business.entity, code=code, name=name, is_rush=True)
        return lambda work: declare_charges(work, [command])

    assert raced(business, declared("RUSH", "Rush"), declared("RUSH", "In haste")) == "done"
    assert raced(business, declared("FAST", "Fast"), declared("FASTER", "Faster")) == "done"
    query = "SELECT i.code, i.name FROM charge_terms t JOIN item i ON i.id = t.item_id WHERE t.is_rush ORDER BY i.code"
    with reading(database) as session:
        assert [tuple(row) for row in session.execute(text(query))] == [("FASTER", "Faster")]
        names = session.execute(text("SELECT name FROM item WHERE code = 'RUSH'")).scalars().all()
    assert names == ["In haste"]
