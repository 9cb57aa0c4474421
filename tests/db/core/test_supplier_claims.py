"""What a supplier owes for goods sent back ends by its credit notes, or by a difference that somebody else answers for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from erpcore.fulfilment.sending_back import settling
from erpcore.fulfilment.sending_back.settling import (
    AcceptDifference,
    TakeBackSettlement,
    TakeCredit,
    accept_difference,
    take_back_settlement,
    take_credit,
)
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError, RuleBroken
from tests.db.core.test_sending_back import sent, set_apart
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.costing import posted
from tests.support.story import rows
from tests.support.supply import a_supplier
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of

CLERK = Actor(id=301, role="billing", permissions=frozenset({settling.TAKE}), sites=None)
FINANCE = Actor(id=302, role="finance", permissions=frozenset({settling.TAKE, settling.ACCEPT}), sites=None)


@pytest.fixture
def business(database):
    return a_business(database)


@pytest.fixture
def document(business):
    """Goods sent back for which 7.00 are expected."""
    return sent(business, a_supplier(business), set_apart(business)).id


def credit(business, document, amount, paper="CN-1", **changes):
    today = business.clock.now().date()
    command = {"document": document, "paper": paper, "amount": Decimal(amount), "paper_on": today, **changes}
    return lambda work: take_credit(work, TakeCredit(**command))


def difference(document, seen, reason="They charge a restocking fee."):
    return lambda work: accept_difference(work, AcceptDifference(document=document, reason=reason, seen=seen))


def back(document, entry, reason="Of other goods."):
    return lambda work: take_back_settlement(work, TakeBackSettlement(document=document, entry=entry, reason=reason))


def done(business, act, actor=FINANCE):
    with business.work(actor) as work:
        return act(work)


def test_credit_notes_end_the_claim_and_stand_on_an_account_of_their_own(business, document):
    assert done(business, credit(business, document, "4.00"), CLERK).left == 300
    assert done(business, credit(business, document, "3.00", "CN-2"), CLERK).left == 0
    assert (posted(business, "supplier_claims"), posted(business, "supplier_credits")) == (0, 700)
    assert posted(business, "adjustment", "supplier_difference") == 0
    assert_books_agree(business.database)


@pytest.mark.parametrize(("credited", "left"), [("6.00", 100), ("7.50", -50)])
def test_a_difference_either_way_is_accepted_with_a_reason_by_somebody_else(business, document, credited, left):
    assert done(business, credit(business, document, credited), CLERK).left == left
    assert done(business, difference(document, left)).left == 0
    assert posted(business, "adjustment", "supplier_difference") == left
    assert posted(business, "supplier_claims") == 0
    assert rows(business, "SELECT kind, amount_minor, settled_by FROM supplier_claim_entry ORDER BY id") == [
        ("credit", 700 - left, 301), ("difference", left, 302),
    ]  # fmt: skip
    assert_books_agree(business.database)


def test_what_was_entered_by_mistake_is_taken_back_once_and_the_paper_may_come_again(business, document):
    first = done(business, credit(business, document, "700.00"), CLERK)
    assert done(business, back(document, first.id), CLERK).left == 700
    assert posted(business, "supplier_credits") == 0
    assert done(business, credit(business, document, "7.00"), CLERK).left == 0
    with business.work(FINANCE) as work, pytest.raises(RuleBroken, match="settlement_gone"):
        back(document, first.id)(work)
    assert_books_agree(business.database)


def test_a_refusal_names_what_is_wrong_and_changes_nothing(business, document):
    def no(act, code, actor=FINANCE):
        before = fingerprint_of(business.database)
        with pytest.raises(DomainError) as refusal, business.work(actor) as work:
            act(work)
        assert refusal.value.code == code
        assert fingerprint_of(business.database) == before

    tomorrow = business.clock.now().date() + timedelta(days=1)
    for amount in ("0", "-1", "0.001", "NaN", "Infinity", "99999999999"):
        no(credit(business, document, amount), "supplier_credit_amount")
    no(credit(business, document, "1", " "), "supplier_credit_paper")
    no(credit(business, document, "1", paper_on=tomorrow), "supplier_credit_in_future")
    no(credit(business, 4711, "1"), "supplier_return_unknown")
    no(difference(document, 700, " "), "reason_required")
    no(difference(document, 699), "claim_changed")
    no(difference(document, 700), "not_allowed", CLERK)
    no(back(document, 4711), "settlement_unknown")
    done(business, credit(business, document, "6.00"))
    no(credit(business, document, "1", "cn-1"), "supplier_credit_twice")
    no(difference(document, 100), "difference_own")
    done(business, credit(business, document, "1.00", "CN-2"), CLERK)
    no(difference(document, 0, "None is left."), "claim_settled")
    elsewhere = Actor(id=303, role="finance", permissions=FINANCE.permissions, sites=frozenset({4711}))
    no(credit(business, document, "1", "CN-3"), "supplier_return_unknown", elsewhere)
    assert_books_agree(business.database)


def test_who_sent_the_goods_does_not_accept_the_difference(business, document):
    (sender,) = rows(business, "SELECT sent_by FROM supplier_return")[0]
    same = Actor(id=sender, role="finance", permissions=FINANCE.permissions, sites=None)
    with pytest.raises(RuleBroken, match="difference_own"):
        done(business, difference(document, 700), same)
    assert done(business, difference(document, 700)).left == 0


def test_two_who_settle_the_same_claim_at_once_settle_it_once(business, document):
    twice = at_once(*[lambda: done(business, credit(business, document, "6.00"), CLERK)] * 2)
    assert sorted(getattr(one, "code", "done") for one in twice) == ["done", "supplier_credit_twice"]
    twice = at_once(*[lambda: done(business, difference(document, 100))] * 2)
    assert sorted(getattr(one, "code", "done") for one in twice) == ["claim_settled", "done"]
    assert posted(business, "supplier_claims") == 0
    assert_books_agree(business.database)


def test_a_crash_while_a_credit_note_is_entered_leaves_nothing_and_the_retry_enters_it_once(
    business, document, monkeypatch
):
    before = fingerprint_of(business.database)

    def power_cut(*_, **__):
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(settling, "post_entries", power_cut)
        with pytest.raises(RuntimeError):
            done(business, credit(business, document, "7.00"), CLERK)
    assert fingerprint_of(business.database) == before
    assert done(business, credit(business, document, "7.00"), CLERK).left == 0
    assert_books_agree(business.database)
