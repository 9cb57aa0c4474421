"""Which orders are there, how far are they, and which of them are late? Kept to the sites that somebody sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Channel, Customer, Entity, Site
from erpcore.orders.models import HoldKind, OrderHold, OrderLine, OrderState, SalesOrder

#: Rows on one page of a list.
PAGE = 50
#: The most rows a file holds: beyond that a filter is the better way.
MOST_ROWS = 100_000

STATES = tuple(state.value for state in OrderState)
#: Why people hold orders by hand; credit is held by the check itself.
HOLD_KINDS = tuple(kind.value for kind in HoldKind)
OPEN_STATES = (OrderState.CAPTURED, OrderState.HELD, OrderState.RELEASED)

_SORTS: dict[str, Any] = {
    "number": SalesOrder.number,
    "captured": SalesOrder.captured_at,
    "customer": Customer.name,
    "value": SalesOrder.value_minor,
    "state": SalesOrder.state,
}


@dataclass(frozen=True, kw_only=True)
class OrderFilter:
    """What the address of a list asks for. ``sort`` with a minus is descending; an unknown one is the newest first."""

    state: str = ""
    site: int | None = None
    channel: int | None = None
    customer: int | None = None
    realm: str = "live"
    late: bool = False
    text: str = ""
    sort: str = "-captured"
    page: int = 1


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


@dataclass(frozen=True, kw_only=True)
class OrderList:
    """One page of orders, with what all that fit the filter come to. ``by_state`` leaves the state of the filter out."""

    rows: list[OrderRow]
    total: int
    sums: list[tuple[str, int]]
    by_state: dict[str, int]
    late: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def _is_late(now: datetime) -> ColumnElement[bool]:
    """An order that may still move and has a line open past its promise."""
    overdue = exists().where(
        OrderLine.order_id == SalesOrder.id,
        OrderLine.shipped + OrderLine.cancelled < OrderLine.quantity,
        OrderLine.promised_due_at < now,
    )
    return and_(SalesOrder.state.in_(OPEN_STATES), overdue)


def like(text: str) -> str:
    """A pattern for ``text`` anywhere; what it holds of pattern signs counts as written."""
    plain = text.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{plain}%"


def _narrowed(query: Any, actor: Actor, asked: OrderFilter, now: datetime) -> Any:
    query = (
        query.select_from(SalesOrder)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .where(Entity.realm == asked.realm)
    )
    query = within_sites(query, actor, SalesOrder.site_id)
    if asked.site is not None:
        query = query.where(SalesOrder.site_id == asked.site)
    if asked.channel is not None:
        query = query.where(SalesOrder.channel_id == asked.channel)
    if asked.customer is not None:
        query = query.where(SalesOrder.customer_id == asked.customer)
    if asked.late:
        query = query.where(_is_late(now))
    if asked.text:
        pattern = like(asked.text)
        query = query.where(
            or_(
                SalesOrder.number.ilike(pattern, escape="\\"),
                SalesOrder.customer_reference.ilike(pattern, escape="\\"),
                Customer.code.ilike(pattern, escape="\\"),
                Customer.name.ilike(pattern, escape="\\"),
            )
        )
    return query


def _in_state(query: Any, asked: OrderFilter) -> Any:
    return query.where(SalesOrder.state == asked.state) if asked.state in STATES else query


def _rows() -> Any:
    return select(
        SalesOrder, Customer.code.label("customer_code"), Customer.name.label("customer"), Site.name.label("site"),
        Site.time_zone, Channel.name.label("channel"),
    )  # fmt: skip


def _sorted(query: Any, sort: str) -> Any:
    column = _SORTS.get(sort.removeprefix("-"), SalesOrder.captured_at)
    down = sort.startswith("-") or sort.removeprefix("-") not in _SORTS
    return query.order_by(
        column.desc() if down else column.asc(), SalesOrder.id.desc() if down else SalesOrder.id.asc()
    )


def _row(found: Any) -> OrderRow:
    order: SalesOrder = found.SalesOrder
    return OrderRow(
        id=order.id, number=order.number, reference=order.customer_reference, customer_id=order.customer_id,
        customer_code=found.customer_code, customer=found.customer, site=found.site, channel=found.channel,
        time_zone=found.time_zone, state=order.state, delivery=order.delivery_status, billing=order.billing_status,
        payment=order.payment_status, currency=order.currency, value_minor=order.value_minor,
        captured_at=order.captured_at, source=order.source, version=order.version,
    )  # fmt: skip


def list_orders(session: Session, actor: Actor, asked: OrderFilter, now: datetime) -> OrderList:
    """The page of orders that the filter asks for, in five queries. A page beyond the last is the last."""
    counted = session.execute(
        _narrowed(
            select(SalesOrder.state, SalesOrder.currency, func.count().label("orders"),
                   func.sum(SalesOrder.value_minor).label("value")),
            actor, asked, now,
        ).group_by(SalesOrder.state, SalesOrder.currency)
    ).all()  # fmt: skip
    by_state: dict[str, int] = {}
    sums: dict[str, int] = {}
    for row in counted:
        by_state[row.state] = by_state.get(row.state, 0) + row.orders
        if asked.state not in STATES or row.state == asked.state:
            sums[row.currency] = sums.get(row.currency, 0) + int(row.value or 0)
    total = by_state.get(asked.state, 0) if asked.state in STATES else sum(by_state.values())
    late = session.scalar(
        _narrowed(select(func.count()), actor, replace(asked, late=True, state=""), now)
    )  # fmt: skip
    page = min(max(asked.page, 1), max(1, -(-total // PAGE)))
    query = _sorted(_in_state(_narrowed(_rows(), actor, asked, now), asked), asked.sort)
    query = query.join(Site, Site.id == SalesOrder.site_id).join(Channel, Channel.id == SalesOrder.channel_id)
    rows = [_row(found) for found in session.execute(query.limit(PAGE).offset((page - 1) * PAGE))]
    return OrderList(
        rows=_with_lines(session, rows), total=total, sums=sorted(sums.items()), by_state=by_state, late=int(late or 0)
    )


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


def every_order(session: Session, actor: Actor, asked: OrderFilter, now: datetime) -> Iterator[OrderRow]:
    """All orders that fit the filter, for a file; at most ``MOST_ROWS``."""
    query = _sorted(_in_state(_narrowed(_rows(), actor, asked, now), asked), asked.sort)
    query = query.join(Site, Site.id == SalesOrder.site_id).join(Channel, Channel.id == SalesOrder.channel_id)
    part: list[OrderRow] = []
    for found in session.execute(query.limit(MOST_ROWS), execution_options={"yield_per": 500}):
        part.append(_row(found))
        if len(part) == 500:
            yield from _with_lines(session, part)
            part = []
    yield from _with_lines(session, part)


def orders_after(session: Session, actor: Actor, asked: OrderFilter, after: int, limit: int) -> list[OrderRow]:
    """Orders by id, from after that one: the API's way to read them all, part by part."""
    query = _rows().select_from(SalesOrder).where(SalesOrder.id > after)
    query = _in_state(
        query.join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Site, Site.id == SalesOrder.site_id)
        .join(Channel, Channel.id == SalesOrder.channel_id),
        asked,
    )
    query = within_sites(query, actor, SalesOrder.site_id)
    if asked.site is not None:
        query = query.where(SalesOrder.site_id == asked.site)
    if asked.customer is not None:
        query = query.where(SalesOrder.customer_id == asked.customer)
    found = session.execute(query.order_by(SalesOrder.id).limit(limit))
    return _with_lines(session, [_row(row) for row in found])
