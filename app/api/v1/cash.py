"""Receipts and credit memos for programs: what they settle, what is taken back, and what goes back to the bank."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from app.api.framework import operation
from app.api.v1.billing import TAG, ApplyBody, ReceiptAnswer, receipt_answer
from app.api.v1.numbers import as_amount, as_minor, fresh, pointing
from app.api.values import Amount, Answer, Body, Quantity, UnitPrice
from app.composition.request import reader
from app.queries.billing import MemoPage, memo_page
from app.queries.cash import Applied, ReceiptPage, receipt_page, receipt_row
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.cash_credit import ApplyCredit, apply_credit, unapply_credit
from erpcore.billing.cash_reversal import ReturnReceipt, Unapply, return_receipts, unapply_cash
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork


class ApplicationAnswer(Answer):
    """What of it settled an invoice; a negative amount takes an earlier application back. `stands`: may be taken back."""

    id: int
    invoice_id: int
    invoice: str
    amount: Amount
    applied_at: datetime
    reason: str | None
    stands: bool


class ReceiptReturnAnswer(Answer):
    """What the bank took back, and its fee."""

    amount: Amount
    fee: Amount
    reason: str
    returned_at: datetime


class ReceiptDetail(Answer):
    """A receipt with all it settled."""

    receipt: ReceiptAnswer
    fee: Amount
    returned: Amount
    owner_id: int | None
    applications: list[ApplicationAnswer]
    returns: list[ReceiptReturnAnswer]


class MemoLineAnswer(Answer):
    """So much credited; with `is_fee` so much is kept for restocking, below zero."""

    item: str
    quantity: Quantity
    unit_price: UnitPrice
    net: Amount
    tax_rate: UnitPrice | None
    is_fee: bool


class MemoAnswer(Answer):
    """A credit memo with the invoices it is set against; `left` is not applied yet."""

    id: int
    number: str | None
    reason: str
    invoice_id: int | None
    return_id: int | None
    credit_on: date
    currency: str
    gross: Amount
    left: Amount
    applications: list[ApplicationAnswer]
    lines: list[MemoLineAnswer]


class ReverseBody(Body):
    """Why it is taken back."""

    reason: str = Field(min_length=1, max_length=500)


class ReturnBody(Body):
    """What the bank took back; all of it without an amount."""

    reason: str = Field(min_length=1, max_length=500)
    amount: Amount | None = None
    fee: Amount | None = None


def _application(one: Applied, currency: str) -> ApplicationAnswer:
    return ApplicationAnswer(
        id=one.id, invoice_id=one.invoice_id, invoice=one.invoice, amount=as_amount(one.amount_minor, currency),
        applied_at=one.at, reason=one.reason, stands=one.stands,
    )  # fmt: skip


def _receipt(page: ReceiptPage) -> ReceiptDetail:
    row, code = page.row, page.row.currency
    return ReceiptDetail(
        receipt=receipt_answer(row), fee=as_amount(row.fee_minor, code), returned=as_amount(row.returned_minor, code),
        owner_id=row.owner_id, applications=[_application(one, code) for one in page.applied],
        returns=[
            ReceiptReturnAnswer(amount=as_amount(minor, code), fee=as_amount(fee, code), reason=reason, returned_at=at)
            for minor, fee, reason, at in page.returns
        ],
    )  # fmt: skip


def _memo(page: MemoPage) -> MemoAnswer:
    return MemoAnswer(
        id=page.id, number=page.number, reason=page.reason, invoice_id=page.invoice_id, return_id=page.return_id,
        credit_on=page.credit_on, currency=page.currency, gross=as_amount(page.gross_minor, page.currency),
        left=as_amount(page.left_minor, page.currency),
        lines=[
            MemoLineAnswer(
                item=line.code, quantity=line.quantity, unit_price=line.unit_price, net=as_amount(line.net_minor, page.currency),
                tax_rate=line.tax_rate, is_fee=line.is_fee,
            )
            for line in page.lines
        ],
        applications=[_application(one, page.currency) for one in page.applied],
    )  # fmt: skip


def _among(applied: list[Applied], application_id: int) -> None:
    if application_id not in {one.id for one in applied}:
        raise NotFound("application_unknown", id=application_id)


@operation(
    "GET", "/receipts/{receipt_id}", permission=Permission.INVOICE_READ, summary="One receipt and what it settled", tag=TAG,
    answer=ReceiptDetail,
)  # fmt: skip
def show_receipt_of_money(receipt_id: int) -> ReceiptDetail:
    return _receipt(receipt_page(reader(), actor(), receipt_id))


@operation(
    "POST", "/receipts/{receipt_id}/applications/{application_id}/reverse", permission=Permission.RECEIPT_APPLY,
    summary="Take an application of a receipt back: the invoice is open again", tag=TAG, body=ReverseBody,
    answer=ReceiptDetail, example={"reason": "paid another invoice"},
)  # fmt: skip
def unapply_receipt(work: UnitOfWork, receipt_id: int, application_id: int, body: ReverseBody) -> ReceiptDetail:
    page = receipt_page(work.session, work.actor, receipt_id)
    _among(page.applied, application_id)
    work.realm = page.row.realm
    unapply_cash(work, [Unapply(application=application_id, reason=body.reason)])
    return _receipt(receipt_page(fresh(work), work.actor, receipt_id))


@operation(
    "POST", "/receipts/{receipt_id}/return", permission=Permission.RECEIPT_APPLY,
    summary="Book money that the bank took back: what it had paid is open again", tag=TAG, body=ReturnBody,
    answer=ReceiptDetail, example={"reason": "account closed", "amount": "129.90", "fee": "3.00"},
)  # fmt: skip
def return_receipt(work: UnitOfWork, receipt_id: int, body: ReturnBody) -> ReceiptDetail:
    row = receipt_row(work.session, work.actor, receipt_id)
    work.realm = row.realm
    command = ReturnReceipt(
        receipt=receipt_id, reason=body.reason,
        amount_minor=None if body.amount is None else as_minor(body.amount, row.currency, "amount"),
        fee_minor=0 if body.fee is None else as_minor(body.fee, row.currency, "fee"),
    )  # fmt: skip
    return_receipts(work, [command])
    return _receipt(receipt_page(fresh(work), work.actor, receipt_id))


@operation(
    "GET", "/credit-memos/{memo_id}", permission=Permission.INVOICE_READ,
    summary="One credit memo and the invoices it is set against", tag=TAG, answer=MemoAnswer,
)  # fmt: skip
def show_memo(memo_id: int) -> MemoAnswer:
    return _memo(memo_page(reader(), actor(), memo_id))


@operation(
    "POST", "/credit-memos/{memo_id}/apply", permission=Permission.RECEIPT_APPLY,
    summary="Set a credit memo against invoices of the same customer", tag=TAG, body=ApplyBody, answer=MemoAnswer,
    example={"applications": [{"invoice": 1201, "amount": "24.00"}]},
)  # fmt: skip
def apply_memo(work: UnitOfWork, memo_id: int, body: ApplyBody) -> MemoAnswer:
    page = memo_page(work.session, work.actor, memo_id)
    work.realm = page.realm
    commands = [
        ApplyCredit(
            credit=memo_id, invoice=one.invoice,
            amount_minor=as_minor(one.amount, page.currency, f"applications/{position}/amount"),
        )
        for position, one in enumerate(body.applications)
    ]  # fmt: skip
    with pointing():
        apply_credit(work, commands)
    return _memo(memo_page(fresh(work), work.actor, memo_id))


@operation(
    "POST", "/credit-memos/{memo_id}/applications/{application_id}/reverse", permission=Permission.RECEIPT_APPLY,
    summary="Take an application of a credit memo back: both are open again", tag=TAG, body=ReverseBody, answer=MemoAnswer,
    example={"reason": "belongs to the other invoice"},
)  # fmt: skip
def unapply_memo(work: UnitOfWork, memo_id: int, application_id: int, body: ReverseBody) -> MemoAnswer:
    page = memo_page(work.session, work.actor, memo_id)
    _among(page.applied, application_id)
    work.realm = page.realm
    unapply_credit(work, [Unapply(application=application_id, reason=body.reason)])
    return _memo(memo_page(fresh(work), work.actor, memo_id))
