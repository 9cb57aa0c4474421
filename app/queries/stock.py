"""What is there, where, for whom is it kept, what is it worth, and how did it get there?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.queries.orders import MOST_ROWS, PAGE, like
from app.security.scopes import check_site, within_sites
from erpcore.fulfilment.models import ReturnOrder, Shipment
from erpcore.inventory.models import Reservation, StockBalance, StockMove
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.orders.models import OrderLine, SalesOrder

MOST_MOVES = 200


@dataclass(frozen=True, kw_only=True)
class StockFilter:
    """What the address asks for. ``short``: nothing available though something is on hand or promised."""

    site: int | None = None
    realm: str = "live"
    text: str = ""
    short: bool = False
    unvalued: bool = False
    sort: str = "item"
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class StockRow:
    """One item at one site. ``value_minor`` ``None``: all of it came at unknown cost; ``unvalued`` so much of it."""

    site_id: int
    site: str
    item_id: int
    code: str
    name: str
    unit: str
    abc: str | None
    on_hand: Decimal
    reserved: Decimal
    blocked: Decimal
    unvalued: Decimal
    value_minor: int | None
    currency: str

    @property
    def available(self) -> Decimal:
        return self.on_hand - self.reserved - self.blocked


@dataclass(frozen=True, kw_only=True)
class StockList:
    """One page; ``sums`` are (currency, value of what is valued); ``unvalued`` counts places with stock at unknown cost."""

    rows: list[StockRow]
    total: int
    sums: list[tuple[str, int]]
    unvalued: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """An order line that holds stock: how much of it is kept, since when, and until when it is promised."""

    order_id: int
    number: str
    customer: str
    line_no: int
    quantity: Decimal
    since: datetime
    promised_at: datetime


@dataclass(frozen=True, kw_only=True)
class MoveRow:
    """One stock move. ``order_id``, ``return_id``: where it leads, when it belongs to one."""

    id: int
    quantity: Decimal
    unit_cost: Decimal | None
    value_minor: int | None
    reason: str
    note: str | None
    document: str
    order_id: int | None
    return_id: int | None
    moved_at: datetime
    is_reversed: bool

    @property
    def is_reversible(self) -> bool:
        return self.reason in ("adjustment", "count") and not self.is_reversed


@dataclass(frozen=True, kw_only=True)
class StockPage:
    """One item at one site with who holds it and how it came; ``elsewhere`` is the same item at other sites one sees."""

    row: StockRow
    realm: str
    kind: str
    time_zone: str
    standard_cost: Decimal | None
    replenishment_days: int
    keepers: list[Keeper]
    moves: list[MoveRow]
    move_count: int
    elsewhere: list[StockRow]


_SORTS: dict[str, Any] = {
    "item": Item.code,
    "site": Site.name,
    "on_hand": StockBalance.on_hand,
    "available": StockBalance.on_hand - StockBalance.reserved - StockBalance.blocked,
    "value": StockBalance.value_minor,
}


def _narrowed(query: Any, actor: Actor, asked: StockFilter) -> Any:
    query = (
        query.select_from(StockBalance)
        .join(Item, Item.id == StockBalance.item_id)
        .join(Site, Site.id == StockBalance.site_id)
        .join(Entity, Entity.id == StockBalance.entity_id)
        .where(Entity.realm == asked.realm)
    )
    query = within_sites(query, actor, StockBalance.site_id)
    if asked.site is not None:
        query = query.where(StockBalance.site_id == asked.site)
    if asked.text:
        pattern = like(asked.text)
        query = query.where(or_(Item.code.ilike(pattern, escape="\\"), Item.name.ilike(pattern, escape="\\")))
    if asked.short:
        query = query.where(StockBalance.on_hand == StockBalance.reserved + StockBalance.blocked)
    if asked.unvalued:
        query = query.where(StockBalance.unvalued != 0, StockBalance.on_hand != 0)
    return query


_COLUMNS = (
    StockBalance, Site.name.label("site"), Item.code, Item.name, Item.unit, Item.abc, Entity.currency,
)  # fmt: skip


def _row(found: Any) -> StockRow:
    balance: StockBalance = found.StockBalance
    nothing_valued = balance.on_hand != 0 and balance.unvalued == balance.on_hand
    return StockRow(
        site_id=balance.site_id, site=found.site, item_id=balance.item_id, code=found.code, name=found.name,
        unit=found.unit, abc=found.abc, on_hand=balance.on_hand, reserved=balance.reserved, blocked=balance.blocked,
        unvalued=balance.unvalued,
        value_minor=None if nothing_valued else balance.value_minor, currency=found.currency,
    )  # fmt: skip


def _sorted(query: Any, sort: str) -> Any:
    column = _SORTS.get(sort.removeprefix("-"), Item.code)
    down = sort.startswith("-")
    return query.order_by(column.desc() if down else column.asc(), Item.code, StockBalance.site_id)


def list_stock(session: Session, actor: Actor, asked: StockFilter) -> StockList:
    """The page of places that the filter asks for, in three queries."""
    counted = session.execute(
        _narrowed(
            select(Entity.currency, func.count().label("places"), func.sum(StockBalance.value_minor).label("value")),
            actor,
            asked,
        ).group_by(Entity.currency)
    ).all()
    unvalued = session.scalar(
        _narrowed(select(func.count()), actor, asked).where(StockBalance.unvalued != 0, StockBalance.on_hand != 0)
    )
    total = sum(row.places for row in counted)
    page = min(max(asked.page, 1), max(1, -(-total // PAGE)))
    query = _sorted(_narrowed(select(*_COLUMNS), actor, asked), asked.sort)
    rows = [_row(found) for found in session.execute(query.limit(PAGE).offset((page - 1) * PAGE))]
    sums = [(row.currency, int(row.value or 0)) for row in counted]
    return StockList(rows=rows, total=total, sums=sorted(sums), unvalued=int(unvalued or 0))


def every_place(session: Session, actor: Actor, asked: StockFilter) -> Iterator[StockRow]:
    """All places that fit the filter, for a file."""
    query = _sorted(_narrowed(select(*_COLUMNS), actor, asked), asked.sort).limit(MOST_ROWS)
    for found in session.execute(query, execution_options={"yield_per": 1000}):
        yield _row(found)


def places_after(
    session: Session, actor: Actor, asked: StockFilter, after: int, limit: int
) -> list[tuple[int, StockRow]]:
    """Places by site and item, from position ``after`` on; the position of each comes with it."""
    query = _narrowed(select(*_COLUMNS), actor, asked).order_by(StockBalance.site_id, StockBalance.item_id)
    found = session.execute(query.offset(after).limit(limit))
    return [(after + number, _row(row)) for number, row in enumerate(found, 1)]


def stock_page(session: Session, actor: Actor, site: int, item: int) -> StockPage:
    """One item at one site. An item that never was there has nothing on hand; another site's does not exist."""
    check_site(actor, site)
    head = session.execute(
        select(Item, Site, Entity)
        .join(Entity, Entity.id == Item.entity_id)
        .join(Site, and_(Site.entity_id == Entity.id, Site.id == site))
        .where(Item.id == item)
    ).one_or_none()
    if head is None:
        raise NotFound("not_found")
    asked = StockFilter(realm=head.Entity.realm)
    rows = [_row(row) for row in session.execute(_narrowed(select(*_COLUMNS), actor, asked).where(Item.id == item))]
    here = next((row for row in rows if row.site_id == site), None) or StockRow(
        site_id=site, site=head.Site.name, item_id=item, code=head.Item.code, name=head.Item.name, unit=head.Item.unit,
        abc=head.Item.abc, on_hand=Decimal(0), reserved=Decimal(0), blocked=Decimal(0), unvalued=Decimal(0), value_minor=0,
        currency=head.Entity.currency,
    )  # fmt: skip
    moves, count = _moves(session, site, item)
    return StockPage(
        row=here, realm=head.Entity.realm, kind=head.Item.kind, time_zone=head.Site.time_zone,
        standard_cost=head.Item.standard_cost, replenishment_days=head.Item.replenishment_days,
        keepers=_keepers(session, site, item), moves=moves, move_count=count,
        elsewhere=sorted((row for row in rows if row.site_id != site), key=lambda row: row.site),
    )  # fmt: skip


def _keepers(session: Session, site: int, item: int) -> list[Keeper]:
    rows = session.execute(
        select(
            SalesOrder.id, SalesOrder.number, Customer.name.label("customer"), OrderLine.line_no, Reservation.quantity,
            Reservation.consumed, Reservation.freed, Reservation.reserved_at, OrderLine.promised_due_at,
        )
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .where(
            Reservation.site_id == site, Reservation.item_id == item,
            Reservation.consumed + Reservation.freed < Reservation.quantity,
        )
        .order_by(OrderLine.promised_due_at, Reservation.id)
    )  # fmt: skip
    return [
        Keeper(
            order_id=row.id, number=row.number, customer=row.customer, line_no=row.line_no, quantity=row.quantity - row.consumed - row.freed,
            since=row.reserved_at, promised_at=row.promised_due_at,
        )
        for row in rows
    ]  # fmt: skip


def _moves(session: Session, site: int, item: int) -> tuple[list[MoveRow], int]:
    here = (StockMove.item_id == item) & (StockMove.site_id == site)
    count = session.scalar(select(func.count()).select_from(StockMove).where(here)) or 0
    rows = session.execute(
        select(StockMove, Shipment.number.label("shipment"), Shipment.order_id, ReturnOrder.number.label("returned"))
        .join(Shipment, (StockMove.document_type == "shipment") & (Shipment.id == StockMove.document_id), isouter=True)
        .join(
            ReturnOrder, (StockMove.document_type == "return") & (ReturnOrder.id == StockMove.document_id), isouter=True
        )
        .where(here)
        .order_by(StockMove.moved_at.desc(), StockMove.id.desc())
        .limit(MOST_MOVES)
    ).all()
    reversed_ = set(
        session.scalars(
            select(StockMove.document_id).where(here, StockMove.reason == "reversal", StockMove.document_type == "stock_move")
        )
    )  # fmt: skip
    found = [
        MoveRow(
            id=row.StockMove.id, quantity=row.StockMove.quantity, unit_cost=row.StockMove.unit_cost,
            value_minor=row.StockMove.value_minor, reason=row.StockMove.reason, note=row.StockMove.note,
            document=row.shipment or row.returned or "", order_id=row.order_id,
            return_id=row.StockMove.document_id if row.returned else None, moved_at=row.StockMove.moved_at,
            is_reversed=row.StockMove.id in reversed_,
        )
        for row in rows
    ]  # fmt: skip
    return found, count
