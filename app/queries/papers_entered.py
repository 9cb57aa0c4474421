"""What of a site's paper is in the books, and what was under way when the fallback began?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.queries.bounded import OPEN_ORDER, by_sorting
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Channel, Customer, Site
from erpcore.orders.models import OrderState, SalesOrder
from erpcore.ports import Process
from readiness.waves.queries import fallbacks, grants

MOST = 50
#: As the partial index of such orders says it, so that both databases use it.
_IS_PAPER = text("sales_order.source = 'back-entry'")


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
    """One site. Raises ``NotFound``. Five queries, and one for each of its channels; what it costs does not grow with the past."""
    site = session.get(Site, site_id)
    if site is None or site.twin_id is not None:
        raise NotFound("not_found")
    there = {one.channel for one in grants(session, site=site_id) if one.process == Process.ORDER_TO_CASH}
    spans = {key: told for key in sorted(there) if (told := fallbacks(session, site_id, key, Process.ORDER_TO_CASH))}
    names = session.execute(select(Channel.id, Channel.name).where(Channel.id.in_(spans)).order_by(Channel.name)).all()
    found = _rows(session, site_id, spans)
    return PaperDesk(
        site=site_id, name=site.name, entity=site.entity_id, time_zone=site.time_zone,
        channels=tuple((row.id, row.name) for row in names), spans=spans,
        entered=tuple(one for one in found if one.is_paper),
        open=tuple(one for one in found if one.state == OrderState.RELEASED),
    )  # fmt: skip


def _rows(session: Session, site_id: int, channels: Iterable[int]) -> list[PaperRow]:
    """The newest papers entered and the newest orders under way, apart, so that many of one do not push out the other."""
    left = select(func.max(Shipment.confirmed_at)).where(Shipment.order_id == SalesOrder.id).correlate(SalesOrder)
    orders = (
        select(
            SalesOrder.id, SalesOrder.number, SalesOrder.state, SalesOrder.captured_at, SalesOrder.source,
            left.scalar_subquery().label("left_at"), Customer.name.label("customer"), Channel.name.label("channel"),
        )
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Channel, Channel.id == SalesOrder.channel_id)
        .where(SalesOrder.site_id == site_id, SalesOrder.channel_id.in_(list(channels)))
        .limit(MOST)
    )  # fmt: skip
    under_way = orders.where(OPEN_ORDER, SalesOrder.state == OrderState.RELEASED, SalesOrder.source != "back-entry")
    kinds = (
        orders.where(_IS_PAPER).order_by(SalesOrder.captured_at.desc(), SalesOrder.id.desc()),
        under_way.order_by(by_sorting(SalesOrder.captured_at).desc(), SalesOrder.id.desc()),
    )
    found = [
        PaperRow(
            id=row.id, number=row.number, customer=row.customer, channel=row.channel, state=row.state,
            captured_at=row.captured_at, is_paper=row.source == "back-entry", left_at=row.left_at,
        )
        for rows in kinds
        for row in session.execute(rows)
    ]  # fmt: skip
    return sorted(found, key=lambda row: (row.captured_at, row.id), reverse=True)
