"""What is on its way between sites, what came of it, and what is missing?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from app.queries.listing import MOST_ROWS, PAGE, like
from erpcore.inventory.documents import (
    AdjustmentState,
    StockAdjustment,
    StockTransfer,
    StockTransferLine,
    TransferState,
)
from erpcore.inventory.models import Lot
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Item, Site

STATES = tuple(state.value for state in TransferState)


@dataclass(frozen=True, kw_only=True)
class TransferFilter:
    """What the address asks for. ``site``: it comes from there or goes there. ``late``: should have come already."""

    site: int | None = None
    realm: str = "live"
    text: str = ""
    state: str = ""
    late: bool = False
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class TransferRow:
    """A transfer with what of it is still on its way, in how many lines."""

    id: int
    number: str
    state: str
    from_site: int
    origin: str
    site_id: int
    target: str
    realm: str
    shipped_at: datetime
    arrives_on: date
    settled_at: datetime | None
    order_id: int | None
    note: str | None
    version: int
    currency: str
    lines: int
    open_lines: int


@dataclass(frozen=True, kw_only=True)
class TransferLineRow:
    """One item and lot. ``proposed``: so much waits for somebody to agree that it is lost."""

    id: int
    item_id: int
    code: str
    name: str
    unit: str
    lot_id: int | None
    lot: str | None
    quantity: Decimal
    received: Decimal
    lost: Decimal
    proposed: Decimal

    @property
    def open(self) -> Decimal:
        return self.quantity - self.received - self.lost


@dataclass(frozen=True, kw_only=True)
class TransferPage:
    """One transfer with its lines."""

    head: TransferRow
    lines: list[TransferLineRow]


def _query(actor: Actor) -> Any:
    origin = aliased(Site)
    on_way = StockTransferLine.received + StockTransferLine.lost < StockTransferLine.quantity
    counted = (
        select(StockTransferLine.transfer_id, func.count().label("lines"), func.count().filter(on_way).label("open"))
        .group_by(StockTransferLine.transfer_id)
        .subquery()
    )
    query = (
        select(
            StockTransfer, origin.name.label("origin"), Site.name.label("target"), Entity.realm, Entity.currency,
            counted.c.lines, counted.c["open"].label("open_lines"),
        )
        .join(origin, origin.id == StockTransfer.from_site_id)
        .join(Site, Site.id == StockTransfer.site_id)
        .join(Entity, Entity.id == StockTransfer.entity_id)
        .outerjoin(counted, counted.c.transfer_id == StockTransfer.id)
    )  # fmt: skip
    if actor.sites is not None:
        seen = sorted(actor.sites)
        query = query.where(or_(StockTransfer.from_site_id.in_(seen), StockTransfer.site_id.in_(seen)))
    return query


def _narrowed(query: Any, asked: TransferFilter, today: date) -> Any:
    query = query.where(Entity.realm == asked.realm)
    if asked.site is not None:
        query = query.where(or_(StockTransfer.from_site_id == asked.site, StockTransfer.site_id == asked.site))
    if asked.text:
        query = query.where(StockTransfer.number.ilike(like(asked.text), escape="\\"))
    if asked.state:
        query = query.where(StockTransfer.state == asked.state)
    if asked.late:
        query = query.where(StockTransfer.state == TransferState.SHIPPED, StockTransfer.arrives_on < today)
    return query


def list_transfers(session: Session, actor: Actor, asked: TransferFilter, today: date) -> tuple[list[TransferRow], int]:
    """A page of transfers, the newest first, and how many there are."""
    query = _narrowed(_query(actor), asked, today)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = min(max(asked.page, 1), max(1, -(-total // PAGE)))
    rows = session.execute(query.order_by(StockTransfer.id.desc()).limit(PAGE).offset((page - 1) * PAGE))
    return [_row(row) for row in rows], total


def every_transfer(session: Session, actor: Actor, asked: TransferFilter, today: date) -> list[TransferRow]:
    """All transfers that fit the filter, for a file."""
    query = _narrowed(_query(actor), asked, today).order_by(StockTransfer.id.desc()).limit(MOST_ROWS)
    return [_row(row) for row in session.execute(query)]


def transfers_after(session: Session, actor: Actor, realm: str, after: int, limit: int) -> list[TransferRow]:
    """Transfers by id, those after ``after``."""
    query = _query(actor).where(Entity.realm == realm, StockTransfer.id > after).order_by(StockTransfer.id).limit(limit)
    return [_row(row) for row in session.execute(query)]


def _row(row: Any) -> TransferRow:
    one: StockTransfer = row.StockTransfer
    return TransferRow(
        id=one.id, number=one.number, state=one.state, from_site=one.from_site_id, origin=row.origin, site_id=one.site_id,
        target=row.target, realm=row.realm, shipped_at=one.shipped_at, arrives_on=one.arrives_on, settled_at=one.settled_at,
        order_id=one.order_id, note=one.note, version=one.version, currency=row.currency, lines=row.lines or 0,
        open_lines=row.open_lines or 0,
    )  # fmt: skip


def transfer_page(session: Session, actor: Actor, transfer: int) -> TransferPage:
    """A transfer from or to a site that one sees; raises ``NotFound``."""
    row = session.execute(_query(actor).where(StockTransfer.id == transfer)).one_or_none()
    if row is None:
        raise NotFound("transfer_unknown", id=transfer)
    found: Any = (
        select(StockTransferLine, Item.code, Item.name, Item.unit, Lot.code.label("lot"))
        .join(Item, Item.id == StockTransferLine.item_id)
        .outerjoin(Lot, Lot.id == StockTransferLine.lot_id)
        .where(StockTransferLine.transfer_id == transfer)
        .order_by(StockTransferLine.id)
    )
    lines = session.execute(found).all()
    asked = {
        row[0]: row[1]
        for row in session.execute(
            select(StockAdjustment.transfer_line_id, func.sum(StockAdjustment.quantity))
            .where(
                StockAdjustment.transfer_line_id.in_([line.StockTransferLine.id for line in lines]),
                StockAdjustment.state == AdjustmentState.PROPOSED,
            )
            .group_by(StockAdjustment.transfer_line_id)
        )
    }  # fmt: skip
    return TransferPage(
        head=_row(row),
        lines=[
            TransferLineRow(
                id=one.id, item_id=one.item_id, code=line.code, name=line.name, unit=line.unit, lot_id=one.lot_id, lot=line.lot,
                quantity=one.quantity, received=one.received, lost=one.lost, proposed=-asked.get(one.id, Decimal(0)),
            )
            for line in lines
            for one in (line.StockTransferLine,)
        ],
    )  # fmt: skip
