"""Readings of flows: shares, times and rates of the documents of a window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from readiness.measures import catalogue as c
from readiness.measures.intervals import Sample, Sums, share_sample, total, yes_no_sample
from readiness.measures.percentiles import P50, P90, percentile_sample
from readiness.measures.plans import Plan, Sources, by_period, counts
from readiness.measures.reading import Form, Reading, Stale, ratio, rounded
from readiness.measures.sketch import Sketch
from readiness.measures.sums import Row

SHARES = {"p50": P50, "p90": P90}


def blank(plan: Plan, as_of: datetime, **known: Any) -> Reading:
    """The reading of a figure of which nothing is known but these fields."""
    measure, scope = plan.measure, plan.asked.scope
    fields: dict[str, Any] = {
        "measure": measure.key, "statistic": plan.figure.statistic, "version": measure.version, "unit": measure.unit,
        "direction": measure.direction, "form": measure.form, "realm": scope.realm, "scope": scope.name,
        "slice": () if plan.asked.dimension is None else (("dimension", plan.asked.dimension),), "window": plan.window,
        "as_of": as_of, "value": None, "count": 0, "documents": measure.documents, "days": 0,
        "provisional": plan.provisional, **known,
    }  # fmt: skip
    return Reading(**fields)


def flow_reading(plan: Plan, sources: Sources, as_of: datetime) -> Reading:
    """The figure of a window, from sums that were read before."""
    if plan.measure.form is Form.PERCENTILE:
        return _time(plan, sources, as_of)
    if plan.measure.id == c.INVENTORY_ADJUSTMENT_RATE:
        return _adjustments(plan, sources, as_of)
    if plan.measure.id == c.VARIANT_EXPIRED_IN_USE:
        return _number(plan, sources, as_of)
    return _share(plan, sources, as_of)


def _share(plan: Plan, sources: Sources, as_of: datetime) -> Reading:
    rows = sources.rows(plan)
    if plan.measure.is_money and (mixed := _currencies(plan, rows)):
        return blank(plan, as_of, stale=Stale.SOURCE_UNREADABLE, stale_detail=mixed)
    days = _days(plan, rows)
    sums = total(days)
    return blank(
        plan,
        as_of,
        value=ratio(sums.x, sums.y),
        numerator=sums.x,
        denominator=sums.y,
        count=sums.n,
        days=sum(1 for day in days if day.n),
        actors=sources.actors(plan),
        sample=None if plan.is_point else _sample(plan, days),
    )


def _sample(plan: Plan, days: Sequence[Sums]) -> Sample | None:
    # Squares of money stand in whole hundreds of minor units; the interval wants all sums in one unit.
    uniform = [_in_minor(day) for day in days] if plan.measure.is_money else days
    return (yes_no_sample if plan.measure.form is Form.YES_NO else share_sample)(uniform)


def _days(plan: Plan, rows: Sequence[Row]) -> list[Sums]:
    """Sums by day. A part takes its x and documents' squares from its dimension and everything else from the whole."""
    asked = plan.asked
    if not plan.measure.parts:
        return by_period([row for row in rows if counts(asked, row.dimension)])
    whole = {row.period: row.sums for row in rows if row.dimension == ""}
    if asked.dimension is None:
        return [whole[period] for period in sorted(whole)]
    part = {row.period: row.sums for row in rows if row.dimension == asked.dimension}
    if asked.dimension.endswith("/"):
        return [part[period] for period in sorted(part)]
    out = []
    for period in sorted(whole):
        all_of, some = whole[period], part.get(period, Sums(0, 0, 0, 0, 0, 0))
        out.append(Sums(all_of.n, some.x, all_of.y, some.xx, some.xy, all_of.yy))
    return out


def _in_minor(day: Sums) -> Sums:
    return Sums(day.n, day.x, day.y, day.xx * 10_000, day.xy * 10_000, day.yy * 10_000)


def _currencies(plan: Plan, rows: Sequence[Row]) -> str | None:
    """Why amounts cannot be added up; ``None`` where all are in one currency."""
    used = {row.slice_id for row in rows if row.sums.x or row.sums.y}
    found = sorted({one.currency or "none" for one in plan.slices if one.id in used})
    return f"amounts in {', '.join(found)} cannot be added" if len(found) > 1 else None


def _time(plan: Plan, sources: Sources, as_of: datetime) -> Reading:
    finished = Sketch(sources.bins(plan))
    ages = sources.ages(plan, as_of)
    days = _days(plan, sources.rows(plan))
    if plan.figure.is_worked:
        whole = sum(day.n for day in days) + len(ages)
        unknown = whole - finished.count - sum(age is not None for age in ages)
        if unknown:
            detail = f"of {whole} {plan.measure.documents}s, {unknown} ran where no site calendar was known"
            return blank(plan, as_of, stale=Stale.SOURCE_MISSING, stale_detail=detail)
    sample = percentile_sample(
        finished, [age for age in ages if age is not None], SHARES[plan.figure.percentile or "p90"]
    )
    estimate = sample.estimate()
    return blank(
        plan,
        as_of,
        value=None if estimate is None else rounded(Fraction(estimate.seconds)),
        reached=estimate is None or estimate.reached,
        count=finished.count + len(ages),
        days=sum(1 for day in days if day.n),
        actors=sources.actors(plan),
        sample=sample,
    )


def _adjustments(plan: Plan, sources: Sources, as_of: datetime) -> Reading:
    rows = sources.rows(plan)
    stock = [row for row in sources.stock(plan) if row.samples]
    if mixed := _currencies(plan, [*rows, *stock]):
        return blank(plan, as_of, stale=Stale.SOURCE_UNREADABLE, stale_detail=mixed)
    wanted = plan.asked.dimension or ""
    days = by_period([row for row in rows if row.dimension == wanted])
    worth = sampled_mean(stock)
    if worth is None:
        detail = "the value of the stock was not sampled in this window"
        return blank(plan, as_of, stale=Stale.SAMPLE_MISSING, stale_detail=detail)
    sums = total(days)
    return blank(
        plan,
        as_of,
        value=None if not worth else rounded(sums.x / worth),
        numerator=sums.x,
        denominator=rounded(worth),
        count=sums.n,
        days=sum(1 for day in days if day.n),
    )


def _number(plan: Plan, sources: Sources, as_of: datetime) -> Reading:
    """How many of the documents it is; without any document there is nothing to judge and no value."""
    days = _days(plan, sources.rows(plan))
    sums = total(days)
    value = rounded(Fraction(sums.x)) if sums.n else None
    return blank(plan, as_of, value=value, count=sums.n, days=sum(1 for day in days if day.n))


def sampled_mean(rows: Sequence[Row]) -> Fraction | None:
    """The sum over slices of each one's mean over its own samples; ``None`` without any sample."""
    sums: dict[int, tuple[int, int]] = {}
    for row in rows:
        x, samples = sums.get(row.slice_id, (0, 0))
        sums[row.slice_id] = x + row.sums.x, samples + row.samples
    means = [Fraction(x, samples) for x, samples in sums.values() if samples]
    return sum(means, Fraction(0)) if means else None
