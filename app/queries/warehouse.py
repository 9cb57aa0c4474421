"""What waits in the warehouse: goods expected, goods to put away, counts, adjustments to approve; and where a lot went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.counts import DEFAULT_PLACE, tells_worth
from app.security.scopes import check_site, within_sites
from erpcore.fulfilment.models import Shipment
from erpcore.inventory.documents import (
    AdjustmentState,
    ExpectedReceipt,
    GoodsReceipt,
    StockAdjustment,
    StockTransfer,
    StockTransferLine,
)
from erpcore.inventory.models import Location, Lot, StockBin, StockMove, StockStatus
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.orders.models import SalesOrder

MOST = 200


@dataclass(frozen=True, kw_only=True)
class ExpectedRow:
    """Goods that should come to a site. ``transfer``: its id, when another site sent them."""

    id: int
    site_id: int
    site: str
    realm: str
    item_id: int
    code: str
    name: str
    unit: str
    places: int
    tracking: str
    quantity: Decimal
    received: Decimal
    cancelled: Decimal
    expected_on: date
    source: str
    transfer: int | None
    line: int | None
    number: str
    supplier: str | None
    version: int

    @property
    def open(self) -> Decimal:
        return max(self.quantity - self.received - self.cancelled, Decimal(0))


@dataclass(frozen=True, kw_only=True)
class BinRow:
    """What lies at one place, of one lot, in one status."""

    id: int
    site_id: int
    site: str
    realm: str
    item_id: int
    code: str
    name: str
    unit: str
    location_id: int | None
    location: str
    lot_id: int | None
    lot: str | None
    expires_on: date | None
    status: str
    quantity: Decimal
    since: datetime
    time_zone: str
    places: int

    def is_over(self, at: datetime) -> bool:
        """Whether its last day is over where it lies, so that no pick takes it though nobody has set it apart yet."""
        return self.expires_on is not None and self.expires_on < local_day(at, self.time_zone)


@dataclass(frozen=True, kw_only=True)
class AdjustmentRow:
    """An adjustment that waits for somebody else than who asked for it."""

    id: int
    site_id: int
    site: str
    realm: str
    code: str
    name: str
    unit: str
    quantity: Decimal
    value_minor: int | None
    currency: str
    reason: str
    note: str
    asked_by: int
    asked_at: datetime
    version: int


@dataclass(frozen=True, kw_only=True)
class TraceRow:
    """One station of a lot: a receipt with its paper, or a shipment with its customer."""

    kind: str
    at: datetime
    quantity: Decimal
    site: str
    document: str
    paper: str | None
    supplier: str | None
    order_id: int | None
    customer: str | None
    receipt_id: int | None
    shipment_id: int | None


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Where a lot came from and where it went."""

    lot_id: int
    lot: str
    is_serial: bool
    item_id: int
    item: str
    name: str
    unit: str
    expires_on: date | None
    first_seen_at: datetime
    realm: str
    stations: list[TraceRow]

    @property
    def back(self) -> list[TraceRow]:
        """Where it came from."""
        return [one for one in self.stations if one.kind in ("receipt", "opening")]

    @property
    def forward(self) -> list[TraceRow]:
        """Who had it: what left for customers, and what came back."""
        return [one for one in self.stations if one.kind in ("issue", "return")]

    @property
    def other(self) -> list[TraceRow]:
        """Transfers, counts and adjustments."""
        return [one for one in self.stations if one.kind not in ("receipt", "opening", "issue", "return")]


#: What goods are that may be sold, and the statuses that people give and take by hand.
AVAILABLE = StockStatus.AVAILABLE.value
BY_HAND = (AVAILABLE, StockStatus.QUARANTINE.value, StockStatus.DAMAGED.value)


def expected_rows(
    session: Session,
    actor: Actor,
    *,
    only: int | None = None,
    text: str = "",
    site: int | None = None,
    item: int | None = None,
) -> list[ExpectedRow]:
    """What should still come to the sites one sees, the next first; ``text``: a number, item code or pack's barcode."""
    query: Any = (
        select(ExpectedReceipt, Item, Site.name.label("site"), Entity.realm)
        .join(Item, Item.id == ExpectedReceipt.item_id)
        .join(Site, Site.id == ExpectedReceipt.site_id)
        .join(Entity, Entity.id == ExpectedReceipt.entity_id)
    )
    query = within_sites(query, actor, ExpectedReceipt.site_id)
    if only is not None:
        query = query.where(ExpectedReceipt.id == only)
    else:
        query = query.where(ExpectedReceipt.received + ExpectedReceipt.cancelled < ExpectedReceipt.quantity)
    if site is not None:
        query = query.where(ExpectedReceipt.site_id == site)
    if item is not None:
        query = query.where(ExpectedReceipt.item_id == item)
    if text:
        query = query.where((ExpectedReceipt.number == text) | (Item.code == text))
    rows = session.execute(query.order_by(ExpectedReceipt.expected_on, ExpectedReceipt.id).limit(MOST)).all()
    return [_expected(row) for row in rows]


def _expected(row: Any) -> ExpectedRow:
    one: ExpectedReceipt = row.ExpectedReceipt
    is_transfer = one.source == "transfer"
    return ExpectedRow(
        id=one.id, site_id=one.site_id, site=row.site, realm=row.realm, item_id=row.Item.id, code=row.Item.code,
        name=row.Item.name, unit=row.Item.unit, places=row.Item.quantity_places, tracking=row.Item.tracking,
        quantity=one.quantity, received=one.received,
        cancelled=one.cancelled, expected_on=one.expected_on, source=one.source, number=one.number, supplier=one.supplier,
        transfer=one.document_id if is_transfer else None, line=one.line_id if is_transfer else None, version=one.version,
    )  # fmt: skip


def location_named(session: Session, site: int, code: str) -> int | None:
    """The location whose label was scanned; ``None`` for the default place (nothing scanned)."""
    if not code:
        return None
    found = session.scalar(select(Location.id).where(Location.site_id == site, Location.code == code))
    if found is None:
        raise RuleBroken("label_unknown", field="location", code=code)
    return found


def lot_named(session: Session, item: int, code: str) -> int | None:
    """The lot or serial number of an item; ``None`` when none is named."""
    if not code:
        return None
    found = session.scalar(select(Lot.id).where(Lot.item_id == item, Lot.code == code))
    if found is None:
        raise RuleBroken("lot_code_unknown", field="lot", code=code)
    return found


def bin_rows(
    session: Session, actor: Actor, *, site: int | None = None, item: int | None = None, status: str | None = None,
    only: int | None = None, text: str = "", location: int | None = None, lot: int | None = None,
) -> list[BinRow]:  # fmt: skip
    """What lies in bins of its own at the sites one sees, what waits longest first."""
    query: Any = (
        select(StockBin, Item, Site.name.label("site"), Site.time_zone, Entity.realm, Location.code.label("location"), Lot.code.label("lot"), Lot.expires_on)
        .join(Item, Item.id == StockBin.item_id)
        .join(Site, Site.id == StockBin.site_id)
        .join(Entity, Entity.id == StockBin.entity_id)
        .outerjoin(Location, Location.id == StockBin.location_id)
        .outerjoin(Lot, Lot.id == StockBin.lot_id)
        .where(StockBin.quantity > 0)
    )  # fmt: skip
    query = within_sites(query, actor, StockBin.site_id)
    for column, wanted in (
        (StockBin.site_id, site), (StockBin.item_id, item), (StockBin.status, status), (StockBin.id, only),
        (StockBin.location_id, location), (StockBin.lot_id, lot),
    ):  # fmt: skip
        if wanted is not None:
            query = query.where(column == wanted)
    if text:
        query = query.where((Item.code == text) | (Lot.code == text) | (Location.code == text))
    return [
        BinRow(
            id=row.StockBin.id, site_id=row.StockBin.site_id, site=row.site, realm=row.realm, item_id=row.Item.id,
            code=row.Item.code, name=row.Item.name, unit=row.Item.unit, location_id=row.StockBin.location_id,
            location=row.location or DEFAULT_PLACE, lot_id=row.StockBin.lot_id, lot=row.lot, expires_on=row.expires_on,
            status=row.StockBin.status, quantity=row.StockBin.quantity, since=row.StockBin.since,
            time_zone=row.time_zone, places=row.Item.quantity_places,
        )
        for row in session.execute(query.order_by(StockBin.since, StockBin.id).limit(MOST))
    ]  # fmt: skip


def proposed_adjustments(session: Session, actor: Actor, *, only: int | None = None) -> list[AdjustmentRow]:
    """Adjustments that wait for approval at the sites one sees."""
    worth = tells_worth(actor)
    query: Any = (
        select(StockAdjustment, Item, Site.name.label("site"), Entity.realm, Entity.currency)
        .join(Item, Item.id == StockAdjustment.item_id)
        .join(Site, Site.id == StockAdjustment.site_id)
        .join(Entity, Entity.id == StockAdjustment.entity_id)
        .where(StockAdjustment.state == AdjustmentState.PROPOSED)
    )
    query = within_sites(query, actor, StockAdjustment.site_id)
    if only is not None:
        query = query.where(StockAdjustment.id == only)
    return [
        AdjustmentRow(
            id=one.id, site_id=one.site_id, site=row.site, realm=row.realm, code=row.Item.code, name=row.Item.name,
            unit=row.Item.unit, quantity=one.quantity, value_minor=one.value_minor if worth else None, currency=row.currency,
            reason=one.reason_code, note=one.note, asked_by=one.asked_by, asked_at=one.asked_at, version=one.version,
        )
        for row in session.execute(query.order_by(StockAdjustment.id).limit(MOST))
        for one in (row.StockAdjustment,)
    ]  # fmt: skip


def transfer_lines(session: Session, actor: Actor, transfer: int) -> tuple[StockTransfer, list[StockTransferLine]]:
    """A transfer that comes to a site one sees, with its lines."""
    head = session.get(StockTransfer, transfer)
    if head is None:
        raise NotFound("transfer_unknown", id=transfer)
    check_site(actor, head.site_id)
    lines = session.scalars(select(StockTransferLine).where(StockTransferLine.transfer_id == transfer))
    return head, list(lines)


def trace_lot(session: Session, actor: Actor, lot: int) -> Trace:
    """Back to the papers it came with and forward to the customers who have it, at the sites one sees."""
    head = session.execute(
        select(Lot, Item.code, Item.name, Item.unit, Entity.realm)
        .join(Item, Item.id == Lot.item_id)
        .join(Entity, Entity.id == Lot.entity_id)
        .where(Lot.id == lot)
    ).one_or_none()  # fmt: skip
    if head is None:
        raise NotFound("lot_unknown", id=lot)
    query: Any = (
        select(StockMove, Site.name.label("site"), GoodsReceipt, Shipment, SalesOrder, Customer.name.label("customer"))
        .join(Site, Site.id == StockMove.site_id)
        .outerjoin(
            GoodsReceipt, (StockMove.document_type == "goods_receipt") & (GoodsReceipt.id == StockMove.document_id)
        )
        .outerjoin(Shipment, (StockMove.document_type == "shipment") & (Shipment.id == StockMove.document_id))
        .outerjoin(SalesOrder, SalesOrder.id == Shipment.order_id)
        .outerjoin(Customer, Customer.id == SalesOrder.customer_id)
        .where(StockMove.lot_id == lot, StockMove.reason.not_in(("placement", "status")))
    )
    rows = session.execute(within_sites(query, actor, StockMove.site_id).order_by(StockMove.moved_at, StockMove.id))
    stations = [
        TraceRow(
            kind=row.StockMove.reason, at=row.StockMove.moved_at, quantity=row.StockMove.quantity, site=row.site,
            document=row.Shipment.number if row.Shipment else row.GoodsReceipt.number if row.GoodsReceipt else row.StockMove.note or "",
            paper=row.GoodsReceipt.paper if row.GoodsReceipt else None,
            supplier=row.GoodsReceipt.supplier if row.GoodsReceipt else None,
            order_id=row.SalesOrder.id if row.SalesOrder else None, customer=row.customer,
            receipt_id=row.GoodsReceipt.id if row.GoodsReceipt else None, shipment_id=row.Shipment.id if row.Shipment else None,
        )
        for row in rows
    ]  # fmt: skip
    if not stations and actor.sites is not None:
        raise NotFound("lot_unknown", id=lot)
    return Trace(
        lot_id=lot, lot=head.Lot.code, is_serial=head.Lot.is_serial, item_id=head.Lot.item_id, item=head.code, name=head.name,
        unit=head.unit, expires_on=head.Lot.expires_on, first_seen_at=head.Lot.first_seen_at,
        realm=head.realm, stations=stations,
    )  # fmt: skip
