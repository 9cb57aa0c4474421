"""When does a company's period end, and what had happened by then? Days are those of the site that sold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from erpcore.billing.models import Invoice, InvoiceState
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.clock import day_start
from erpcore.masterdata.models import Site
from erpcore.orders.models import SalesOrder


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodEnd:
    """The end of a company's days before ``until``. ``late``: the rulesets by which control passes with the delivery."""

    entity: int
    until: date
    late: Collection[str]
    ends: tuple[tuple[tuple[int, ...], datetime], ...]

    def before(self, moment: Any) -> ColumnElement[bool]:
        """Whether it happened by then, by the day of the site that sold."""
        return or_(false(), *(and_(SalesOrder.site_id.in_(sites), moment < end) for sites, end in self.ends))

    def after(self, moment: Any) -> ColumnElement[bool]:
        """Whether it happened later, or not at all."""
        later = (and_(SalesOrder.site_id.in_(sites), moment >= end) for sites, end in self.ends)
        return or_(moment.is_(None), *later)

    @property
    def is_late(self) -> ColumnElement[bool]:
        return SalesOrder.ruleset.in_(self.late)

    def passed(self) -> ColumnElement[bool]:
        """Whether the customer controlled the goods by then."""
        return or_(
            and_(self.is_late, self.before(Shipment.delivered_at)),
            and_(~self.is_late, self.before(Shipment.confirmed_at)),
        )

    def not_passed(self) -> ColumnElement[bool]:
        return or_(
            and_(self.is_late, self.after(Shipment.delivered_at)),
            and_(~self.is_late, self.after(Shipment.confirmed_at)),
        )

    @property
    def is_billed(self) -> ColumnElement[bool]:
        """Whether the invoice, if any, is of days before the end."""
        return and_(Invoice.state == InvoiceState.POSTED, Invoice.invoice_on < self.until)


def period_end(session: Session, entity: int, until: date, late: Collection[str]) -> PeriodEnd:
    """The end of a company's days before ``until``, in the zone of each of its sites."""
    zones: dict[str, list[int]] = defaultdict(list)
    for site, zone in session.execute(
        select(Site.id, Site.time_zone).where(Site.entity_id == entity).order_by(Site.id)
    ):
        zones[zone].append(site)
    ends = tuple((tuple(sites), day_start(until, zone)) for zone, sites in sorted(zones.items()))
    return PeriodEnd(entity=entity, until=until, late=late, ends=ends)
