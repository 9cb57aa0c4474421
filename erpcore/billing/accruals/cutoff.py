"""The cut-off test: does revenue stand in the period in which control of the goods passed, shipment by shipment around its end?

It looks at documents and at what accruals stand in the books, and not at what a run would post: so it finds what a run left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from erpcore.billing.accruals.candidates import among, around, not_billed, not_controlled
from erpcore.billing.accruals.ends import PeriodEnd
from erpcore.billing.accruals.figures import LINE, credited_of, shipments_of, with_lines, worth_of
from erpcore.billing.accruals.models import AccrualKind, AccrualLine, AccrualRun
from erpcore.billing.models import Invoice
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.clock import local_day
from erpcore.masterdata.models import Site
from erpcore.orders.models import SalesOrder

#: So many days before and after the end are tested, besides every shipment that something was accrued of or that is billed and controlled apart.
AROUND = 10
_OF_REVENUE = (AccrualKind.UNBILLED, AccrualKind.DEFERRED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """One shipment that was tested, in minor units. ``passed_on``: the day on which control passed, ``invoice_on`` that of its
    posted invoice; ``should_minor`` is the revenue that the period should have of it, ``has_minor`` what it has, accruals included.
    """

    shipment: int
    number: str
    order: int
    site: int
    channel: int
    currency: str
    by_delivery: bool
    passed_on: date | None
    invoice: int | None
    invoice_on: date | None
    worth_minor: int
    accrued_minor: int
    should_minor: int
    has_minor: int
    differs: bool

    @property
    def wrong_minor(self) -> int:
        return abs(self.has_minor - self.should_minor)


def shipments_around(session: Session, end: PeriodEnd) -> list[Tested]:
    """Every shipment tested at this end of a period, in the order of their numbers' ids."""
    standing = _standing(session, end)
    rows = session.execute(
        with_lines(
            shipments_of(
                end, *LINE, Shipment.number, Shipment.confirmed_at, Shipment.delivered_at, end.is_late.label("late"),
                Invoice.state, Invoice.invoice_on, Site.time_zone,
            ).join(Site, Site.id == SalesOrder.site_id)
        ).where(_looked_at(end, standing), or_(_near(end), Shipment.id.in_(standing), _apart(end)))
    ).all()  # fmt: skip
    credited = credited_of(session, {row.invoice_id for row in rows if row.invoice_id}, end.until)
    lines: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        lines[row.id].append(row)
    return [_tested(end, group, credited, standing.get(key, 0)) for key, group in lines.items()]


def _looked_at(end: PeriodEnd, standing: Collection[int | None]) -> Any:
    sets = [*around(end, timedelta(days=AROUND)), *not_billed(end), *not_controlled(end)]
    return or_(among(sets), Shipment.id.in_(standing))


def _near(end: PeriodEnd) -> Any:
    """Something of it happened so near to the end that its period may be the wrong one."""
    span, ways = timedelta(days=AROUND), []
    for sites, moment in end.ends:
        for happened in (Shipment.confirmed_at, Shipment.delivered_at):
            near = happened.between(moment - span, moment + span)
            ways.append(SalesOrder.site_id.in_(sites) & near)
    return or_(*ways, Invoice.invoice_on.between(end.until - span, end.until + span))


def _apart(end: PeriodEnd) -> Any:
    """Whenever it happened: an invoice that nobody has made for months is as wrong as one of yesterday."""
    unbilled = and_(end.passed(), or_(Invoice.id.is_(None), ~end.is_billed))
    return or_(unbilled, and_(end.not_passed(), end.is_billed))


def _standing(session: Session, end: PeriodEnd) -> dict[int | None, int]:
    """What accruals add to the revenue of the period, by shipment."""
    query = (
        select(AccrualLine.shipment_id, AccrualLine.kind, func.sum(AccrualLine.amount_minor))
        .join(AccrualRun, AccrualRun.id == AccrualLine.run_id)
        .where(AccrualRun.entity_id == end.entity, AccrualRun.until == end.until, AccrualLine.kind.in_(_OF_REVENUE))
        .group_by(AccrualLine.shipment_id, AccrualLine.kind)
    )
    out: dict[int | None, int] = defaultdict(int)
    for shipment, kind, minor in session.execute(query):
        out[shipment] += int(minor) if kind == AccrualKind.UNBILLED else -int(minor)
    return out


def _tested(
    end: PeriodEnd, lines: list[Any], credited: dict[tuple[int | None, int | None], int], accrued: int
) -> Tested:
    first = lines[0]
    moment: datetime | None = first.delivered_at if first.late else first.confirmed_at
    passed_on = None if moment is None else local_day(moment, first.time_zone)
    invoice_on = first.invoice_on if first.state == "posted" else None
    passed = passed_on is not None and passed_on < end.until
    billed = invoice_on is not None and invoice_on < end.until
    whole = sum(worth_of(line) for line in lines)
    # What was credited of what is billed and not controlled is no revenue of anybody any more.
    left = (
        sum(worth_of(line, credited[line.invoice_id, line.line]) for line in lines) if billed and not passed else whole
    )
    return Tested(
        shipment=first.id, number=first.number, order=first.order_id, site=first.site_id, channel=first.channel_id,
        currency=first.currency, by_delivery=bool(first.late), passed_on=passed_on,
        invoice=first.invoice_id if invoice_on else None, invoice_on=invoice_on, worth_minor=left, accrued_minor=accrued,
        should_minor=left if passed else 0, has_minor=(left if billed else 0) + accrued, differs=passed != billed,
    )  # fmt: skip
