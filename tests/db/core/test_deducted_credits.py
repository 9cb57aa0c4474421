"""A customer pays less because a credit memo is theirs: it is proposed with the money, and both settle the invoice in one step."""

from __future__ import annotations

import pytest

from app.importers.bankfiles.accepting import accept_chosen, accept_sure
from erpcore.billing.bank_lines import AssignLine, Part, assign_lines
from erpcore.billing.cash_credit import ApplyCredit
from erpcore.masterdata.services import NewCustomer, add_customers
from tests.db.core.test_bank_statements import a_desk, hand_in, refused, rows, waiting
from tests.db.core.test_cash_reversals import credited
from tests.support.bankfiles import camt, entry
from tests.support.controls import assert_books_agree
from tests.support.steps import invoiced
from tests.support.threads import at_once

OPEN_OF_ALL = "SELECT document_type, open_minor FROM receivable ORDER BY document_id"


@pytest.fixture
def short(database):
    """An invoice of 120.00, a credit memo of 6.00, and a payment of 114.00 that names the invoice."""
    business = a_desk(database)
    business.invoice = invoiced(business)[2]
    business.memo = credited(business, business.invoice)
    (business.number,) = rows(business, "SELECT number FROM invoice")[0]
    hand_in(business, camt(entry("114.00", text=f"Rg {business.number}"), closing="114.00"))
    (business.line,) = rows(business, "SELECT id FROM bank_line")[0]
    return business


def test_what_was_deducted_is_proposed_with_the_money_and_nothing_stays_open(short):
    (found,) = waiting(short)
    assert (found.proposal.confidence, found.parts) == (96, [(short.invoice.id, short.number, 11_400)])
    assert [tuple(one) for one in found.credits] == [
        (short.memo, "CRN-2026-000001", short.invoice.id, short.number, 600)
    ]
    with short.work() as work:
        assert len(accept_sure(work, short.entity, 95)) == 1
    assert rows(short, OPEN_OF_ALL) == [("invoice", 0), ("credit_memo", 0)]
    assert rows(short, "SELECT credit_id, invoice_id, amount_minor FROM credit_application") == [
        (short.memo, short.invoice.id, 600)
    ]
    assert rows(short, "SELECT left_minor FROM receipt") == [(0,)]
    assert rows(short, "SELECT state, payment_status FROM sales_order") == [("closed", "done")]
    assert rows(short, "SELECT explanation FROM bank_line") == [
        (f"96 %: It names {short.number}, and pays what is open of it less CRN-2026-000001.",)
    ]
    assert_books_agree(short.database)


def test_another_proposal_is_made_when_the_credit_is_used_meanwhile(short):
    (found,) = waiting(short)
    own = ApplyCredit(credit=short.memo, invoice=short.invoice.id, amount_minor=600)
    hand_in(short, camt(entry("1.00"), opening="114.00", closing="115.00", name="2"))
    other = next(one.line.id for one in waiting(short) if one.line.id != short.line)
    with short.work() as work:
        assign_lines(work, [AssignLine(line=other, customer=short.customer, credits=[own])])
    refused(
        short,
        lambda work: accept_chosen(work, short.entity, {short.line: found.token}, {short.line}),
        "proposal_changed",
    )
    assert waiting(short)[0].proposal.confidence == 99, "it pays exactly what is open now"
    assert_books_agree(short.database)


def test_credits_of_others_and_more_than_there_is_are_refused_and_nothing_moves(short):
    with short.work() as work:
        (other,) = add_customers(
            work, [NewCustomer(entity=short.entity, code="20", name="Dach", country="Germany", currency="EUR")]
        )

    def assigned(customer, minor, pays=0):
        own = ApplyCredit(credit=short.memo, invoice=short.invoice.id, amount_minor=minor)
        parts = [Part(invoice=short.invoice.id, amount_minor=pays)] if pays else []
        command = AssignLine(line=short.line, customer=customer, credits=[own], parts=parts)
        return lambda work: assign_lines(work, [command])

    refused(short, assigned(other.id, 600), "other_customer")
    refused(short, assigned(short.customer, 601), "credit_applied_too_much")
    refused(short, assigned(short.customer, 0), "credit_applied_too_much")
    refused(short, assigned(short.customer, 600, pays=11_401), "applied_too_much")
    with short.work() as work:
        assigned(short.customer, 600, pays=11_400)(work)
    assert rows(short, OPEN_OF_ALL) == [("invoice", 0), ("credit_memo", 0)]
    assert_books_agree(short.database)


def test_two_who_accept_it_at_once_use_the_credit_once_and_a_crash_leaves_nothing(short):
    (found,) = waiting(short)
    before = rows(short, OPEN_OF_ALL)

    def accept_and_die():
        with short.work() as work:
            accept_sure(work, short.entity, 95)
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        accept_and_die()
    assert rows(short, OPEN_OF_ALL) == before

    def accept():
        with short.work() as work:
            accept_chosen(work, short.entity, {short.line: found.token}, {short.line})

    results = at_once(accept, accept)
    assert sorted(result is None for result in results) == [False, True], results
    assert rows(short, "SELECT COUNT(*), SUM(amount_minor) FROM credit_application") == [(1, 600)]
    assert rows(short, OPEN_OF_ALL) == [("invoice", 0), ("credit_memo", 0)]
    assert_books_agree(short.database)
