"""Which items are there, in which packs, how much of each is where, what comes, and who holds it?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.queries.listing import MOST_ROWS, Asked, Found, Position, last_page, like
from app.queries.stock import Keeper, StockRow, holders, item_rows
from app.queries.stock_moves import MoveRow, list_moves
from app.queries.warehouse import BinRow, ExpectedRow, bin_rows, expected_rows
from app.queries.worked_out import AskedList
from app.security.scopes import within_companies, within_sites
from erpcore.inventory.documents import ExpectedReceipt
from erpcore.inventory.models import StockBalance, StockBin, StockMove, StockStatus
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.masterdata.models import Entity, Item, ItemGroup, ItemKind, ItemUnit, Tracking
from erpcore.masterdata.units import Pack, packs_of

KINDS = tuple(kind.value for kind in ItemKind)
TRACKINGS = tuple(one.value for one in Tracking)
CLASSES = ("A", "B", "C", "-")
#: Moves that the page of an item shows; the page of a place shows more.
MOST_MOVES = 50


@dataclass(frozen=True, kw_only=True)
class ItemFilter:
    """What the address asks for. ``abc`` ``-``: of no class. ``none_free``: a stock item of which nothing is free."""

    realm: str = "live"
    text: str = ""
    kind: str = ""
    tracking: str = ""
    abc: str = ""
    none_free: bool = False
    blocked: bool = False


@dataclass(frozen=True, kw_only=True)
class ItemRow:
    """An item with what there is of it at all sites that one sees."""

    id: int
    code: str
    name: str
    unit: str
    kind: str
    tracking: str
    abc: str | None
    group: str | None
    company_id: int
    company: str
    is_blocked: bool
    on_hand: Decimal
    reserved: Decimal
    blocked: Decimal
    in_transit: Decimal
    coming: Decimal

    @property
    def free(self) -> Decimal:
        return self.on_hand - self.reserved - self.blocked


@dataclass(frozen=True, kw_only=True)
class ItemPage:
    """One item: its master data, and what is there of it at each site that one sees.

    ``transit`` is by site. ``others``: companies that have an item of this code too, as (id, name, realm).
    """

    id: int
    code: str
    name: str
    unit: str
    kind: str
    places: int
    tracking: str
    abc: str | None
    group: str | None
    tax_class: str
    replenishment_days: int
    order_multiple: Decimal | None
    standard_cost: Decimal | None
    is_blocked: bool
    entity_id: int
    company: str
    currency: str
    realm: str
    packs: list[Pack]
    sites: list[StockRow]
    transit: dict[int, Decimal]
    bins: list[BinRow]
    coming: list[ExpectedRow]
    keepers: list[Keeper]
    moves: list[MoveRow]
    move_count: int
    others: list[tuple[int, str, str]]

    def total(self, name: str) -> Decimal:
        """A figure of the sites together; ``available`` is what is free."""
        return sum((getattr(row, name) for row in self.sites), Decimal(0))

    @property
    def rests(self) -> list[tuple[str, Decimal]]:
        """What lies at the default place of each site: all that has no bin of its own."""
        placed: dict[int, Decimal] = defaultdict(Decimal)
        for one in self.bins:
            placed[one.site_id] += one.quantity
        return [
            (row.site, row.on_hand - placed[row.site_id]) for row in self.sites if row.on_hand > placed[row.site_id]
        ]

    @property
    def in_transit(self) -> Decimal:
        return sum(self.transit.values(), Decimal(0))

    @property
    def value_minor(self) -> int | None:
        """What all of it is worth; ``None`` when nothing there has a cost."""
        known = [row.value_minor for row in self.sites if row.value_minor is not None]
        return sum(known) if known or not self.sites else None


_SORTS: dict[str, Any] = {"item": Item.code, "name": Item.name, "class": Item.abc}
_COLUMNS = (
    Item.id, Item.code, Item.name, Item.unit, Item.kind, Item.tracking, Item.abc, Item.is_blocked, Entity.name.label("company"),
    Entity.id.label("company_id"), ItemGroup.name.label("group"),
)  # fmt: skip


def _narrowed(query: Any, actor: Actor, asked: ItemFilter) -> Any:
    query = (
        query.select_from(Item)
        .join(Entity, Entity.id == Item.entity_id)
        .outerjoin(ItemGroup, ItemGroup.id == Item.group_id)
        .where(Entity.realm == asked.realm)
    )
    query = _of_company(query, actor)
    for column, wanted in ((Item.kind, asked.kind), (Item.tracking, asked.tracking)):
        if wanted:
            query = query.where(column == wanted)
    if asked.abc:
        query = query.where(Item.abc.is_(None) if asked.abc == "-" else Item.abc == asked.abc)
    if asked.text:
        pattern = like(asked.text)
        packed = select(ItemUnit.item_id).where(ItemUnit.barcode == asked.text)
        named = (Item.code.ilike(pattern, escape="\\"), Item.name.ilike(pattern, escape="\\"), Item.id.in_(packed))
        query = query.where(or_(*named))
    if asked.none_free:
        free = select(StockBalance.item_id).where(
            StockBalance.item_id == Item.id, StockBalance.on_hand > StockBalance.reserved + StockBalance.blocked
        )
        query = query.where(Item.kind == ItemKind.STOCK, ~within_sites(free, actor, StockBalance.site_id).exists())
    if asked.blocked:
        query = query.where(Item.is_blocked.is_(True))
    return query


def _of_company(query: Any, actor: Actor) -> Any:
    """Items of the companies of whose sites the person sees one."""
    return within_companies(query, actor, Item.entity_id)


def _sorted(query: Any, sort: str) -> Any:
    column = _SORTS.get(sort.removeprefix("-"), Item.code)
    return query.order_by(column.desc() if sort.startswith("-") else column.asc(), Item.code, Item.id)


def _filter(asked: Asked) -> ItemFilter:
    return ItemFilter(realm=asked.realm, **asked.values)


def _page_of_items(session: Session, actor: Actor, asked: Asked, _now: datetime) -> Found[ItemRow]:
    """The page of items that is asked for, in five queries."""
    total = session.scalar(_narrowed(select(func.count()), actor, _filter(asked))) or 0
    query = _sorted(_narrowed(select(*_COLUMNS), actor, _filter(asked)), asked.sort)
    found = session.execute(query.limit(asked.size).offset((last_page(asked, total) - 1) * asked.size)).all()
    return Found(rows=_filled(session, actor, found), total=total)


def _every_item(session: Session, actor: Actor, asked: Asked, _now: datetime) -> Iterator[ItemRow]:
    query = _sorted(_narrowed(select(*_COLUMNS), actor, _filter(asked)), asked.sort).limit(MOST_ROWS)
    for part in session.execute(query).partitions(500):
        yield from _filled(session, actor, part)


def _items_behind(
    session: Session, actor: Actor, asked: Asked, _now: datetime, after: Position, limit: int
) -> list[ItemRow]:
    query = _narrowed(select(*_COLUMNS), actor, _filter(asked)).order_by(Item.id).limit(limit)
    query = query if after is None else query.where(Item.id > after[0])
    return _filled(session, actor, session.execute(query).all())


#: The list of items with their sums over the sites that the person sees.
ITEMS: AskedList[ItemRow] = AskedList(sorts=_SORTS, one_page=_page_of_items, all_rows=_every_item, behind=_items_behind)


def _filled(session: Session, actor: Actor, found: Sequence[Any]) -> list[ItemRow]:
    """The rows with the sums of the sites that the person sees."""
    ids = [row.id for row in found]
    sums: Any = select(
        StockBalance.item_id, func.sum(StockBalance.on_hand), func.sum(StockBalance.reserved), func.sum(StockBalance.blocked)
    ).where(StockBalance.item_id.in_(ids))  # fmt: skip
    held = {
        row[0]: row[1:]
        for row in session.execute(
            within_sites(sums.group_by(StockBalance.item_id), actor, StockBalance.site_id)
        )
    }  # fmt: skip
    moving = _in_transit(session, actor, ids)
    parts = (ExpectedReceipt.quantity, ExpectedReceipt.received, ExpectedReceipt.cancelled)
    expected: Any = select(ExpectedReceipt.item_id, *(func.sum(part) for part in parts)).where(
        ExpectedReceipt.item_id.in_(ids),
        ExpectedReceipt.received + ExpectedReceipt.cancelled < ExpectedReceipt.quantity,
    )
    coming = {
        row[0]: row[1] - row[2] - row[3]
        for row in session.execute(
            within_sites(expected.group_by(ExpectedReceipt.item_id), actor, ExpectedReceipt.site_id)
        )
    }  # fmt: skip
    nil = Decimal(0)
    return [
        ItemRow(
            id=row.id, code=row.code, name=row.name, unit=row.unit, kind=row.kind, tracking=row.tracking, abc=row.abc,
            group=row.group, company=row.company, company_id=row.company_id, is_blocked=row.is_blocked,
            **dict(zip(("on_hand", "reserved", "blocked"), held.get(row.id, (nil, nil, nil)), strict=True)),
            in_transit=sum(moving.get(row.id, {}).values(), nil), coming=coming.get(row.id, nil),
        )
        for row in found
    ]  # fmt: skip


def _in_transit(session: Session, actor: Actor, ids: Sequence[int]) -> dict[int, dict[int, Decimal]]:
    """What is on its way to each site, by item and site."""
    query: Any = (
        select(StockBin.item_id, StockBin.site_id, func.sum(StockBin.quantity).label("quantity"))
        .where(StockBin.item_id.in_(ids), StockBin.status == StockStatus.IN_TRANSIT, StockBin.quantity > 0)
        .group_by(StockBin.item_id, StockBin.site_id)
    )
    found: dict[int, dict[int, Decimal]] = defaultdict(dict)
    for row in session.execute(within_sites(query, actor, StockBin.site_id)):
        found[row.item_id][row.site_id] = row.quantity
    return found


def find_item(session: Session, actor: Actor, code: str, *, realm: str = "live", company: int | None = None) -> int:
    """The item of this code; of several companies' the one asked for, else the first. Raises ``NotFound``."""
    query = select(Item.id).join(Entity, Entity.id == Item.entity_id).where(Item.code == code)
    query = query.where(Entity.realm == realm) if company is None else query.where(Entity.id == company)
    found = session.scalar(_of_company(query, actor).order_by(Item.id).limit(1))
    if found is None:
        raise NotFound("not_found")
    return int(found)


def item_of_code(session: Session, entity: int, code: str, *, field: str = "item") -> int:
    """The item of a company by its code or the barcode on one of its packs; raises ``RuleBroken`` at ``field``."""
    found = session.scalar(select(Item.id).where(Item.entity_id == entity, Item.code == code))
    if found is None:
        packed = select(Item.id).join(ItemUnit, ItemUnit.item_id == Item.id)
        found = session.scalar(packed.where(Item.entity_id == entity, ItemUnit.barcode == code).limit(1))
    if found is None:
        raise RuleBroken("item_code_unknown", field=field, code=code)
    return int(found)


def item_page(session: Session, actor: Actor, item: int) -> ItemPage:
    """One item with everything there is of it at the sites one sees; another company's does not exist."""
    query = (
        select(Item, Entity, ItemGroup.name.label("group"))
        .join(Entity, Entity.id == Item.entity_id)
        .outerjoin(ItemGroup, ItemGroup.id == Item.group_id)
        .where(Item.id == item)
    )
    head = session.execute(_of_company(query, actor)).one_or_none()
    if head is None:
        raise NotFound("item_unknown", id=item)
    one, entity = head.Item, head.Entity
    sites = item_rows(session, actor, entity.realm, item)
    seen = [row.site_id for row in sites]
    moves, count, _ = list_moves(session, (StockMove.item_id == item) & StockMove.site_id.in_(seen), MOST_MOVES)
    return ItemPage(
        id=one.id, code=one.code, name=one.name, unit=one.unit, kind=one.kind, places=one.quantity_places,
        tracking=one.tracking, abc=one.abc, group=head.group, tax_class=one.tax_class,
        replenishment_days=one.replenishment_days, order_multiple=one.order_multiple, standard_cost=one.standard_cost,
        is_blocked=one.is_blocked, entity_id=entity.id, company=entity.name, currency=entity.currency, realm=entity.realm,
        packs=packs_of(session, [item])[item], sites=sorted(sites, key=lambda row: row.site),
        transit=_in_transit(session, actor, [item])[item], bins=bin_rows(session, actor, item=item),
        coming=expected_rows(session, actor, item=item), keepers=holders(session, item, seen), moves=moves, move_count=count,
        others=_namesakes(session, actor, one),
    )  # fmt: skip


def _namesakes(session: Session, actor: Actor, item: Item) -> list[tuple[int, str, str]]:
    query = (
        select(Entity.id, Entity.name, Entity.realm)
        .join(Item, Item.entity_id == Entity.id)
        .where(Item.code == item.code, Item.id != item.id)
        .order_by(Entity.realm != "live", Entity.name)
    )
    return [(row.id, row.name, row.realm) for row in session.execute(_of_company(query, actor))]
