"""Everything about one order on one page: what was asked, promised and done, by which rules, and what happened when."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import orjson
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.queries.addresses import addresses_named
from app.queries.holds import asked_about
from app.queries.order_facts import (
    EventFact,
    GrantFact,
    HoldFact,
    InvoiceFact,
    LineFact,
    MemoFact,
    OrderPage,
    ReturnFact,
    ShipmentFact,
    Step,
)
from erpcore.billing.models import CreditMemo, Invoice
from erpcore.credit.models import CreditExposure, Receivable
from erpcore.fulfilment.models import ReturnLine, ReturnOrder, Shipment, ShipmentLine
from erpcore.inventory.models import StockBalance
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.events import EventLog
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Entity, Item, Site
from erpcore.orders.models import OrderHold, OrderLine, SalesOrder
from erpcore.purchasing.models import PurchaseOrderLine
from readiness.waves.models import Grant, Wave

#: The newest events that the page shows; an order with more has its journey elsewhere.
MOST_EVENTS = 200


def order_page(session: Session, actor: Actor, order_id: int) -> OrderPage:
    """The order, in about sixteen queries. Raises ``NotFound`` for an unknown one and for another site's."""
    head = session.execute(
        select(SalesOrder, Customer, CustomerGroup.name.label("group"), Site, Entity, Channel.name.label("channel"))
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(CustomerGroup, CustomerGroup.id == Customer.group_id, isouter=True)
        .join(Site, Site.id == SalesOrder.site_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .join(Channel, Channel.id == SalesOrder.channel_id)
        .where(SalesOrder.id == order_id)
    ).one_or_none()  # fmt: skip
    if head is None:
        raise NotFound("order_unknown", order=order_id)
    order: SalesOrder = head.SalesOrder
    if actor.sites is not None and order.site_id not in actor.sites:
        raise NotFound("order_unknown", order=order_id)
    lines = _lines(session, order)
    shipments = _shipments(session, order.id, {line.id: line for line in lines})
    invoices = _invoices(session, order.id, shipments)
    returns = _returns(session, order.id, [line.id for line in lines])
    events, count = _events(session, order.id)
    return OrderPage(
        id=order.id, number=order.number, reference=order.customer_reference, state=order.state,
        delivery=order.delivery_status, billing=order.billing_status, payment=order.payment_status,
        currency=order.currency, ship_country=order.ship_country, ship_to_id=order.ship_to_id,
        addresses=addresses_named(session, {order.ship_to_id, *(line.ship_to_id for line in lines)}), value_minor=order.value_minor,
        captured_at=order.captured_at, source=order.source, version=order.version, realm=head.Entity.realm,
        entity_id=order.entity_id, entity=head.Entity.name, site_id=order.site_id, site_code=head.Site.code,
        site=head.Site.name, time_zone=head.Site.time_zone, channel_id=order.channel_id, channel=head.channel,
        customer_id=order.customer_id, customer_code=head.Customer.code, customer=head.Customer.name, group=head.group,
        credit_limit_minor=head.Customer.credit_limit_minor, exposure_minor=exposure_of(session, order.customer_id),
        ruleset=order.ruleset, variants=order.variants, grant=_grant(session, order.grant_id),
        lines=lines, holds=_holds(session, order.id), shipments=shipments, invoices=invoices, returns=returns,
        memos=_memos(session, [invoice.id for invoice in invoices], [one.id for one in returns if not one.is_replaced_here]),
        steps=_steps(session, order.id, shipments, invoices, returns), events=events, event_count=count,
    )  # fmt: skip


def shipment_place(session: Session, actor: Actor, shipment_id: int) -> tuple[int, str]:
    """The order of a shipment and its realm; raises ``NotFound`` for an unknown one and for another site's."""
    row = session.execute(
        select(Shipment.order_id, Shipment.site_id, Entity.realm)
        .join(Entity, Entity.id == Shipment.entity_id)
        .where(Shipment.id == shipment_id)
    ).one_or_none()
    if row is None or (actor.sites is not None and row.site_id not in actor.sites):
        raise NotFound("shipment_unknown", shipment=shipment_id)
    return row.order_id, row.realm


def exposure_of(session: Session, customer: int) -> int:
    """What the customer owes and will owe, in minor units of the company's currency."""
    parts = CreditExposure.receivable_minor + CreditExposure.shipped_minor + CreditExposure.released_minor
    return session.scalar(select(parts).where(CreditExposure.customer_id == customer)) or 0


def _grant(session: Session, grant: int | None) -> GrantFact | None:
    if grant is None:
        return None
    row = session.execute(
        select(Grant, Wave.code, Wave.name).join(Wave, Wave.id == Grant.wave_id, isouter=True).where(Grant.id == grant)
    ).one_or_none()
    if row is None:
        return None
    return GrantFact(
        id=row.Grant.id, state=row.Grant.state, source=row.Grant.source, reason=row.Grant.reason, wave=row.code,
        wave_name=row.name, decision=row.Grant.decision_id,
    )  # fmt: skip


def _lines(session: Session, order: SalesOrder) -> list[LineFact]:
    left = PurchaseOrderLine.quantity - PurchaseOrderLine.received - PurchaseOrderLine.cancelled
    with_supplier = (
        select(func.sum(left)).where(PurchaseOrderLine.order_line_id == OrderLine.id, left > 0).scalar_subquery()
    )
    rows = session.execute(
        select(
            OrderLine, Item.code, Item.name, Item.unit, StockBalance.on_hand, StockBalance.reserved, StockBalance.blocked,
            with_supplier.label("with_supplier"),
        )
        .join(Item, Item.id == OrderLine.item_id)
        .join(
            StockBalance,
            (StockBalance.item_id == OrderLine.item_id) & (StockBalance.site_id == order.site_id),
            isouter=True,
        )
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.line_no)
    )  # fmt: skip
    joined = ("code", "name", "unit", "available", "with_supplier")
    names = [name for name in LineFact.__dataclass_fields__ if name not in joined]
    return [
        LineFact(
            code=row.code,
            name=row.name,
            unit=row.unit,
            available=None if row.on_hand is None else row.on_hand - row.reserved - row.blocked,
            with_supplier=row.with_supplier or Decimal(0),
            **{name: getattr(row.OrderLine, name) for name in names},
        )
        for row in rows
    ]


def _holds(session: Session, order_id: int) -> list[HoldFact]:
    asked = asked_about().scalar_subquery()
    rows = session.execute(select(OrderHold, asked).where(OrderHold.order_id == order_id).order_by(OrderHold.id.desc()))
    return [
        HoldFact(
            id=hold.id, kind=hold.kind, reason=hold.reason, asked_by=hold.asked_by, permission=hold.permission,
            level=hold.level, asked=text, facts=orjson.loads(hold.facts), since=hold.since, due_at=hold.due_at,
            released_at=hold.released_at, release_reason=hold.release_reason, is_cured=hold.is_cured,
        )
        for hold, text in rows
    ]  # fmt: skip


def _shipments(session: Session, order_id: int, lines: dict[int, LineFact]) -> list[ShipmentFact]:
    query = select(Shipment, Site.name).join(Site, Site.id == Shipment.site_id).where(Shipment.order_id == order_id)
    found = session.execute(query.order_by(Shipment.id)).all()
    heads, sites = [head for head, _ in found], {head.id: site for head, site in found}
    parts: dict[int, list[ShipmentLine]] = {head.id: [] for head in heads}
    if parts:
        for part in session.scalars(select(ShipmentLine).where(ShipmentLine.shipment_id.in_(parts))):
            parts[part.shipment_id].append(part)
    return [
        ShipmentFact(
            id=head.id, number=head.number, site=sites[head.id], state=head.state, picked_at=head.picked_at, confirmed_at=head.confirmed_at,
            delivered_at=head.delivered_at, invoice_due_at=head.invoice_due_at, invoice_id=head.invoice_id,
            lines=sorted(
                (lines[p.order_line_id].line_no, lines[p.order_line_id].code, p.quantity, p.damaged, lines[p.order_line_id].unit)
                for p in parts[head.id]
            ),
            line_ids=[(p.order_line_id, p.quantity) for p in parts[head.id]],
        )
        for head in heads
    ]  # fmt: skip


def _invoices(session: Session, order_id: int, shipments: list[ShipmentFact]) -> list[InvoiceFact]:
    numbers: dict[int | None, list[str]] = defaultdict(list)
    for shipment in shipments:
        numbers[shipment.invoice_id].append(shipment.number)
    rows = session.execute(
        select(Invoice, Receivable.open_minor)
        .join(Receivable, Receivable.document_id == Invoice.id, isouter=True)
        .where(
            or_(Invoice.order_id == order_id, Invoice.id.in_({one.invoice_id for one in shipments if one.invoice_id}))
        )
        .order_by(Invoice.id)
    )
    return [
        InvoiceFact(
            id=row.Invoice.id, number=row.Invoice.number, state=row.Invoice.state, block_reason=row.Invoice.block_reason,
            posted_at=row.Invoice.posted_at, due_on=row.Invoice.due_on, gross_minor=row.Invoice.gross_minor,
            open_minor=row.open_minor, shipment=", ".join(numbers[row.Invoice.id]),
        )
        for row in rows
    ]  # fmt: skip


def _returns(session: Session, order_id: int, lines: list[int]) -> list[ReturnFact]:
    """Returns of the order, those that take only some of their lines from it too."""
    of_lines = select(ReturnLine.return_id).where(ReturnLine.order_line_id.in_(lines))
    rows = session.execute(
        select(ReturnOrder, func.sum(ReturnLine.quantity).label("quantity"))
        .join(ReturnLine, ReturnLine.return_id == ReturnOrder.id)
        .where(
            or_(ReturnOrder.order_id == order_id, ReturnOrder.id.in_(of_lines), ReturnOrder.replacement_id == order_id)
        )
        .group_by(ReturnOrder.id)
        .order_by(ReturnOrder.id)
    )
    return [
        ReturnFact(
            id=row.ReturnOrder.id, number=row.ReturnOrder.number, state=row.ReturnOrder.state,
            reason=row.ReturnOrder.reason, requested_at=row.ReturnOrder.requested_at, quantity=row.quantity, is_replaced_here=row.ReturnOrder.replacement_id == order_id,
        )
        for row in rows
    ]  # fmt: skip


def _memos(session: Session, invoices: list[int], returns: list[int]) -> list[MemoFact]:
    if not invoices and not returns:
        return []
    rows = session.scalars(
        select(CreditMemo)
        .where(or_(CreditMemo.invoice_id.in_(invoices), CreditMemo.return_id.in_(returns)))
        .order_by(CreditMemo.id)
    )
    return [
        MemoFact(
            id=memo.id, number=memo.number, reason=memo.reason, posted_at=memo.posted_at, gross_minor=memo.gross_minor
        )
        for memo in rows
    ]


def _steps(
    session: Session,
    order_id: int,
    shipments: list[ShipmentFact],
    invoices: list[InvoiceFact],
    returns: list[ReturnFact],
) -> list[Step]:
    documents = {
        "order": [order_id],
        "shipment": [shipment.id for shipment in shipments],
        "invoice": [invoice.id for invoice in invoices],
        "return": [one.id for one in returns],
    }
    return steps_of(session, documents)


def steps_of(session: Session, documents: dict[str, list[int]]) -> list[Step]:
    """The moves of these documents, newest first."""
    wanted = [
        (Transition.document_type == kind) & Transition.document_id.in_(ids) for kind, ids in documents.items() if ids
    ]
    if not wanted:
        return []
    rows = session.scalars(select(Transition).where(or_(*wanted)).order_by(Transition.at.desc(), Transition.id.desc()))
    return [
        Step(
            document=row.document_type, document_id=row.document_id, move=row.move, to_state=row.to_state, at=row.at,
            recorded_at=row.recorded_at, actor=row.actor, role=row.role, reason=row.reason,
            facts=orjson.loads(row.facts) if row.facts else {},
        )
        for row in rows
    ]  # fmt: skip


def _events(session: Session, journey: int) -> tuple[list[EventFact], int]:
    count = session.scalar(select(func.count()).select_from(EventLog).where(EventLog.journey == journey)) or 0
    rows = session.execute(
        select(
            EventLog.seq, EventLog.type, EventLog.version, EventLog.process_step, EventLog.subject_type,
            EventLog.occurred_at, EventLog.recorded_at, EventLog.actor, EventLog.role, EventLog.source,
        )
        .where(EventLog.journey == journey)
        .order_by(EventLog.seq.desc())
        .limit(MOST_EVENTS)
    )  # fmt: skip
    found = [
        EventFact(
            seq=row.seq, type=row.type, version=row.version, step=row.process_step, subject=row.subject_type,
            occurred_at=row.occurred_at, recorded_at=row.recorded_at, actor=row.actor, role=row.role, source=row.source,
        )
        for row in rows
    ]  # fmt: skip
    return found, count
