"""When do people work at a site? Master data's opening hours, as the measures ask for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.masterdata.models import Site
from readiness.measures.models import ControlLimit
from readiness.measures.ports import Calendars, SiteCalendar


class SiteCalendars(Calendars):
    """The calendars of one session's sites."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_sites(self, sites: Collection[int]) -> Mapping[int, SiteCalendar]:
        """By site, with the limits of its control points; one query. Twins keep the live site's limits."""
        rows = self._session.execute(
            select(
                Site.id, Site.time_zone, Site.opens_at, Site.closes_at, ControlLimit.point, ControlLimit.minutes
            )
            .outerjoin(ControlLimit, ControlLimit.site_id == func.coalesce(Site.twin_id, Site.id))
            .where(Site.id.in_(sites))
        ).all()  # fmt: skip
        limits: dict[int, dict[str, timedelta]] = defaultdict(dict)
        for row in rows:
            if row.point is not None:
                limits[row.id][row.point] = timedelta(minutes=row.minutes)
        return {row.id: SiteCalendar(row.time_zone, row.opens_at, row.closes_at, limits[row.id]) for row in rows}
