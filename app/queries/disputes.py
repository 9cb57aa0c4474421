"""Which differences do customers leave open, whose is each until when, and what became of it?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.identity.models import Account
from app.queries.listing import SqlList
from app.queries.order_detail import steps_of
from app.queries.order_facts import Step
from app.security.roles import title_of
from app.security.scopes import within_sites
from erpcore.billing.disputes.models import Dispute, DisputeKind, DisputeReason, DisputeState, DisputeStep
from erpcore.billing.models import CreditMemo, DebtJournal, Invoice, InvoiceLine, Receipt, ReceiptApplication
from erpcore.credit.models import Receivable
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, Entity, Item, Site
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest

#: What a state may be asked for besides one of its own: all of which something is open.
OPEN = "open"
STATES = (OPEN, *(one.value for one in DisputeState))
RAISED, WAITING = DisputeState.RAISED.value, DisputeState.WAITING.value
KINDS = tuple(one.value for one in DisputeKind)
#: What is called open.
IS_OPEN = Dispute.open_minor > 0


@dataclass(frozen=True, kw_only=True)
class DisputeRow:
    """A deduction or an objection with names. ``owner`` is a person, else the role as people say it."""

    id: int
    number: str
    kind: str
    state: str
    realm: str
    site_id: int
    site: str
    customer_id: int
    customer: str
    customer_code: str
    invoice_id: int
    invoice: str
    order_line_id: int | None
    application_id: int | None
    reason_code: str
    reason: str
    note: str | None
    evidence: str | None
    currency: str
    amount_minor: int
    open_minor: int
    asked_minor: int | None
    owner_id: int | None
    owner_role: str
    owner: str
    due_on: date
    raised_at: datetime
    settled_at: datetime | None
    version: int

    def is_overdue(self, today: date) -> bool:
        """Whether its owner should have said by now what it is."""
        return self.open_minor > 0 and self.due_on < today

    def age_days(self, now: datetime) -> int:
        """Whole days from its beginning to its end, or to now."""
        return ((self.settled_at or now) - self.raised_at).days


@dataclass(frozen=True, kw_only=True)
class StepFact:
    """What made part of the amount or took it away, with the document that did; ``document_kind``: credit memo, or debt given up."""

    kind: str
    amount_minor: int
    document_id: int | None
    document: str
    document_kind: str
    note: str | None
    at: datetime
    actor: str


@dataclass(frozen=True, kw_only=True)
class LineFact:
    """A line that may be credited."""

    order_line: int
    code: str
    name: str
    quantity: Any
    unit_price: Any
    net_minor: int


@dataclass(frozen=True, kw_only=True)
class DisputePage:
    """One difference with its parts, its history, the invoice's lines, and the request that waits for others."""

    row: DisputeRow
    parts: list[StepFact]
    steps: list[Step]
    lines: list[LineFact]
    invoice_open_minor: int
    receipt_id: int | None
    receipt: str
    request_id: int | None


def _disputes() -> Any:
    return (
        select(
            Dispute, Customer.name.label("customer"), Customer.code.label("customer_code"), Site.name.label("site"), Entity.realm,
            Invoice.number.label("invoice"), DisputeReason.title.label("reason"), Account.name.label("owner"),
        )
        .select_from(Dispute)
        .join(Customer, Customer.id == Dispute.customer_id)
        .join(Site, Site.id == Dispute.site_id)
        .join(Entity, Entity.id == Dispute.entity_id)
        .join(Invoice, Invoice.id == Dispute.invoice_id)
        .join(DisputeReason, DisputeReason.code == Dispute.reason_code)
        .join(Account, Account.id == Dispute.owner_id, isouter=True)
    )  # fmt: skip


def _row(found: Any) -> DisputeRow:
    one: Dispute = found.Dispute
    return DisputeRow(
        id=one.id, number=one.number, kind=one.kind, state=one.state, realm=found.realm, site_id=one.site_id, site=found.site,
        customer_id=one.customer_id, customer=found.customer, customer_code=found.customer_code, invoice_id=one.invoice_id,
        invoice=found.invoice or "", order_line_id=one.order_line_id, application_id=one.application_id,
        reason_code=one.reason_code, reason=found.reason, note=one.note, evidence=one.evidence, currency=one.currency,
        amount_minor=one.amount_minor, open_minor=one.open_minor, asked_minor=one.asked_minor, owner_id=one.owner_id,
        owner_role=one.owner_role, owner=found.owner or title_of(one.owner_role), due_on=one.due_on, raised_at=one.raised_at,
        settled_at=one.settled_at, version=one.version,
    )  # fmt: skip


def _mine(_value: Any, eyes: Any) -> Any:
    by_role = and_(Dispute.owner_id.is_(None), Dispute.owner_role == eyes.actor.role)
    return or_(Dispute.owner_id == eyes.actor.id, by_role)


#: All deductions and disputes, those that are due first. ``mine``: of the person, or of the role that nobody has taken it from.
DISPUTES: SqlList[DisputeRow] = SqlList(
    select=_disputes, row=_row, tie=(Dispute.id,), usual="due", site=Dispute.site_id, realm=Entity.realm,
    by=("kind", Dispute.kind), flags=("overdue", "mine"),
    text=(Dispute.number, Customer.name, Customer.code, Invoice.number, Dispute.note),
    sums={"Open": Dispute.open_minor, "Amount": Dispute.amount_minor}, currency=Dispute.currency,
    sorts={
        "number": Dispute.id, "customer": Customer.name, "due": Dispute.due_on, "raised": Dispute.raised_at,
        "open": Dispute.open_minor, "amount": Dispute.amount_minor, "reason": DisputeReason.title,
    },
    wanted={
        "kind": lambda value, _: Dispute.kind == value,
        "state": lambda value, _: IS_OPEN if value == OPEN else Dispute.state == value,
        "reason": lambda value, _: Dispute.reason_code == value,
        "owner": lambda value, _: Dispute.owner_role == value,
        "customer": lambda value, _: Dispute.customer_id == value,
        "invoice": lambda value, _: Dispute.invoice_id == value,
        "overdue": lambda _value, eyes: and_(IS_OPEN, Dispute.due_on < eyes.now.date()),
        "mine": _mine,
    },
)  # fmt: skip


def reasons(session: Session) -> list[DisputeReason]:
    """Every reason with its routing, by name."""
    return list(session.scalars(select(DisputeReason).order_by(DisputeReason.title)))


def dispute_row(session: Session, actor: Actor, dispute_id: int) -> DisputeRow:
    """One with its names; raises ``NotFound`` for an unknown one and for one of another site."""
    query = within_sites(_disputes(), actor, Dispute.site_id).where(Dispute.id == dispute_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound("dispute_unknown", id=dispute_id)
    return _row(found)


def dispute_page(session: Session, actor: Actor, dispute_id: int) -> DisputePage:
    """One with all that belongs to it; raises as ``dispute_row`` does. Seven queries."""
    row = dispute_row(session, actor, dispute_id)
    money = session.execute(
        select(Receipt.id, Receipt.number)
        .join(ReceiptApplication, ReceiptApplication.receipt_id == Receipt.id)
        .where(ReceiptApplication.id == row.application_id)
    ).one_or_none()
    request = session.scalar(
        select(ApprovalRequest.id).where(
            ApprovalRequest.subject_type == "dispute", ApprovalRequest.subject_id == row.id,
            ApprovalRequest.state == RequestState.WAITING,
        )
    )  # fmt: skip
    open_minor = session.scalar(select(Receivable.open_minor).where(Receivable.document_id == row.invoice_id))
    return DisputePage(
        row=row, parts=_parts(session, row.id), steps=steps_of(session, {"dispute": [row.id]}),
        lines=lines_of(session, row.invoice_id), invoice_open_minor=open_minor or 0,
        receipt_id=money.id if money else None, receipt=money.number if money else "", request_id=request,
    )  # fmt: skip


def _parts(session: Session, dispute: int) -> list[StepFact]:
    rows = session.execute(
        select(
            DisputeStep, CreditMemo.number.label("memo"), CreditMemo.id.label("memo_id"), DebtJournal.number.label("debt"),
            Account.name,
        )
        .outerjoin(CreditMemo, CreditMemo.id == DisputeStep.document_id)
        .outerjoin(DebtJournal, DebtJournal.id == DisputeStep.document_id)
        .outerjoin(Account, Account.id == DisputeStep.actor)
        .where(DisputeStep.dispute_id == dispute)
        .order_by(DisputeStep.id)
    )  # fmt: skip
    return [
        StepFact(
            kind=one.DisputeStep.kind, amount_minor=one.DisputeStep.amount_minor, document_id=one.DisputeStep.document_id,
            document=one.memo or one.debt or "",
            document_kind="" if one.DisputeStep.document_id is None else "credit_memo" if one.memo_id else "debt_journal",
            note=one.DisputeStep.note, at=one.DisputeStep.at, actor=one.name or "a job",
        )
        for one in rows
    ]  # fmt: skip


def lines_of(session: Session, invoice: int) -> list[LineFact]:
    """The lines of an invoice at the price charged."""
    rows = session.execute(
        select(
            InvoiceLine.order_line_id, Item.code, Item.name, InvoiceLine.quantity, InvoiceLine.unit_price, InvoiceLine.net_minor
        )
        .join(Item, Item.id == InvoiceLine.item_id)
        .where(InvoiceLine.invoice_id == invoice)
        .order_by(InvoiceLine.order_line_id)
    )  # fmt: skip
    return [
        LineFact(
            order_line=row.order_line_id, code=row.code, name=row.name, quantity=row.quantity, unit_price=row.unit_price,
            net_minor=row.net_minor,
        )
        for row in rows
    ]  # fmt: skip


def open_by_invoice(session: Session, invoices: Iterable[int]) -> dict[int, int]:
    """How much of each of the invoices is deducted or disputed; those of which nothing is are left out."""
    rows = session.execute(
        select(Dispute.invoice_id, func.sum(Dispute.open_minor))
        .where(Dispute.invoice_id.in_(sorted(set(invoices))), IS_OPEN)
        .group_by(Dispute.invoice_id)
    )
    return {key: int(minor) for key, minor in rows}


def disputes_of(
    session: Session, actor: Actor, *, invoice: int | None = None, customer: int | None = None, receipt: int | None = None
) -> list[DisputeRow]:  # fmt: skip
    """Those of one invoice, the open ones of a customer, or those that a receipt made; newest first."""
    query = within_sites(_disputes(), actor, Dispute.site_id)
    if invoice is not None:
        query = query.where(Dispute.invoice_id == invoice)
    if customer is not None:
        query = query.where(Dispute.customer_id == customer, IS_OPEN)
    if receipt is not None:
        made = select(ReceiptApplication.id).where(ReceiptApplication.receipt_id == receipt)
        query = query.where(Dispute.application_id.in_(made))
    query = query.order_by(Dispute.id.desc()).limit(100)
    return [_row(found) for found in session.execute(query)]
