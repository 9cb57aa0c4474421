"""Which goods came with which paper, and how did they differ from what was expected?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.security.scopes import within_sites
from erpcore.inventory.documents import Discrepancy, ExpectedReceipt, GoodsReceipt, GoodsReceiptLine, StockArrival
from erpcore.inventory.models import Lot, StockBin
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Item, Site


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    """A goods receipt with how many of its lines differ."""

    id: int
    number: str
    site_id: int
    site: str
    realm: str
    paper: str
    supplier: str | None
    received_at: datetime
    received_by: int
    lines: int = 0
    differing: int = 0


@dataclass(frozen=True, kw_only=True)
class ReceiptLineRow:
    """One item and lot of a receipt."""

    line_no: int
    item_id: int
    code: str
    name: str
    unit: str
    lot_id: int | None
    lot: str | None
    quantity: Decimal
    damaged: Decimal
    discrepancy: str
    difference: Decimal
    reason: str | None
    expected: str | None


def _all() -> Any:
    return (
        select(GoodsReceipt, Site.name.label("site"), Entity.realm)
        .select_from(GoodsReceipt)
        .join(Site, Site.id == GoodsReceipt.site_id)
        .join(Entity, Entity.id == GoodsReceipt.entity_id)
    )


def _row(row: Any) -> ReceiptRow:
    one: GoodsReceipt = row.GoodsReceipt
    return ReceiptRow(
        id=one.id, number=one.number, site_id=one.site_id, site=row.site, realm=row.realm, paper=one.paper, supplier=one.supplier,
        received_at=one.received_at, received_by=one.received_by,
    )  # fmt: skip


def _counted(session: Session, rows: list[ReceiptRow]) -> list[ReceiptRow]:
    """The same with how many lines each has, and how many of them differ."""
    differs = GoodsReceiptLine.discrepancy != Discrepancy.NONE
    found: Any = (
        select(
            GoodsReceiptLine.receipt_id, func.count().label("lines"), func.count().filter(differs).label("differing")
        )
        .where(GoodsReceiptLine.receipt_id.in_([row.id for row in rows]))
        .group_by(GoodsReceiptLine.receipt_id)
    )
    known = {row[0]: (row[1], row[2]) for row in session.execute(found)}
    return [
        replace(row, lines=known[row.id][0], differing=known[row.id][1]) if row.id in known else row for row in rows
    ]


def _differs() -> ColumnElement[bool]:
    of_it = GoodsReceiptLine.receipt_id == GoodsReceipt.id
    return exists().where(of_it, GoodsReceiptLine.discrepancy != Discrepancy.NONE)


#: The list of goods receipts, the newest first.
RECEIPTS: SqlList[ReceiptRow] = SqlList(
    select=_all, row=_row, tie=(GoodsReceipt.id,), usual="-received", site=GoodsReceipt.site_id, realm=Entity.realm,
    text=(GoodsReceipt.number, GoodsReceipt.paper, GoodsReceipt.supplier), flags=("differs",), finish=_counted,
    sorts={
        "number": GoodsReceipt.number, "supplier": GoodsReceipt.supplier, "site": Site.name,
        "received": GoodsReceipt.received_at,
    },
    wanted={"differs": lambda _value, _: _differs()},
)  # fmt: skip


def receipt_page(session: Session, actor: Actor, receipt: int) -> tuple[ReceiptRow, list[ReceiptLineRow]]:
    """One goods receipt with its lines; raises ``NotFound`` for another site's."""
    query = within_sites(_all(), actor, GoodsReceipt.site_id)
    row = session.execute(query.where(GoodsReceipt.id == receipt)).one_or_none()
    if row is None:
        raise NotFound("receipt_of_goods_unknown", id=receipt)
    lines = session.execute(
        select(GoodsReceiptLine, Item, Lot.code.label("lot"), ExpectedReceipt.number.label("expected"))
        .join(Item, Item.id == GoodsReceiptLine.item_id)
        .outerjoin(Lot, Lot.id == GoodsReceiptLine.lot_id)
        .outerjoin(ExpectedReceipt, ExpectedReceipt.id == GoodsReceiptLine.expected_receipt_id)
        .where(GoodsReceiptLine.receipt_id == receipt)
        .order_by(GoodsReceiptLine.line_no)
    )
    return _counted(session, [_row(row)])[0], [
        ReceiptLineRow(
            line_no=one.line_no, item_id=one.item_id, code=line.Item.code, name=line.Item.name, unit=line.Item.unit,
            lot_id=one.lot_id, lot=line.lot, quantity=one.quantity, damaged=one.damaged, discrepancy=one.discrepancy,
            difference=one.difference, reason=one.reason, expected=line.expected,
        )
        for line in lines
        for one in (line.GoodsReceiptLine,)
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class WaitingRow:
    """What of one arrival still lies where it was received. ``number``: the goods receipt or transfer it came with."""

    number: str
    quantity: Decimal
    since: datetime


def waiting_at(session: Session, bin_id: int) -> list[WaitingRow]:
    """The arrivals of which goods wait in this bin, in the order in which they are put away."""
    rows = session.execute(
        select(StockArrival)
        .join(
            StockBin,
            and_(
                StockBin.site_id == StockArrival.site_id, StockBin.item_id == StockArrival.item_id,
                StockBin.slot == StockArrival.slot,
            ),
        )
        .where(StockBin.id == bin_id, StockArrival.put_away < StockArrival.quantity)
        .order_by(StockArrival.arrived_at, StockArrival.id)
    )  # fmt: skip
    return [
        WaitingRow(number=one.number, quantity=one.quantity - one.put_away, since=one.arrived_at)
        for (one,) in rows
    ]  # fmt: skip


def paper_of_arrival(session: Session, actor: Actor, arrival: int) -> tuple[str, int]:
    """What an arrival came with: its kind of document and id. Raises ``NotFound``, also for another site's."""
    query: Any = select(StockArrival.document_type, StockArrival.document_id).where(StockArrival.arrival_id == arrival)
    row = session.execute(within_sites(query, actor, StockArrival.site_id).limit(1)).one_or_none()
    if row is None:
        raise NotFound("not_found")
    return row.document_type, row.document_id
