"""What figures need from the core's records: sites and their hours, what the stock is worth, who stands for whom."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import case, func, select

from app.composition.calendars import SiteCalendars
from erpcore.inventory.models import StockBalance
from erpcore.masterdata.models import Entity, Site
from readiness.measures.samples import SampledSite


class SiteRecords(SiteCalendars):
    """Answers the measures' ports from master data and stock balances, in the given session."""

    def stock_value(self, site: int) -> tuple[int | None, int]:
        """The value of a site's stock in minor units, ``None`` where no stocked item has a cost, and how many have none."""
        is_unvalued = StockBalance.unvalued != 0
        row = self._session.execute(
            select(
                func.sum(StockBalance.value_minor),
                func.sum(case((is_unvalued, 0), else_=1)),
                func.sum(case((is_unvalued, 1), else_=0)),
            ).where(StockBalance.site_id == site, StockBalance.on_hand != 0)
        ).one()
        value, valued, unvalued = (int(part or 0) for part in row)
        return (value if valued else None), unvalued

    def sampled_sites(self) -> list[SampledSite]:
        """Every site whose states are sampled, in all realms that run transactions."""
        columns = (Site.id, Entity.realm, Entity.id, Entity.currency)
        rows = self._session.execute(select(*columns).join(Entity, Entity.id == Site.entity_id).order_by(Site.id))
        return [SampledSite(*row) for row in rows]

    def twins(self, realm: str, sites: Collection[int]) -> frozenset[int]:
        """The sites of a rehearsal, training or legacy realm that stand for these live sites."""
        query = select(Site.id).join(Entity, Entity.id == Site.entity_id)
        query = query.where(Entity.realm == realm, Site.twin_id.in_(sorted(sites)))
        return frozenset(self._session.execute(query).scalars())
