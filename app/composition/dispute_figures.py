"""What customers dispute and deduct, what was posted and settled, and what partners paid out, as figures count it. One statement for
all of it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, String, case, cast, func, literal_column, null, or_, select, union_all
from sqlalchemy.orm import Session

from app.composition.settled_figures import NO_OUTCOMES, paid_out_from, settled_from
from erpcore.billing.disputes.flow import DISPUTE
from erpcore.billing.disputes.models import Dispute, DisputeKind
from erpcore.billing.models import Invoice, InvoiceState
from erpcore.kernel.clock import local_day
from erpcore.kernel.history import Transition
from erpcore.kernel.model import UtcDateTime
from erpcore.masterdata.models import Customer, Entity
from erpcore.orders.models import SalesOrder
from readiness.measures.ports import Contested, DisputeTold, PaidOut, Posted, Settled


def contested(session: Session, realms: Collection[str], since: date, at: datetime) -> Contested:
    """Disputes of invoices posted from the day on and whatever else is open, each with when it became one; by day how many
    invoices were posted; those settled from the day on, and the payouts that came. What nobody contests is a deduction and no dispute.
    """
    disputes: list[DisputeTold] = []
    posted: list[Posted] = []
    settled: list[Settled] = []
    paid_out: list[PaidOut] = []
    parts = (
        _disputes(realms, since, at),
        _invoices(realms, since),
        settled_from(realms, since, at),
        paid_out_from(realms, since, at),
    )
    for row in session.execute(union_all(*parts)):
        scope = (row.realm, row.entity_id, row.site_id, row.channel_id, row.group_id)
        if row.part == "posted":
            posted.append(Posted(*scope, row.invoice_on, row.invoices))
        elif row.part == "disputed":
            disputes.append(
                DisputeTold(
                    *scope, row.invoice_on, row.id, row.number, row.posted_at, row.begun_at, row.reason_code, row.currency,
                    int(row.amount_minor), int(row.open_minor),
                )
            )  # fmt: skip
        elif row.part == "settled":
            on = local_day(row.begun_at, row.reason_code)
            settled.append(
                Settled(
                    *scope, on, row.begun_at, row.currency, row.invoices, int(row.amount_minor), int(row.valid_minor),
                    int(row.invalid_minor), int(row.recovered_minor), int(row.open_minor), row.id, row.number or "",
                )
            )  # fmt: skip
        else:
            on = local_day(row.begun_at, row.reason_code.partition(" ")[0])
            paid_out.append(
                PaidOut(
                    *scope, on, row.begun_at, row.currency, int(row.amount_minor), int(row.open_minor),
                    row.reason_code.partition(" ")[2], row.id, row.number,
                )
            )  # fmt: skip
    return Contested(disputes, posted, settled, paid_out)


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
            literal_column("'disputed'", String).label("part"), *NO_OUTCOMES,
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
            literal_column("'posted'", String),
            *NO_OUTCOMES,
        )
        .join(SalesOrder, SalesOrder.id == Invoice.order_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .join(Entity, Entity.id == Invoice.entity_id)
        .where(Invoice.state == InvoiceState.POSTED, Invoice.invoice_on >= since, Entity.realm.in_(sorted(realms)))
        .group_by(*known)
    )
