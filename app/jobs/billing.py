"""Invoices without typing: what waits for its order or its period falls due in time, and what is due gets its invoice, a
hundred in a transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

import structlog
from sqlalchemy import and_, exists, or_, select, text

from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from app.composition.uow import Database, reading, unit_of_work
from erpcore.billing.models import Invoice, InvoiceState
from erpcore.billing.rechecking import recheck_invoices
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.billing_due import trigger_shipments
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import DomainError
from erpcore.masterdata.models import Entity
from erpcore.orders.models import OrderLine

log = structlog.get_logger(__name__)
JOB = "billing"
#: So many invoices in a transaction: more save little, and hold up who works on the same customers.
AT_ONCE = 100

#: As the partial indexes say it, so that both databases use them.
_TO_BILL = text("shipment.invoice_id IS NULL AND shipment.invoice_due_at IS NOT NULL")
_UNPOSTED = text("invoice.state <> 'posted'")
_NOT_DUE = text(
    "shipment.invoice_id IS NULL AND shipment.invoice_due_at IS NULL AND shipment.state <> 'picked' AND shipment.confirmed_at IS NOT NULL"
)


def bill_due_shipments(database: Database, *, clock: Clock) -> int:
    """Draft and post what is due; a doubtful invoice stays blocked, and the others go on. Returns how many shipments got an invoice.

    A shipment that is refused (its cell is closed, somebody bills it at this moment) is tried again the next time. Killed between
    two transactions the run loses nothing: the next one finds what is left, and what is billed is no longer due.
    """
    end_waits(database, clock=clock)
    post_mended(database, clock=clock)
    with reading(database) as session:
        due = session.execute(
            select(Shipment.id, Shipment.bill_with, Entity.realm)
            .join(Entity, Entity.id == Shipment.entity_id)
            .where(_TO_BILL)
            .order_by(Shipment.id)
        ).all()
    # What goes on one invoice is drafted with the first of it.
    together = Counter(of or key for key, of, _ in due)
    first = {of or key: (key, realm, together[of or key]) for key, of, realm in reversed(due)}
    billed = 0
    for realm, of_realm in groupby(sorted(first.values(), key=lambda one: (one[1], one[0])), key=lambda one: one[1]):
        rows = list(of_realm)
        for start in range(0, len(rows), AT_ONCE):
            billed += _bill(database, clock, realm, [(key, of) for key, _, of in rows[start : start + AT_ONCE]])
    return billed


def _bill(database: Database, clock: Clock, realm: str, shipments: Sequence[tuple[int, int]]) -> int:
    """Draft and post, in one transaction, what goes with these shipments, each with how many that are. One that is refused is found by halves."""
    cells, rules = RegisteredCells(), RegisterRules()
    try:
        with unit_of_work(database, actor=Actor.system(JOB), clock=clock, realm=realm) as work:
            drafts = draft_invoices(work, [key for key, _ in shipments], cells=cells, rules=rules)
            right = [one.id for one in drafts if one.state == InvoiceState.DRAFT]
            if right:
                post_invoices(work, right, cells=cells)
    except DomainError as refusal:
        if len(shipments) == 1:
            log.warning("shipment not billed", shipment=shipments[0][0], code=refusal.code)
            return 0
        middle = len(shipments) // 2
        return sum(_bill(database, clock, realm, half) for half in (shipments[:middle], shipments[middle:]))
    for one in drafts:
        if one.state == InvoiceState.BLOCKED:
            log.warning("invoice doubtful", invoice=one.id, why=one.block_reason)
    return sum(of for _, of in shipments)


def post_mended(database: Database, *, clock: Clock) -> int:
    """Look at doubtful invoices again and post what is not doubtful any more, and what somebody released. Returns how many were posted.

    A draft of which nothing was doubtful is somebody's who looks at it: it waits for that hand.
    """
    with reading(database) as session:
        doubtful = session.execute(
            select(Invoice.id, Invoice.state, Entity.realm)
            .join(Entity, Entity.id == Invoice.entity_id)
            .where(_UNPOSTED, or_(Invoice.state == InvoiceState.BLOCKED, Invoice.findings.is_not(None)))
            .order_by(Invoice.id)
        ).all()
    cells, rules, posted = RegisteredCells(), RegisterRules(), 0
    for invoice, state, realm in doubtful:
        try:
            with unit_of_work(database, actor=Actor.system(JOB), clock=clock, realm=realm) as work:
                if state == InvoiceState.BLOCKED:
                    recheck_invoices(work, [invoice], rules=rules)
                post_invoices(work, [invoice], cells=cells)
            posted += 1
        except DomainError as refusal:
            log.info("invoice still doubtful", invoice=invoice, code=refusal.code)
    return posted


def end_waits(database: Database, *, clock: Clock) -> int:
    """What waited for the rest of its order, or for the end of its period, falls due. Returns how many shipments did."""
    rest = exists().where(
        OrderLine.order_id == Shipment.order_id,
        or_(OrderLine.shipped + OrderLine.cancelled < OrderLine.quantity + OrderLine.extra, OrderLine.picked > 0),
    )
    ended = or_(and_(Shipment.bill_after.is_(None), ~rest), Shipment.bill_after <= clock.now())
    with reading(database) as session:
        waiting = session.execute(
            select(Shipment.bill_with, Shipment.id, Entity.realm)
            .join(Entity, Entity.id == Shipment.entity_id)
            .where(_NOT_DUE, Shipment.bill_with.is_not(None), ended)
            .order_by(Shipment.bill_with, Shipment.id)
        ).all()
    ended_now = 0
    for (_, realm), rows in groupby(waiting, key=lambda row: (row.bill_with, row.realm)):
        try:
            with unit_of_work(database, actor=Actor.system(JOB), clock=clock, realm=realm) as work:
                ended_now += len(trigger_shipments(work, [row.id for row in rows]))
        except DomainError as refusal:
            log.warning("wait not ended", code=refusal.code)
    return ended_now
