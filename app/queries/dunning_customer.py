"""One customer as dunning sees them: what is open and at which level, what holds it back, what was told and charged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.dunning import NoticeRow, notices_of_customer
from app.queries.receivables import company_of
from erpcore.billing.dunning.models import DunningBlock, DunningFee, DunningStand
from erpcore.billing.dunning.records import Promise, promises
from erpcore.billing.models import Invoice, Receipt
from erpcore.credit.models import Receivable
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day


@dataclass(frozen=True, kw_only=True)
class OpenInvoice:
    """An open invoice with its level; ``days_over`` 0: not overdue."""

    document: int
    number: str
    due_on: date
    open_minor: int
    days_over: int
    level: int
    last_on: date | None


@dataclass(frozen=True, kw_only=True)
class BlockRow:
    """A block; ``is_over``: lifted, or its day has come."""

    id: int
    document: str
    kind: str
    reason: str
    until: date
    owner_id: int
    is_over: bool
    lift_reason: str


@dataclass(frozen=True, kw_only=True)
class FeeRow:
    """A fee with what is open of it."""

    id: int
    number: str
    fee_on: date
    amount_minor: int
    open_minor: int
    notice_id: int


@dataclass(frozen=True, kw_only=True)
class CustomerDunning:
    """``receipts``: id, number and what is left of money on account. ``numbers``: of the documents of promises."""

    customer_id: int
    code: str
    customer: str
    entity_id: int
    entity: str
    realm: str
    currency: str
    open_invoices: list[OpenInvoice]
    promises: list[Promise]
    numbers: dict[int, str]
    blocks: list[BlockRow]
    notices: list[NoticeRow]
    fees: list[FeeRow]
    receipts: list[tuple[int, str, int]]


def customer_dunning(session: Session, actor: Actor, customer: int, now: datetime) -> CustomerDunning:
    """The customer; raises ``NotFound`` for another company's. About ten queries."""
    row, entity = company_of(session, actor, customer)
    today = local_day(now, entity.time_zone)
    known = promises(session, {customer: entity.time_zone}, today)
    blocks = session.execute(
        select(DunningBlock.__table__).where(DunningBlock.customer_id == customer).order_by(DunningBlock.id.desc()).limit(20)
    ).all()  # fmt: skip
    named = {one.document for one in known if one.document} | {one.document_id for one in blocks if one.document_id}
    numbers = dict(session.execute(select(Invoice.id, Invoice.number).where(Invoice.id.in_(named))).all())
    return CustomerDunning(
        customer_id=row.id, code=row.code, customer=row.name, entity_id=entity.id, entity=entity.name, realm=entity.realm,
        currency=entity.currency, open_invoices=_open(session, customer, today), promises=known,
        numbers={key: number or "" for key, number in numbers.items()},
        blocks=[
            BlockRow(
                id=one.id, document=numbers.get(one.document_id) or "", kind=one.kind, reason=one.reason, until=one.until,
                owner_id=one.owner_id, is_over=one.lifted_at is not None or one.until <= today, lift_reason=one.lift_reason or "",
            )
            for one in blocks
        ],
        notices=notices_of_customer(session, customer), fees=_fees(session, customer), receipts=_receipts(session, customer),
    )  # fmt: skip


def _open(session: Session, customer: int, today: date) -> list[OpenInvoice]:
    rows = session.execute(
        select(
            Receivable.document_id, Receivable.due_on, Receivable.open_minor, Invoice.number, DunningStand.level, DunningStand.last_on
        )
        .join(Invoice, Invoice.id == Receivable.document_id)
        .outerjoin(DunningStand, DunningStand.document_id == Receivable.document_id)
        .where(Receivable.customer_id == customer, Receivable.open_minor > 0)
        .order_by(Receivable.due_on, Receivable.document_id)
    )  # fmt: skip
    return [
        OpenInvoice(
            document=one.document_id, number=one.number or "", due_on=one.due_on, open_minor=one.open_minor,
            days_over=max(0, (today - one.due_on).days), level=one.level or 0, last_on=one.last_on,
        )
        for one in rows
    ]  # fmt: skip


def _fees(session: Session, customer: int) -> list[FeeRow]:
    rows = session.execute(
        select(DunningFee.__table__, Receivable.open_minor)
        .join(Receivable, Receivable.document_id == DunningFee.id)
        .where(DunningFee.customer_id == customer)
        .order_by(DunningFee.id.desc())
        .limit(20)
    )
    return [
        FeeRow(
            id=one.id, number=one.number, fee_on=one.fee_on, amount_minor=one.amount_minor, open_minor=one.open_minor,
            notice_id=one.notice_id,
        )
        for one in rows
    ]  # fmt: skip


def _receipts(session: Session, customer: int) -> list[tuple[int, str, int]]:
    query = select(Receipt.id, Receipt.number, Receipt.left_minor).where(
        Receipt.customer_id == customer, Receipt.left_minor > 0
    )
    return [(row.id, row.number, row.left_minor) for row in session.execute(query.order_by(Receipt.id))]
