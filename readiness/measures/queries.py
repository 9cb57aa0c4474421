"""Readings: a figure of the catalogue for a scope and a window, summed from buckets or read from what is open.

No event row is read. Many readings cost hardly more statements than one: a gate reads all its criteria together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from readiness.measures import catalogue as c
from readiness.measures.catalogue import find_figure
from readiness.measures.closing_figures import CLOSE_CYCLE_TIME
from readiness.measures.dispute_figures import DISPUTE_AGE
from readiness.measures.flows import blank, flow_reading
from readiness.measures.health import Health, consumer_healths
from readiness.measures.live import Handled, now_reading, window_reading
from readiness.measures.measure import READ, Kind, Source
from readiness.measures.plans import Asked, Plan, Sources, matured, plan_for
from readiness.measures.ports import Calendars
from readiness.measures.reading import Reading, Stale
from readiness.measures.receivable_figures import RECEIVABLES
from readiness.measures.receivables import Records
from readiness.measures.scopes import Scope, SiteDays, Slice, load_slices

__all__ = [
    "Asked",
    "Scope",
    "TrendPoint",
    "read_many",
    "read_measure",
    "read_previous",
    "read_trend",
    "read_with_weeks",
]


def read_measure(
    session: Session,
    key: str,
    scope: Scope,
    *,
    as_of: datetime,
    window: int | None = None,
    dimension: str | None = None,
    calendars: Calendars | None = None,
) -> Reading:
    """One reading; see ``read_many``."""
    asked = Asked(key=key, scope=scope, window_days=window, dimension=dimension)
    return read_many(session, [asked], as_of=as_of, calendars=calendars)[0]


def read_many(
    session: Session, asked: Sequence[Asked], *, as_of: datetime, calendars: Calendars | None = None,
    health: Health | None = None,
) -> list[Reading]:  # fmt: skip
    """Readings in the order they were asked for, all as of one instant.

    Windows are whole days of each site and end before today. ``calendars`` says what day it is at a site and when people
    work there; without it every site keeps UTC and never closes. A figure that is not kept by the scope asked for (a
    customer group), or whose source is late, comes back stale and must not count as good. Raises ``NotFound`` for a figure
    that is not in the catalogue. ``health`` is that of ``as_of`` where the caller has read it already.
    """
    return _read(session, asked, as_of, calendars, back=0, health=health)


def read_previous(
    session: Session, asked: Sequence[Asked], *, as_of: datetime, calendars: Calendars | None = None
) -> list[Reading]:
    """The same figures for the window before; a state now has none and comes back without value."""
    return _read(session, asked, as_of, calendars, back=1)


def read_with_weeks(
    session: Session, asked: Sequence[Asked], *, weeks: int, as_of: datetime, calendars: Calendars | None = None,
    intervals: bool = True, slices: list[Slice] | None = None,
) -> list[tuple[Reading, list[tuple[date, Reading]]]]:  # fmt: skip
    """Readings as ``read_many`` gives them, each with its last ``weeks`` weeks by the day after each, the oldest first.

    A week younger than the measure's maturity is included. What is only read now has no weeks. Without ``intervals`` the
    weeks have values and nothing that says how sure they are. Hardly more statements than ``read_many`` alone.
    """
    weekly: dict[int, list[Plan]] = {}

    def further(plans: Sequence[Plan]) -> list[Plan]:
        for plan in plans:
            weekly[plan.tag] = [] if plan.measure.id in _READ_NOW else _weeks_of(plan, weeks, len(plans), intervals)
        return [week for found in weekly.values() for week in found]

    found: dict[int, Reading] = {}
    readings = _read(session, asked, as_of, calendars, back=0, further=further, into=found, slices=slices)
    return [(reading, [(week.end, found[week.tag]) for week in weekly[tag]]) for tag, reading in enumerate(readings)]


#: Figures of which nothing is kept by day: parts of theirs are.
_READ_NOW = frozenset(
    {
        c.SILENT_FAILURES_PER_1000, c.CONTROL_DIFFERENCE, c.VARIANT_COUNT, c.VARIANT_REVIEWS_OVERDUE, c.DESIGN_QUESTIONS_OPEN,
        c.INTERIM_LINKS_OPEN, CLOSE_CYCLE_TIME, DISPUTE_AGE, *(one.id for one in RECEIVABLES),
    }
)  # fmt: skip


def _weeks_of(plan: Plan, weeks: int, plans: int, intervals: bool) -> list[Plan]:
    """The plan's last weeks, tagged beyond all plans."""
    return [
        replace(
            plan, tag=plans + plan.tag * weeks + week, days=7, start=plan.today - timedelta(days=7 * (weeks - week)),
            end=plan.today - timedelta(days=7 * (weeks - week - 1)), provisional=False,
            is_point=not intervals,
        )
        for week in range(weeks)
    ]  # fmt: skip


def _read(
    session: Session, asked: Sequence[Asked], as_of: datetime, calendars: Calendars | None, *, back: int,
    further: Callable[[Sequence[Plan]], list[Plan]] | None = None, into: dict[int, Reading] | None = None,
    health: Health | None = None, slices: list[Slice] | None = None,
) -> list[Reading]:  # fmt: skip
    connection = session.connection()
    healths = _healths(connection, as_of, asked, {} if health is None else {Source.JOURNEYS: health})
    if slices is None:
        slices = load_slices(connection, {one.scope.realm for one in asked})
    days = SiteDays(as_of, calendars, sorted({one.site for one in slices if one.site is not None}))
    plans = matured(connection, [plan_for(tag, one, slices, days) for tag, one in enumerate(asked)])
    if back:
        plans = [plan.shifted(back * plan.days) for plan in plans]
    more = further(plans) if further is not None else []
    sources, handled = Sources(connection, [*plans, *more]), Handled(connection, [] if back else plans)
    records = Records([] if back and not more else [*plans, *more], calendars, as_of)
    if into is not None:
        into.update((plan.tag, _windowed(plan, sources, records, as_of)) for plan in more)
    out = []
    for plan in plans:
        if (refused := _not_kept(plan)) is not None:
            reading = replace(blank(plan, as_of), stale=Stale.SOURCE_MISSING, stale_detail=refused)
        elif plan.is_now:
            reading = blank(plan, as_of) if back else _now(connection, plan, days, handled, records, as_of)
        else:
            reading = _windowed(plan, sources, records, as_of)
        out.append(_believed(reading, plan, healths.get(plan.measure.source)))
    return out


def _healths(
    connection: Connection, as_of: datetime, asked: Sequence[Asked], known: dict[Source, Health]
) -> dict[Source, Health]:
    """How far those have come who feed these figures; nobody feeds those of records. At most one read, to be made before the
    figures: what comes in meanwhile is in them, and what is in them was never called late.
    """
    fed = {find_figure(one.key).measure.source for one in asked} - {*READ, *known}
    read = consumer_healths(connection, as_of, sorted(source.value for source in fed))
    return known | {source: read[source.value] for source in fed}


def _now(
    connection: Connection, plan: Plan, days: SiteDays, handled: Handled, records: Records, as_of: datetime
) -> Reading:
    if plan.measure.source in READ:
        return records.reading(plan)
    return now_reading(connection, plan, days, handled, as_of)


def _windowed(plan: Plan, sources: Sources, records: Records, as_of: datetime) -> Reading:
    if plan.measure.source in READ:
        return records.reading(plan)
    return (window_reading if plan.measure.kind is Kind.STATE else flow_reading)(plan, sources, as_of)


def _not_kept(plan: Plan) -> str | None:
    """Why this scope cannot be answered from what the measure keeps; ``None`` when it can."""
    measure, scope = plan.measure, plan.asked.scope
    waits = plan.is_now and measure.id != c.CONTROL_DIFFERENCE
    if measure.id == c.SILENT_FAILURES_PER_1000 and not plan.is_now:
        return f"{measure.key} is read now; its parts are sampled"
    if measure.source in READ:
        if measure.kind is Kind.STATE and not plan.is_now:
            return f"{measure.key} is read now; nothing of it is kept by day"
        if any(one is not None for one in (scope.variants, scope.classes, scope.grant)):
            return f"{measure.key} is not told apart by what documents run under"
        if measure.is_monthly and (plan.start.day, plan.end.day) != (1, 1):
            return f"{measure.key} is of whole calendar months"
    if scope.customer_group is not None and not measure.carries_group and not waits:
        return f"{measure.key} is not kept by customer group"
    return None


def _believed(reading: Reading, plan: Plan, health: Health | None) -> Reading:
    if health is None:
        return reading
    sites = plan.asked.scope.sites or frozenset(one.site for one in plan.slices if one.site is not None)
    stale = health.stale(sites)
    return reading if stale is None else replace(reading, stale=stale[0], stale_detail=stale[1])


def read_between(
    session: Session, asked: Asked, *, start: date, end: date, as_of: datetime, calendars: Calendars | None = None
) -> Reading:
    """The figure of the days from ``start`` until before ``end``, as now known; provisional where they are too young."""
    return read_periods(session, [(asked, start, end)], as_of=as_of, calendars=calendars)[0]


def read_periods(
    session: Session, asked: Sequence[tuple[Asked, date, date]], *, as_of: datetime, calendars: Calendars | None = None,
    slices: list[Slice] | None = None,
) -> list[Reading]:  # fmt: skip
    """The same of many figures, each of its own days; hardly more statements than for one."""
    connection = session.connection()
    healths = _healths(connection, as_of, [one for one, _, _ in asked], {})
    if slices is None:
        slices = load_slices(connection, {one.scope.realm for one, _, _ in asked})
    days = SiteDays(as_of, calendars, sorted({one.site for one in slices if one.site is not None}))
    plans = [plan_for(tag, one, slices, days).between(start, end) for tag, (one, start, end) in enumerate(asked)]
    sources, records, out = Sources(connection, plans), Records(plans, calendars, as_of), []
    for plan in plans:
        if (refused := _not_kept(plan)) is not None:
            out.append(replace(blank(plan, as_of), stale=Stale.SOURCE_MISSING, stale_detail=refused))
        else:
            reading = _windowed(plan, sources, records, as_of)
            out.append(_believed(reading, plan, healths.get(plan.measure.source)))
    return out


@dataclass(frozen=True)
class TrendPoint:
    """One day of a figure, for a line; ``value`` is ``None`` where nothing was due or no sample was taken."""

    day: date
    value: Decimal | None
    count: int


def read_trend(
    session: Session, asked: Asked, *, days: int, as_of: datetime, calendars: Calendars | None = None
) -> list[TrendPoint]:
    """The figure of each of the last ``days`` whole days, the oldest first; younger than its maturity included."""
    connection = session.connection()
    slices = load_slices(connection, {asked.scope.realm})
    site_days = SiteDays(as_of, calendars, sorted({one.site for one in slices if one.site is not None}))
    first = plan_for(0, asked, slices, site_days)
    plans = []
    for tag in range(days):
        day = first.today - timedelta(days=days - tag)
        plans.append(replace(first, tag=tag, days=1, start=day, end=day + timedelta(days=1), is_point=True))
    sources, records = Sources(connection, plans), Records(plans, calendars, as_of)
    points = [(plan.start, _windowed(plan, sources, records, as_of)) for plan in plans]
    return [TrendPoint(day, reading.value, reading.count) for day, reading in points]
