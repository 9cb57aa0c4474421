"""What programs are told about one order after each of its moves: the order as it stands, without its history.

Asked at every call, so the statements are made once and read plain columns; the page about an order reads far more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from erpcore.billing.models import Invoice
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, Entity, Item
from erpcore.orders.models import OrderHold, OrderLine, SalesOrder

_order, _line, _hold = SalesOrder.__table__, OrderLine.__table__, OrderHold.__table__
_shipment, _invoice, _item = Shipment.__table__, Invoice.__table__, Item.__table__
_customer, _entity = Customer.__table__, Entity.__table__
_KEY: BindParameter[int] = bindparam("order_id")

_HEAD = (
    select(_order.c.version, _order.c.site_id, _entity.c.realm)
    .join(_entity, _entity.c.id == _order.c.entity_id)
    .where(_order.c.id == _KEY)
)
_ORDER = (
    select(
        _order.c.id, _order.c.number, _order.c.customer_reference, _customer.c.code.label("customer"), _order.c.customer_id,
        _order.c.site_id, _order.c.channel_id, _entity.c.realm, _order.c.state, _order.c.delivery_status,
        _order.c.billing_status, _order.c.payment_status, _order.c.currency, _order.c.value_minor, _order.c.ship_country,
        _order.c.ship_to_id, _order.c.captured_at, _order.c.ruleset, _order.c.variants, _order.c.version,
        exists().where(_shipment.c.order_id == _order.c.id).label("has_shipments"),
        exists().where(_hold.c.order_id == _order.c.id, _hold.c.released_at.is_(None)).label("has_holds"),
        or_(
            exists().where(_invoice.c.order_id == _order.c.id),
            exists().where(_shipment.c.order_id == _order.c.id, _shipment.c.invoice_id.is_not(None)),
        ).label("has_invoices"),
    )
    .join(_customer, _customer.c.id == _order.c.customer_id)
    .join(_entity, _entity.c.id == _order.c.entity_id)
    .where(_order.c.id == _KEY)
)  # fmt: skip
_LINES = (
    select(
        *(
            _line.c[name]
            for name in (
                "id", "line_no", "item_id", "kind", "quantity", "unit_price", "price_source", "value_minor", "tax_rate",
                "requested_on", "committed_on", "first_promised_on", "promised_on", "promise_reason", "allocated", "picked",
                "shipped", "delivered", "invoiced", "cancelled", "returned", "extra", "is_rush", "split_from_id", "ship_to_id",
            )
        ),
        _item.c.code.label("item"),
        _item.c.unit,
    )
    .join(_item, _item.c.id == _line.c.item_id)
    .where(_line.c.order_id == _KEY)
    .order_by(_line.c.line_no)
)  # fmt: skip
_SHIPMENTS = (
    select(*(_shipment.c[name] for name in ("id", "number", "state", "confirmed_at", "delivered_at", "invoice_id")))
    .where(_shipment.c.order_id == _KEY)
    .order_by(_shipment.c.id)
)
_HOLDS = (
    select(
        *(_hold.c[name] for name in ("id", "kind", "reason", "since", "due_at", "permission", "level", "asked_by")),
    )
    .where(_hold.c.order_id == _KEY, _hold.c.released_at.is_(None))
    .order_by(_hold.c.id.desc())
)
_INVOICES = (
    select(_invoice.c.id)
    .where(
        or_(
            _invoice.c.order_id == _KEY,
            _invoice.c.id.in_(select(_shipment.c.invoice_id).where(_shipment.c.order_id == _KEY)),
        )
    )
    .order_by(_invoice.c.id)
)


class OrderHead(NamedTuple):
    """What a move has to know before it begins."""

    version: int
    site_id: int
    realm: str


@dataclass(frozen=True, slots=True)
class AnsweredOrder:
    """One order; its rows have the columns' names as attributes."""

    head: Any
    lines: Sequence[Any]
    shipments: Sequence[Any]
    holds: Sequence[Any]
    invoices: Sequence[int]

    @property
    def realm(self) -> str:
        return str(self.head.realm)


def order_head(session: Session, actor: Actor, order_id: int) -> OrderHead:
    """Version and place of an order. Raises ``NotFound`` for an unknown one and for another site's."""
    return OrderHead(*_seen(session, actor, _HEAD, order_id))


def order_answered(session: Session, actor: Actor, order_id: int) -> AnsweredOrder:
    """The order as it stands, in two statements, and one for each that it has of shipments, holds and invoices.

    Raises as ``order_head``.
    """
    head = _seen(session, actor, _ORDER, order_id)
    connection, key = session.connection(), {"order_id": order_id}
    return AnsweredOrder(
        head=head,
        lines=connection.execute(_LINES, key).all(),
        shipments=connection.execute(_SHIPMENTS, key).all() if head.has_shipments else (),
        holds=connection.execute(_HOLDS, key).all() if head.has_holds else (),
        invoices=connection.execute(_INVOICES, key).scalars().all() if head.has_invoices else (),
    )


def _seen(session: Session, actor: Actor, query: Any, order_id: int) -> Any:
    row = session.connection().execute(query, {"order_id": order_id}).one_or_none()
    if row is None or (actor.sites is not None and row.site_id not in actor.sites):
        raise NotFound("order_unknown", order=order_id)
    return row
