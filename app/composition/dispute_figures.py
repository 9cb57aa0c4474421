"""What customers dispute, and how many invoices were posted, as figures count it. One statement for both."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, String, case, cast, func, null, or_, select, union_all
from sqlalchemy.orm import Session

from erpcore.billing.disputes.flow import DISPUTE
from erpcore.billing.disputes.models import Dispute, DisputeKind
from erpcore.billing.models import Invoice, InvoiceState
from erpcore.kernel.history import Transition
from erpcore.kernel.model import UtcDateTime
from erpcore.masterdata.models import Customer, Entity
from erpcore.orders.models import SalesOrder
from readiness.measures.ports import DisputeTold, Posted


def disputed_and_posted(
    session: Session, realms: Collection[str], since: date, at: datetime
) -> tuple[list[DisputeTold], list[Posted]]:
    """Disputes of invoices posted from the day on and whatever else is open, each with when it became one; and by day how many
    invoices were posted. What nobody contests is a deduction and no dispute.
    """
    disputes, posted = [], []
    for row in session.execute(union_all(_disputes(realms, since, at), _invoices(realms, since))):
        if row.id is None:
            posted.append(
                Posted(
                    row.realm, row.entity_id, row.site_id, row.channel_id, row.group_id, row.invoice_on, row.invoices
                )
            )
        else:
            disputes.append(
                DisputeTold(
                    row.realm, row.entity_id, row.site_id, row.channel_id, row.group_id, row.invoice_on, row.id, row.number,
                    row.posted_at, row.begun_at, row.reason_code, row.currency, int(row.amount_minor), int(row.open_minor),
                )
            )  # fmt: skip
    return disputes, posted


def _disputes(realms: Collection[str], since: date, at: datetime) -> Any:
    contested = (
        select(func.min(Transition.at))
        .where(
            Transition.document_type == DISPUTE.document,
            Transition.document_id == Dispute.id,
            Transition.move == "contest",
        )
        .correlate(Dispute)
        .scalar_subquery()
    )
    begun = case((Dispute.kind == DisputeKind.OBJECTION, Dispute.raised_at), else_=contested)
    return (
        select(
            Entity.realm, Invoice.entity_id, Invoice.site_id, SalesOrder.channel_id, Customer.group_id, Invoice.invoice_on,
            Invoice.id, Invoice.number, Invoice.posted_at, cast(begun, UtcDateTime()).label("begun_at"), Dispute.reason_code,
            Dispute.currency, Dispute.amount_minor, Dispute.open_minor, cast(null(), Integer).label("invoices"),
        )
        .join(Invoice, Invoice.id == Dispute.invoice_id)
        .join(SalesOrder, SalesOrder.id == Invoice.order_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .join(Entity, Entity.id == Invoice.entity_id)
        .where(
            Entity.realm.in_(sorted(realms)), or_(Dispute.open_minor > 0, Invoice.invoice_on >= since), begun.is_not(None),
            begun <= at,
        )
    )  # fmt: skip


def _invoices(realms: Collection[str], since: date) -> Any:
    known = (
        Entity.realm, Invoice.entity_id, Invoice.site_id, SalesOrder.channel_id, Customer.group_id, Invoice.invoice_on,
    )  # fmt: skip
    nothing, word, moment = cast(null(), BigInteger), cast(null(), String), cast(null(), UtcDateTime())
    return (
        select(
            *known,
            nothing,
            word,
            moment,
            moment,
            word,
            word,
            nothing,
            nothing,
            cast(func.count(), Integer).label("invoices"),
        )
        .join(SalesOrder, SalesOrder.id == Invoice.order_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .join(Entity, Entity.id == Invoice.entity_id)
        .where(Invoice.state == InvoiceState.POSTED, Invoice.invoice_on >= since, Entity.realm.in_(sorted(realms)))
        .group_by(*known)
    )
