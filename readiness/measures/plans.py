"""Which rows answer a question: the slices of its scope, and the days of its window at each site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from readiness.measures import catalogue as c
from readiness.measures.catalogue import Figure, find_figure
from readiness.measures.intervals import Sums
from readiness.measures.measure import READ, Kind, Measure
from readiness.measures.reading import Window, WindowUnit
from readiness.measures.scopes import Scope, SiteDays, Slice, is_marker, marking, matching
from readiness.measures.sums import (
    Dimensions,
    Open,
    Row,
    Span,
    actor_counts,
    bucket_rows,
    has_earlier,
    open_since,
    sketch_bins,
)
from readiness.measures.worked import worked


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One figure wanted: ``order_cycle_time.p90`` of a scope.

    ``window_days`` ``None`` takes the measure's own; 0 of a state is now. ``dimension`` picks one value of the measure's own
    dimension (``held``, ``A``, ``drop_ship/ship``); ``None`` is the main figure.
    """

    key: str
    scope: Scope
    window_days: int | None = None
    dimension: str | None = None


@dataclass(frozen=True)
class Plan:
    """An asked figure and where its answer lies: [start, end) in days of the sites whose today is ``today``.

    ``is_point``: a point of a trend, of which only the value is wanted, neither how sure it is nor who was behind it.
    ``markers``: the slices that say when the sites of a window of states were sampled, by the day it is there.
    """

    tag: int
    asked: Asked
    figure: Figure
    slices: list[Slice]
    groups: dict[date, tuple[int, ...]]
    today: date
    days: int
    start: date
    end: date
    provisional: bool = False
    is_point: bool = False
    markers: dict[date, tuple[int, ...]] = field(default_factory=dict)
    marking: tuple[Slice, ...] = ()

    @property
    def measure(self) -> Measure:
        return self.figure.measure

    @property
    def is_now(self) -> bool:
        return self.measure.kind is Kind.STATE and not self.days

    @property
    def window(self) -> Window:
        if self.is_now:
            return Window(WindowUnit.NOW)
        return Window(WindowUnit.DAY, self.start, self.end)

    def spans(
        self,
        measure_id: int,
        *,
        by_slice: bool = False,
        before: bool = False,
        dimensions: Dimensions = Dimensions.APART,
    ) -> list[Span]:
        """The rows of a measure in this window; ``before``: all up to its first day. Sites a day apart have their own days."""
        group = self.asked.scope.customer_group if measure_id == self.measure.id else None
        out = []
        for day, ids in self.groups.items():
            first, last = self._periods(day)
            if before:
                first, last = 0, first + 1
            out.append(Span(self.tag, measure_id, ids, first, last, group, by_slice, dimensions))
        return out

    def _periods(self, day: date) -> tuple[int, int]:
        """The window [first, end) of sites where it is this day."""
        shift = day - self.today
        return (self.start + shift).toordinal(), (self.end + shift).toordinal()

    def sums(self) -> list[Span]:
        """The rows that ``flows`` and ``live`` make the figure of, added up as far as these do not tell them apart."""
        measure, kept = self.measure, Dimensions.APART
        if measure.kind is Kind.STATE:
            # Of which customers and channels a state is asked makes no difference to when it was sampled.
            marks = [
                Span(self.tag, measure.id, ids, *self._periods(day), group=None, by_slice=True, dimensions=kept)
                for day, ids in self.markers.items()
            ]
            return [*self.spans(measure.id, by_slice=True), *marks]
        if self.asked.dimension is None:
            kept = Dimensions.WHOLE if measure.parts else Dimensions.MAIN
        spans = self.spans(measure.id, dimensions=kept)
        if not measure.is_money:
            return spans
        # Amounts of one currency can be added.
        currencies: dict[str | None, set[int]] = {}
        for one in self.slices:
            currencies.setdefault(one.currency, set()).add(one.id)
        return [
            replace(span, slices=slices)
            for span in spans
            for same in currencies.values()
            if (slices := tuple(one for one in span.slices if one in same))
        ]

    def still_open(self) -> list[Open]:
        """The documents of the window's cohorts whose time still runs."""
        point = self.measure.wait_point
        if self.measure.kind is not Kind.FLOW or point is None:
            return []
        group, out = self.asked.scope.customer_group, []
        for day, ids in self.groups.items():
            shift = day - self.today
            out.append(Open(self.tag, point, ids, self.start + shift, self.end + shift, group))
        return out

    def between(self, start: date, end: date) -> Plan:
        """The same question of the days from ``start`` until before ``end``; provisional where they are too young."""
        young = end > self.today - timedelta(days=self.measure.maturity_days)
        return replace(self, days=(end - start).days, start=start, end=end, provisional=young)

    def shifted(self, days: int) -> Plan:
        """The same question for a window so many days earlier; of a month for the one before."""
        if self.measure.is_monthly:
            return replace(self, start=month_before(self.start), end=self.start)
        back = timedelta(days=days)
        return replace(self, start=self.start - back, end=self.end - back)


def plan_for(tag: int, asked: Asked, slices: Sequence[Slice], days: SiteDays) -> Plan:
    """The plan of one question, with its window ending at today − maturity. Raises ``NotFound`` for an unknown figure."""
    figure = find_figure(asked.key)
    measure = figure.measure
    found = matching(slices, asked.scope, measure)
    length = measure.window_days if asked.window_days is None else asked.window_days
    marks: list[Slice] = []
    # Where nothing ever was there is nothing to judge either, however often it was looked at.
    if measure.kind is Kind.STATE and length and measure.id != c.CONTROL_DIFFERENCE and found:
        marks = marking(slices, asked.scope)
        found = [one for one in found if not is_marker(one)]
    groups, markers = days.by_day(found), days.by_day(marks)
    today = max([*groups, *markers], default=days.today(None))
    if measure.kind is Kind.FLOW:
        length = max(1, length)
    end = today - timedelta(days=measure.maturity_days)
    start = end - timedelta(days=length)
    if measure.is_monthly and length == measure.window_days:
        end = today.replace(day=1)
        start = month_before(end)
    return Plan(
        tag, asked, figure, found, groups, today, length, start, end, markers=markers, marking=tuple(marks)
    )  # fmt: skip


def month_before(day: date) -> date:
    """The first day of the month before the day's own."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def matured(connection: Connection, plans: Sequence[Plan]) -> list[Plan]:
    """Where less than a full window lies before the mature days, the younger days are read too and the reading is provisional."""
    young = [plan for plan in plans if plan.measure.maturity_days and not plan.is_now]
    if not young:
        return list(plans)
    full = has_earlier(
        connection,
        [span for plan in young for span in plan.spans(plan.measure.cohort_id or plan.measure.id, before=True)],
    )
    provisional = {plan.tag for plan in young} - full
    return [replace(plan, end=plan.today, provisional=True) if plan.tag in provisional else plan for plan in plans]


class Sources:
    """What the plans with a window need from the tables of sums: a statement per table for all of them."""

    def __init__(self, connection: Connection, plans: Sequence[Plan]) -> None:
        windows = [plan for plan in plans if not plan.is_now and plan.measure.source not in READ]
        self._rows = bucket_rows(connection, [span for plan in windows for span in plan.sums()])
        valued = [plan for plan in windows if plan.measure.id == c.INVENTORY_ADJUSTMENT_RATE]
        self._stock = bucket_rows(
            connection, [span for plan in valued for span in plan.spans(c.STOCK_VALUE, by_slice=True)]
        )
        timed = [plan for plan in windows if plan.measure.statistics]
        self._bins = sketch_bins(connection, [span for plan in timed for span in plan.spans(plan.figure.sketch_id)])
        counted = [plan for plan in windows if plan.measure.counts_actors and not plan.is_point]
        self._actors = actor_counts(
            connection, [replace(span, group=None) for plan in counted for span in plan.spans(plan.measure.id)]
        )
        self._open = open_since(connection, [one for plan in timed for one in plan.still_open()])
        self._worked = worked(connection)

    def rows(self, plan: Plan) -> list[Row]:
        """Sums by period; by dimension where one was asked for, by currency for money, by slice for states."""
        return self._rows.get(plan.tag, [])

    def stock(self, plan: Plan) -> list[Row]:
        """Samples of the stock value in the window."""
        return self._stock.get(plan.tag, [])

    def bins(self, plan: Plan) -> list[tuple[int, int]]:
        """Finished times of the dimension asked for."""
        found = self._bins.get(plan.tag, {})
        return [pair for dimension, pairs in found.items() if counts(plan.asked, dimension) for pair in pairs]

    def ages(self, plan: Plan, as_of: datetime) -> list[float | None]:
        """How old the open documents of the cohort are, in seconds; in working hours ``None`` where no calendar is known."""
        found = [one for one in self._open.get(plan.tag, []) if counts(plan.asked, one.dimension)]
        if not plan.figure.is_worked:
            now = as_of.timestamp()
            return [max(0.0, now - one.start.timestamp()) for one in found]
        sites = {one.id: one.site for one in plan.slices}
        return [self._worked.seconds(sites[one.slice_id], one.start, as_of) for one in found]

    def actors(self, plan: Plan) -> int | None:
        """Distinct people behind the documents, where the measure counts them."""
        return self._actors.get(plan.tag, 0) if plan.measure.counts_actors and not plan.is_point else None


def counts(asked: Asked, dimension: str) -> bool:
    """Whether a row of this dimension belongs to the figure: the one asked for, or any that is not kept apart."""
    return dimension == asked.dimension if asked.dimension is not None else "/" not in dimension


def by_period(rows: Sequence[Row]) -> list[Sums]:
    """One sum per day with documents, in order."""
    found: dict[int, Sums] = {}
    for row in rows:
        known = found.get(row.period)
        found[row.period] = row.sums if known is None else known + row.sums
    return [found[period] for period in sorted(found)]
