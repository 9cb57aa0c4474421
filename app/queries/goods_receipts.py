"""Which goods came with which paper, and how did they differ from what was expected?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.queries.listing import MOST_ROWS, PAGE, like
from app.security.scopes import within_sites
from erpcore.inventory.documents import Discrepancy, ExpectedReceipt, GoodsReceipt, GoodsReceiptLine
from erpcore.inventory.models import Lot
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Item, Site


@dataclass(frozen=True, kw_only=True)
class ReceiptFilter:
    """What the address asks for. ``differs``: a line is not as it was expected."""

    site: int | None = None
    realm: str = "live"
    text: str = ""
    differs: bool = False
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    """A goods receipt with how many of its lines differ."""

    id: int
    number: str
    site: str
    realm: str
    paper: str
    supplier: str | None
    received_at: datetime
    received_by: int
    lines: int
    differing: int


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


def _query(actor: Actor) -> Any:
    differs = GoodsReceiptLine.discrepancy != Discrepancy.NONE
    counted = (
        select(
            GoodsReceiptLine.receipt_id, func.count().label("lines"), func.count().filter(differs).label("differing")
        )
        .group_by(GoodsReceiptLine.receipt_id)
        .subquery()
    )
    query = (
        select(GoodsReceipt, Site.name.label("site"), Entity.realm, counted.c.lines, counted.c.differing)
        .join(Site, Site.id == GoodsReceipt.site_id)
        .join(Entity, Entity.id == GoodsReceipt.entity_id)
        .outerjoin(counted, counted.c.receipt_id == GoodsReceipt.id)
    )
    return within_sites(query, actor, GoodsReceipt.site_id), counted


def _narrowed(actor: Actor, asked: ReceiptFilter) -> Any:
    query, counted = _query(actor)
    query = query.where(Entity.realm == asked.realm)
    if asked.site is not None:
        query = query.where(GoodsReceipt.site_id == asked.site)
    if asked.text:
        pattern = like(asked.text)
        columns = (GoodsReceipt.number, GoodsReceipt.paper, GoodsReceipt.supplier)
        query = query.where(or_(*(column.ilike(pattern, escape="\\") for column in columns)))
    if asked.differs:
        query = query.where(counted.c.differing > 0)
    return query


def list_receipts(session: Session, actor: Actor, asked: ReceiptFilter) -> tuple[list[ReceiptRow], int]:
    """A page of goods receipts, the newest first, and how many there are."""
    query = _narrowed(actor, asked)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = min(max(asked.page, 1), max(1, -(-total // PAGE)))
    rows = session.execute(query.order_by(GoodsReceipt.id.desc()).limit(PAGE).offset((page - 1) * PAGE))
    return [_row(row) for row in rows], total


def every_receipt(session: Session, actor: Actor, asked: ReceiptFilter) -> list[ReceiptRow]:
    """All receipts that fit the filter, for a file."""
    rows = session.execute(_narrowed(actor, asked).order_by(GoodsReceipt.id.desc()).limit(MOST_ROWS))
    return [_row(row) for row in rows]


def receipt_page(session: Session, actor: Actor, receipt: int) -> tuple[ReceiptRow, list[ReceiptLineRow]]:
    """One goods receipt with its lines; raises ``NotFound`` for another site's."""
    query, _ = _query(actor)
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
    return _row(row), [
        ReceiptLineRow(
            line_no=one.line_no, item_id=one.item_id, code=line.Item.code, name=line.Item.name, unit=line.Item.unit,
            lot_id=one.lot_id, lot=line.lot, quantity=one.quantity, damaged=one.damaged, discrepancy=one.discrepancy,
            difference=one.difference, reason=one.reason, expected=line.expected,
        )
        for line in lines
        for one in (line.GoodsReceiptLine,)
    ]  # fmt: skip


def _row(row: Any) -> ReceiptRow:
    one: GoodsReceipt = row.GoodsReceipt
    return ReceiptRow(
        id=one.id, number=one.number, site=row.site, realm=row.realm, paper=one.paper, supplier=one.supplier,
        received_at=one.received_at, received_by=one.received_by, lines=row.lines or 0, differing=row.differing or 0,
    )  # fmt: skip
