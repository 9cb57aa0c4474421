"""Which lots and serial numbers are there, how much of each is left, and until when?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.queries.listing import MOST_ROWS, PAGE, like
from app.security.scopes import within_companies, within_sites
from erpcore.inventory.models import Lot, StockBin
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Entity, Item

#: A lot with so many days left is about to expire.
SOON = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class LotFilter:
    """What the address asks for. ``left``: some of it is in stock. ``expiring``: past its last day, or within 30 days."""

    realm: str = "live"
    text: str = ""
    serial: bool = False
    left: bool = True
    expiring: bool = False
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class LotRow:
    """A lot with what of it is in stock at the sites that one sees."""

    id: int
    code: str
    is_serial: bool
    item_id: int
    item: str
    name: str
    unit: str
    company_id: int
    expires_on: date | None
    on_hand: Decimal


def _query(actor: Actor, asked: LotFilter, today: date) -> Any:
    filled: Any = (
        select(StockBin.lot_id, func.sum(StockBin.quantity).label("quantity"))
        .where(StockBin.lot_id.is_not(None), StockBin.quantity > 0)
        .group_by(StockBin.lot_id)
    )
    held = within_sites(filled, actor, StockBin.site_id).subquery()
    query = (
        select(Lot, Item.code.label("item"), Item.name, Item.unit, held.c.quantity)
        .join(Item, Item.id == Lot.item_id)
        .join(Entity, Entity.id == Lot.entity_id)
        .outerjoin(held, held.c.lot_id == Lot.id)
        .where(Entity.realm == asked.realm)
    )
    query = within_companies(query, actor, Lot.entity_id)
    if asked.text:
        pattern = like(asked.text)
        query = query.where(or_(Lot.code.ilike(pattern, escape="\\"), Item.code.ilike(pattern, escape="\\")))
    if asked.serial:
        query = query.where(Lot.is_serial.is_(True))
    if asked.left:
        query = query.where(held.c.quantity > 0)
    if asked.expiring:
        query = query.where(Lot.expires_on <= today + SOON)
    return query


def list_lots(session: Session, actor: Actor, asked: LotFilter, today: date) -> tuple[list[LotRow], int]:
    """A page of lots, those that expire first on top, and how many there are."""
    query = _query(actor, asked, today)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = min(max(asked.page, 1), max(1, -(-total // PAGE)))
    rows = session.execute(_sorted(query).limit(PAGE).offset((page - 1) * PAGE))
    return [_row(row) for row in rows], total


def every_lot(session: Session, actor: Actor, asked: LotFilter, today: date) -> list[LotRow]:
    """All lots that fit the filter, for a file."""
    return [_row(row) for row in session.execute(_sorted(_query(actor, asked, today)).limit(MOST_ROWS))]


def lots_after(session: Session, actor: Actor, asked: LotFilter, today: date, after: int, limit: int) -> list[LotRow]:
    """Lots by id, those after ``after``."""
    query = _query(actor, asked, today).where(Lot.id > after).order_by(Lot.id).limit(limit)
    return [_row(row) for row in session.execute(query)]


def _sorted(query: Any) -> Any:
    return query.order_by(Lot.expires_on.is_(None), Lot.expires_on, Item.code, Lot.code)


def _row(row: Any) -> LotRow:
    one: Lot = row.Lot
    return LotRow(
        id=one.id, code=one.code, is_serial=one.is_serial, item_id=one.item_id, item=row.item, name=row.name, unit=row.unit,
        company_id=one.entity_id, expires_on=one.expires_on,
        on_hand=Decimal(0) if row.quantity is None else row.quantity,
    )  # fmt: skip
