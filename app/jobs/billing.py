"""Invoices without typing: every shipment whose invoice is due gets one, one transaction each."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from app.composition.cells import RegisteredCells
from app.composition.uow import Database, reading, unit_of_work
from erpcore.billing.models import InvoiceState
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import DomainError
from erpcore.masterdata.models import Entity

log = structlog.get_logger(__name__)
JOB = "billing"


def bill_due_shipments(database: Database, *, clock: Clock) -> int:
    """Draft and post what is due; a doubtful invoice stays blocked. Returns how many shipments got an invoice.

    A shipment that is refused (its cell is closed, somebody bills it at this moment) is tried again the next time.
    """
    with reading(database) as session:
        due = session.execute(
            select(Shipment.id, Entity.realm)
            .join(Entity, Entity.id == Shipment.entity_id)
            .where(Shipment.invoice_id.is_(None), Shipment.invoice_due_at.is_not(None))
            .order_by(Shipment.id)
        ).all()
    cells, billed = RegisteredCells(), 0
    for shipment, realm in due:
        try:
            with unit_of_work(database, actor=Actor.system(JOB), clock=clock, realm=realm) as work:
                (invoice,) = draft_invoices(work, [shipment], cells=cells)
                if invoice.state == InvoiceState.DRAFT:
                    post_invoices(work, [invoice.id], cells=cells)
            billed += 1
        except DomainError as refusal:
            log.warning("shipment not billed", shipment=shipment, code=refusal.code)
    return billed
