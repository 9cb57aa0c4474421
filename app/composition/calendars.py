"""When do people work at a site? Master data's calendars and hours, as the measures ask for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.masterdata.models import Site, SiteCalendar
from readiness.measures import ports
from readiness.measures.models import ControlLimit
from readiness.measures.ports import Calendars, Told
from readiness.measures.worked import closed_of, week_of


class SiteCalendars(Calendars):
    """The calendars of one session's sites."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_sites(self, sites: Collection[int]) -> Mapping[int, ports.SiteCalendar]:
        """By site, with the limits of its control points; one query. Twins keep the live site's limits."""
        rows = self._session.execute(
            select(
                Site.id, Site.time_zone, Site.opens_at, Site.closes_at, ControlLimit.point, ControlLimit.minutes,
                SiteCalendar.number, SiteCalendar.valid_from, SiteCalendar.week, SiteCalendar.closed,
            )
            .outerjoin(ControlLimit, ControlLimit.site_id == func.coalesce(Site.twin_id, Site.id))
            .outerjoin(SiteCalendar, SiteCalendar.site_id == Site.id)
            .where(Site.id.in_(sites))
            .order_by(Site.id, SiteCalendar.number)
        ).all()  # fmt: skip
        limits: dict[int, dict[str, timedelta]] = defaultdict(dict)
        told: dict[int, dict[int, Told]] = defaultdict(dict)
        for row in rows:
            if row.point is not None:
                limits[row.id][row.point] = timedelta(minutes=row.minutes)
            if row.number is not None and row.number not in told[row.id]:
                told[row.id][row.number] = Told(
                    row.valid_from, row.time_zone, week_of(row.week), closed_of(row.closed), row.number
                )
        return {
            row.id: ports.SiteCalendar(
                row.time_zone, row.opens_at, row.closes_at, limits[row.id], tuple(told[row.id].values())
            )
            for row in rows
        }
