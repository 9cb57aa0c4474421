"""Which orders are there, how far are they, and which of them are late? Kept to the sites that somebody sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, select
from sqlalchemy.orm import Session

from app.queries.bounded import OPEN_ORDER
from app.queries.listing import SqlList
from app.queries.order_steps import step_of_order
from erpcore.masterdata.models import Channel, Customer, Site
from erpcore.orders.models import HoldKind, OrderHold, OrderLine, OrderState, SalesOrder

STATES = tuple(state.value for state in OrderState)
#: Why people hold orders by hand; credit is held by the check itself.
HOLD_KINDS = tuple(kind.value for kind in HoldKind)
OPEN_STATES = (OrderState.CAPTURED, OrderState.HELD, OrderState.RELEASED)


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """One order in a list. ``due_at``: the earliest promise that is still open; ``value_minor`` in ``currency``."""

    id: int
    number: str
    reference: str | None
    customer_id: int
    customer_code: str
    customer: str
    site: str
    channel: str
    time_zone: str
    state: str
    delivery: str
    billing: str
    payment: str
    currency: str
    value_minor: int
    captured_at: datetime
    source: str
    version: int
    lines: int = 0
    due_at: datetime | None = None
    holds: tuple[str, ...] = ()

    def is_late(self, now: datetime) -> bool:
        return self.due_at is not None and self.due_at < now


def overdue(now: datetime) -> ColumnElement[bool]:
    """An order that has a line open past its promise."""
    return exists().where(
        OrderLine.order_id == SalesOrder.id,
        OrderLine.shipped + OrderLine.cancelled < OrderLine.quantity,
        OrderLine.promised_due_at < now,
    )


def _is_late(now: datetime) -> ColumnElement[bool]:
    """An order that may still move and has a line open past its promise."""
    return and_(OPEN_ORDER, SalesOrder.state.in_(OPEN_STATES), overdue(now))


def _rows() -> Any:
    return select(
        SalesOrder, Customer.code.label("customer_code"), Customer.name.label("customer"), Site.name.label("site"),
        Site.time_zone, Channel.name.label("channel"),
    )  # fmt: skip


def _row(found: Any) -> OrderRow:
    order: SalesOrder = found.SalesOrder
    return OrderRow(
        id=order.id, number=order.number, reference=order.customer_reference, customer_id=order.customer_id,
        customer_code=found.customer_code, customer=found.customer, site=found.site, channel=found.channel,
        time_zone=found.time_zone, state=order.state, delivery=order.delivery_status, billing=order.billing_status,
        payment=order.payment_status, currency=order.currency, value_minor=order.value_minor,
        captured_at=order.captured_at, source=order.source, version=order.version,
    )  # fmt: skip


def _with_lines(session: Session, rows: Sequence[OrderRow]) -> list[OrderRow]:
    """The rows with how many lines they have, what is due next and what holds them."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    is_open = OrderLine.shipped + OrderLine.cancelled < OrderLine.quantity
    lines = {
        found.order_id: found
        for found in session.execute(
            select(
                OrderLine.order_id, func.count().label("lines"),
                func.min(case((is_open, OrderLine.promised_due_at))).label("due_at"),
            )
            .where(OrderLine.order_id.in_(ids))
            .group_by(OrderLine.order_id)
        )
    }  # fmt: skip
    holds: dict[int, list[str]] = {}
    for hold in session.execute(
        select(OrderHold.order_id, OrderHold.kind).where(OrderHold.order_id.in_(ids), OrderHold.released_at.is_(None))
    ):
        holds.setdefault(hold.order_id, []).append(hold.kind)
    return [
        replace(
            row,
            lines=lines[row.id].lines if row.id in lines else 0,
            due_at=lines[row.id].due_at if row.id in lines and row.state in OPEN_STATES else None,
            holds=tuple(sorted(holds.get(row.id, ()))),
        )
        for row in rows
    ]


def _heads() -> Any:
    """Orders with what narrows them, without what only names their place."""
    return (
        select(SalesOrder.id)
        .select_from(SalesOrder)
        .join(Customer, Customer.id == SalesOrder.customer_id, isouter=True)
    )


def _placed() -> Any:
    return (
        _rows()
        .select_from(SalesOrder)
        .join(Customer, Customer.id == SalesOrder.customer_id, isouter=True)
        .join(Site, Site.id == SalesOrder.site_id, isouter=True)
        .join(Channel, Channel.id == SalesOrder.channel_id, isouter=True)
    )


#: The list of orders: four queries for a page.
ORDERS: SqlList[OrderRow] = SqlList(
    select=_placed, count_from=_heads, row=_row, finish=_with_lines, tie=(SalesOrder.id,),
    usual="-captured", site=SalesOrder.site_id, company=SalesOrder.entity_id, by=("state", SalesOrder.state), words=STATES, flags=("late",),
    sums={"Value": SalesOrder.value_minor}, currency=SalesOrder.currency,
    text=(SalesOrder.number, SalesOrder.customer_reference, Customer.code, Customer.name),
    sorts={
        "number": SalesOrder.number, "captured": SalesOrder.captured_at, "customer": Customer.name,
        "value": SalesOrder.value_minor, "state": SalesOrder.state,
    },
    wanted={
        "state": lambda value, _: SalesOrder.state == value,
        "channel": lambda value, _: SalesOrder.channel_id == value,
        "customer": lambda value, _: SalesOrder.customer_id == value,
        "late": lambda _, eyes: _is_late(eyes.now),
        "step": lambda value, _: step_of_order() == value,
    },
)  # fmt: skip
