"""How old is what customers wait for, weighed by its value? Backordered lines as they stand, and the samples of a window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from readiness.measures import catalogue as c
from readiness.measures.flows import SHARES, blank
from readiness.measures.plans import Plan
from readiness.measures.reading import Reading, Stale, ratio, rounded
from readiness.measures.sketch import Sketch
from readiness.measures.states import Standing
from readiness.measures.sums import Row

#: What each share calls old.
OLDER: Final = {c.BACKORDER_OVER_7D: timedelta(days=7), c.BACKORDER_OVER_30D: timedelta(days=30)}


def age(row: Standing, now: datetime) -> float:
    """Seconds since the line was short for the first time."""
    return max(0.0, (now - row.since).total_seconds())


def is_older(row: Standing, now: datetime, measure: int) -> bool:
    """Whether the line has waited for longer than the measure allows."""
    return now - row.since > OLDER[measure]


def weighted_percentile(aged: Iterable[tuple[float, int]], share: Fraction) -> float | None:
    """Of (age, weight): the least age than which at least ``share`` of the weight is no older; ``None`` without any weight."""
    ordered = sorted(one for one in aged if one[1])
    whole, so_far = sum(weight for _, weight in ordered), 0
    for seconds, weight in ordered:
        so_far += weight
        if so_far >= share * whole:
            return seconds
    return None


def backorders_now(plan: Plan, rows: Sequence[Standing], count: int, days: int, as_of: datetime) -> Reading:
    """The figure of the lines that wait now. ``count`` and ``days`` are of the orders that came in 28 days: without any there
    is nothing to judge. Where orders came and nothing is backordered the age is nil, and a share has nothing to divide by.
    """
    reading = blank(plan, as_of, count=count, days=days)
    if mixed := mixed_currencies(plan, rows):
        return replace(reading, stale=Stale.SOURCE_UNREADABLE, stale_detail=mixed)
    if plan.measure.id == c.BACKORDER_AGE:
        share = SHARES[plan.figure.percentile or "p90"]
        found = weighted_percentile(((age(row, as_of), row.value) for row in rows), share)
        if found is None and not count:
            return reading
        return replace(reading, value=rounded(Fraction(found or 0)))
    old = sum(row.value for row in rows if is_older(row, as_of, plan.measure.id))
    whole = sum(row.value for row in rows)
    return replace(reading, value=ratio(old, whole), numerator=old, denominator=whole)


def mixed_currencies(plan: Plan, rows: Iterable[Standing | Row]) -> str | None:
    """Why values of these rows cannot be set against each other; ``None`` where all are in one currency."""
    currency = {one.id: one.currency or "none" for one in plan.slices}
    found = sorted({currency[row.slice_id] for row in rows if _weighs(row)})
    return f"amounts in {', '.join(found)} cannot be added" if len(found) > 1 else None


def _weighs(row: Standing | Row) -> bool:
    return bool(row.value if isinstance(row, Standing) else row.sums.x or row.sums.y)


def backorders_of_window(
    plan: Plan,
    rows: Sequence[Row],
    bins: Sequence[tuple[int, int]],
    samples: Mapping[int, int],
    reading: Reading,
) -> Reading:
    """The figure of a window: ages of all samples together, or the mean value that was old ÷ the mean value that waited.

    ``samples`` is how many were taken where a slice lies.
    """
    if mixed := mixed_currencies(plan, rows):
        return replace(reading, stale=Stale.SOURCE_UNREADABLE, stale_detail=mixed)
    if plan.measure.id == c.BACKORDER_AGE:
        value = Sketch(bins).quantile(SHARES[plan.figure.percentile or "p90"])
        return replace(reading, value=rounded(Fraction(value or 0)))
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        both = sums[samples[row.slice_id]]
        both[0] += row.sums.x
        both[1] += row.sums.y
    old, whole = (
        sum((Fraction(both[part], taken) for taken, both in sums.items() if taken), Fraction(0)) for part in (0, 1)
    )
    return replace(
        reading, value=None if not whole else rounded(old / whole), numerator=rounded(old), denominator=rounded(whole)
    )
