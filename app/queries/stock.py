"""What is there, where, for whom is it kept, what is it worth, and how did it get there?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.queries.stock_moves import MoveRow, list_moves
from app.security.scopes import check_site, within_sites
from erpcore.inventory.cost_kinds import CostMethod
from erpcore.inventory.models import Reservation, StockBalance, StockMove
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.orders.models import OrderLine, SalesOrder

#: Of an item that everybody wants, so many order lines are listed.
MOST_HOLDERS = 500


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
    method: str = CostMethod.STANDARD

    @property
    def available(self) -> Decimal:
        return self.on_hand - self.reserved - self.blocked


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """An order line that holds stock: how much of it is kept, since when, and for which day it is promised."""

    order_id: int
    number: str
    customer: str
    line_no: int
    quantity: Decimal
    since: datetime
    promised_on: date
    site: str


@dataclass(frozen=True, kw_only=True)
class StockPlace:
    """One item at one site, counted in so many ``places``; ``elsewhere`` is the same item at other sites one sees."""

    row: StockRow
    places: int
    entity_id: int
    realm: str
    kind: str
    time_zone: str
    standard_cost: Decimal | None
    replenishment_days: int
    elsewhere: list[StockRow]


@dataclass(frozen=True, kw_only=True)
class StockPage:
    """A place with who holds it and how it came. ``older``: the move behind which there are more; ``None``: no more."""

    place: StockPlace
    keepers: list[Keeper]
    moves: list[MoveRow]
    move_count: int
    older: int | None


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
        value_minor=None if nothing_valued else balance.value_minor, currency=found.currency, method=balance.method,
    )  # fmt: skip


def _places() -> Any:
    return (
        select(*_COLUMNS)
        .select_from(StockBalance)
        .join(Item, Item.id == StockBalance.item_id)
        .join(Site, Site.id == StockBalance.site_id)
        .join(Entity, Entity.id == StockBalance.entity_id)
    )


_AVAILABLE = StockBalance.on_hand - StockBalance.reserved - StockBalance.blocked

#: The list of stock: an item at a site a row. ``short``: nothing available; ``unvalued``: something at unknown cost.
STOCK: SqlList[StockRow] = SqlList(
    select=_places, row=_row, tie=(Item.code, StockBalance.site_id), usual="item", site=StockBalance.site_id,
    realm=Entity.realm, text=(Item.code, Item.name), flags=("short", "unvalued", "blocked"),
    key=(StockBalance.site_id, StockBalance.item_id), kinds=(int, int),
    sums={"Known value": StockBalance.value_minor}, currency=Entity.currency,
    sorts={
        "item": Item.code, "site": Site.name, "on_hand": StockBalance.on_hand, "available": _AVAILABLE,
        "value": StockBalance.value_minor,
    },
    wanted={
        "short": lambda _value, _: StockBalance.on_hand == StockBalance.reserved + StockBalance.blocked,
        "unvalued": lambda _value, _: and_(StockBalance.unvalued != 0, StockBalance.on_hand != 0),
        "blocked": lambda _value, _: StockBalance.blocked != 0,
    },
)  # fmt: skip


def item_rows(session: Session, actor: Actor, realm: str, item: int) -> list[StockRow]:
    """The places of one item."""
    query = _places().where(Entity.realm == realm, Item.id == item)
    return [_row(row) for row in session.execute(within_sites(query, actor, StockBalance.site_id))]


def stock_page(session: Session, actor: Actor, site: int, item: int, *, before: int | None = None) -> StockPage:
    """As ``stock_place``, with the newest moves, or those before a move."""
    place = stock_place(session, actor, site, item)
    moves, count, older = list_moves(session, _moves_at(site, item), before=before)
    return StockPage(
        place=place, keepers=holders(session, item, [site]), moves=moves, move_count=count, older=older,
    )  # fmt: skip


def stock_move(session: Session, site: int, item: int, move: int) -> MoveRow:
    """One move of an item at a site; raises ``NotFound`` for any other."""
    moves, _, _ = list_moves(session, and_(_moves_at(site, item), StockMove.id == move))
    if not moves:
        raise NotFound("move_unknown", id=move)
    return moves[0]


def _moves_at(site: int, item: int) -> Any:
    return and_(StockMove.item_id == item, StockMove.site_id == site)


def stock_place(session: Session, actor: Actor, site: int, item: int) -> StockPlace:
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
    rows = item_rows(session, actor, head.Entity.realm, item)
    here = next((row for row in rows if row.site_id == site), None) or StockRow(
        site_id=site, site=head.Site.name, item_id=item, code=head.Item.code, name=head.Item.name, unit=head.Item.unit,
        abc=head.Item.abc, on_hand=Decimal(0), reserved=Decimal(0), blocked=Decimal(0), unvalued=Decimal(0), value_minor=0,
        currency=head.Entity.currency,
    )  # fmt: skip
    return StockPlace(
        row=here, places=head.Item.quantity_places, entity_id=head.Entity.id, realm=head.Entity.realm, kind=head.Item.kind, time_zone=head.Site.time_zone,
        standard_cost=head.Item.standard_cost, replenishment_days=head.Item.replenishment_days,
        elsewhere=sorted((row for row in rows if row.site_id != site), key=lambda row: row.site),
    )  # fmt: skip


def holders(session: Session, item: int, sites: Sequence[int]) -> list[Keeper]:
    """Who holds stock of an item at these sites, the next promise first."""
    rows = session.execute(
        select(
            SalesOrder.id, SalesOrder.number, Customer.name.label("customer"), OrderLine.line_no, Reservation.quantity,
            Reservation.consumed, Reservation.freed, Reservation.reserved_at, OrderLine.promised_on, Site.name.label("site"),
        )
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Site, Site.id == Reservation.site_id)
        .where(
            Reservation.site_id.in_(list(sites)), Reservation.item_id == item,
            Reservation.consumed + Reservation.freed < Reservation.quantity,
        )
        .order_by(OrderLine.promised_due_at, Reservation.id)
        .limit(MOST_HOLDERS)
    )  # fmt: skip
    return [
        Keeper(
            order_id=row.id, number=row.number, customer=row.customer, line_no=row.line_no, quantity=row.quantity - row.consumed - row.freed,
            since=row.reserved_at, promised_on=row.promised_on, site=row.site,
        )
        for row in rows
    ]  # fmt: skip
