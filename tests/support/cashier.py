"""People at the cash desk who do legal and illegal things with money, in any order; after each, the books prove themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from app.composition.uow import connect, reading
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.cash_credit import ApplyCredit, apply_credit, unapply_credit
from erpcore.billing.cash_reversal import ReturnReceipt, Unapply, return_receipts, unapply_cash
from erpcore.billing.credits import CreditInvoice, credit_invoices
from erpcore.billing.debts import PostDebt, post_debts
from erpcore.billing.dispute_settling import CreditLine, Settle, settle_dispute, settle_write_off
from erpcore.billing.disputing import Deduct, Object, name_deductions, open_disputes
from erpcore.kernel.errors import DomainError
from erpcore.ports import BY_PERMISSION
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.steps import invoiced
from tests.support.trader import PEOPLE, fingerprint_of
from tests.support.walking import move

WHO, NUMBER = range(3), range(6)
AMOUNTS = (1, 500, 2_400, 12_000, 0, -1, 30_000)

#: What must never be, and the rows that would be it.
NEVER = {
    "a receipt is spent twice": "SELECT id FROM receipt WHERE left_minor < 0 OR left_minor + returned_minor > amount_minor",
    "an application is taken back twice":
        "SELECT reverses_id FROM receipt_application WHERE reverses_id IS NOT NULL GROUP BY 1 HAVING COUNT(*) > 1",
    "an invoice is paid more than it costs": "SELECT document_id FROM receivable WHERE document_type = 'invoice' AND open_minor < 0",
    "more is disputed than is open":
        "SELECT d.invoice_id FROM dispute d JOIN receivable r ON r.document_id = d.invoice_id "
        "GROUP BY d.invoice_id, r.open_minor HAVING SUM(d.open_minor) > r.open_minor",
    "an order is paid that owes something":
        "SELECT o.id FROM sales_order o JOIN invoice i ON i.order_id = o.id JOIN receivable r ON r.document_id = i.id "
        "WHERE o.payment_status = 'done' AND r.open_minor <> 0",
}  # fmt: skip


class Cashier:
    """One small business with a customer who has some invoices. ``make_url`` is set by the test."""

    make_url: Callable[[], str]
    done = refused = 0
    succeeded: Counter[str]
    doing = "begin"

    def __init__(self) -> None:
        self.database = connect(type(self).make_url())
        self.business = a_business(self.database, items=1, stock=1_000)
        type(self).succeeded = Counter()

    def begin(self) -> None:
        """Three invoices are there."""
        for quantity in (10, 2, 5):
            invoiced(self.business, [(0, quantity)])
        self.prove()

    def end(self) -> None:
        self.database.dispose()

    def ids(self, sql: str) -> list[int]:
        with reading(self.database) as session:
            return [row[0] for row in session.execute(text(sql))]

    def one(self, sql: str, number: int) -> int | None:
        found = self.ids(sql)
        return found[number % len(found)] if found else None

    def attempt(self, who: int, act: Callable[[Any], Any]) -> Any:
        """Do it in a unit of work of its own; when it is refused, nothing may have changed."""
        try:
            with self.business.work(actor=PEOPLE[who]) as work:
                result = act(work)
        except DomainError:
            type(self).refused += 1
            assert fingerprint_of(self.database) == self._fingerprint, "a refused move left something behind"
            return None
        type(self).done += 1
        type(self).succeeded[self.doing] += 1
        return result

    @move(quantity=(1, 3))
    def bill(self, quantity: int) -> None:
        invoiced(self.business, [(0, quantity)])

    @move(often=2, who=WHO, minor=AMOUNTS, fee=(0, 0, 5, 600))
    def receive(self, who: int, minor: int, fee: int) -> None:
        command = ReceiveCash(
            entity=self.business.entity, customer=self.business.customer, amount_minor=minor, fee_minor=fee
        )
        self.attempt(who, lambda work: receive_cash(work, [command]))

    @move(often=4, who=WHO, receipt=NUMBER, invoice=NUMBER, minor=AMOUNTS)
    def apply(self, who: int, receipt: int, invoice: int, minor: int) -> None:
        money, bill = self.one("SELECT id FROM receipt ORDER BY id", receipt), self.one(_INVOICES, invoice)
        if money and bill:
            command = ApplyCash(receipt=money, invoice=bill, amount_minor=minor)
            self.attempt(who, lambda work: apply_cash(work, [command]))

    @move(often=2, who=WHO, number=NUMBER)
    def take_back(self, who: int, number: int) -> None:
        found = self.one("SELECT id FROM receipt_application ORDER BY id DESC", number)
        if found:
            self.attempt(who, lambda work: unapply_cash(work, [Unapply(application=found, reason="wrong invoice")]))

    @move(often=2, who=WHO, number=NUMBER, minor=(None, 1, 2_400, 99_999), fee=(0, 300))
    def goes_back(self, who: int, number: int, minor: int | None, fee: int) -> None:
        found = self.one("SELECT id FROM receipt ORDER BY id", number)
        if found:
            command = ReturnReceipt(receipt=found, reason="account closed", amount_minor=minor, fee_minor=fee)
            self.attempt(who, lambda work: return_receipts(work, [command]))

    @move(who=WHO, number=NUMBER, price=("1.00", "4.00", "11.00"))
    def credit(self, who: int, number: int, price: str) -> None:
        bill = self.one(_INVOICES, number)
        if bill is None:
            return
        (line,) = self.ids(f"SELECT order_line_id FROM invoice_line WHERE invoice_id = {bill}")  # a number
        command = CreditInvoice(
            invoice=bill, order_line=line, quantity=Decimal(1), unit_price=Decimal(price), reason="dented", fault="ours"
        )
        self.attempt(who, lambda work: credit_invoices(work, [command]))

    @move(who=WHO, amount=("-0.10", "-5.00", "3.00"))
    def give_up(self, who: int, amount: str) -> None:
        command = PostDebt(
            site=self.business.site, customer=self.business.customer, amount=Decimal(amount), reason="rest"
        )
        self.attempt(who, lambda work: post_debts(work, [command], cells=OPEN))

    @move(often=3, who=WHO, credit=NUMBER, invoice=NUMBER, minor=(1, 10, 120, 600, 0))
    def set_against(self, who: int, credit: int, invoice: int, minor: int) -> None:
        found = self.one("SELECT document_id FROM receivable WHERE document_type <> 'invoice' ORDER BY 1", credit)
        bill = self.one(_INVOICES, invoice)
        if found and bill:
            command = ApplyCredit(credit=found, invoice=bill, amount_minor=minor)
            self.attempt(who, lambda work: apply_credit(work, [command]))

    @move(who=WHO, number=NUMBER)
    def take_credit_back(self, who: int, number: int) -> None:
        found = self.one("SELECT id FROM credit_application ORDER BY id DESC", number)
        if found:
            self.attempt(who, lambda work: unapply_credit(work, [Unapply(application=found, reason="the other one")]))

    @move(often=3, who=WHO, number=NUMBER, minor=(None, 1, 120, 2_400, 99_999, 0), reason=("", "damaged", "weather"))
    def name_short(self, who: int, number: int, minor: int | None, reason: str) -> None:
        found = self.one("SELECT id FROM receipt_application ORDER BY id DESC", number)
        if found:
            command = Deduct(application=found, reason=reason, amount_minor=minor)
            self.attempt(who, lambda work: name_deductions(work, [command], rules=RULES, cells=OPEN))

    @move(often=2, who=WHO, number=NUMBER, minor=(1, 600, 2_400, 99_999))
    def object_to(self, who: int, number: int, minor: int) -> None:
        bill = self.one(_INVOICES, number)
        if bill:
            command = Object(invoice=bill, amount_minor=minor, reason="price", note="too dear")
            self.attempt(who, lambda work: open_disputes(work, [command]))

    @move(often=4, who=WHO, number=NUMBER, rebill=(0, 1, 700), write_off=(0, 90, 1_200), pieces=(0, 1, 2))
    def settle_difference(self, who: int, number: int, rebill: int, write_off: int, pieces: int) -> None:
        found = self.one("SELECT id FROM dispute WHERE open_minor > 0 ORDER BY id", number)
        if not found:
            return
        (line,) = self.ids(
            f"SELECT l.order_line_id FROM invoice_line l JOIN dispute d ON d.invoice_id = l.invoice_id WHERE d.id = {found}"
        )
        credit = [CreditLine(order_line=line, quantity=Decimal(pieces))] if pieces else []
        command = Settle(
            dispute=found, credit=credit, rebill_minor=rebill, write_off_minor=write_off, reason="looked at it"
        )
        self.attempt(who, lambda work: settle_dispute(work, command, rules=RULES, cells=OPEN, authority=BY_PERMISSION))

    @move(often=2, who=WHO, number=NUMBER, agreed=(True, False))
    def decide_on_difference(self, who: int, number: int, agreed: bool) -> None:
        found = self.one("SELECT id FROM dispute WHERE state = 'waiting' ORDER BY id", number)
        if found:
            self.attempt(who, lambda work: settle_write_off(work, found, approved=agreed, note="so be it", cells=OPEN))

    def prove(self) -> None:
        """The books prove themselves."""
        assert_books_agree(self.database)
        for what, sql in NEVER.items():
            assert self.ids(sql) == [], what
        self._fingerprint = fingerprint_of(self.database)


_INVOICES = "SELECT id FROM invoice WHERE state = 'posted' ORDER BY id"
