"""Bad input of billing and cash, by its name: each is refused with its reason, and nothing else moved in any table."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.composition.uow import reading
from app.importers.bankfiles.reading import digest_of, read_bank_file
from app.queries.cash_desk import lines_waiting, suggest
from erpcore.billing.bank import BankAccountFacts, add_bank_account, take_statements
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.cash_credit import ApplyCredit, apply_credit
from erpcore.billing.credits import CreditInvoice, credit_invoices, credit_returns
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError
from erpcore.ledger.journals import JournalLineIn, WriteJournal, write_journal
from erpcore.ledger.periods import ClosePeriod, close_period
from tests.support.bankfiles import IBAN, camt, entry
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.steps import invoiced, shipped, taken_back
from tests.support.story import rows
from tests.support.trader import fingerprint_of

#: The only tables in which a refused statement leaves a trace: itself, as it came, with its fault, and what came with its handing in.
KEPT = frozenset({"bank_statement", "bank_line", "audit_log"})


def refused(business, code, act):
    """The act is refused for that reason, and every row of every table is as it was."""
    before = fingerprint_of(business.database)
    with pytest.raises(DomainError) as found, business.work() as work:
        act(work)
    assert found.value.code == code
    assert fingerprint_of(business.database) == before
    assert_books_agree(business.database)


def credit_of(order, invoice, quantity, price):
    return CreditInvoice(
        invoice=invoice.id, order_line=order.lines[0].id, quantity=Decimal(quantity), unit_price=Decimal(price),
        reason="price", fault="ours",
    )  # fmt: skip


def received(business, minor):
    with business.work() as work:
        return receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=minor)]
        )[0]


def test_a_credit_above_the_invoice(database):
    business = a_business(database)
    order, _, invoice = invoiced(business, [(0, 10), (1, 10)])
    # The invoice has room for it; its line has not.
    for quantity, price in ((10, "10.01"), (11, "10.00"), ("10000000", "1.00"), (10, "20.00")):
        command = credit_of(order, invoice, quantity, price)
        refused(business, "credit_above_invoice", lambda work, c=command: credit_invoices(work, [c]))
    with business.work() as work:
        credit_invoices(work, [credit_of(order, invoice, 10, "6.00")])
    rest, beyond = credit_of(order, invoice, 10, "4.00"), credit_of(order, invoice, 1, "0.01")
    refused(business, "credit_above_invoice", lambda work: credit_invoices(work, [rest, beyond]))
    with business.work() as work:
        credit_invoices(work, [rest])
    refused(business, "credit_above_invoice", lambda work: credit_invoices(work, [beyond]))


def test_a_receipt_for_a_credited_invoice(database):
    business = a_business(database)
    order, _, invoice = invoiced(business)
    with business.work() as work:
        (memo,) = credit_invoices(work, [credit_of(order, invoice, 10, "10.00")])
        apply_credit(work, [ApplyCredit(credit=memo, invoice=invoice.id, amount_minor=invoice.gross_minor)])
        bank = add_bank_account(work, business.entity, number=IBAN, name="House bank")
    receipt = received(business, invoice.gross_minor)
    for minor in (1, invoice.gross_minor):
        pays = ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=minor)
        refused(business, "applied_too_much", lambda work, c=pays: apply_cash(work, [c]))
    # The money is not lost: it stands on account, and what a bank brings for the same invoice is proposed to stand there too.
    assert rows(business, "SELECT amount_minor, left_minor FROM receipt") == [(12_000, 12_000)]
    hand_in(business, bank, camt(entry("120.00", text=invoice.number), closing="120.00"))
    with reading(database) as session:
        waiting = lines_waiting(session, business.entity, limit=5)
        (found,) = suggest(session, Actor.system("test"), business.entity, waiting)
    assert (found.parts, found.proposal.confidence, found.customer) == ([], 0, None)
    assert_books_agree(database)


def hand_in(business, bank, content):
    facts = BankAccountFacts(bank, business.entity, IBAN, "House bank", "EUR", None, 1)
    with business.work() as work:
        return take_statements(
            work, bank, read_bank_file(content, facts, None), file_name="day.xml", digest=digest_of(content)
        )


FILES = {
    "truncated": (camt(entry("120.00"), closing="120.00")[:400], "cut off"),
    "30 February": (camt(entry("1.00"), entry("120.00", day="2026-02-30"), closing="121.00"), "“2026-02-30” is no day"),
    "five decimals": (camt(entry("120.00001"), closing="120.00"), "more decimals than EUR has (2)"),
    "another charset": (camt(entry("120.00", name="Müller"), closing="120.00").decode().encode("latin-1"), "character set"),
    "a wrong closing balance": (camt(entry("120.00"), closing="121.00"), "the closing balance says 121.00"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_bank_file_with_a_fault(database, name):
    business = a_business(database)
    invoiced(business)
    with business.work() as work:
        bank = add_bank_account(work, business.entity, number=IBAN, name="House bank")
    content, why = FILES[name]
    before = fingerprint_of(database, but=KEPT)
    (taken,) = hand_in(business, bank, content)
    assert why in taken.fault
    assert (taken.new, taken.repeated) == (0, 0)
    assert fingerprint_of(database, but=KEPT) == before
    assert rows(business, "SELECT state FROM bank_statement") == [("refused",)]
    assert rows(business, "SELECT DISTINCT state FROM bank_line") in ([], [("rejected",)])
    assert_books_agree(database)


def test_a_bank_file_twice(database):
    business = a_business(database)
    with business.work() as work:
        bank = add_bank_account(work, business.entity, number=IBAN, name="House bank")
    content = camt(entry("120.00", ref="B1"), closing="120.00")
    hand_in(business, bank, content)
    facts = BankAccountFacts(bank, business.entity, IBAN, "House bank", "EUR", None, 1)
    read, digest = read_bank_file(content, facts, None), digest_of(content)
    refused(
        business, "bank_file_twice", lambda work: take_statements(work, bank, read, file_name="b.xml", digest=digest)
    )


def test_posting_into_a_locked_period(database):
    """An invoice, the credit of a return and a journal, dated back into days that are closed; cash cannot be dated back."""
    business = a_business(database)
    order, _, _ = invoiced(business)
    _, shipment = shipped(business)
    back = comes_back(business, order)
    late = business.clock.now()
    with business.work() as work:
        (draft,) = draft_invoices(work, [shipment.id], cells=OPEN)
    business.clock.advance(timedelta(days=7))
    with business.work() as work:
        close_period(work, ClosePeriod(entity=business.entity, until=date(2026, 3, 9), reason="the week is over"))
    refused(business, "period_closed", lambda work: post_invoices(work, [draft.id], cells=OPEN, at={draft.id: late}))
    refused(business, "period_closed", lambda work: credit_returns(work, [back], cells=OPEN, at={back: late}))
    journal = a_journal(business, 1_000, on=date(2026, 3, 8))
    refused(business, "period_closed", lambda work: write_journal(work, journal))
    with business.work() as work:
        post_invoices(work, [draft.id], cells=OPEN)
        credit_returns(work, [back], cells=OPEN)
        write_journal(work, replace(journal, entry_on=date(2026, 3, 9)))
    days = rows(business, "SELECT invoice_on FROM invoice UNION ALL SELECT credit_on FROM credit_memo")
    assert sorted(str(day) for (day,) in days) == ["2026-03-02", "2026-03-10", "2026-03-10"]
    assert_books_agree(database)


def test_rounding_of_one_third(database):
    """Three for ten: each line and tax is rounded once, what it left out is known, and what comes back in thirds is ten again."""
    business = a_business(database, price="3.333333")
    order, _, invoice = invoiced(business, [(0, 3)])
    # 9.999999 are 10.00, of which a fifth is tax.
    heads = "SELECT net_minor, tax_minor, gross_minor, exact FROM invoice"
    assert rows(business, heads) == [(1_000, 200, 1_200, 9_999_999)]
    for _ in range(3):
        back = comes_back(business, order)
        with business.work() as work:
            credit_returns(work, [back], cells=OPEN)
    credits_ = rows(business, "SELECT net_minor, tax_minor, gross_minor FROM credit_memo ORDER BY id")
    assert [net for net, *_ in credits_] == [333, 334, 333]
    assert [sum(column) for column in zip(*credits_, strict=True)] == [1_000, 200, 1_200]
    assert_books_agree(database)
    refused(
        business, "credit_above_invoice", lambda work: credit_invoices(work, [credit_of(order, invoice, 1, "0.01")])
    )
    # Three payments of a third leave a cent, which is still owed and not lost.
    other = invoiced(business, [(1, 3)])[2]
    for _ in range(3):
        receipt = received(business, other.gross_minor // 3)
        with business.work() as work:
            apply_cash(work, [ApplyCash(receipt=receipt, invoice=other.id, amount_minor=other.gross_minor // 3)])
    assert rows(business, f"SELECT open_minor FROM receivable WHERE document_id = {other.id}") == [(0,)]
    assert_books_agree(database)


def comes_back(business, order):
    """One of the order's first line, looked at and not credited yet."""
    line = ReturnedLine(item=business.items[0], quantity=Decimal(1), order_line=order.lines[0].id)
    command = RequestReturn(
        site=business.site, channel=business.channel, customer=business.customer, reason="damaged", fault="ours", lines=[line]
    )  # fmt: skip
    business.clock.advance(timedelta(days=1))
    with business.work() as work:
        (back,) = request_returns(work, [command], rules=RULES, cells=OPEN)
        authorise_returns(work, [back.id])
        taken_back(work, back.id)
    return back.id


def a_journal(business, credit_minor, on=date(2026, 3, 2)):
    """Bank fees of ten, against a credit of so much."""
    accounts = dict(rows(business, "SELECT role, id FROM ledger_account"))
    lines = [JournalLineIn(accounts["bank_fees"], 1_000, 0), JournalLineIn(accounts["bad_debt"], 0, credit_minor)]
    return WriteJournal(entity=business.entity, entry_on=on, reason="fees", lines=lines)


@pytest.mark.parametrize("credit_minor", [999, 1_001, 333])
def test_an_unbalanced_manual_journal(database, credit_minor):
    business = a_business(database)
    journal = a_journal(business, credit_minor)
    refused(business, "journal_unbalanced", lambda work: write_journal(work, journal))
