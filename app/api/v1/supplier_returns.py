"""Goods that go back to their supplier, for programs: what waits, what was sent, and sending it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from pydantic import Field

from app.api.framework import operation
from app.api.lists import REALM, listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount, fresh, pointing
from app.api.v1.papers import PaperAnswer, paper_answer
from app.api.values import Amount, Answer, Body, Page, PageQuery, Quantity, Realm, UnitPrice
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.companies import address_at
from app.queries.places import realm_of_site
from app.queries.sending_back import (
    SUPPLIER_RETURNS,
    SupplierReturnPage,
    SupplierReturnRow,
    supplier_return_page,
    waiting_lines,
)
from app.reports.sending_back import supplier_return_paper
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.fulfilment.sending_back.services import SendBack, send_back
from erpcore.fulfilment.sending_back.settling import (
    AcceptDifference,
    TakeBackSettlement,
    TakeCredit,
    accept_difference,
    take_back_settlement,
    take_credit,
)
from erpcore.kernel.money import to_minor
from erpcore.kernel.work import UnitOfWork

TAG = "Returns"


class SupplierReturnAnswer(Answer):
    """Goods that left for their supplier: what they were worth in stock, and what is expected for them. Of that so much is credited, so
    much was accepted as a difference, and the rest is `open`; below zero where more was credited.
    """

    id: int
    number: str
    site_id: int
    supplier_id: int
    supplier: str
    note: str | None
    currency: str
    value: Amount
    expected: Amount
    credited: Amount
    accepted: Amount
    open: Amount
    sent_at: datetime


class SupplierReturnQuery(PageQuery):
    """Which documents."""

    realm: Realm | None = REALM
    text: str = part_of("the number or the supplier")
    site: Key | None = which("Only from this site.")
    supplier: Key | None = which("Only to this supplier.")
    open: bool = only("those of which something is open")


class SentLineAnswer(Answer):
    """A line of it, with the return it came with, at what the supplier asks for the item."""

    line_no: int
    item_id: int
    item: str
    quantity: Quantity
    unit_price: UnitPrice
    expected: Amount
    return_id: int


class SettlementAnswer(Answer):
    """By what the claim fell. `is_gone`: taken back, or takes the entry `reverses` back."""

    id: int
    kind: str = Field(description="`credit` or `difference`")
    paper: str | None
    paper_on: date | None
    reason: str | None
    amount: Amount
    reverses: int | None
    is_gone: bool
    settled_at: datetime


class SupplierReturnDetail(SupplierReturnAnswer):
    """One document with its lines, and by what it was settled."""

    lines: list[SentLineAnswer]
    settled: list[SettlementAnswer]


class CreditBody(Body):
    """The supplier's credit note: its number and day, and what it credits without tax, in the company's currency."""

    paper: str = Field(min_length=1, max_length=120)
    paper_on: date
    amount: Amount


class DifferenceBody(Body):
    """Why the rest is given up, or kept. `open`: what the caller saw open."""

    reason: str = Field(min_length=1, max_length=500)
    open: Amount


class TakeBackBody(Body):
    """Why the entry is taken back."""

    reason: str = Field(min_length=1, max_length=500)


class WaitingQuery(Body):
    """Where goods wait."""

    site: Key | None = which("Only at this site.")


class WaitingLineAnswer(Answer):
    """Goods set apart for their supplier, by the line of their return; `suppliers`: who sells the item, whom we ask first leading."""

    line: int
    return_id: int
    site_id: int
    item_id: int
    item: str
    quantity: Quantity
    suppliers: list[int]


class WaitingAnswer(Answer):
    """The oldest of what waits, at most 200 lines."""

    lines: list[WaitingLineAnswer]


class SendBackBody(Body):
    """These lines of returns leave the site for this supplier."""

    site: Key
    supplier: Key
    lines: list[Key] = Field(min_length=1, max_length=200)
    note: str | None = Field(default=None, max_length=500)


def _answer(row: SupplierReturnRow) -> SupplierReturnAnswer:
    return SupplierReturnAnswer(
        id=row.id, number=row.number, site_id=row.site_id, supplier_id=row.supplier_id, supplier=row.supplier, note=row.note,
        currency=row.currency, value=as_amount(row.value_minor, row.currency),
        expected=as_amount(row.expected_minor, row.currency), credited=as_amount(row.credited_minor, row.currency),
        accepted=as_amount(row.accepted_minor, row.currency), open=as_amount(row.open_minor, row.currency), sent_at=row.sent_at,
    )  # fmt: skip


def _detail(page: SupplierReturnPage) -> SupplierReturnDetail:
    return SupplierReturnDetail(
        **_answer(page.row).model_dump(),
        lines=[
            SentLineAnswer(
                line_no=one.line_no, item_id=one.item_id, item=one.code, quantity=one.quantity, unit_price=one.unit_price,
                expected=as_amount(one.expected_minor, page.row.currency), return_id=one.return_id,
            )
            for one in page.lines
        ],
        settled=[
            SettlementAnswer(
                id=one.id, kind=one.kind, paper=one.paper, paper_on=one.paper_on, reason=one.reason,
                amount=as_amount(one.amount_minor, page.row.currency), reverses=one.reverses, is_gone=one.is_gone,
                settled_at=one.settled_at,
            )
            for one in page.settled
        ],
    )  # fmt: skip


@operation(
    "GET", "/supplier-returns", permission=Permission.PURCHASE_READ, summary="List goods sent back to suppliers", tag=TAG,
    query=SupplierReturnQuery, answer=Page[SupplierReturnAnswer],
)  # fmt: skip
def list_supplier_returns(query: SupplierReturnQuery) -> Page[SupplierReturnAnswer]:
    return listed(SUPPLIER_RETURNS, query, _answer)


@operation(
    "GET", "/supplier-returns/waiting", permission=Permission.PURCHASE_READ, summary="Goods that wait for their supplier",
    tag=TAG, query=WaitingQuery, answer=WaitingAnswer,
)  # fmt: skip
def list_waiting_for_suppliers(query: WaitingQuery) -> WaitingAnswer:
    return WaitingAnswer(
        lines=[
            WaitingLineAnswer(
                line=one.id, return_id=one.return_id, site_id=one.site_id, item_id=one.item_id, item=one.code,
                quantity=one.quantity, suppliers=[seller.id for seller in one.suppliers],
            )
            for one in waiting_lines(reader(), actor(), query.site)
        ]
    )  # fmt: skip


@operation(
    "GET", "/supplier-returns/{document_id}", permission=Permission.PURCHASE_READ, summary="Goods sent back, with their lines",
    tag=TAG, answer=SupplierReturnDetail,
)  # fmt: skip
def show_supplier_return(document_id: int) -> SupplierReturnDetail:
    return _detail(supplier_return_page(reader(), actor(), document_id))


@operation(
    "GET", "/supplier-returns/{document_id}/paper", permission=Permission.PURCHASE_READ, summary="The document as a PDF",
    tag=TAG, answer=PaperAnswer,
)  # fmt: skip
def print_supplier_return(document_id: int) -> PaperAnswer:
    page = supplier_return_page(reader(), actor(), document_id)
    return paper_answer(supplier_return_paper(page, address_at(reader(), page.row.entity_id, page.row.sent_at)))


@operation(
    "POST", "/supplier-returns", permission=Permission.GOODS_SEND_BACK, summary="Send goods back to their supplier", tag=TAG,
    body=SendBackBody, answer=SupplierReturnDetail, status=201, example={"site": 1001, "supplier": 1002, "lines": [1003]},
)  # fmt: skip
def send_goods_back(work: UnitOfWork, body: SendBackBody) -> SupplierReturnDetail:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    command = SendBack(site=body.site, supplier=body.supplier, lines=body.lines, note=body.note)
    with pointing():
        made = send_back(work, command, rules=rules(), cells=cells())
    return _detail(supplier_return_page(fresh(work), work.actor, made.id))


def _after(work: UnitOfWork, document: int, act: Callable[[], object]) -> SupplierReturnDetail:
    """Settle in the realm of the document; what it is like then."""
    work.realm = supplier_return_page(work.session, work.actor, document).row.realm
    with pointing():
        act()
    return _detail(supplier_return_page(fresh(work), work.actor, document))


@operation(
    "POST", "/supplier-returns/{document_id}/credits", permission=Permission.SUPPLIER_CREDIT_TAKE,
    summary="Enter the supplier's credit note", tag=TAG, body=CreditBody, answer=SupplierReturnDetail, status=201,
    example={"paper": "CN-2026-118", "paper_on": "2026-03-02", "amount": "7.00"},
)  # fmt: skip
def take_supplier_credit(work: UnitOfWork, document_id: int, body: CreditBody) -> SupplierReturnDetail:
    command = TakeCredit(document=document_id, paper=body.paper, amount=body.amount, paper_on=body.paper_on)
    return _after(work, document_id, lambda: take_credit(work, command))


@operation(
    "POST", "/supplier-returns/{document_id}/difference", permission=Permission.DIFFERENCE_ACCEPT,
    summary="Accept what the supplier does not credit, or credits beyond", tag=TAG, body=DifferenceBody, answer=SupplierReturnDetail,
    example={"reason": "They charge a restocking fee.", "open": "1.00"},
)  # fmt: skip
def accept_supplier_difference(work: UnitOfWork, document_id: int, body: DifferenceBody) -> SupplierReturnDetail:
    currency = supplier_return_page(work.session, work.actor, document_id).row.currency
    command = AcceptDifference(document=document_id, reason=body.reason, seen=to_minor(body.open, currency))
    return _after(work, document_id, lambda: accept_difference(work, command))


@operation(
    "POST", "/supplier-returns/{document_id}/settlements/{entry_id}/take-back", permission=Permission.SUPPLIER_CREDIT_TAKE,
    summary="Take a credit note or a difference back", tag=TAG, body=TakeBackBody, answer=SupplierReturnDetail,
    example={"reason": "It credits other goods."},
)  # fmt: skip
def take_supplier_settlement_back(
    work: UnitOfWork, document_id: int, entry_id: int, body: TakeBackBody
) -> SupplierReturnDetail:
    command = TakeBackSettlement(document=document_id, entry=entry_id, reason=body.reason)
    return _after(work, document_id, lambda: take_back_settlement(work, command))
