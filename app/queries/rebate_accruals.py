"""What did every line of an invoice accrue for rebates, and what did credits take back of it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.security.scopes import within_sites
from erpcore.billing.models import CreditMemo, Invoice
from erpcore.billing.rebates.models import RebateAccrual, RebateAgreement, RebatePosting
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Customer, Entity, Item


@dataclass(frozen=True, kw_only=True)
class AccrualRow:
    """What a line of a document counted and accrued; ``document`` is its number."""

    posting_id: int
    line_no: int
    agreement_id: int
    agreement: str
    name: str
    document_type: str
    document_id: int
    document: str
    invoice_id: int
    order_line_id: int
    customer: str
    item_code: str
    item: str
    posted_on: date
    currency: str
    net_minor: int
    quantity: Decimal
    amount_minor: int
    adjusted_minor: int
    level: int


def _all_accruals() -> Any:
    return (
        select(
            RebateAccrual, RebateAgreement.number.label("agreement"), RebateAgreement.name, RebateAgreement.currency,
            RebatePosting.posted_on, Customer.name.label("customer"), Item.code.label("item_code"), Item.name.label("item"),
            Invoice.number.label("invoice"), CreditMemo.number.label("memo"),
        )
        .select_from(RebateAccrual)
        .join(RebatePosting, RebatePosting.id == RebateAccrual.posting_id)
        .join(RebateAgreement, RebateAgreement.id == RebateAccrual.agreement_id)
        .join(Entity, Entity.id == RebateAgreement.entity_id)
        .join(Customer, Customer.id == RebateAccrual.customer_id)
        .join(Item, Item.id == RebateAccrual.item_id)
        .join(Invoice, Invoice.id == RebateAccrual.invoice_id)
        .join(
            CreditMemo,
            and_(CreditMemo.id == RebateAccrual.document_id, RebateAccrual.document_type == "credit_memo"),
            isouter=True,
        )
    )  # fmt: skip


def _accrual(found: Any) -> AccrualRow:
    one: RebateAccrual = found.RebateAccrual
    return AccrualRow(
        posting_id=one.posting_id, line_no=one.line_no, agreement_id=one.agreement_id, agreement=found.agreement,
        name=found.name, document_type=one.document_type, document_id=one.document_id,
        document=(found.memo if one.document_type == "credit_memo" else found.invoice) or "", invoice_id=one.invoice_id,
        order_line_id=one.order_line_id, customer=found.customer, item_code=found.item_code, item=found.item,
        posted_on=found.posted_on, currency=found.currency, net_minor=one.net_minor, quantity=one.quantity,
        amount_minor=one.amount_minor, adjusted_minor=one.adjusted_minor, level=one.level,
    )  # fmt: skip


#: What every line accrued, the newest first.
ACCRUALS: SqlList[AccrualRow] = SqlList(
    select=_all_accruals, row=_accrual, tie=(RebateAccrual.posting_id, RebateAccrual.line_no), usual="-posted",
    site=RebateAgreement.site_id, company=RebateAgreement.entity_id, by=("document", RebateAccrual.document_type),
    words=("invoice", "credit_memo"), flags=("adjusted",),
    text=(RebateAgreement.number, Customer.name, Item.code, Item.name, Invoice.number, CreditMemo.number),
    sums={"For itself": RebateAccrual.amount_minor, "Trued up": RebateAccrual.adjusted_minor},
    currency=RebateAgreement.currency,
    sorts={
        "posted": RebateAccrual.posting_id, "net": RebateAccrual.net_minor, "amount": RebateAccrual.amount_minor,
        "adjusted": RebateAccrual.adjusted_minor,
    },
    wanted={
        "document": lambda value, _: RebateAccrual.document_type == value,
        "adjusted": lambda _value, _: RebateAccrual.adjusted_minor != 0,
        "agreement": lambda value, _: RebateAccrual.agreement_id == value,
        "invoice": lambda value, _: RebateAccrual.invoice_id == value,
    },
    key=(RebateAccrual.posting_id, RebateAccrual.line_no), kinds=(int, int),
)  # fmt: skip


def accruals_of(session: Session, actor: Actor, invoice: int) -> list[AccrualRow]:
    """What the lines of an invoice accrued, and what credits took back of it, in the order in which it was posted."""
    query = within_sites(_all_accruals(), actor, RebateAgreement.site_id).where(RebateAccrual.invoice_id == invoice)
    query = query.order_by(RebateAccrual.posting_id, RebateAccrual.line_no).limit(200)
    return [_accrual(found) for found in session.execute(query)]
