"""Invoices and receipts for programs, through the services that screens use."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated

from pydantic import Field, model_validator

from app.api.companies import in_company
from app.api.framework import check_version, operation
from app.api.lists import REALM, OneOf, asked_of, listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount, as_minor, fresh, pointing
from app.api.values import Amount, Answer, Body, Page, PageQuery, Quantity, Realm, UnitPrice
from app.composition.request import reader
from app.composition.short_pays import Short, name_rests
from app.composition.trading import cells, rules
from app.queries.billing import InvoicePage, InvoiceRow, invoice_head, invoice_page
from app.queries.billing_lists import BILLED, INVOICES, LANES, MEMOS, SHIPPED, MemoRow
from app.queries.cash import RECEIPTS, ReceiptRow, receipt_row
from app.queries.order_detail import shipment_place
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash
from erpcore.billing.cash_typed import RecordReceipt, record_receipt
from erpcore.billing.checking import DOUBTS
from erpcore.billing.rechecking import recheck_invoices
from erpcore.billing.services import draft_invoices, post_invoices, unblock_invoices
from erpcore.fulfilment.records import lock_shipments
from erpcore.kernel.work import UnitOfWork

TAG = "Billing"


class InvoiceAnswer(Answer):
    """One invoice of a list. In the lanes `waiting` and `due` it is a shipment that has none yet: `id` is the shipment's, `gross` null, `version` its own."""

    id: int
    number: str | None
    order_id: int
    state: str
    customer: str
    site: str
    due_on: date | None
    currency: str
    gross: Amount | None
    open: Amount | None
    version: int


class InvoiceLineAnswer(Answer):
    """A line, at the price charged."""

    order_line: int
    item: str
    quantity: Quantity
    unit_price: UnitPrice
    net: Amount
    tax_rate: UnitPrice | None
    tax_code: str = Field(description="the tax rule it is stamped with, empty before there were any")
    tax_sentence: str


class FindingAnswer(Answer):
    """One doubt: `code` is one of tax, price, quantity, address, duplicate, amount."""

    code: str
    sentence: str
    way_out: str


class ReleaseBody(Body):
    """Why a doubtful invoice is right all the same, and the tax rule that lines bear whose tax is unknown."""

    reason: str = Field(min_length=1, max_length=500)
    tax_rule: Key | None = None


class InvoiceDetail(Answer):
    """One invoice with its lines. `exact_net` has six places; what is posted is the sum of rounded lines."""

    id: int
    number: str | None
    order_id: int
    also_orders: list[int] = Field(description="the other orders that a collective invoice bills")
    state: str
    block_reason: str | None
    findings: list[FindingAnswer] = Field(description="what is doubtful; of one that was released, what was")
    posted_at: datetime | None
    due_on: date | None
    currency: str
    net: Amount
    tax: Amount
    gross: Amount
    exact_net: UnitPrice
    open: Amount | None
    is_price_right: bool
    is_tax_determined: bool
    version: int
    lines: list[InvoiceLineAnswer]


class InvoiceQuery(PageQuery):
    """Which invoices: by `lane`, or as before by `state`, which knows only the words of invoices."""

    realm: Realm | None = REALM
    lane: Annotated[str | None, OneOf(LANES)] = which(
        "`due`: shipments that are to be billed; `waiting`: those that are not due yet."
    )
    state: Annotated[str | None, OneOf(BILLED)] = None
    doubt: Annotated[str | None, OneOf(DOUBTS)] = which("Only those that are not posted and have this doubt.")
    overdue: bool = only("those past their day and not paid in full")
    text: str = part_of("the number, the order, the customer's name or code")
    site: Key | None = which("Only invoices of this site.")

    @model_validator(mode="after")
    def _says_one(self) -> InvoiceQuery:
        if self.lane and self.state:
            raise ValueError("`lane` and `state` are the same; send one of them")
        return self


class ReceiptAnswer(Answer):
    """Money that came in; `left` is not applied yet."""

    id: int
    number: str
    reference: str | None
    customer_id: int
    entity_id: int
    currency: str
    amount: Amount
    left: Amount
    received_at: datetime


class ReceiptQuery(PageQuery):
    """Which receipts."""

    realm: Realm | None = REALM
    unapplied: bool = only("those with money that is not applied yet")
    text: str = part_of("the number, the reference, the customer's name or code")


class ReceiptBody(Body):
    """Money that came in from a customer."""

    entity: Key
    customer: Key
    amount: Amount
    fee: Amount | None = Field(None, description="Of the amount the bank kept so much.")
    reference: str | None = Field(None, max_length=120)
    again: str | None = Field(
        None,
        max_length=300,
        description="Why it is another payment though one of the same day, amount and reference is there.",
    )


class ApplicationBody(Body):
    """So much of an invoice is settled."""

    invoice: Key
    amount: Amount


class PaidBody(ApplicationBody):
    """So much of an invoice is settled; with `short` what is left of it becomes a deduction for that reason, empty: unknown."""

    short: str | None = Field(None, max_length=32)
    note: str = Field("", max_length=2000)


class PayBody(Body):
    """Which invoices the receipt settles, and why it does not settle them whole."""

    applications: list[PaidBody] = Field(min_length=1, max_length=200)


class ApplyBody(Body):
    """Which invoices the credit settles."""

    applications: list[ApplicationBody] = Field(min_length=1, max_length=200)


def _answer(work: UnitOfWork, invoice_id: int) -> InvoiceDetail:
    return _detail(invoice_page(fresh(work), work.actor, invoice_id, whole=False))


def _detail(page: InvoicePage) -> InvoiceDetail:
    code = page.currency
    return InvoiceDetail(
        id=page.id, number=page.number, order_id=page.order_id,
        also_orders=sorted({key for key, _, _ in page.also} - {page.order_id}), state=page.state, block_reason=page.block_reason,
        findings=[FindingAnswer(code=one.code, sentence=one.sentence, way_out=one.way_out) for one in page.findings],
        posted_at=page.posted_at, due_on=page.due_on, currency=code, net=as_amount(page.net_minor, code),
        tax=as_amount(page.tax_minor, code), gross=as_amount(page.gross_minor, code), exact_net=page.exact,
        open=None if page.open_minor is None else as_amount(page.open_minor, code), is_price_right=page.is_price_right,
        is_tax_determined=page.is_tax_determined, version=page.version,
        lines=[
            InvoiceLineAnswer(
                order_line=line.order_line, item=line.code, quantity=line.quantity, unit_price=line.unit_price,
                net=as_amount(line.net_minor, code), tax_rate=line.tax_rate,
                tax_code=line.tax_code, tax_sentence=line.tax_sentence,
            )
            for line in page.lines
        ],
    )  # fmt: skip


def receipt_answer(row: ReceiptRow) -> ReceiptAnswer:
    """One receipt as programs read it."""
    return ReceiptAnswer(
        id=row.id, number=row.number, reference=row.reference, customer_id=row.customer_id, entity_id=row.entity_id,
        currency=row.currency, amount=as_amount(row.amount_minor, row.currency),
        left=as_amount(row.left_minor, row.currency), received_at=row.received_at,
    )  # fmt: skip


@operation(
    "GET", "/invoices", permission=Permission.INVOICE_READ, summary="List invoices", tag=TAG, query=InvoiceQuery,
    answer=Page[InvoiceAnswer],
)  # fmt: skip
def list_invoices(query: InvoiceQuery) -> Page[InvoiceAnswer]:
    asked = asked_of(query)
    values = {"lane" if name == "state" else name: value for name, value in asked.values.items()}
    return listed(INVOICES, query, _listed, asked=replace(asked, values=values))


def _listed(row: InvoiceRow) -> InvoiceAnswer:
    gross, rest = (
        None if minor is None else as_amount(minor, row.currency) for minor in (row.gross_minor, row.open_minor)
    )
    return InvoiceAnswer(
        id=row.id, number=row.number if row.state in ("posted", *SHIPPED) else None, order_id=row.order_id, state=row.state,
        customer=row.customer, site=row.site, due_on=row.due_on, currency=row.currency, gross=gross, open=rest,
        version=row.version,
    )  # fmt: skip


class MemoAnswer(Answer):
    """One credit memo of a list: money given back. `unlinked` says why no sale stands behind it."""

    id: int
    number: str
    customer: str
    site: str
    reason: str
    fault: str
    unlinked: str | None
    credit_on: date
    currency: str
    gross: Amount


class MemoQuery(PageQuery):
    """Which credit memos."""

    realm: Realm = "live"
    fault: Annotated[str | None, OneOf(("ours", "customer", "carrier"))] = which("Only those for this one's fault.")
    text: str = part_of("the number, the customer's name or code")
    site: Key | None = which("Only those of this site.")


@operation(
    "GET", "/credit-memos", permission=Permission.INVOICE_READ, summary="List credit memos", tag=TAG, query=MemoQuery,
    answer=Page[MemoAnswer],
)  # fmt: skip
def list_credit_memos(query: MemoQuery) -> Page[MemoAnswer]:
    return listed(MEMOS, query, _memo)


def _memo(row: MemoRow) -> MemoAnswer:
    own = {name: getattr(row, name) for name in MemoAnswer.model_fields if name != "gross"}
    return MemoAnswer(gross=as_amount(row.gross_minor, row.currency), **own)


@operation(
    "GET",
    "/invoices/{invoice_id}",
    permission=Permission.INVOICE_READ,
    summary="One invoice",
    tag=TAG,
    answer=InvoiceDetail,
)
def show_invoice(invoice_id: int) -> InvoiceDetail:
    return _detail(invoice_page(reader(), actor(), invoice_id, whole=False))


@operation(
    "POST", "/shipments/{shipment_id}/invoice", permission=Permission.INVOICE_DRAFT, summary="Draft the invoice of a shipment",
    tag=TAG, answer=InvoiceDetail, status=201,
)  # fmt: skip
def draft_invoice(work: UnitOfWork, shipment_id: int) -> InvoiceDetail:
    _, work.realm = shipment_place(work.session, work.actor, shipment_id)
    draft_invoices(work, [shipment_id], cells=cells(), rules=rules())
    (shipment,) = lock_shipments(work, [shipment_id])
    return _answer(work, shipment.invoice_id or 0)


@operation(
    "POST", "/invoices/{invoice_id}/post", permission=Permission.INVOICE_POST,
    summary="Post an invoice; it gets its legal number at the commit, so read it again for the number", tag=TAG,
    answer=InvoiceDetail, versioned=True,
)  # fmt: skip
def post_invoice(work: UnitOfWork, invoice_id: int, version: int) -> InvoiceDetail:
    head = invoice_head(work.session, work.actor, invoice_id)
    check_version(version, head.version)
    work.realm = head.realm
    post_invoices(work, [invoice_id], cells=cells())
    return _answer(work, invoice_id)


@operation(
    "POST", "/invoices/{invoice_id}/recheck", permission=Permission.INVOICE_DRAFT,
    summary="Look at a doubtful invoice anew", tag=TAG, answer=InvoiceDetail, versioned=True,
)  # fmt: skip
def recheck_invoice(work: UnitOfWork, invoice_id: int, version: int) -> InvoiceDetail:
    head = invoice_head(work.session, work.actor, invoice_id)
    check_version(version, head.version)
    work.realm = head.realm
    recheck_invoices(work, [invoice_id], rules=rules())
    return _answer(work, invoice_id)


@operation(
    "POST", "/invoices/{invoice_id}/release", permission=Permission.INVOICE_UNBLOCK,
    summary="Release a doubtful invoice for posting", tag=TAG, body=ReleaseBody, answer=InvoiceDetail, versioned=True,
    example={"reason": "Agreed with the customer on 2 March"},
)  # fmt: skip
def release_invoice(work: UnitOfWork, invoice_id: int, body: ReleaseBody, version: int) -> InvoiceDetail:
    head = invoice_head(work.session, work.actor, invoice_id)
    check_version(version, head.version)
    work.realm = head.realm
    with pointing():
        unblock_invoices(work, [invoice_id], body.reason, tax_rule=body.tax_rule)
    return _answer(work, invoice_id)


@operation(
    "GET", "/receipts", permission=Permission.INVOICE_READ, summary="List receipts", tag=TAG, query=ReceiptQuery,
    answer=Page[ReceiptAnswer],
)  # fmt: skip
def list_receipts(query: ReceiptQuery) -> Page[ReceiptAnswer]:
    return listed(RECEIPTS, query, receipt_answer)


@operation(
    "POST", "/receipts", permission=Permission.RECEIPT_TAKE, summary="Record a receipt", tag=TAG, body=ReceiptBody,
    answer=ReceiptAnswer, status=201, example={"entity": 1000, "customer": 1003, "amount": "129.90"},
)  # fmt: skip
def take_receipt(work: UnitOfWork, body: ReceiptBody) -> ReceiptAnswer:
    entity = in_company(work, body.entity)
    command = ReceiveCash(
        entity=body.entity, customer=body.customer, amount_minor=as_minor(body.amount, entity.currency, "amount"),
        fee_minor=0 if body.fee is None else as_minor(body.fee, entity.currency, "fee"), reference=body.reference,
    )  # fmt: skip
    receipt = record_receipt(work, RecordReceipt(receipt=command, again=body.again))
    return receipt_answer(receipt_row(fresh(work), work.actor, receipt))


@operation(
    "POST", "/receipts/{receipt_id}/apply", permission=Permission.RECEIPT_APPLY, summary="Settle invoices out of a receipt",
    tag=TAG, body=PayBody, answer=ReceiptAnswer, example={"applications": [{"invoice": 1201, "amount": "129.90"}]},
)  # fmt: skip
def apply_receipt(work: UnitOfWork, receipt_id: int, body: PayBody) -> ReceiptAnswer:
    row = receipt_row(work.session, work.actor, receipt_id)
    work.realm = row.realm
    commands = [
        ApplyCash(
            receipt=receipt_id, invoice=one.invoice,
            amount_minor=as_minor(one.amount, row.currency, f"applications/{position}/amount"),
        )
        for position, one in enumerate(body.applications)
    ]  # fmt: skip
    with pointing():
        apply_cash(work, commands)
    name_rests(
        work, receipt_id,
        {one.invoice: Short(one.short, one.note) for one in body.applications if one.short is not None},
    )  # fmt: skip
    return receipt_answer(receipt_row(fresh(work), work.actor, receipt_id))
