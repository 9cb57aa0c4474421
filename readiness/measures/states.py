"""What stands too long, now: silent failures by control point, the age of the backlog, controls that do not agree.

Read live from what is open; samples.py keeps the same figures for windows and trends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select

from erpcore.kernel.clock import day_end, day_start, local_day, zone
from readiness.measures.hours import limit_passed_before
from readiness.measures.models import ControlResultRow, WaitRow
from readiness.measures.ports import SiteCalendar
from readiness.measures.scopes import SiteDays, Slice
from readiness.measures.waits import Point

#: How long a document may stand at a point, in working hours of its site, unless the site has limits of its own. Picking
#: ends with the carrier's cut-off (see ``picked_by``); the ledger follows by the clock.
LIMITS = {
    Point.RELEASE: timedelta(hours=4),
    Point.ALLOCATION: timedelta(hours=1),
    Point.CONFIRMATION: timedelta(hours=4),
    Point.INVOICE: timedelta(hours=8),
    Point.AUTHORISATION: timedelta(hours=16),
    Point.CREDIT: timedelta(hours=16),
    Point.CASH: timedelta(hours=8),
    Point.RECEIPT: timedelta(hours=8),
    Point.POSTING: timedelta(hours=1),
}


def limit_of(point: str, calendar: SiteCalendar) -> timedelta | None:
    """The limit of a point at a site; ``None`` for picking, which ends with a collection."""
    return calendar.limits.get(point) or LIMITS.get(Point(point))


#: So many days ahead a collection is looked for.
_DAYS_AHEAD = 14


def picked_by(since: datetime, due_on: date | None, calendar: SiteCalendar) -> datetime:
    """Until when something allocated since then must be picked: the last collection of the first day on which it can go.

    A day on which nobody works has no collection. Where no carrier has a cut-off, the end of the due day stands for it.
    """
    first = local_day(since, calendar.time_zone)
    first = max(first, due_on or first)
    for ahead in range(_DAYS_AHEAD + 1 if calendar.collections else 0):
        day = first + timedelta(days=ahead)
        at = calendar.collections.get(day.weekday())
        if at is None or calendar.hours(day) is None:
            continue
        moment = datetime.combine(day, at, zone(calendar.time_zone))
        if moment >= since:
            return moment
    return day_end(first, calendar.time_zone)


#: Controls are compared at least daily; after this a result no longer speaks for now.
CONTROL_LIFE = timedelta(hours=26)


class Standing(NamedTuple):
    """A document at a control point or in the backlog, or a backordered line."""

    root_id: int
    id: int
    point: str
    slice_id: int
    dimension: str
    customer_group: int
    since: datetime
    due_on: date | None
    deadline_at: datetime | None
    value: int


_COLUMNS = [
    WaitRow.__table__.c[name]
    for name in (
        "root_id",
        "id",
        "point",
        "slice_id",
        "dimension",
        "customer_group",
        "since",
        "due_on",
        "deadline_at",
        "value",
    )
]


def standing(connection: Connection, points: Sequence[str], slices: Sequence[int]) -> list[Standing]:
    """Everything that is open at these points in these slices."""
    if not slices:
        return []
    query = select(*_COLUMNS).where(WaitRow.__table__.c.point.in_(points), WaitRow.__table__.c.slice_id.in_(slices))
    return [Standing(*row) for row in connection.execute(query)]


def _set(point: str, calendar: SiteCalendar) -> timedelta:
    return calendar.limits.get(point) or LIMITS[Point(point)]


class Limits:
    """Decides who is beyond the limit of a control point at one moment."""

    def __init__(self, now: datetime, days: SiteDays, slices: Iterable[Slice]) -> None:
        self._now = now
        self._days = days
        self._site = {one.id: one.site for one in slices}
        self._passed: dict[tuple[int | None, str], datetime] = {}

    def beyond(self, row: Standing) -> bool:
        """Whether the document has stood at its point for longer than allowed."""
        site = self._site.get(row.slice_id)
        calendar = self._days.calendar(site)
        if row.deadline_at is not None:
            return self._now > row.deadline_at
        if row.point == Point.POSTING:
            return self._now - row.since > _set(row.point, calendar)
        if row.point == Point.PICKING:
            return self._now > picked_by(row.since, row.due_on, calendar)
        since = row.since
        if row.due_on is not None:
            since = max(since, day_start(row.due_on, calendar.time_zone))
        key = (site, row.point)
        passed = self._passed.get(key)
        if passed is None:
            passed = self._passed[key] = limit_passed_before(self._now, _set(row.point, calendar), calendar)
        return since < passed

    def backlog_age(self, row: Standing) -> float:
        """Seconds since max(captured, end of the requested ship day); not positive while nothing is late."""
        late_from = row.since
        if row.due_on is not None:
            zone = self._days.calendar(self._site.get(row.slice_id)).time_zone
            late_from = max(late_from, day_end(row.due_on, zone))
        return (self._now - late_from).total_seconds()


#: The points at which silence is a failure; backlog and backorders have no limit.
CONTROL_POINTS = tuple(point.value for point in Point if point not in {Point.BACKLOG, Point.BACKORDER})
#: Each document passes exactly one of these first: their handled documents are the documents there were.
FIRST_POINTS = (
    Point.RELEASE.value, Point.AUTHORISATION.value, Point.CASH.value, Point.INVOICE.value, Point.RECEIPT.value,
)  # fmt: skip


@dataclass(frozen=True)
class ControlState:
    """Of the controls of a scope: how many there are, which differ, and when the oldest was compared."""

    compared: int
    differing: tuple[str, ...]
    oldest: datetime | None


def control_state(connection: Connection, realm: str, entities: frozenset[int], sites: frozenset[int]) -> ControlState:
    """The last results of the controls of these entities (all, when none is named), and of these sites where given."""
    table = ControlResultRow.__table__
    query = select(table.c.control, table.c.difference, table.c.tolerance, table.c.compared_at).where(
        table.c.realm == realm
    )
    if entities:
        query = query.where(table.c.entity.in_(sorted(entities)))
    if sites:
        query = query.where(table.c.site.in_([0, *sorted(sites)]))
    rows = connection.execute(query).all()
    return ControlState(
        compared=len(rows),
        differing=tuple(sorted(row.control for row in rows if abs(row.difference) > row.tolerance)),
        oldest=min((row.compared_at for row in rows), default=None),
    )
