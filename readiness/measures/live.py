"""Readings of states: what stands open now, and the mean of the samples of a window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil

from sqlalchemy import Connection

from readiness.measures import catalogue as c
from readiness.measures.backorders import backorders_now, backorders_of_window
from readiness.measures.flows import SHARES, blank
from readiness.measures.measure import READ
from readiness.measures.plans import Asked, Plan, Sources, counts
from readiness.measures.reading import Reading, Stale, ratio, rounded
from readiness.measures.scopes import SiteDays
from readiness.measures.sketch import Sketch
from readiness.measures.states import (
    CONTROL_LIFE,
    CONTROL_POINTS,
    FIRST_POINTS,
    Limits,
    Standing,
    control_state,
    standing,
)
from readiness.measures.sums import Row, Span, bucket_rows
from readiness.measures.waits import Point

#: Documents handled in this many days are what a state's evidence is counted by, and what failures are set against.
HANDLED_DAYS = 28


def _points_of(plan: Plan) -> tuple[str, ...]:
    """The points whose open documents a figure of now asks."""
    if plan.measure.id == c.CONTROL_DIFFERENCE:
        return ()
    if plan.measure.id == c.BACKLOG_AGE:
        return (Point.BACKLOG.value,)
    if plan.measure.id in c.BACKORDERS:
        return (Point.BACKORDER.value,)
    return CONTROL_POINTS if plan.asked.dimension is None else (plan.asked.dimension,)


class Handled:
    """Documents that reached each control point in the last 28 days, today included; one statement for all plans.

    Several figures ask what stands open in the same slices; it is read once, at all points that any of them asks.
    """

    def __init__(self, connection: Connection, plans: Sequence[Plan]) -> None:
        self._connection = connection
        self._open: dict[tuple[frozenset[str], frozenset[int]], list[Standing]] = {}
        self._asked: dict[frozenset[int], set[str]] = defaultdict(set)
        for plan in plans:
            if plan.is_now and plan.measure.source not in READ:
                self._asked[frozenset(one.id for one in plan.slices)].update(_points_of(plan))
        spans = [
            Span(
                plan.tag,
                c.HANDLED,
                ids,
                (day - timedelta(days=HANDLED_DAYS - 1)).toordinal(),
                day.toordinal() + 1,
            )
            for plan in plans
            if plan.is_now
            for day, ids in plan.groups.items()
        ]
        self._found = bucket_rows(connection, spans)

    def standing(self, points: Sequence[str], slices: Sequence[int]) -> list[Standing]:
        """What stands at these points now."""
        asked, wanted = frozenset(points), frozenset(slices)
        for (known, read), rows in self._open.items():
            if asked <= known and wanted <= read:
                return [row for row in rows if row.slice_id in wanted and row.point in asked]
        others = (known for read, known in self._asked.items() if read <= wanted)
        several = asked.union(*others)
        rows = standing(self._connection, sorted(several), slices)
        self._open[several, wanted] = rows
        return [row for row in rows if row.point in asked]

    def at(self, plan: Plan, points: Sequence[str]) -> int:
        """How many documents reached any of these points."""
        return sum(row.sums.y for row in self._found.get(plan.tag, []) if row.dimension in points)

    def days(self, plan: Plan) -> int:
        """On how many days any document came."""
        return len({row.period for row in self._found.get(plan.tag, []) if row.sums.n})


def now_reading(connection: Connection, plan: Plan, days: SiteDays, handled: Handled, as_of: datetime) -> Reading:
    """A state as it stands. Without any document in 28 days there is nothing to judge and no value."""
    if plan.measure.id == c.CONTROL_DIFFERENCE:
        return _controls(connection, plan, as_of)
    if plan.measure.id == c.BACKLOG_AGE:
        return _backlog(plan, days, handled, as_of)
    if plan.measure.id in c.BACKORDERS:
        rows = _asked_rows(handled, plan, _points_of(plan), plan.asked)
        return backorders_now(plan, rows, handled.at(plan, (Point.RELEASE.value,)), handled.days(plan), as_of)
    return _silent(plan, days, handled, as_of)


def _backlog(plan: Plan, days: SiteDays, handled: Handled, as_of: datetime) -> Reading:
    limits = Limits(as_of, days, plan.slices)
    rows = _asked_rows(handled, plan, _points_of(plan), plan.asked)
    ages = sorted(age for row in rows if (age := limits.backlog_age(row)) > 0)
    count = handled.at(plan, (Point.RELEASE.value,))
    value = None
    if ages:
        share = SHARES[plan.figure.percentile or "p90"]
        value = rounded(Fraction(ages[max(1, ceil(share * len(ages))) - 1]))
    elif count:
        value = rounded(Fraction(0))
    return blank(plan, as_of, value=value, count=count, days=handled.days(plan))


def _silent(plan: Plan, days: SiteDays, handled: Handled, as_of: datetime) -> Reading:
    points = _points_of(plan)
    limits = Limits(as_of, days, plan.slices)
    anything = Asked(key=plan.asked.key, scope=plan.asked.scope)
    rows = [row for row in _asked_rows(handled, plan, points, anything, apart=True) if limits.beyond(row)]
    documents = handled.at(plan, FIRST_POINTS if plan.asked.dimension is None else points)
    reading = blank(plan, as_of, count=documents, days=handled.days(plan))
    if not documents and not rows:
        return reading
    if plan.measure.id == c.SILENT_FAILURES:
        return replace(reading, value=rounded(Fraction(len(rows))))
    if plan.measure.id == c.SILENT_FAILURES_PER_1000:
        reached = handled.at(plan, points)
        return replace(reading, value=ratio(len(rows), reached), numerator=len(rows), denominator=reached)
    currency = {one.id: one.currency or "none" for one in plan.slices}
    found = sorted({currency[row.slice_id] for row in rows})
    if len(found) > 1:
        detail = f"amounts in {', '.join(found)} cannot be added"
        return replace(reading, stale=Stale.SOURCE_UNREADABLE, stale_detail=detail)
    return replace(reading, value=rounded(Fraction(sum(row.value for row in rows), 100)))


def _asked_rows(
    handled: Handled, plan: Plan, points: Sequence[str], asked: Asked, *, apart: bool = False
) -> list[Standing]:
    group = plan.asked.scope.customer_group
    return [
        row
        for row in handled.standing(points, [one.id for one in plan.slices])
        if (apart or counts(asked, row.dimension)) and group in {None, row.customer_group}
    ]


def _controls(connection: Connection, plan: Plan, as_of: datetime) -> Reading:
    scope = plan.asked.scope
    entities = scope.entities or (frozenset(one.entity for one in plan.slices) if scope.sites else frozenset())
    state = control_state(connection, scope.realm, entities, scope.sites)
    differing = [one for one in state.differing if plan.asked.dimension in {None, one}]
    reading = blank(plan, as_of, count=state.compared, days=1 if state.compared else 0)
    if not state.compared or state.oldest is None:
        return replace(reading, stale=Stale.SOURCE_MISSING, stale_detail="no control was compared")
    if as_of - state.oldest > CONTROL_LIFE:
        hours = int((as_of - state.oldest).total_seconds() // 3600)
        return replace(
            reading, stale=Stale.SAMPLE_MISSING, stale_detail=f"a control was last compared {hours} hours ago"
        )
    return replace(reading, value=rounded(Fraction(len(differing))))


def window_reading(plan: Plan, sources: Sources, as_of: datetime) -> Reading:
    """A state over a window: the mean of its samples, for ages their merged sketch. A missing sample is a gap."""
    rows = sources.rows(plan)
    markers: dict[int, int] = defaultdict(int)
    site_of = {one.id: (one.entity, one.site) for one in (*plan.slices, *plan.marking)}
    for row in rows:
        markers[row.slice_id] += row.samples
    taken: dict[tuple[int, int | None], int] = defaultdict(int)
    for slice_id, samples in markers.items():
        taken[site_of[slice_id]] += samples
    days = len({row.period for row in rows if row.samples})
    reading = blank(plan, as_of, count=sum(taken.values()), days=days)
    if not days:
        return replace(reading, stale=Stale.SAMPLE_MISSING, stale_detail="no sample was taken in this window")
    if plan.measure.id == c.BACKLOG_AGE:
        value = Sketch(sources.bins(plan)).quantile(SHARES[plan.figure.percentile or "p90"])
        return replace(reading, value=rounded(Fraction(value or 0)))
    if plan.measure.id in c.BACKORDERS:
        there = {slice_id: taken[place] for slice_id, place in site_of.items()}
        return backorders_of_window(plan, rows, sources.bins(plan), there, reading)
    return replace(reading, value=rounded(_mean_of_samples(plan, rows, site_of, taken)))


def _mean_of_samples(
    plan: Plan,
    rows: Sequence[Row],
    site_of: dict[int, tuple[int, int | None]],
    taken: dict[tuple[int, int | None], int],
) -> Fraction:
    sums: dict[int, int] = defaultdict(int)
    for row in rows:
        if counts(plan.asked, row.dimension):
            sums[taken[site_of[row.slice_id]]] += row.sums.x
    mean = sum((Fraction(x, samples) for samples, x in sums.items() if samples), Fraction(0))
    if plan.measure.id == c.SILENT_FAILURES_VALUE:
        return mean / 100
    return mean
