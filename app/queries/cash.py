"""What came in, what of it is not applied yet, and which invoices of the customer are open?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.identity.models import Account
from app.queries.listing import SqlList
from app.security.scopes import within_companies
from erpcore.billing.disputes.models import Dispute
from erpcore.billing.models import Invoice, Receipt, ReceiptApplication, ReceiptReturn
from erpcore.credit.models import Receivable
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, Entity


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    id: int
    number: str
    reference: str | None
    customer_id: int
    customer: str
    customer_code: str
    entity_id: int
    entity: str
    realm: str
    currency: str
    amount_minor: int
    left_minor: int
    returned_minor: int
    fee_minor: int
    difference_minor: int
    owner_id: int | None
    owner: str | None
    received_at: datetime


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What of a receipt or credit settled an invoice; negative, it takes an earlier application back. ``stands``: it may be taken
    back itself.
    """

    id: int
    invoice_id: int
    invoice: str
    amount_minor: int
    at: datetime
    reason: str | None
    stands: bool


@dataclass(frozen=True, kw_only=True)
class OpenInvoice:
    """An invoice that is not paid in full; ``unnamed_minor`` is what of it is open and neither deducted nor disputed."""

    id: int
    number: str
    order_id: int
    due_on: date
    amount_minor: int
    open_minor: int
    unnamed_minor: int


@dataclass(frozen=True, kw_only=True)
class ReceiptPage:
    """One receipt with what it settled, and what of its customer's invoices it could settle."""

    row: ReceiptRow
    applied: list[Applied]
    returns: list[tuple[int, int, str, datetime]]
    open_invoices: list[OpenInvoice]


def _all_receipts() -> Any:
    return (
        select(
            Receipt, Customer.name.label("customer"), Customer.code.label("customer_code"), Entity.name.label("entity"),
            Entity.realm, Account.name.label("owner"),
        )
        .select_from(Receipt)
        .join(Customer, Customer.id == Receipt.customer_id, isouter=True)
        .join(Entity, Entity.id == Receipt.entity_id, isouter=True)
        .join(Account, Account.id == Receipt.owner_id, isouter=True)
    )  # fmt: skip


def _of_companies(query: Any, actor: Actor) -> Any:
    """Receipts belong to a company, not to a site: people of a site see those of its company."""
    return within_companies(query, actor, Receipt.entity_id)


def _receipts(actor: Actor) -> Any:
    return _of_companies(_all_receipts(), actor)


def _row(row: Any) -> ReceiptRow:
    receipt: Receipt = row.Receipt
    return ReceiptRow(
        id=receipt.id, number=receipt.number, reference=receipt.reference, customer_id=receipt.customer_id,
        customer=row.customer, customer_code=row.customer_code, entity_id=receipt.entity_id, entity=row.entity,
        realm=row.realm, currency=receipt.currency, amount_minor=receipt.amount_minor, left_minor=receipt.left_minor,
        returned_minor=receipt.returned_minor, fee_minor=receipt.fee_minor, difference_minor=receipt.difference_minor, owner_id=receipt.owner_id, owner=row.owner,
        received_at=receipt.received_at,
    )  # fmt: skip


#: The list of receipts. ``unapplied``: those with money left to apply.
RECEIPTS: SqlList[ReceiptRow] = SqlList(
    select=_all_receipts, row=_row, tie=(Receipt.id,), usual="-received", company=Receipt.entity_id, is_long=True,
    scope=_of_companies, flags=("unapplied",),
    text=(Receipt.number, Receipt.reference, Customer.name, Customer.code),
    sums={"Amount": Receipt.amount_minor, "Not applied": Receipt.left_minor}, currency=Receipt.currency,
    sorts={
        "number": Receipt.number, "customer": Customer.name, "received": Receipt.received_at, "amount": Receipt.amount_minor,
        "left": Receipt.left_minor,
    },
    wanted={"unapplied": lambda _value, _: Receipt.left_minor > 0},
)  # fmt: skip


def receipt_row(session: Session, actor: Actor, receipt_id: int) -> ReceiptRow:
    """One receipt without what it settled; raises ``NotFound`` for an unknown one and for one of a company without a site of
    the person.
    """
    row = session.execute(_receipts(actor).where(Receipt.id == receipt_id)).one_or_none()
    if row is None:
        raise NotFound("receipt_unknown", id=receipt_id)
    return _row(row)


def receipt_page(session: Session, actor: Actor, receipt_id: int) -> ReceiptPage:
    """One receipt; raises ``NotFound`` as ``receipt_row`` does."""
    found = receipt_row(session, actor, receipt_id)
    returns = session.execute(
        select(ReceiptReturn.amount_minor, ReceiptReturn.fee_minor, ReceiptReturn.reason, ReceiptReturn.returned_at)
        .where(ReceiptReturn.receipt_id == receipt_id)
        .order_by(ReceiptReturn.id)
    )
    return ReceiptPage(
        row=found, applied=applied(session, ReceiptApplication, ReceiptApplication.receipt_id == receipt_id),
        returns=[(one[0], one[1], one[2], one[3]) for one in returns],
        open_invoices=open_invoices(session, actor, found.customer_id, found.currency),
    )  # fmt: skip


def applied(session: Session, table: Any, condition: Any) -> list[Applied]:
    """Applications of receipts or of credits, in the order of what happened."""
    rows = session.execute(
        select(table, Invoice.number).join(Invoice, Invoice.id == table.invoice_id).where(condition).order_by(table.id)
    ).all()
    gone = {one.reverses_id for one, _ in rows}
    return [
        Applied(
            id=one.id, invoice_id=one.invoice_id, invoice=number or "", amount_minor=one.amount_minor, at=one.applied_at,
            reason=one.reason, stands=one.reverses_id is None and one.id not in gone,
        )
        for one, number in rows
    ]  # fmt: skip


def open_invoices(session: Session, actor: Actor, customer: int, currency: str) -> list[OpenInvoice]:
    """The customer's invoices that are not paid in full, at the sites that the person sees, the longest due first."""
    mine = (Dispute.invoice_id == Invoice.id, text("dispute.open_minor > 0"))
    named = select(func.sum(Dispute.open_minor)).where(*mine).correlate(Invoice).scalar_subquery()
    query = (
        select(
            Invoice.id, Invoice.number, Invoice.order_id, Receivable.due_on, Receivable.amount_minor, Receivable.open_minor,
            func.coalesce(named, 0).label("named_minor"),
        )
        .join(Receivable, Receivable.document_id == Invoice.id)
        .where(Invoice.customer_id == customer, Invoice.currency == currency, Receivable.open_minor > 0)
        .order_by(Receivable.due_on, Invoice.id)
        .limit(100)
    )  # fmt: skip
    if actor.sites is not None:
        query = query.where(Invoice.site_id.in_(sorted(actor.sites)))
    return [
        OpenInvoice(
            id=row.id, number=row.number or "", order_id=row.order_id, due_on=row.due_on, amount_minor=row.amount_minor,
            open_minor=row.open_minor, unnamed_minor=row.open_minor - int(row.named_minor),
        )
        for row in session.execute(query)
    ]  # fmt: skip
