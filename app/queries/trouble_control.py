"""Is any document in trouble in no queue, in two, or nobody's? Worked out in Python from plain rows, apart from the queues' queries.

Nobody's is a document whose owner has left, or whose owning role is held by nobody at its site.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, union
from sqlalchemy.orm import Session

from app.identity.models import Account, RoleGrant
from app.identity.queries import in_force
from app.queries.bounded import OPEN_ORDER
from app.queries.controls import Comparison
from app.queries.trouble_queues import STUCK, STUCK_RETURN
from app.queries.troubles import troubles
from erpcore.billing.disputes.models import Dispute
from erpcore.billing.freight.models import CarrierBill, CarrierBillLine
from erpcore.billing.models import Invoice
from erpcore.billing.settling.models import PayoutLine
from erpcore.fulfilment.carriers.models import Trouble
from erpcore.fulfilment.models import ReturnOrder, Shipment
from erpcore.inventory.documents import CountTask, ExpectedReceipt, StockAdjustment, StockArrival
from erpcore.kernel.rows import chunks
from erpcore.masterdata.models import Site
from erpcore.orders.models import OrderLine, SalesOrder

NAME = "exceptions_owned"
_TITLE = "Every document in trouble is in one queue and somebody’s"

#: What is read of an order line.
_LINE = (
    "order_id", "site_id", "item_id", "kind", "quantity", "shipped", "cancelled", "allocated", "picked", "promised_due_at",
    "extra", "backordered_at",
)  # fmt: skip
#: As the partial indexes say it, so that both databases use them.
_NOT_BILLED = text("shipment.invoice_id IS NULL AND shipment.invoice_due_at IS NOT NULL")

#: A document: what it is, its id, and its site.
_Key = tuple[str, int, int]


def compare_ownership(session: Session, now: datetime) -> list[Comparison]:
    """By site: documents in trouble, and those of them that are in exactly one queue and have an owner who is there."""
    troubled = _troubled(session, now)
    queued = [_of(row) for row in session.execute(troubles(now).select())]
    times = Counter((row[0], row[1], row[2]) for row in queued)
    there = _people(session, now)
    twins = {row.id: row.twin_id or row.id for row in session.execute(select(Site.id, Site.twin_id))}
    entities = {row.id: row.entity_id for row in session.execute(select(Site.id, Site.entity_id))}
    owned = {
        (subject, key, site)
        for subject, key, site, owner, role in queued
        if times[subject, key, site] == 1
        # A difference with a customer may be anybody's who works there, in whatever role.
        and _is_there(
            there, owner, {role} if subject != "dispute" or owner is None else set(there), {site, twins[site], None}
        )
    }
    out = []
    for site in sorted(entities):
        wanted = {key for key in troubled if key[2] == site}
        kept = {key for key in owned if key[2] == site}
        wrong = sorted(wanted ^ kept)
        out.append(
            Comparison(
                control=NAME, unit="documents", title=_TITLE, entity=entities[site], site=site, left=len(wanted), right=len(kept),
                difference=len(wrong), first_key=f"{wrong[0][0]} {wrong[0][1]}" if wrong else None,
            )
        )  # fmt: skip
    return out


def unowned(session: Session, now: datetime) -> int:
    """How many documents in trouble are in no queue, in two, or nobody's."""
    return sum(row.difference for row in compare_ownership(session, now))


def _of(row: Any) -> tuple[str, int, int, int | None, str]:
    return row.subject, row.id, row.site_id, row.owner_id, row.owner_role


def _people(session: Session, now: datetime) -> dict[str, set[tuple[int, int | None]]]:
    """Who holds each role where: (account, site or ``None`` for all)."""
    rows = session.execute(
        select(RoleGrant.role, RoleGrant.account_id, RoleGrant.site_id)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(Account.closed_at.is_(None), in_force(now))
    )
    found: dict[str, set[tuple[int, int | None]]] = defaultdict(set)
    for row in rows:
        found[row.role].add((row.account_id, row.site_id))
    return found


def _is_there(
    there: dict[str, set[tuple[int, int | None]]], owner: int | None, roles: set[str], reach: set[int | None]
) -> bool:
    held = (one for role in roles for one in there.get(role, ()))
    return any(where in reach and owner in (None, account) for account, where in held)


def _troubled(session: Session, now: datetime) -> set[_Key]:
    return {
        *_orders(session, now), *_shipments(session, now), *_invoices(session, now), *_others(session, now),
    }  # fmt: skip


def _orders(session: Session, now: datetime) -> set[_Key]:
    lines: dict[int, list[Any]] = defaultdict(list)
    query = select(*(getattr(OrderLine, name) for name in _LINE)).join(SalesOrder, SalesOrder.id == OrderLine.order_id)
    # As the partial index of open orders says it: what is over is not read.
    for line in session.execute(query.where(OPEN_ORDER, OrderLine.shipped + OrderLine.cancelled < OrderLine.quantity)):
        lines[line.order_id].append(line)
    heads = select(SalesOrder.id, SalesOrder.site_id, SalesOrder.state, SalesOrder.captured_at).where(OPEN_ORDER)
    found = set()
    for order in session.execute(heads):
        lacking = [line for line in lines[order.id] if line.kind in ("stock", "free") and _lacks(line) > 0]
        is_short = any(line.backordered_at is not None for line in lacking)
        is_late = any(line.promised_due_at < now for line in lines[order.id])
        is_old = order.captured_at < now - STUCK
        if order.state == "held":
            in_trouble = True
        elif order.state == "captured":
            in_trouble = is_late or is_old
        elif order.state == "released":
            in_trouble = is_short or is_late or (is_old and bool(lacking))
        else:
            in_trouble = False
        if in_trouble:
            found.add(("order", order.id, order.site_id))
    return found


def _lacks(line: OrderLine) -> Any:
    return line.quantity + line.extra - line.shipped - line.cancelled - line.allocated - line.picked


def _shipments(session: Session, now: datetime) -> set[_Key]:
    reported = set(session.scalars(select(Trouble.shipment_id).where(Trouble.resolved_at.is_(None))))
    found = set()
    for row in session.execute(_watched(reported)):
        if row.id in reported or (row.state == "picked" and row.picked_at < now - STUCK):
            found.add(("shipment", row.id, row.site_id))
        if row.invoice_id is None and row.invoice_due_at is not None and row.invoice_due_at < now - STUCK:
            found.add(("bill", row.id, row.site_id))
    return found


def _watched(reported: set[int]) -> Any:
    """Shipments of which something is still to come: not confirmed, not billed, or reported; not the years that are over."""
    names = ("id", "site_id", "state", "picked_at", "invoice_due_at", "invoice_id")
    query = select(*(getattr(Shipment, name) for name in names))
    kinds = [query.where(Shipment.state == "picked"), query.where(_NOT_BILLED)]
    kinds += [query.where(Shipment.id.in_(part)) for part in chunks(sorted(reported))]
    return union(*kinds)


def _invoices(session: Session, now: datetime) -> set[_Key]:
    return {
        ("invoice", row.id, row.site_id)
        for row in session.execute(
            select(Invoice.id, Invoice.site_id, Invoice.state, Invoice.drafted_at).where(Invoice.state != "posted")
        )
        if row.state == "blocked" or row.drafted_at < now - STUCK
    }


def _others(session: Session, now: datetime) -> set[_Key]:
    found = {
        ("return", row.id, row.site_id)
        for row in session.execute(
            select(ReturnOrder.id, ReturnOrder.site_id, ReturnOrder.state, ReturnOrder.requested_at).where(
                ReturnOrder.state.in_(("requested", "waiting", "authorised", "received", "inspected"))
            )
        )
        if row.state in ("requested", "waiting", "authorised", "received", "inspected")
        and row.requested_at < now - STUCK_RETURN
    }
    found |= {
        ("expected", row.id, row.site_id)
        for row in session.execute(
            select(ExpectedReceipt.id, ExpectedReceipt.site_id).where(
                ExpectedReceipt.received + ExpectedReceipt.cancelled < ExpectedReceipt.quantity,
                ExpectedReceipt.expected_on < now.date(),
            )
        )
    }
    found |= {
        ("put_away", row.id, row.site_id)
        for row in session.execute(
            select(StockArrival.id, StockArrival.site_id, StockArrival.arrived_at).where(
                StockArrival.put_away < StockArrival.quantity
            )
        )
        if row.arrived_at < now - STUCK
    }
    rows = session.execute(select(Dispute.id, Dispute.site_id).where(Dispute.state.not_in(("settled", "withdrawn"))))
    found |= {("dispute", row.id, row.site_id) for row in rows}
    lines = session.execute(select(PayoutLine.id, PayoutLine.site_id).where(PayoutLine.open_minor != 0))
    found |= {("payout_line", row.id, row.site_id) for row in lines}
    billed = (
        select(CarrierBillLine.id, CarrierBillLine.site_id, CarrierBillLine.result, CarrierBillLine.decision)
        .join(CarrierBill, CarrierBill.id == CarrierBillLine.bill_id)
        .where(CarrierBill.state == "received")
    )
    found |= {
        ("carrier_line", row.id, row.site_id)
        for row in session.execute(billed)
        if row.result != "matched" and row.decision is None
    }
    for subject, table in (("count", CountTask), ("adjustment", StockAdjustment)):
        rows = session.execute(select(table.id, table.site_id).where(table.state == "proposed"))
        found |= {(subject, row.id, row.site_id) for row in rows}
    return found
