"""Which lines wait, how old are they, who ranks before whom, and for which day is each promised from what?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.queries.listing import MOST_ROWS, PAGE, like
from app.queries.scarcity import worth
from app.security.scopes import within_sites
from erpcore.inventory.models import Reservation
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Channel, Customer, Entity, Item, Site
from erpcore.orders.models import OrderLine, OrderState, SalesOrder

_RANK = (Channel.priority, Customer.tier, Reservation.since, OrderLine.id)


@dataclass(frozen=True, kw_only=True)
class BackorderFilter:
    """``late``: the promised day has passed. ``sort``: by rank unless it names another column."""

    site: int | None = None
    realm: str = "live"
    text: str = ""
    late: bool = False
    sort: str = "rank"
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class BackorderRow:
    """One line that waits. ``since``: when it was short first; ``value_minor``: what the unmet part is worth."""

    line_id: int
    line_no: int
    order_id: int
    order: str
    customer: str
    channel: str
    priority: int
    tier: int
    site_id: int
    site: str
    realm: str
    item_id: int
    code: str
    name: str
    unit: str
    unmet: Decimal
    since: datetime
    promised_on: date
    promised_due_at: datetime
    reason: str
    value_minor: int
    currency: str

    def age_days(self, now: datetime) -> int:
        return (now - self.since).days

    def is_late(self, now: datetime) -> bool:
        return self.promised_due_at < now


@dataclass(frozen=True, kw_only=True)
class BackorderList:
    rows: list[BackorderRow]
    total: int
    late: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def _narrowed(query: Any, actor: Actor, asked: BackorderFilter, now: datetime) -> Any:
    query = (
        query.select_from(Reservation)
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Channel, Channel.id == SalesOrder.channel_id)
        .join(Item, Item.id == Reservation.item_id)
        .join(Site, Site.id == Reservation.site_id)
        .join(Entity, Entity.id == Reservation.entity_id)
        .where(
            Reservation.unmet > 0, OrderLine.backordered_at.is_not(None), SalesOrder.state == OrderState.RELEASED,
            Entity.realm == asked.realm,
        )
    )  # fmt: skip
    query = within_sites(query, actor, Reservation.site_id)
    if asked.site is not None:
        query = query.where(Reservation.site_id == asked.site)
    if asked.late:
        query = query.where(OrderLine.promised_due_at < now)
    if asked.text:
        pattern = like(asked.text)
        query = query.where(
            or_(
                SalesOrder.number.ilike(pattern, escape="\\"), Customer.name.ilike(pattern, escape="\\"),
                Item.code.ilike(pattern, escape="\\"), Item.name.ilike(pattern, escape="\\"),
            )
        )  # fmt: skip
    return query


_COLUMNS = (
    OrderLine.id.label("line_id"), OrderLine.line_no, SalesOrder.id.label("order_id"), SalesOrder.number.label("order"),
    Customer.name.label("customer"), Channel.name.label("channel"), Channel.priority,
    Customer.tier, Reservation.site_id, Site.name.label("site"), Entity.realm,
    Reservation.item_id, Item.code, Item.name, Item.unit, Reservation.unmet, Reservation.since, OrderLine.promised_on,
    OrderLine.promised_due_at, OrderLine.promise_reason.label("reason"), OrderLine.quantity, OrderLine.value_minor,
    SalesOrder.currency,
)  # fmt: skip
_NAMES = tuple(one.name for one in fields(BackorderRow) if one.name != "value_minor")
_SORTS: dict[str, Any] = {
    "since": Reservation.since, "promised": OrderLine.promised_on, "item": Item.code, "customer": Customer.name,
    "order": SalesOrder.number, "unmet": Reservation.unmet,
}  # fmt: skip


def _sorted(query: Any, sort: str) -> Any:
    column = _SORTS.get(sort.removeprefix("-"))
    if column is None:
        return query.order_by(*_RANK)
    return query.order_by(column.desc() if sort.startswith("-") else column.asc(), OrderLine.id)


def _row(row: Any) -> BackorderRow:
    values = {name: getattr(row, name) for name in _NAMES}
    return BackorderRow(value_minor=worth(row.unmet, row.quantity, row.value_minor), **values)


def list_backorders(session: Session, actor: Actor, asked: BackorderFilter, now: datetime) -> BackorderList:
    """The page of waiting lines that the filter asks for, who ranks first on top, in two queries."""
    counts = _narrowed(select(func.count(), func.count().filter(OrderLine.promised_due_at < now)), actor, asked, now)
    total, late = session.execute(counts).one()
    page = min(max(asked.page, 1), max(1, -(-total // PAGE)))
    query = _sorted(_narrowed(select(*_COLUMNS), actor, asked, now), asked.sort)
    rows = [_row(row) for row in session.execute(query.limit(PAGE).offset((page - 1) * PAGE))]
    return BackorderList(rows=rows, total=total, late=late)


def every_backorder(session: Session, actor: Actor, asked: BackorderFilter, now: datetime) -> Iterator[BackorderRow]:
    """All waiting lines that fit the filter, for a file."""
    query = _sorted(_narrowed(select(*_COLUMNS), actor, asked, now), asked.sort).limit(MOST_ROWS)
    for row in session.execute(query, execution_options={"yield_per": 1000}):
        yield _row(row)


def backorders_after(
    session: Session, actor: Actor, asked: BackorderFilter, now: datetime, after: int, limit: int
) -> list[BackorderRow]:
    """Waiting lines by id, from after that one."""
    query = _narrowed(select(*_COLUMNS), actor, asked, now).where(OrderLine.id > after).order_by(OrderLine.id)
    return [_row(row) for row in session.execute(query.limit(limit))]


def backorders_by_line(session: Session, actor: Actor, lines: Sequence[int], now: datetime) -> dict[int, BackorderRow]:
    """Those of these lines that wait and that this person sees, of whatever realm."""
    found: dict[int, BackorderRow] = {}
    for realm in ("live", "rehearsal", "training"):
        query = _narrowed(select(*_COLUMNS), actor, BackorderFilter(realm=realm), now).where(OrderLine.id.in_(lines))
        found |= {row.line_id: _row(row) for row in session.execute(query)}
    return found


def realm_of_line(session: Session, line: int) -> str | None:
    """The realm that an order line belongs to; ``None`` for a line that there is not."""
    query = (
        select(Entity.realm)
        .join(SalesOrder, SalesOrder.entity_id == Entity.id)
        .join(OrderLine, OrderLine.order_id == SalesOrder.id)
        .where(OrderLine.id == line)
    )
    return session.scalar(query)
