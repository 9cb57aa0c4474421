"""What it takes to serve a country from a site: kept as data, so that sourcing compares like with like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import SiteKind, SourcingLane
from erpcore.masterdata.queries import site_facts

CHANGE = "masterdata:record:change"
EVERY_COUNTRY = "*"
_MOST_DAYS, _MOST_COST = 365, 10**9


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepLane:
    """Days on the way and the cost of a line, in minor units; given again it replaces what stood there. ``*``: every country."""

    site: int
    country: str
    transit_days: int
    cost_minor: int


def keep_lanes(work: UnitOfWork, commands: Sequence[KeepLane]) -> list[int]:
    """Keep lanes; orders taken before keep the site that was chosen. Returns the ids."""
    work.actor.require(CHANGE)
    kept = []
    for c in commands:
        site = site_facts(work, c.site)
        if work.actor.sites is not None and site.id not in work.actor.sites:
            raise NotFound("site_unknown", site=c.site)
        country = c.country.strip()
        if site.kind == SiteKind.DROP_SHIP:
            raise RuleBroken("lane_from_works", field="site", site=site.code)
        if not country:
            raise RuleBroken("lane_country", field="country")
        if not 0 <= c.transit_days <= _MOST_DAYS:
            raise RuleBroken("lane_days", field="transit_days", most=_MOST_DAYS)
        if not 0 <= c.cost_minor <= _MOST_COST:
            raise RuleBroken("lane_cost", field="cost")
        query = select(SourcingLane).where(SourcingLane.site_id == site.id, SourcingLane.country == country)
        row = work.session.execute(query).scalar_one_or_none()
        if row is None:
            row = SourcingLane(id=work.ids.one(), site_id=site.id, country=country)
            work.session.add(row)
        row.transit_days, row.cost_minor = c.transit_days, c.cost_minor
        work.session.flush()
        work.audit("lane.kept", "sourcing_lane", row.id, site=site.code, country=country, days=c.transit_days)
        kept.append(row.id)
    return kept


def drop_lane(work: UnitOfWork, lane: int) -> None:
    """Forget a lane: the site serves that country no better than any without one."""
    work.actor.require(CHANGE)
    row = work.session.get(SourcingLane, lane)
    if row is None or (work.actor.sites is not None and row.site_id not in work.actor.sites):
        raise NotFound("lane_unknown", lane=lane)
    work.audit("lane.dropped", "sourcing_lane", lane, country=row.country)
    work.session.delete(row)
    work.session.flush()
