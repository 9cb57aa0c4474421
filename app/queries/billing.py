"""What is to be billed, what is billed, what is owed and what was paid? Kept to the sites that somebody sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.cash import Applied, OpenInvoice, applied, open_invoices
from app.queries.order_detail import steps_of
from app.queries.order_facts import Step
from app.queries.taxes import stamps
from erpcore.billing.checking import Finding, read
from erpcore.billing.models import (
    CreditApplication,
    CreditMemo,
    CreditMemoLine,
    DebtJournal,
    Invoice,
    InvoiceLine,
    Receipt,
    ReceiptApplication,
)
from erpcore.credit.models import Receivable
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.ledger.models import JournalEntry
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.orders.models import OrderLine, SalesOrder


@dataclass(frozen=True, kw_only=True)
class InvoiceRow:
    """An invoice, or a shipment that is due to be billed (``id`` is then the shipment's, and nothing is posted)."""

    id: int
    number: str
    order_id: int
    order: str
    customer: str
    site: str
    state: str
    note: str | None
    at: datetime | None
    due_on: date | None
    currency: str
    gross_minor: int | None
    open_minor: int | None
    version: int


@dataclass(frozen=True, kw_only=True)
class InvoiceLineFact:
    order_line: int
    line_no: int
    code: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    order_price: Decimal
    net_minor: int
    tax_rate: Decimal | None
    tax_code: str
    tax_sentence: str


@dataclass(frozen=True, kw_only=True)
class InvoicePage:
    """One invoice. ``also``: what else it bills, as (order id, order, shipment)."""

    id: int
    number: str | None
    state: str
    block_reason: str | None
    findings: list[Finding]
    realm: str
    site_id: int
    site: str
    entity_id: int
    customer_id: int
    customer: str
    order_id: int
    order: str
    shipment: str
    also: list[tuple[int, str, str]]
    drafted_at: datetime
    posted_at: datetime | None
    invoice_on: date | None
    due_on: date | None
    currency: str
    net_minor: int
    tax_minor: int
    gross_minor: int
    exact: Decimal
    open_minor: int | None
    is_price_right: bool
    is_tax_determined: bool
    version: int
    lines: list[InvoiceLineFact]
    payments: list[tuple[int, str, int, datetime]] = field(default_factory=list)
    credits: list[tuple[int, str | None, str, int, datetime]] = field(default_factory=list)
    memos: list[tuple[int, str, str, int, datetime]] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class MemoLine:
    """So much credited; ``is_fee``: so much of it is kept, below zero."""

    code: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    net_minor: int
    tax_rate: Decimal | None
    is_fee: bool


@dataclass(frozen=True, kw_only=True)
class MemoPage:
    id: int
    number: str | None
    realm: str
    site: str
    customer: str
    invoice_id: int | None
    invoice: str | None
    return_id: int | None
    reason: str
    fault: str
    unlinked: str | None
    posted_at: datetime
    credit_on: date
    currency: str
    net_minor: int
    tax_minor: int
    gross_minor: int
    left_minor: int
    applied: list[Applied]
    open_invoices: list[OpenInvoice]
    entries: list[int]
    lines: list[MemoLine]


def row_columns() -> Any:
    """An invoice with what a list shows of it."""
    return select(
        Invoice, SalesOrder.number.label("order"), Customer.name.label("customer"), Site.name.label("site"),
        Receivable.open_minor,
    )  # fmt: skip


def invoice_row(row: Any) -> InvoiceRow:
    """A row of ``row_columns``."""
    invoice: Invoice = row.Invoice
    return InvoiceRow(
        id=invoice.id, number=invoice.number or "draft", order_id=invoice.order_id, order=row.order, customer=row.customer,
        site=row.site, state=invoice.state, note=invoice.block_reason if invoice.state == "blocked" else None,
        at=invoice.posted_at or invoice.drafted_at, due_on=invoice.due_on, currency=invoice.currency,
        gross_minor=invoice.gross_minor, open_minor=row.open_minor, version=invoice.version,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class InvoiceHead:
    """What a change of an invoice must know before it happens."""

    version: int
    realm: str


def invoice_head(session: Session, actor: Actor, invoice_id: int) -> InvoiceHead:
    """Version and realm of one invoice; raises ``NotFound`` as ``invoice_page`` does."""
    row = session.execute(
        select(Invoice.site_id, Invoice.version, Entity.realm)
        .join(Entity, Entity.id == Invoice.entity_id)
        .where(Invoice.id == invoice_id)
    ).one_or_none()
    if row is None or (actor.sites is not None and row.site_id not in actor.sites):
        raise NotFound("invoice_unknown", id=invoice_id)
    return InvoiceHead(version=row.version, realm=row.realm)


def invoice_page(session: Session, actor: Actor, invoice_id: int, *, whole: bool = True) -> InvoicePage:
    """One invoice; raises ``NotFound`` for an unknown one and for another site's. Not ``whole``: without what became of it."""
    row = session.execute(
        select(Invoice, Customer.name.label("customer"), Site.name.label("site"), Entity.realm,
               SalesOrder.number.label("order"), Shipment.number.label("shipment"), Receivable.open_minor)
        .join(Customer, Customer.id == Invoice.customer_id)
        .join(Site, Site.id == Invoice.site_id)
        .join(Entity, Entity.id == Invoice.entity_id)
        .join(SalesOrder, SalesOrder.id == Invoice.order_id)
        .join(Shipment, Shipment.id == Invoice.shipment_id)
        .join(Receivable, Receivable.document_id == Invoice.id, isouter=True)
        .where(Invoice.id == invoice_id)
    ).one_or_none()  # fmt: skip
    if row is None or (actor.sites is not None and row.Invoice.site_id not in actor.sites):
        raise NotFound("invoice_unknown", id=invoice_id)
    invoice: Invoice = row.Invoice
    return InvoicePage(
        id=invoice.id, number=invoice.number, state=invoice.state, block_reason=invoice.block_reason, findings=read(invoice.findings),
        realm=row.realm, site_id=invoice.site_id, site=row.site, entity_id=invoice.entity_id,
        customer_id=invoice.customer_id, customer=row.customer, order_id=invoice.order_id, order=row.order,
        shipment=row.shipment, also=_also(session, invoice), drafted_at=invoice.drafted_at, posted_at=invoice.posted_at, invoice_on=invoice.invoice_on,
        due_on=invoice.due_on, currency=invoice.currency, net_minor=invoice.net_minor, tax_minor=invoice.tax_minor,
        gross_minor=invoice.gross_minor, exact=invoice.exact, open_minor=row.open_minor,
        is_price_right=invoice.is_price_right, is_tax_determined=invoice.is_tax_determined, version=invoice.version,
        lines=_lines(session, invoice_id), **(_since(session, invoice_id) if whole else {}),
    )  # fmt: skip


def _since(session: Session, invoice_id: int) -> dict[str, Any]:
    """What became of an invoice: payments, credits, memos, entries and steps."""
    payments = session.execute(
        select(Receipt.id, Receipt.number, ReceiptApplication.amount_minor, ReceiptApplication.applied_at)
        .join(Receipt, Receipt.id == ReceiptApplication.receipt_id)
        .where(ReceiptApplication.invoice_id == invoice_id)
        .order_by(ReceiptApplication.id)
    )
    used = session.execute(
        select(
            CreditApplication.credit_id, CreditMemo.number, DebtJournal.number, CreditApplication.amount_minor,
            CreditApplication.applied_at,
        )
        .outerjoin(CreditMemo, CreditMemo.id == CreditApplication.credit_id)
        .outerjoin(DebtJournal, DebtJournal.id == CreditApplication.credit_id)
        .where(CreditApplication.invoice_id == invoice_id)
        .order_by(CreditApplication.id)
    )  # fmt: skip
    memos = session.execute(
        select(CreditMemo.id, CreditMemo.number, CreditMemo.reason, CreditMemo.gross_minor, CreditMemo.posted_at)
        .where(CreditMemo.invoice_id == invoice_id)
        .order_by(CreditMemo.id)
    )
    return {
        "payments": [(p[0], p[1], p[2], p[3]) for p in payments],
        "credits": [(c[0], c[1], c[2] or "", c[3], c[4]) for c in used],
        "memos": [(m.id, m.number or "", m.reason, m.gross_minor, m.posted_at) for m in memos],
        "entries": _entries(session, "invoice", invoice_id),
        "steps": steps_of(session, {"invoice": [invoice_id]}),
    }


def _also(session: Session, invoice: Invoice) -> list[tuple[int, str, str]]:
    if invoice.bill_with is None:
        return []
    rows = session.execute(
        select(SalesOrder.id, SalesOrder.number, Shipment.number.label("shipment"))
        .join(SalesOrder, SalesOrder.id == Shipment.order_id)
        .where(
            Shipment.bill_with == invoice.bill_with,
            Shipment.invoice_id == invoice.id,
            Shipment.id != invoice.shipment_id,
        )
        .order_by(Shipment.id)
    )
    return [(row.id, row.number, row.shipment) for row in rows]


def _lines(session: Session, invoice_id: int) -> list[InvoiceLineFact]:
    rows = session.execute(
        select(
            InvoiceLine, OrderLine.line_no, OrderLine.unit_price.label("order_price"), Item.code, Item.name, Item.unit
        )
        .join(OrderLine, OrderLine.id == InvoiceLine.order_line_id)
        .join(Item, Item.id == InvoiceLine.item_id)
        .where(InvoiceLine.invoice_id == invoice_id)
        .order_by(OrderLine.order_id, OrderLine.line_no)
    )
    found = rows.all()
    lines = [row.InvoiceLine for row in found]
    stamped = stamps(
        session, {one.tax_rule_id for one in lines if one.tax_rule_id},
        {one.tax_exemption_id for one in lines if one.tax_exemption_id},
    )  # fmt: skip

    def said(line: InvoiceLine) -> tuple[str, str]:
        key = ("exemption", line.tax_exemption_id) if line.tax_exemption_id else ("rule", line.tax_rule_id or 0)
        return stamped.get(key, ("", ""))

    return [
        InvoiceLineFact(
            order_line=row.InvoiceLine.order_line_id, line_no=row.line_no, code=row.code, name=row.name, unit=row.unit,
            quantity=row.InvoiceLine.quantity, unit_price=row.InvoiceLine.unit_price, order_price=row.order_price,
            net_minor=row.InvoiceLine.net_minor, tax_rate=row.InvoiceLine.tax_rate,
            tax_code=said(row.InvoiceLine)[0], tax_sentence=said(row.InvoiceLine)[1],
        )
        for row in found
    ]  # fmt: skip


def _entries(session: Session, kind: str, document: int) -> list[int]:
    query = select(JournalEntry.id).where(JournalEntry.document_type == kind, JournalEntry.document_id == document)
    return list(session.scalars(query.order_by(JournalEntry.id)))


def _memo_lines(session: Session, memo_id: int) -> list[MemoLine]:
    query = (
        select(CreditMemoLine, Item.code, Item.name, Item.unit)
        .join(Item, Item.id == CreditMemoLine.item_id)
        .where(CreditMemoLine.credit_memo_id == memo_id)
        .order_by(CreditMemoLine.line_no)
    )
    return [
        MemoLine(
            code=row.code, name=row.name, unit=row.unit, quantity=row.CreditMemoLine.quantity,
            unit_price=row.CreditMemoLine.unit_price, net_minor=row.CreditMemoLine.net_minor,
            tax_rate=row.CreditMemoLine.tax_rate, is_fee=row.CreditMemoLine.is_fee,
        )
        for row in session.execute(query)
    ]  # fmt: skip


def memo_page(session: Session, actor: Actor, memo_id: int) -> MemoPage:
    """One credit memo; raises ``NotFound`` for an unknown one and for another site's."""
    row = session.execute(
        select(CreditMemo, Customer.name.label("customer"), Site.name.label("site"), Entity.realm,
               Invoice.number.label("invoice"), Receivable.open_minor)
        .join(Customer, Customer.id == CreditMemo.customer_id)
        .join(Site, Site.id == CreditMemo.site_id)
        .join(Entity, Entity.id == CreditMemo.entity_id)
        .join(Invoice, Invoice.id == CreditMemo.invoice_id, isouter=True)
        .join(Receivable, Receivable.document_id == CreditMemo.id, isouter=True)
        .where(CreditMemo.id == memo_id)
    ).one_or_none()  # fmt: skip
    if row is None or (actor.sites is not None and row.CreditMemo.site_id not in actor.sites):
        raise NotFound("not_found")
    memo: CreditMemo = row.CreditMemo
    return MemoPage(
        id=memo.id, number=memo.number, realm=row.realm, site=row.site, customer=row.customer, invoice_id=memo.invoice_id,
        invoice=row.invoice, return_id=memo.return_id, reason=memo.reason, fault=memo.fault, unlinked=memo.unlinked,
        posted_at=memo.posted_at, credit_on=memo.credit_on, currency=memo.currency, net_minor=memo.net_minor,
        tax_minor=memo.tax_minor, gross_minor=memo.gross_minor, left_minor=-(row.open_minor or 0),
        applied=applied(session, CreditApplication, CreditApplication.credit_id == memo_id),
        open_invoices=open_invoices(session, actor, memo.customer_id, memo.currency),
        entries=_entries(session, "credit_memo", memo_id), lines=_memo_lines(session, memo_id),
    )  # fmt: skip
