"""The worklist of collectors: who is on it and why, what was said and promised, how late they pay, whose they are."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from app.composition.uow import reading
from app.queries.collections import COLLECTIONS, collection_page
from app.queries.listing import Asked
from app.security.roles import Role
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.collecting.models import CollectionCase
from erpcore.billing.collecting.rules import Action
from erpcore.billing.collecting.services import (
    NoteContact,
    give_customers,
    note_contact,
    route_customers,
    set_follow_up,
)
from erpcore.billing.dunning.holding import SetBlock, TakePromise, set_block, take_promise
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError, NotAllowed, RuleBroken
from tests.support.controls import assert_books_agree
from tests.support.core import MONDAY, a_business
from tests.support.dunning import FIRST, SECOND, a_procedure, issued, later, somebody
from tests.support.steps import invoiced
from tests.support.threads import at_once

SYSTEM = Actor.system("test")


@pytest.fixture
def business(database):
    """120.00 due on 1 April and 240.00 due on 11 April; today is 8 April and the procedure is in force."""
    made = a_business(database)
    a_procedure(made)
    made.first = invoiced(made, [(0, 10)])[2]
    later(made, 10)
    made.second = invoiced(made, [(1, 20)])[2]
    made.clock.set(MONDAY + timedelta(days=37))
    return made


def listed(business, **values):
    with reading(business.database) as session:
        return COLLECTIONS.page(session, SYSTEM, Asked(values=values), business.clock.now()).rows


def step(business):
    (row,) = listed(business)
    return row.step.action, row.step.reason


def pay(business, invoice, minor):
    with business.work() as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=minor)]
        )
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=minor)])


def note(business, *, follow_up=None, said="pays soon", who=FIRST, role=Role.COLLECTIONS):
    with business.work(somebody(who, role)) as work:
        return note_contact(
            work,
            NoteContact(customer=business.customer, kind="call", spoke_with="Ms Kern", said=said, follow_up=follow_up),
        )


def test_a_customer_goes_from_letter_to_promise_to_broken_promise_to_hand_over(business):
    (row,) = listed(business)
    assert (row.overdue_minor, row.collect_minor, row.oldest_days, row.due_minor) == (
        12_000,
        12_000,
        7,
        (24_000, 12_000, 0, 0, 0),
    )
    assert step(business) == (Action.LETTER, "Level 1 is due: the next dunning run asks for it")
    issued(business)
    assert step(business) == (Action.WAIT, "Asked at level 1: they have until 18 Apr 2026")
    with business.work(somebody(FIRST)) as work:
        take_promise(
            work,
            TakePromise(customer=business.customer, amount_minor=9_000, until=date(2026, 4, 10), said_by="Ms Kern"),
        )
    assert step(business) == (Action.WAIT, "Promised until 10 Apr 2026 by Ms Kern")
    later(business, 4)
    assert step(business) == (Action.BROKEN_PROMISE, "The promise of 10 Apr 2026 was broken: call today")
    (row,) = listed(business, today=True)
    assert (row.kept, row.broken, row.collect_minor) == (0, 1, 36_000)
    note(business, follow_up=date(2026, 4, 20))
    assert step(business) == (Action.WAIT, "To be followed up on 20 Apr 2026")
    assert listed(business, today=True) == []
    later(business, 8)
    assert step(business) == (Action.FOLLOW_UP, "To be followed up since 20 Apr 2026")
    note(business, said="nobody there")
    assert step(business)[0] is not Action.FOLLOW_UP, "the day that came is done with"
    assert [one.said for one in the_page(business).contacts] == ["nobody there", "pays soon"]
    for _ in range(3):
        later(business, 30)
        issued(business)
    later(business, 60)
    assert step(business) == (
        Action.HAND_OVER,
        "Level 3 is the last, and its day to pay is over: hand it over, or agree otherwise",
    )
    assert_books_agree(business.database)


def the_page(business):
    with reading(business.database) as session:
        return collection_page(session, SYSTEM, business.customer, business.clock.now())


def test_what_is_in_dispute_or_theirs_to_apply_is_not_collected(business):
    with business.work(somebody(FIRST)) as work:
        set_block(
            work,
            SetBlock(
                customer=business.customer, kind="dispute", reason="wrong size", until=date(2026, 5, 20), owner=FIRST,
                document=business.first.id,
            ),
        )  # fmt: skip
    (row,) = listed(business)
    assert (row.disputed_minor, row.collect_minor, row.step.action) == (12_000, 0, Action.DISPUTE)
    later(business, 6)
    with business.work() as work:
        receive_cash(work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=4_000)])
    (row,) = listed(business)
    assert (row.overdue_minor, row.own_minor, row.collect_minor) == (36_000, 4_000, 20_000)
    with business.work(somebody(FIRST)) as work:
        set_block(
            work,
            SetBlock(
                customer=business.customer,
                kind="agreement",
                reason="pays in parts",
                until=date(2026, 5, 1),
                owner=FIRST,
            ),
        )
    assert step(business) == (Action.WAIT, "Blocked until 1 May 2026: pays in parts")


def test_the_score_comes_from_paid_and_open_invoices_and_never_from_few(business):
    assert the_page(business).score.points is None
    paid = [invoiced(business, [(0, 1)])[2] for _ in range(4)]
    for invoice in paid:
        pay(business, invoice, 1_200)
    score = the_page(business).score
    assert (score.paid, score.late_open, score.points is None) == (4, 1, False)
    # 120.00 that is 7 days late and four times 12.00 in time: 5 days on average.
    assert [one.text for one in score.reasons][:2] == [
        "5 days late on average, by amount", "71 % of the money came late or is overdue (1 of 5 invoices)",
    ]  # fmt: skip
    pay(business, business.first, 12_000)
    assert listed(business) == [], "nothing is overdue any more"
    after = the_page(business)
    assert (after.row, after.score.paid, after.score.late_open) == (None, 5, 0)
    later(business, 400)
    assert the_page(business).score.sample == 1, "a year back only: what was open meanwhile is late"


def test_customers_are_given_routed_and_taken_and_what_was_is_kept(business):
    (row,) = listed(business, nobody=True)
    assert (row.owner_id, row.is_routed) == (None, False)
    with pytest.raises(NotAllowed), business.work(somebody(FIRST, Role.COLLECTIONS)) as work:
        route_customers(work, business.entity, None, FIRST)
    with business.work(somebody(FIRST)) as work:
        route_customers(work, business.entity, None, FIRST)
    (row,) = listed(business, owner=FIRST)
    assert row.is_routed
    with business.work(somebody(SECOND, Role.COLLECTIONS)) as work:
        give_customers(work, [business.customer], SECOND)
    (row,) = listed(business, owner=SECOND)
    assert not row.is_routed
    with business.work(somebody(SECOND, Role.COLLECTIONS)) as work:
        give_customers(work, [business.customer], None)
    with business.work(somebody(FIRST)) as work:
        route_customers(work, business.entity, None, SECOND)
    assert [one.owner_id for one in listed(business)] == [SECOND]
    with reading(business.database) as session:
        kinds = list(
            session.scalars(text("SELECT kind FROM audit_entry WHERE kind LIKE 'collection%' ORDER BY position"))
        )
    assert kinds == ["collection.routed", "collection.given", "collection.given", "collection.routed"]


def test_bad_contacts_and_days_are_refused_and_nothing_is_kept_of_them(business):
    for wrong, code in (
        ({"said": " "}, "contact_what"), ({"follow_up": date(2026, 4, 7)}, "dunning_until"), ({"follow_up": date(2028, 1, 1)}, "dunning_until"),
    ):  # fmt: skip
        with pytest.raises(RuleBroken) as refused:
            note(business, **wrong)
        assert refused.value.code == code
    with pytest.raises(NotAllowed):
        note(business, role=Role.CUSTOMER_SERVICE)
    with pytest.raises(RuleBroken), business.work(somebody(FIRST)) as work:
        set_follow_up(work, business.customer, date(2026, 4, 1))
    assert the_page(business).contacts == []
    key = note(business)
    with pytest.raises(DatabaseError), business.work() as work:
        work.session.execute(text("UPDATE collection_contact SET said = 'other' WHERE id = :id"), {"id": key})


def test_two_who_take_the_same_customer_at_once_leave_one_owner_and_no_error(business):
    def taken(who):
        def act():
            with business.work(somebody(who, Role.COLLECTIONS)) as work:
                give_customers(work, [business.customer], who)
            return who

        return act

    found = at_once(taken(FIRST), taken(SECOND))
    assert all(isinstance(one, int | DomainError) for one in found), found
    with reading(business.database) as session:
        (owner,) = session.scalars(select(CollectionCase.owner_id))
    assert owner in {FIRST, SECOND}
