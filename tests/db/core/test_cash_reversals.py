"""Money and credit against invoices: applied in parts, taken back, gone back to the bank; nothing is lost and nothing edited."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from app.queries.customer_statement import statement
from app.queries.receivables import account
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.cash_credit import ApplyCredit, apply_credit, unapply_credit
from erpcore.billing.cash_reversal import ReturnReceipt, Unapply, return_receipts, unapply_cash
from erpcore.billing.credits import CreditInvoice, credit_invoices
from erpcore.billing.debts import PostDebt, post_debts
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError, NotFound, RuleBroken
from erpcore.masterdata.services import NewCustomer, add_customers
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, a_business
from tests.support.steps import invoiced
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of

FINANCE = Actor.system("test")
ACCOUNTS = text(
    "SELECT a.role, SUM(l.debit_minor - l.credit_minor) FROM journal_line l JOIN ledger_account a ON a.id = l.account_id "
    "WHERE a.role IN ('bank', 'on_account', 'bank_fees', 'receivable') GROUP BY a.role"
)


def receive(business, minor, **fields):
    with business.work() as work:
        command = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=minor, **fields)
        return receive_cash(work, [command])[0]


def settle(business, *parts):
    """Each part: receipt, invoice, minor units."""
    with business.work() as work:
        return apply_cash(work, [ApplyCash(receipt=r, invoice=i, amount_minor=minor) for r, i, minor in parts])


def credited(business, invoice, price="1.00", quantity=5):
    with business.work() as work:
        command = CreditInvoice(
            invoice=invoice.id, order_line=invoice.lines[0].order_line_id, quantity=Decimal(quantity),
            unit_price=Decimal(price), reason="dented", fault="ours",
        )  # fmt: skip
        return credit_invoices(work, [command])[0]


def opened(business, *documents):
    with reading(business.database) as session:
        found = dict(session.execute(text("SELECT document_id, open_minor FROM receivable")).all())
    return [found[one] for one in documents]


def left(business, receipt):
    with reading(business.database) as session:
        return session.execute(
            text("SELECT left_minor, returned_minor FROM receipt WHERE id = :id"), {"id": receipt}
        ).one()


def refused(business, act, code):
    """The act is refused for that reason, and nothing at all has changed."""
    before = fingerprint_of(business.database)
    with pytest.raises(DomainError) as found, business.work() as work:
        act(work)
    assert found.value.code == code
    assert fingerprint_of(business.database) == before


def test_one_receipt_pays_several_invoices_and_several_receipts_pay_one(database):
    business = a_business(database)
    first, second = invoiced(business)[2], invoiced(business, [(1, 5)])[2]
    assert [first.gross_minor, second.gross_minor] == [12_000, 6_000]
    big, small = receive(business, 15_000), receive(business, 3_000)
    settle(business, (big, first.id, 12_000), (big, second.id, 3_000), (small, second.id, 2_500))
    assert opened(business, first.id, second.id) == [0, 500]
    assert (left(business, big), left(business, small)) == ((0, 0), (500, 0))
    assert_books_agree(database)


def test_what_was_applied_is_taken_back_once_with_its_reason_and_the_invoice_is_open_again(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    receipt = receive(business, 12_000)
    (application,) = settle(business, (receipt, invoice.id, 12_000))
    with business.work() as work:
        (back,) = unapply_cash(work, [Unapply(application=application, reason="paid another invoice")])
    assert opened(business, invoice.id) == [12_000]
    assert left(business, receipt) == (12_000, 0)
    with reading(database) as session:
        rows = session.execute(
            text("SELECT id, amount_minor, reverses_id, reason FROM receipt_application ORDER BY id")
        ).all()
        payment = session.execute(text("SELECT payment_status FROM sales_order")).scalar_one()
        reverses = session.execute(
            text("SELECT reverses_id IS NOT NULL FROM journal_entry ORDER BY id DESC LIMIT 1")
        ).scalar_one()
        told = session.execute(
            text("SELECT type FROM event_log WHERE type IN ('cash.unapplied', 'invoice.reopened') ORDER BY seq")
        )
        assert told.scalars().all() == ["cash.unapplied", "invoice.reopened"]
    assert rows == [(application, 12_000, None, None), (back, -12_000, application, "paid another invoice")]
    assert (payment, bool(reverses)) == ("none", True)
    for key, code in (
        (application, "application_reversed"),
        (back, "application_reversed"),
        (7, "application_unknown"),
    ):
        refused(business, lambda work, key=key: unapply_cash(work, [Unapply(application=key, reason="again")]), code)
    (again,) = settle(business, (receipt, invoice.id, 12_000))
    refused(business, lambda work: unapply_cash(work, [Unapply(application=again, reason=" ")]), "reason_required")
    refused(
        business, lambda work: unapply_cash(work, [Unapply(application=again, reason="x")] * 2), "application_reversed"
    )
    assert_books_agree(database)


def test_a_credit_memo_settles_invoices_of_its_customer_and_can_be_taken_back(database):
    business = a_business(database)
    wrong, other = invoiced(business)[2], invoiced(business)[2]
    memo = credited(business, wrong)
    with business.work() as work:
        given = apply_credit(
            work,
            [
                ApplyCredit(credit=memo, invoice=wrong.id, amount_minor=400),
                ApplyCredit(credit=memo, invoice=other.id, amount_minor=150),
            ],
        )
    assert opened(business, wrong.id, other.id, memo) == [11_600, 11_850, -50]
    over = ApplyCredit(credit=memo, invoice=other.id, amount_minor=51)
    refused(business, lambda work: apply_credit(work, [over]), "credit_applied_too_much")
    itself = ApplyCredit(credit=wrong.id, invoice=other.id, amount_minor=1)
    refused(business, lambda work: apply_credit(work, [itself]), "credit_unknown")
    with business.work() as work:
        unapply_credit(work, [Unapply(application=given[0], reason="belongs to the other")])
    assert opened(business, wrong.id, other.id, memo) == [12_000, 11_850, -450]
    refused(
        business, lambda work: unapply_credit(work, [Unapply(application=given[0], reason="x")]), "application_reversed"
    )
    assert_books_agree(database)


def test_a_debt_given_up_settles_the_rest_of_an_invoice_and_closes_its_order(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    settle(business, (receive(business, 11_990), invoice.id, 11_990))
    with business.work() as work:
        given_up = PostDebt(
            site=business.site, customer=business.customer, amount=Decimal("-0.10"), reason="small rest"
        )
        (journal,) = post_debts(work, [given_up], cells=OPEN)
        apply_credit(work, [ApplyCredit(credit=journal, invoice=invoice.id, amount_minor=10)])
    assert opened(business, invoice.id, journal) == [0, 0]
    with reading(database) as session:
        assert session.execute(text("SELECT state, payment_status FROM sales_order")).one() == ("closed", "done")
    assert_books_agree(database)


def test_a_returned_payment_takes_what_is_on_account_first_and_reopens_the_newest(database):
    business = a_business(database)
    first, second = invoiced(business)[2], invoiced(business)[2]
    receipt = receive(business, 20_000)
    settle(business, (receipt, first.id, 10_000))
    settle(business, (receipt, second.id, 8_000))
    with business.work() as work:
        return_receipts(
            work, [ReturnReceipt(receipt=receipt, reason="account closed", amount_minor=5_000, fee_minor=300)]
        )
    assert opened(business, first.id, second.id) == [2_000, 12_000]
    assert left(business, receipt) == (5_000, 5_000)
    with reading(database) as session:
        sums = dict(session.execute(ACCOUNTS).all())
    assert sums == {"bank": 14_700, "bank_fees": 300, "on_account": -5_000, "receivable": 14_000}
    more = ReturnReceipt(receipt=receipt, reason="again", amount_minor=15_001)
    refused(business, lambda work: return_receipts(work, [more]), "returned_too_much")
    assert_books_agree(database)
    with business.work() as work:
        return_receipts(work, [ReturnReceipt(receipt=receipt, reason="the rest")])
    assert left(business, receipt) == (0, 20_000)
    assert opened(business, first.id, second.id) == [12_000, 12_000]
    assert_books_agree(database)


def test_what_the_bank_kept_is_paid_all_the_same(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    receipt = receive(business, 12_000, fee_minor=250)
    settle(business, (receipt, invoice.id, 12_000))
    with reading(database) as session:
        sums = dict(session.execute(ACCOUNTS).all())
    assert sums == {"bank": 11_750, "bank_fees": 250, "on_account": 0, "receivable": 0}
    for fee in (-1, 12_000):
        command = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=12_000, fee_minor=fee)
        refused(business, lambda work, command=command: receive_cash(work, [command]), "fee_not_within")
    assert_books_agree(database)


def test_money_of_another_customer_or_currency_pays_nothing(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    with business.work() as work:
        (other,) = add_customers(
            work,
            [NewCustomer(entity=business.entity, code="2", name="Other", country="Germany", currency="EUR")],
        )
    memo = credited(business, invoice)
    with business.work() as work:
        (foreign,) = receive_cash(work, [ReceiveCash(entity=business.entity, customer=other.id, amount_minor=100)])
    command = ApplyCash(receipt=foreign, invoice=invoice.id, amount_minor=100)
    refused(business, lambda work: apply_cash(work, [command]), "other_customer")
    # Nobody can receive another currency than the company's yet; an invoice of one must not be paid with it all the same.
    with business.work() as work:
        work.session.execute(text("UPDATE receipt SET currency = 'USD', customer_id = :c"), {"c": business.customer})
        work.session.execute(text("UPDATE receivable SET currency = 'USD' WHERE document_id = :d"), {"d": memo})
    refused(business, lambda work: apply_cash(work, [command]), "other_currency")
    used = ApplyCredit(credit=memo, invoice=invoice.id, amount_minor=1)
    refused(business, lambda work: apply_credit(work, [used]), "other_currency")


def test_past_days_and_statements_know_what_was_taken_back_and_set_against(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    days = [business.clock.now().date()]

    def next_day():
        business.clock.advance(timedelta(days=1))
        days.append(business.clock.now().date())

    next_day()
    receipt = receive(business, 5_000)
    (application,) = settle(business, (receipt, invoice.id, 4_000))
    next_day()
    memo = credited(business, invoice)
    with business.work() as work:
        apply_credit(work, [ApplyCredit(credit=memo, invoice=invoice.id, amount_minor=500)])
    next_day()
    with business.work() as work:
        unapply_cash(work, [Unapply(application=application, reason="wrong")])
    next_day()
    with business.work() as work:
        return_receipts(work, [ReturnReceipt(receipt=receipt, reason="closed", amount_minor=1_000)])
    next_day()
    found = []
    for day in days:
        with reading(database) as session:
            page = account(session, FINANCE, business.customer, day, business.clock.now())
        found.append((sum(page.row.due_minor), page.row.credits_minor, page.row.on_account_minor))
    assert found == [
        (12_000, 0, 0), (8_000, 0, -1_000), (7_500, -100, -1_000), (11_500, -100, -5_000), (11_500, -100, -4_000),
        (11_500, -100, -4_000),
    ]  # fmt: skip
    with reading(database) as session:
        paper = statement(session, FINANCE, business.customer, since=days[0], until=days[-1], now=business.clock.now())
    assert [(one.kind, one.minor) for one in paper.movements] == [
        ("invoice", 12_000), ("receipt", -5_000), ("credit_memo", -600), ("receipt_return", 1_000),
    ]  # fmt: skip
    assert paper.closing_minor == paper.account.row.balance_minor == 7_400


def test_two_cashiers_at_the_same_invoice_settle_it_once(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    receipts = [receive(business, 12_000) for _ in range(2)]
    memo = credited(business, invoice, price="10.00", quantity=10)

    def pay(receipt):
        return lambda: settle(business, (receipt, invoice.id, 12_000))

    def set_against():
        with business.work() as work:
            return apply_credit(work, [ApplyCredit(credit=memo, invoice=invoice.id, amount_minor=12_000)])

    found = at_once(pay(receipts[0]), pay(receipts[1]), set_against)
    assert sum(isinstance(one, list) for one in found) == 1, found
    assert all(isinstance(one, list | RuleBroken) for one in found), found
    assert opened(business, invoice.id) == [0]
    assert_books_agree(database)


def test_taking_back_and_returning_at_once_happens_once_and_a_crash_leaves_nothing(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    receipt = receive(business, 12_000)
    (application,) = settle(business, (receipt, invoice.id, 12_000))
    before = fingerprint_of(database)

    def power_goes(work):
        unapply_cash(work, [Unapply(application=application, reason="wrong")])
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError), business.work() as work:
        power_goes(work)
    assert fingerprint_of(database) == before

    def take_back():
        with business.work() as work:
            unapply_cash(work, [Unapply(application=application, reason="wrong")])

    def goes_back():
        with business.work() as work:
            return_receipts(work, [ReturnReceipt(receipt=receipt, reason="closed")])

    found = at_once(take_back, goes_back, take_back)
    assert left(business, receipt) == (0, 12_000), found
    assert opened(business, invoice.id) == [12_000]
    with reading(database) as session:
        assert session.execute(text("SELECT COUNT(*) FROM receipt_application")).scalar_one() == 2
    assert_books_agree(database)


def test_an_unknown_receipt_cannot_go_back(database):
    business = a_business(database)
    with pytest.raises(NotFound, match="receipt_unknown"), business.work() as work:
        return_receipts(work, [ReturnReceipt(receipt=1, reason="closed")])
