"""Which lots and serial numbers are there, how much of each is left, and until when?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select

from app.queries.listing import SqlList
from app.security.scopes import within_companies, within_sites
from erpcore.inventory.models import Lot, StockBin
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Entity, Item

#: A lot with so many days left is about to expire.
SOON = timedelta(days=30)


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


def _all() -> Any:
    return (
        select(Lot, Item.code.label("item"), Item.name, Item.unit)
        .select_from(Lot)
        .join(Item, Item.id == Lot.item_id)
        .join(Entity, Entity.id == Lot.entity_id)
    )


def _seen(query: Any, actor: Actor) -> Any:
    """Lots of the companies one sees, with what of each is in stock at one's sites."""
    held: Any = select(func.sum(StockBin.quantity)).where(StockBin.lot_id == Lot.id, StockBin.quantity > 0)
    held = within_sites(held.correlate(Lot), actor, StockBin.site_id).scalar_subquery()
    return within_companies(query, actor, Lot.entity_id).add_columns(held.label("held"))


def _is_left(actor: Actor) -> ColumnElement[bool]:
    """Read from what lies there, which is less than all lots there ever were."""
    filled = select(StockBin.lot_id).where(StockBin.lot_id.is_not(None), StockBin.quantity > 0)
    return Lot.id.in_(within_sites(filled, actor, StockBin.site_id))


def _row(row: Any) -> LotRow:
    one: Lot = row.Lot
    return LotRow(
        id=one.id, code=one.code, is_serial=one.is_serial, item_id=one.item_id, item=row.item, name=row.name, unit=row.unit,
        company_id=one.entity_id, expires_on=one.expires_on, on_hand=Decimal(0) if row.held is None else row.held,
    )  # fmt: skip


#: The list of lots: what expires first leads.
LOTS: SqlList[LotRow] = SqlList(
    select=_all, row=_row, tie=(Item.code, Lot.code, Lot.id), usual="expires", scope=_seen, realm=Entity.realm,
    text=(Lot.code, Item.code, Item.name), flags=("expiring", "serial"),
    sorts={"code": Lot.code, "item": Item.code, "expires": Lot.expires_on},
    wanted={
        "left": lambda _value, eyes: _is_left(eyes.actor),
        "expiring": lambda _value, eyes: Lot.expires_on <= eyes.now.date() + SOON,
        "serial": lambda _value, _: Lot.is_serial.is_(True),
    },
)  # fmt: skip
