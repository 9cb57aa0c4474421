"""When do people work at a site? Master data's calendars and hours, as the measures ask for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.composition.dispute_figures import contested
from app.composition.receivable_figures import debts_of, owed_and_sold
from app.composition.registers import register_entries
from erpcore.fulfilment.carriers.models import Carrier, CarrierCutOff, CarrierService
from erpcore.masterdata.models import Site, SiteCalendar
from readiness.measures import ports
from readiness.measures.models import ControlLimit
from readiness.measures.ports import (
    Calendars,
    Contested,
    Disputes,
    OpenDebt,
    Owed,
    Receivables,
    RegisterEntry,
    Registers,
    Sold,
    Told,
)
from readiness.measures.worked import closed_of, week_of

#: Where a session keeps the collections that it has read.
_COLLECTIONS = "collections"


class SiteCalendars(Calendars, Registers, Receivables, Disputes):
    """The calendars of one session's sites, and the registers, receivables and disputes as it sees them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: dict[frozenset[int], Mapping[int, ports.SiteCalendar]] = {}

    def of_sites(self, sites: Collection[int]) -> Mapping[int, ports.SiteCalendar]:
        """By site, with the limits of its control points and its collections; two queries, the second once a session. The same
        sites are read once. Twins keep the live site's.
        """
        key = frozenset(sites)
        if key not in self._read:
            self._read[key] = self._of_sites(key)
        return self._read[key]

    def entries(self, since: datetime | None, at: datetime, figures: Collection[str]) -> Sequence[RegisterEntry]:
        return register_entries(self._session, since, at, figures)

    def owed(
        self, realms: Collection[str], days: Collection[date | None], sold_since: date, at: datetime
    ) -> tuple[Sequence[Owed], Sequence[Sold]]:
        return owed_and_sold(self._session, realms, days, sold_since, at)

    def debts(
        self, realm: str, entities: Collection[int], sites: Collection[int], on: date | None, at: datetime, limit: int,
        *, customer_group: int | None, is_due: bool,
    ) -> Sequence[OpenDebt]:  # fmt: skip
        return debts_of(
            self._session, realm, entities, sites, on, at, limit, customer_group=customer_group, is_due=is_due
        )

    def disputed(self, realms: Collection[str], since: date, at: datetime) -> Contested:
        return contested(self._session, realms, since, at)

    def _of_sites(self, sites: Collection[int]) -> Mapping[int, ports.SiteCalendar]:
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
        collections = self._collections()
        return {
            row.id: ports.SiteCalendar(
                row.time_zone, row.opens_at, row.closes_at, limits[row.id], tuple(told[row.id].values()),
                collections.get(row.id, {}),
            )
            for row in rows
        }  # fmt: skip

    def _collections(self) -> Mapping[int, dict[int, time]]:
        """The last cut-off of the services that drive, by site and weekday; read once a session, since a page asks often."""
        known: dict[int, dict[int, time]] | None = self._session.info.get(_COLLECTIONS)
        if known is not None:
            return known
        found: dict[int, dict[int, time]] = defaultdict(dict)
        for row in self._session.execute(
            select(Site.id, CarrierCutOff.weekday, CarrierCutOff.cut_off)
            .join(CarrierCutOff, CarrierCutOff.site_id == func.coalesce(Site.twin_id, Site.id))
            .join(CarrierService, CarrierService.id == CarrierCutOff.service_id)
            .join(Carrier, Carrier.id == CarrierService.carrier_id)
            .where(CarrierService.is_active, Carrier.is_active)
        ):
            found[row.id][row.weekday] = max(row.cut_off, found[row.id].get(row.weekday, row.cut_off))
        self._session.info[_COLLECTIONS] = dict(found)
        return found
