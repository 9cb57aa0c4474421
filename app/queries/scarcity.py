"""Which items are short, how much waits for them since when, and what comes? Kept to the sites that somebody sees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session

from app.queries.listing import MOST_ROWS, Asked, Found, Position, last_page, like
from app.queries.short import is_short
from app.queries.worked_out import AskedList
from app.security.scopes import within_sites
from erpcore.inventory.balances import Place
from erpcore.inventory.documents import ExpectedReceipt
from erpcore.inventory.models import Reservation, StockBalance
from erpcore.kernel.actor import Actor
from erpcore.kernel.rows import chunks
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.orders.models import OrderLine, SalesOrder

MOST_WAITERS = 200


@dataclass(frozen=True, kw_only=True)
class ShortRow:
    """One item at one site that lines wait for. ``value_minor`` is what the unmet part is worth at the orders' prices."""

    site_id: int
    site: str
    item_id: int
    code: str
    name: str
    unit: str
    lines: int
    unmet: Decimal
    since: datetime
    free: Decimal
    coming: Decimal
    next_on: date | None
    value_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Waiter:
    """An order line that waits for an item: how much, since when, for which day it is promised and from what."""

    line_id: int
    order_id: int
    number: str
    line_no: int
    customer: str
    site: str
    quantity: Decimal
    since: datetime
    promised_on: date
    reason: str


def _waiting(query: Any, actor: Actor, asked: Asked) -> Any:
    """The lines that wait: backordered, of released orders."""
    query = (
        query.select_from(Reservation)
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Item, Item.id == Reservation.item_id)
        .join(Site, Site.id == Reservation.site_id)
        .join(Entity, Entity.id == Reservation.entity_id)
        .outerjoin(
            StockBalance, (StockBalance.site_id == Reservation.site_id) & (StockBalance.item_id == Reservation.item_id)
        )
        .where(
            Reservation.unmet > 0, is_short(), Entity.realm == asked.realm,
        )
    )  # fmt: skip
    query = within_sites(query, actor, Reservation.site_id)
    wanted = asked.values
    if "site" in wanted:
        query = query.where(Reservation.site_id == wanted["site"])
    if "text" in wanted:
        pattern = like(wanted["text"])
        query = query.where(or_(Item.code.ilike(pattern, escape="\\"), Item.name.ilike(pattern, escape="\\")))
    if "free" in wanted:
        query = query.where(StockBalance.on_hand > StockBalance.reserved + StockBalance.blocked)
    return query


_SINCE, _UNMET, _LINES = func.min(Reservation.since), func.sum(Reservation.unmet), func.count()
_SORTS = {"since": _SINCE, "unmet": _UNMET, "lines": _LINES, "item": Item.code, "site": Site.name}


def _grouped(actor: Actor, asked: Asked) -> Any:
    columns = (
        Reservation.site_id, Site.name.label("site"), Reservation.item_id, Item.code, Item.name, Item.unit, Entity.currency,
        func.min(StockBalance.on_hand).label("on_hand"), func.min(StockBalance.reserved).label("reserved"),
        func.min(StockBalance.blocked).label("blocked"), _SINCE.label("since"), _UNMET.label("unmet"), _LINES.label("lines"),
    )  # fmt: skip
    column: Any = _SORTS.get(asked.sort.removeprefix("-"), _SINCE)
    return (
        _waiting(select(*columns), actor, asked)
        .group_by(Reservation.site_id, Site.name, Reservation.item_id, Item.code, Item.name, Item.unit, Entity.currency)
        .order_by(column.desc() if asked.sort.startswith("-") else column.asc(), Item.code, Reservation.site_id)
    )


def _rows(session: Session, found: Sequence[Any]) -> list[ShortRow]:
    places = [(row.site_id, row.item_id) for row in found]
    values, coming = _values(session, places), _coming(session, places)
    nothing: tuple[Decimal, date | None] = (Decimal(0), None)
    return [
        ShortRow(
            site_id=row.site_id, site=row.site, item_id=row.item_id, code=row.code, name=row.name, unit=row.unit,
            lines=row.lines, unmet=row.unmet, since=row.since, free=_free(row),
            coming=coming.get((row.site_id, row.item_id), nothing)[0],
            next_on=coming.get((row.site_id, row.item_id), nothing)[1],
            value_minor=values.get((row.site_id, row.item_id), 0), currency=row.currency,
        )
        for row in found
    ]  # fmt: skip


def _free(row: Any) -> Decimal:
    """A place where nothing ever was has no balance, so nothing is free."""
    nothing = Decimal(0)
    return nothing if row.on_hand is None else max(nothing, row.on_hand - row.reserved - row.blocked)


def _by_site(places: Sequence[Place]) -> dict[int, list[int]]:
    out: dict[int, list[int]] = defaultdict(list)
    for site, item in places:
        out[site].append(item)
    return out


def _values(session: Session, places: Sequence[Place]) -> dict[Place, int]:
    """What waits at each place is worth: each line's share of its value."""
    out: dict[Place, int] = defaultdict(int)
    for site, items in _by_site(places).items():
        for part in chunks(sorted(items)):
            query = (
                select(Reservation.item_id, Reservation.unmet, OrderLine.quantity, OrderLine.value_minor)
                .join(OrderLine, OrderLine.id == Reservation.order_line_id)
                .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
                .where(
                    Reservation.site_id == site, Reservation.item_id.in_(part), Reservation.unmet > 0, is_short(),
                )
            )  # fmt: skip
            for row in session.execute(query):
                out[site, row.item_id] += worth(row.unmet, row.quantity, row.value_minor)
    return out


def worth(part: Decimal, whole: Decimal, value_minor: int) -> int:
    """The share of a line's value that a part of its quantity has, to the nearest minor unit."""
    return int((Decimal(value_minor) * part / whole).to_integral_value()) if whole else 0


def _coming(session: Session, places: Sequence[Place]) -> dict[Place, tuple[Decimal, date | None]]:
    """How much is expected at each place, and when the next of it."""
    out: dict[Place, tuple[Decimal, date | None]] = {}
    parts = (ExpectedReceipt.quantity, ExpectedReceipt.received, ExpectedReceipt.cancelled)
    left = parts[0] - parts[1] - parts[2]
    for site, items in _by_site(places).items():
        for some in chunks(sorted(items)):
            query = (
                select(
                    ExpectedReceipt.item_id, func.min(ExpectedReceipt.expected_on), *(func.sum(one) for one in parts),
                )
                .where(ExpectedReceipt.site_id == site, ExpectedReceipt.item_id.in_(some), left > 0)
                .group_by(ExpectedReceipt.item_id)
            )  # fmt: skip
            for item, day, *sums in session.execute(query):
                out[site, item] = (sums[0] - sums[1] - sums[2], day)
    return out


def _page(session: Session, actor: Actor, asked: Asked, _now: datetime) -> Found[ShortRow]:
    grouped = _grouped(actor, asked)
    counted = grouped.order_by(None).subquery()
    total, lines = session.execute(select(func.count(), func.coalesce(func.sum(counted.c.lines), 0))).one()
    found = session.execute(grouped.limit(asked.size).offset((last_page(asked, total) - 1) * asked.size)).all()
    return Found(rows=_rows(session, found), total=total, more=[("Lines that wait", int(lines))])


def _every(session: Session, actor: Actor, asked: Asked, _now: datetime) -> Iterator[ShortRow]:
    yield from _rows(session, session.execute(_grouped(actor, asked).limit(MOST_ROWS)).all())


def _behind(
    session: Session, actor: Actor, asked: Asked, _now: datetime, after: Position, limit: int
) -> list[ShortRow]:
    """By site and item: for programs, which read on while others become short or are served."""
    key = (Reservation.site_id, Reservation.item_id)
    query = _grouped(actor, asked).order_by(None).order_by(*key).limit(limit)
    query = query if after is None else query.where(tuple_(*key) > after)
    return _rows(session, session.execute(query).all())


#: The list of short items: what is waited for longest leads.
SHORT_ITEMS: AskedList[ShortRow] = AskedList(
    sorts=_SORTS, one_page=_page, all_rows=_every, behind=_behind, kinds=(int, int)
)


def waiters(session: Session, item: int, sites: Sequence[int]) -> list[Waiter]:
    """Who waits for an item at these sites, longest first: the other side of who holds it."""
    query = (
        select(
            OrderLine.id, SalesOrder.id.label("order_id"), SalesOrder.number, OrderLine.line_no, OrderLine.promise_reason,
            Customer.name.label("customer"), Site.name.label("site"), Reservation.unmet, Reservation.since,
            OrderLine.promised_on,
        )
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Site, Site.id == Reservation.site_id)
        .where(Reservation.site_id.in_(list(sites)), Reservation.item_id == item, Reservation.unmet > 0)
        .order_by(Reservation.since, Reservation.id)
        .limit(MOST_WAITERS)
    )  # fmt: skip
    return [
        Waiter(
            line_id=row.id, order_id=row.order_id, number=row.number, line_no=row.line_no, customer=row.customer,
            site=row.site, quantity=row.unmet, since=row.since, promised_on=row.promised_on, reason=row.promise_reason,
        )
        for row in session.execute(query)
    ]  # fmt: skip
