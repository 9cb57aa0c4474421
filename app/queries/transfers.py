"""What is on its way between sites, what came of it, and what is missing?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.queries.listing import SqlList
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
    lines: int = 0
    open_lines: int = 0


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


_FROM = aliased(Site)


def _all() -> Any:
    return (
        select(StockTransfer, _FROM.name.label("origin"), Site.name.label("target"), Entity.realm, Entity.currency)
        .select_from(StockTransfer)
        .join(_FROM, _FROM.id == StockTransfer.from_site_id)
        .join(Site, Site.id == StockTransfer.site_id)
        .join(Entity, Entity.id == StockTransfer.entity_id)
    )


def _seen(query: Any, actor: Actor) -> Any:
    """A transfer is seen at both of its sites."""
    if actor.sites is None:
        return query
    seen = sorted(actor.sites)
    return query.where(or_(StockTransfer.from_site_id.in_(seen), StockTransfer.site_id.in_(seen)))


def _row(row: Any) -> TransferRow:
    one: StockTransfer = row.StockTransfer
    return TransferRow(
        id=one.id, number=one.number, state=one.state, from_site=one.from_site_id, origin=row.origin, site_id=one.site_id,
        target=row.target, realm=row.realm, shipped_at=one.shipped_at, arrives_on=one.arrives_on, settled_at=one.settled_at,
        order_id=one.order_id, note=one.note, version=one.version, currency=row.currency,
    )  # fmt: skip


def _counted(session: Session, rows: list[TransferRow]) -> list[TransferRow]:
    """The same with how many lines each has, and of how many something is on its way."""
    on_way = StockTransferLine.received + StockTransferLine.lost < StockTransferLine.quantity
    found: Any = (
        select(StockTransferLine.transfer_id, func.count().label("lines"), func.count().filter(on_way).label("open"))
        .where(StockTransferLine.transfer_id.in_([row.id for row in rows]))
        .group_by(StockTransferLine.transfer_id)
    )
    known = {row[0]: (row[1], row[2]) for row in session.execute(found)}
    return [
        replace(row, lines=known[row.id][0], open_lines=known[row.id][1]) if row.id in known else row for row in rows
    ]


#: The list of transfers, the newest first. The site is either of the two.
TRANSFERS: SqlList[TransferRow] = SqlList(
    select=_all, row=_row, tie=(StockTransfer.id,), usual="-shipped", scope=_seen, realm=Entity.realm,
    by=("state", StockTransfer.state), flags=("late",), text=(StockTransfer.number, StockTransfer.note), finish=_counted,
    sorts={
        "number": StockTransfer.number, "origin": _FROM.name, "target": Site.name, "shipped": StockTransfer.shipped_at,
        "arrives": StockTransfer.arrives_on,
    },
    wanted={
        "state": lambda value, _: StockTransfer.state == value,
        "site": lambda value, _: or_(StockTransfer.from_site_id == value, StockTransfer.site_id == value),
        "late": lambda _value, eyes: and_(
            StockTransfer.state == TransferState.SHIPPED, StockTransfer.arrives_on < eyes.now.date()
        ),
    },
)  # fmt: skip


def transfer_page(session: Session, actor: Actor, transfer: int) -> TransferPage:
    """A transfer from or to a site that one sees; raises ``NotFound``."""
    row = session.execute(_seen(_all(), actor).where(StockTransfer.id == transfer)).one_or_none()
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
        head=_counted(session, [_row(row)])[0],
        lines=[
            TransferLineRow(
                id=one.id, item_id=one.item_id, code=line.code, name=line.name, unit=line.unit, lot_id=one.lot_id, lot=line.lot,
                quantity=one.quantity, received=one.received, lost=one.lost, proposed=-asked.get(one.id, Decimal(0)),
            )
            for line in lines
            for one in (line.StockTransferLine,)
        ],
    )  # fmt: skip
