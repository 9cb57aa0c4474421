"""Which rows answer a question: the slices of its scope, and the days of its window at each site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import Connection

from readiness.measures import catalogue as c
from readiness.measures.catalogue import Figure, Kind, Measure, find_figure
from readiness.measures.intervals import Sums
from readiness.measures.reading import Window, WindowUnit
from readiness.measures.scopes import Scope, SiteDays, Slice, matching
from readiness.measures.sums import Row, Span, actor_counts, bucket_rows, has_earlier, open_since, sketch_bins


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
    """An asked figure and where its answer lies: [start, end) in days of the sites whose today is ``today``."""

    tag: int
    asked: Asked
    figure: Figure
    slices: list[Slice]
    groups: dict[date, list[int]]
    today: date
    days: int
    start: date
    end: date
    provisional: bool = False

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

    def spans(self, measure_id: int, *, by_slice: bool = False, before: bool = False) -> list[Span]:
        """The rows of a measure in this window; ``before``: all up to its first day. Sites a day apart have their own days."""
        group = self.asked.scope.customer_group if measure_id == self.measure.id else None
        out = []
        for day, ids in self.groups.items():
            shift = day - self.today
            first, last = (self.start + shift).toordinal(), (self.end + shift).toordinal()
            if before:
                first, last = 0, first + 1
            out.append(Span(self.tag, measure_id, tuple(ids), first, last, group, by_slice))
        return out

    def shifted(self, days: int) -> Plan:
        """The same question for a window so many days earlier."""
        back = timedelta(days=days)
        return replace(self, start=self.start - back, end=self.end - back)


def plan_for(tag: int, asked: Asked, slices: Sequence[Slice], days: SiteDays) -> Plan:
    """The plan of one question, with its window ending at today − maturity. Raises ``NotFound`` for an unknown figure."""
    figure = find_figure(asked.key)
    measure = figure.measure
    found = matching(slices, asked.scope, measure)
    groups = days.by_day(found)
    today = max(groups, default=days.today(None))
    length = measure.window_days if asked.window_days is None else asked.window_days
    if measure.kind is Kind.FLOW:
        length = max(1, length)
    end = today - timedelta(days=measure.maturity_days)
    return Plan(tag, asked, figure, found, groups, today, length, end - timedelta(days=length), end)


def matured(connection: Connection, plans: Sequence[Plan]) -> list[Plan]:
    """Where less than a full window lies before the mature days, the younger days are read too and the reading is provisional."""
    young = [plan for plan in plans if plan.measure.maturity_days and not plan.is_now]
    if not young:
        return list(plans)
    full = has_earlier(connection, [span for plan in young for span in plan.spans(plan.measure.id, before=True)])
    provisional = {plan.tag for plan in young} - full
    return [replace(plan, end=plan.today, provisional=True) if plan.tag in provisional else plan for plan in plans]


class Sources:
    """What the plans with a window need from the tables of sums: a statement per table for all of them."""

    def __init__(self, connection: Connection, plans: Sequence[Plan]) -> None:
        windows = [plan for plan in plans if not plan.is_now]
        spans, stock = [], []
        for plan in windows:
            apart = plan.measure.is_money or plan.measure.kind is Kind.STATE
            spans += plan.spans(plan.measure.id, by_slice=apart)
            if plan.measure.id == c.INVENTORY_ADJUSTMENT_RATE:
                stock += plan.spans(c.STOCK_VALUE, by_slice=True)
        self._rows = bucket_rows(connection, spans)
        self._stock = bucket_rows(connection, stock)
        timed = [plan for plan in windows if plan.measure.statistics]
        self._bins = sketch_bins(connection, [span for plan in timed for span in plan.spans(plan.measure.id)])
        counted = [plan for plan in windows if plan.measure.counts_actors]
        self._actors = actor_counts(
            connection, [replace(span, group=None) for plan in counted for span in plan.spans(plan.measure.id)]
        )
        self._open = open_since(
            connection,
            [
                (plan.tag, plan.measure.wait_point, ids, plan.start + (day - plan.today), plan.end + (day - plan.today),
                 plan.asked.scope.customer_group)
                for plan in timed
                if plan.measure.kind is Kind.FLOW and plan.measure.wait_point is not None
                for day, ids in plan.groups.items()
            ],
        )  # fmt: skip

    def rows(self, plan: Plan) -> list[Row]:
        """Sums by period and dimension (and slice, for money and states)."""
        return self._rows.get(plan.tag, [])

    def stock(self, plan: Plan) -> list[Row]:
        """Samples of the stock value in the window."""
        return self._stock.get(plan.tag, [])

    def bins(self, plan: Plan) -> list[tuple[int, int]]:
        """Finished times of the dimension asked for."""
        found = self._bins.get(plan.tag, {})
        return [pair for dimension, pairs in found.items() if counts(plan.asked, dimension) for pair in pairs]

    def still_open(self, plan: Plan) -> list[float]:
        """Starts of open documents of the cohort, as seconds since 1970."""
        found = self._open.get(plan.tag, [])
        return [start.timestamp() for dimension, start in found if counts(plan.asked, dimension)]

    def actors(self, plan: Plan) -> int | None:
        """Distinct people behind the documents, where the measure counts them."""
        return self._actors.get(plan.tag, 0) if plan.measure.counts_actors else None


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
