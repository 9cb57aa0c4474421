"""Keeps states for windows and trends: at each site's day end, and hourly at the control points.

A sample that was not taken is a gap: nothing is written afterwards for a moment that has passed. A site and period is
sampled once; asking again changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select, text

from erpcore.kernel.events import ConsumerCursor
from erpcore.kernel.work import UnitOfWork
from readiness.measures import catalogue as c
from readiness.measures.backorders import OLDER, age, is_older
from readiness.measures.consumer import NAME
from readiness.measures.deltas import SliceKey
from readiness.measures.models import BucketRow
from readiness.measures.ports import Calendars, StockValue
from readiness.measures.scopes import SiteDays, Slice, load_slices
from readiness.measures.sketch import bin_of
from readiness.measures.states import CONTROL_POINTS, Limits, control_state, standing
from readiness.measures.store import Store
from readiness.measures.waits import Point

#: Hourly samples are thinned out after this many days; the daily ones stay.
HOURLY_DAYS = 35


@dataclass(frozen=True)
class SampledSite:
    """A site to be sampled, with the dimensions of its marker row. ``currency`` is its entity's."""

    site: int
    realm: str
    entity: int
    currency: str | None


def day_period(day: date) -> int:
    """The bucket period of a site's day."""
    return day.toordinal()


def hour_period(at: datetime) -> int:
    """The bucket period of a UTC hour; far above every day's."""
    utc = at.astimezone(UTC)
    return utc.toordinal() * 24 + utc.hour


@dataclass
class _Rows:
    """Bucket and sketch rows being collected for one site and period."""

    period: int
    sums: dict[tuple[int, int, str, int], list[int]] = field(default_factory=dict)
    bins: Counter[tuple[int, int, str, int, int]] = field(default_factory=Counter)

    def add(
        self, measure: int, slice_id: int, dimension: str, group: int, x: int, *, y: int = 0, samples: int = 0
    ) -> None:
        row = self.sums.setdefault((measure, slice_id, dimension, group), [0, 0, 0, 0])
        row[0] += 0 if samples else 1
        row[1] += x
        row[2] += y
        row[3] += samples

    def buckets(self) -> list[tuple[Any, ...]]:
        return [
            (measure, slice_id, self.period, dimension, group, n, x, y, 0, 0, 0, samples)
            for (measure, slice_id, dimension, group), (n, x, y, samples) in self.sums.items()
        ]

    def sketches(self) -> dict[tuple[int, int, int, str, int, int], int]:
        return {
            (measure, slice_id, self.period, dimension, group, number): count
            for (measure, slice_id, dimension, group, number), count in self.bins.items()
        }


def sample_day_end(
    work: UnitOfWork,
    sites: Sequence[SampledSite],
    day: date,
    *,
    calendars: Calendars,
    stock: StockValue | None = None,
) -> int:
    """Sample backlog, backorders, control points, stock value and controls of these sites as the end of ``day``, as they stand now.

    Returns how many sites were sampled; one that has this day already is passed over.
    """
    return _sample(work, sites, day_period(day), calendars, stock, whole=True)


def sample_hour(work: UnitOfWork, sites: Sequence[SampledSite], *, calendars: Calendars) -> int:
    """Sample the control points of these sites for the present UTC hour; returns how many sites were sampled."""
    return _sample(work, sites, hour_period(work.now), calendars, None, whole=False)


def _sample(
    work: UnitOfWork,
    sites: Sequence[SampledSite],
    period: int,
    calendars: Calendars,
    stock: StockValue | None,
    *,
    whole: bool,
) -> int:
    # The consumer makes slices too; one of us at a time.
    cursor = select(ConsumerCursor.seq).where(ConsumerCursor.name == NAME)
    work.session.execute(cursor.with_for_update(key_share=True)).first()
    store = Store(work.driver, is_sqlite=work.dialect.name == "sqlite", new_ids=work.ids.reserve)
    connection = work.connection
    slices = load_slices(connection, {one.realm for one in sites})
    days = SiteDays(work.now, calendars, sorted(one.site for one in sites))
    taken = 0
    for site in sites:
        marker = store.slice_id(SliceKey(site.realm, site.entity, site.site, None, "", "", None, site.currency))
        if _has_sample(work, marker, period):
            continue
        mine = [one for one in slices if one.site == site.site and one.realm == site.realm]
        rows = _Rows(period)
        rows.add(c.SILENT_FAILURES, marker, "", 0, 0, samples=1)
        rows.add(c.SILENT_FAILURES_VALUE, marker, "", 0, 0, samples=1)
        _standing(work, mine, days, rows, whole=whole)
        if whole:
            for measure in (c.BACKLOG_AGE, *sorted(c.BACKORDERS)):
                rows.add(measure, marker, "", 0, 0, samples=1)
            _controls(work, site, marker, rows)
            _stock(site, marker, stock, rows)
        store.add_buckets(rows.buckets())
        store.add_sketches(rows.sketches())
        taken += 1
    return taken


def _has_sample(work: UnitOfWork, marker: int, period: int) -> bool:
    table = BucketRow.__table__
    query = select(table.c.samples).where(
        table.c.measure_id == c.SILENT_FAILURES, table.c.slice_id == marker, table.c.period == period
    )
    return work.session.execute(query).first() is not None


def _standing(work: UnitOfWork, slices: Sequence[Slice], days: SiteDays, rows: _Rows, *, whole: bool) -> None:
    limits = Limits(work.now, days, slices)
    ids = [one.id for one in slices]
    for row in standing(work.connection, CONTROL_POINTS, ids):
        if limits.beyond(row):
            rows.add(c.SILENT_FAILURES, row.slice_id, row.point, row.customer_group, 1)
            rows.add(c.SILENT_FAILURES_VALUE, row.slice_id, row.point, row.customer_group, row.value)
    if whole:
        for row in standing(work.connection, (Point.BACKLOG.value,), ids):
            late = limits.backlog_age(row)
            if late > 0:
                rows.add(c.BACKLOG_AGE, row.slice_id, row.dimension, row.customer_group, round(late), y=1)
                rows.bins[c.BACKLOG_AGE, row.slice_id, row.dimension, row.customer_group, bin_of(late)] += 1
        _backordered(work, ids, rows)


def _backordered(work: UnitOfWork, slices: Sequence[int], rows: _Rows) -> None:
    """Ages weigh as much as what waits is worth."""
    for row in standing(work.connection, (Point.BACKORDER.value,), slices):
        rows.add(c.BACKORDER_AGE, row.slice_id, "", row.customer_group, row.value, y=1)
        rows.bins[c.BACKORDER_AGE, row.slice_id, "", row.customer_group, bin_of(age(row, work.now))] += row.value
        for measure in OLDER:
            old = row.value if is_older(row, work.now, measure) else 0
            rows.add(measure, row.slice_id, "", row.customer_group, old, y=row.value)


def _controls(work: UnitOfWork, site: SampledSite, marker: int, rows: _Rows) -> None:
    state = control_state(work.connection, site.realm, frozenset({site.entity}), frozenset({site.site}))
    if state.compared:
        rows.add(c.CONTROL_DIFFERENCE, marker, "", 0, len(state.differing), y=state.compared, samples=1)


def _stock(site: SampledSite, marker: int, stock: StockValue | None, rows: _Rows) -> None:
    """Nothing valued leaves no sample: a rate over it would be invented."""
    if stock is None:
        return
    value, unvalued = stock.stock_value(site.site)
    if value is not None:
        rows.add(c.STOCK_VALUE, marker, "", 0, value, y=unvalued, samples=1)


def thin_hourly(work: UnitOfWork) -> int:
    """Drop hourly samples older than 35 days; the daily ones of the same states stay. Returns how many rows went."""
    before = hour_period(work.now - timedelta(days=HOURLY_DAYS))
    first_hour = hour_period(datetime(1900, 1, 1, tzinfo=UTC))
    done: Any = work.session.execute(
        text("DELETE FROM measure_bucket WHERE period >= :first AND period < :before"),
        {"first": first_hour, "before": before},
    )
    return int(done.rowcount)
