"""What of a site's paper is in the books, and what was under way when the fallback began?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from erpcore.fulfilment.models import Shipment
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Channel, Customer, Site
from erpcore.orders.models import OrderState, SalesOrder
from erpcore.ports import Process
from readiness.waves.queries import fallbacks, grants

MOST = 50


@dataclass(frozen=True, kw_only=True)
class PaperRow:
    """An order entered from paper, or one that may have left on paper. ``left_at``: when its last goods left."""

    id: int
    number: str
    customer: str
    channel: str
    state: str
    captured_at: datetime
    is_paper: bool
    left_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PaperDesk:
    """A live site, its channels that work or worked on paper with when, and the orders that matter, newest first."""

    site: int
    name: str
    entity: int
    time_zone: str
    channels: tuple[tuple[int, str], ...]
    spans: dict[int, list[tuple[datetime, datetime | None]]]
    entered: tuple[PaperRow, ...]
    open: tuple[PaperRow, ...]

    @property
    def is_on_paper(self) -> bool:
        return any(until is None for spans in self.spans.values() for _, until in spans)


def paper_desk(session: Session, site_id: int) -> PaperDesk:
    """One site. Raises ``NotFound``. Four queries, and one for each of its channels."""
    site = session.get(Site, site_id)
    if site is None or site.twin_id is not None:
        raise NotFound("not_found")
    there = {one.channel for one in grants(session, site=site_id) if one.process == Process.ORDER_TO_CASH}
    spans = {key: told for key in sorted(there) if (told := fallbacks(session, site_id, key, Process.ORDER_TO_CASH))}
    names = session.execute(select(Channel.id, Channel.name).where(Channel.id.in_(spans)).order_by(Channel.name)).all()
    left = (
        select(Shipment.order_id, func.max(Shipment.confirmed_at).label("left_at")).group_by(Shipment.order_id).subquery()
    )  # fmt: skip
    is_paper = SalesOrder.source == "back-entry"
    # Apart, so that many entered papers do not push out what is still under way.
    rank = func.row_number().over(partition_by=case((is_paper, 1), else_=0), order_by=SalesOrder.captured_at.desc())
    rows = (
        select(
            SalesOrder.id, SalesOrder.number, SalesOrder.state, SalesOrder.captured_at, SalesOrder.source, left.c.left_at,
            Customer.name.label("customer"), Channel.name.label("channel"), rank.label("rank"),
        )
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Channel, Channel.id == SalesOrder.channel_id)
        .join(left, left.c.order_id == SalesOrder.id, isouter=True)
        .where(
            SalesOrder.site_id == site_id, SalesOrder.channel_id.in_(spans),
            or_(is_paper, SalesOrder.state == OrderState.RELEASED),
        )
        .subquery()
    )  # fmt: skip
    found = [
        PaperRow(
            id=row.id, number=row.number, customer=row.customer, channel=row.channel, state=row.state,
            captured_at=row.captured_at, is_paper=row.source == "back-entry", left_at=row.left_at,
        )
        for row in session.execute(select(rows).where(rows.c.rank <= MOST).order_by(rows.c.captured_at.desc()))
    ]  # fmt: skip
    return PaperDesk(
        site=site_id, name=site.name, entity=site.entity_id, time_zone=site.time_zone,
        channels=tuple((row.id, row.name) for row in names), spans=spans,
        entered=tuple(one for one in found if one.is_paper),
        open=tuple(one for one in found if one.state == OrderState.RELEASED),
    )  # fmt: skip
