"""Which shipments can a period's end be about at all? Found by indexes, so that a look costs what is open and not all that ever left.

Each set holds every shipment that its question can be answered with, and others besides: who asks judges each of them as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, false, literal_column, select, union_all

from erpcore.billing.accruals.ends import PeriodEnd
from erpcore.billing.models import Invoice, InvoiceState
from erpcore.fulfilment.models import Shipment, ShipmentState
from erpcore.orders.models import SalesOrder


def _word(value: str) -> ColumnElement[str]:
    """SQLite knows a partial index by its very words, which a parameter has not."""
    return literal_column(f"'{value}'", String)


def not_billed(end: PeriodEnd) -> list[Any]:
    """Shipments that no posted invoice of days before the end bills."""
    mine = select(Shipment.id).where(Shipment.entity_id == end.entity, Shipment.invoice_id.is_(None))
    return [
        mine.where(Shipment.invoice_due_at.is_not(None)),
        mine.where(Shipment.invoice_due_at.is_(None), Shipment.state != _word(ShipmentState.PICKED)),
        _by_invoice(end, Invoice.state != _word(InvoiceState.POSTED)),
        _by_invoice(end, Invoice.invoice_on >= end.until),
    ]


def not_controlled(end: PeriodEnd) -> list[Any]:
    """Shipments that left, or whose delivery decides and that arrived, at the end or later, or did not yet."""
    first = min((moment for _, moment in end.ends), default=None)
    if first is None:
        return []
    left = select(Shipment.id).where(Shipment.entity_id == end.entity, Shipment.confirmed_at >= first)
    return [left, *(_on_the_way(end, first) if end.late else [])]


def around(end: PeriodEnd, span: timedelta) -> list[Any]:
    """Shipments that left, arrived or were billed so near to the end."""
    moments = [moment for _, moment in end.ends]
    if not moments:
        return []
    begins, ends = min(moments) - span, max(moments) + span
    found = [
        select(Shipment.id).where(Shipment.entity_id == end.entity, happened.between(begins, ends))
        for happened in (Shipment.confirmed_at, Shipment.delivered_at)
    ]
    return [*found, _by_invoice(end, Invoice.invoice_on.between(end.until - span, end.until + span))]


def among(shipments: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a shipment is in one of these sets."""
    return Shipment.id.in_(union_all(*shipments)) if shipments else false()


def _by_invoice(end: PeriodEnd, billed: ColumnElement[bool]) -> Any:
    return (
        select(Shipment.id)
        .join(Invoice, Invoice.id == Shipment.invoice_id)
        .where(Invoice.entity_id == end.entity, billed)
    )


def _on_the_way(end: PeriodEnd, first: datetime) -> list[Any]:
    late = (
        select(Shipment.id)
        .join(SalesOrder, SalesOrder.id == Shipment.order_id)
        .where(Shipment.entity_id == end.entity, end.is_late)
    )
    return [late.where(Shipment.delivered_at >= first), late.where(Shipment.delivered_at.is_(None))]
