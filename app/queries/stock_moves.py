"""How did stock come and go, and which document says so?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from erpcore.fulfilment.models import ReturnOrder, Shipment
from erpcore.inventory.models import Location, Lot, StockMove
from erpcore.masterdata.models import Site

#: So many moves are shown at once; older ones follow behind the last.
MOST_MOVES = 25
#: Papers whose number is made of their id, and how it begins.
_NUMBERS = {"goods_receipt": "GR", "transfer": "TR", "supplier_return": "SR"}


@dataclass(frozen=True, kw_only=True)
class MoveRow:
    """One stock move. ``document_type`` and ``document_id`` name the paper behind it, ``document`` what people call it.

    ``order_id``: the order of a shipment. ``location`` ``None``: the default place.
    """

    id: int
    site_id: int
    site: str
    quantity: Decimal
    unit_cost: Decimal | None
    value_minor: int | None
    reason: str
    note: str | None
    document: str
    document_type: str
    document_id: int
    order_id: int | None
    return_id: int | None
    location: str | None
    lot_id: int | None
    lot: str | None
    status: str
    moved_at: datetime
    is_reversed: bool

    @property
    def is_reversible(self) -> bool:
        return self.reason in ("adjustment", "count") and not self.is_reversed


def list_moves(
    session: Session, here: ColumnElement[bool], most: int = MOST_MOVES, *, before: int | None = None
) -> tuple[list[MoveRow], int, int | None]:
    """The newest moves of what ``here`` says, how many there are in all, and the last one shown when there are older ones.

    ``before``: only those older than this move; an unknown one has none before it.
    """
    count = session.scalar(select(func.count()).select_from(StockMove).where(here)) or 0
    if before is not None:
        at = select(StockMove.moved_at).where(StockMove.id == before).scalar_subquery()
        here = and_(here, or_(StockMove.moved_at < at, and_(StockMove.moved_at == at, StockMove.id < before)))
    rows = session.execute(
        select(
            StockMove, Site.name.label("site"), Shipment.number.label("shipment"), Shipment.order_id,
            ReturnOrder.number.label("returned"), Location.code.label("location"), Lot.code.label("lot"),
        )
        .join(Site, Site.id == StockMove.site_id)
        .outerjoin(Shipment, and_(StockMove.document_type == "shipment", Shipment.id == StockMove.document_id))
        .outerjoin(ReturnOrder, and_(StockMove.document_type == "return", ReturnOrder.id == StockMove.document_id))
        .outerjoin(Location, Location.id == StockMove.location_id)
        .outerjoin(Lot, Lot.id == StockMove.lot_id)
        .where(here)
        .order_by(StockMove.moved_at.desc(), StockMove.id.desc())
        .limit(most + 1)
    ).all()  # fmt: skip
    older, rows = (rows[most - 1].StockMove.id if len(rows) > most else None), rows[:most]
    reversed_ = set(
        session.scalars(
            select(StockMove.document_id).where(
                StockMove.document_id.in_([row.StockMove.id for row in rows]), StockMove.reason == "reversal",
                StockMove.document_type == "stock_move",
            )
        )
    )  # fmt: skip
    return [_move(row, reversed_) for row in rows], count, older


def _move(row: Any, reversed_: set[int]) -> MoveRow:
    one: StockMove = row.StockMove
    prefix = _NUMBERS.get(one.document_type)
    return MoveRow(
        id=one.id, site_id=one.site_id, site=row.site, quantity=one.quantity, unit_cost=one.unit_cost,
        value_minor=one.value_minor, reason=one.reason, note=one.note,
        document=row.shipment or row.returned or (f"{prefix}-{one.document_id}" if prefix else ""),
        document_type=one.document_type, document_id=one.document_id, order_id=row.order_id,
        return_id=one.document_id if row.returned else None, location=row.location, lot_id=one.lot_id, lot=row.lot,
        status=one.status, moved_at=one.moved_at, is_reversed=one.id in reversed_,
    )  # fmt: skip
