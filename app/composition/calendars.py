"""When do people work at a site? Master data's opening hours, as the measures ask for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.masterdata.models import Site
from readiness.measures.ports import Calendars, SiteCalendar


class SiteCalendars(Calendars):
    """The calendars of one session's sites."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_sites(self, sites: Collection[int]) -> Mapping[int, SiteCalendar]:
        """By site; one query."""
        rows = self._session.execute(
            select(Site.id, Site.time_zone, Site.opens_at, Site.closes_at).where(Site.id.in_(sites))
        )
        return {row.id: SiteCalendar(row.time_zone, row.opens_at, row.closes_at) for row in rows}
