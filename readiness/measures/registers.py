"""Figures of registers: what stands in them now, and how long it took until people answered.

Nothing is kept of them: the records are read themselves, those of every figure together, and say the same after any rebuild.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction

from erpcore.kernel.clock import local_day
from readiness.measures.flows import SHARES, blank
from readiness.measures.measure import Kind, Source
from readiness.measures.percentiles import percentile_sample
from readiness.measures.plans import Plan, counts
from readiness.measures.ports import RegisterEntry, Registers
from readiness.measures.reading import Form, Reading, Stale, rounded
from readiness.measures.sketch import Sketch

_DAY = 86_400


class RegisterRows:
    """The entries of the registers that these plans are made of; read once for all of them, and not where none of them is.

    A ``source`` of calendars that knows no registers leaves their figures without any.
    """

    def __init__(self, plans: Sequence[Plan], source: object, as_of: datetime) -> None:
        self._as_of = as_of
        self._entries: Sequence[RegisterEntry] | None = None
        mine = [plan for plan in plans if plan.measure.source is Source.REGISTER]
        if mine and isinstance(source, Registers):
            starts = [plan.start for plan in mine if plan.measure.kind is Kind.FLOW]
            # A day more: where it is the first day of the window already.
            since = datetime.combine(min(starts) - timedelta(days=1), time(), UTC) if starts else None
            self._entries = source.entries(since, as_of, {plan.measure.key for plan in mine})

    def reading(self, plan: Plan) -> Reading:
        """The figure of a plan. Where its register has nothing there is nothing to judge and no value."""
        if self._entries is None:
            return blank(plan, self._as_of, stale=Stale.SOURCE_MISSING, stale_detail="no register was asked")
        found = self.entries(plan)
        if plan.measure.kind is Kind.FLOW:
            return (self._slowest if plan.measure.form is Form.COMPOSITE else self._time)(plan, found)
        counted = sum(plan.measure.key in one.counts for one in found)
        value = rounded(Fraction(counted)) if found else None
        return blank(plan, self._as_of, value=value, count=len(found), days=1 if found else 0)

    def entries(self, plan: Plan) -> list[RegisterEntry]:
        """The entries that a figure is counted from, those that count and those that do not."""
        key = plan.measure.key
        found = [
            one
            for one in self._entries or ()
            if key in one.of and counts(plan.asked, one.kind) and _is_within(one, plan)
        ]
        if plan.measure.kind is Kind.STATE:
            return found
        return [one for one in found if plan.start <= local_day(one.since, one.zone) < plan.end]

    def _slowest(self, plan: Plan, found: Sequence[RegisterEntry]) -> Reading:
        """The longest of whole months alone: a part of one has no end that anybody could close."""
        if (plan.start.day, plan.end.day) != (1, 1) or not found:
            return blank(plan, self._as_of)
        return blank(
            plan, self._as_of, value=rounded(Fraction(max(one.days or 0 for one in found) * _DAY)),
            reached=all(one.until is not None for one in found), count=len(found),
            days=len({local_day(one.since, one.zone) for one in found}),
        )  # fmt: skip

    def _time(self, plan: Plan, found: Sequence[RegisterEntry]) -> Reading:
        finished = Sketch.of(seconds(one, self._as_of) for one in found if one.until is not None)
        ages = [seconds(one, self._as_of) for one in found if one.until is None]
        sample = percentile_sample(finished, ages, SHARES[plan.figure.percentile or "p90"])
        estimate = sample.estimate()
        return blank(
            plan, self._as_of, value=None if estimate is None else rounded(Fraction(estimate.seconds)),
            reached=estimate is None or estimate.reached, count=len(found),
            days=len({local_day(one.since, one.zone) for one in found}), sample=None if plan.is_point else sample,
        )  # fmt: skip


def seconds(one: RegisterEntry, as_of: datetime) -> float:
    """How long it took, or has taken so far: by its working days where it has them, else by the clock."""
    if one.days is not None:
        return float(one.days * _DAY)
    return max(0.0, ((one.until or as_of) - one.since).total_seconds())


def _is_within(one: RegisterEntry, plan: Plan) -> bool:
    """Whether an entry holds anywhere in the scope. What it does not name it holds for all of; but a time that no site's people
    took is the time of none.
    """
    scope, measure = plan.asked.scope, plan.measure
    channels = scope.channels if measure.by_channel else frozenset()
    if one.cells is not None and not any(
        (not scope.sites or site in scope.sites)
        and (not channels or channel in channels)
        and (not channels or not scope.cells or (site, channel) in scope.cells)
        for site, channel in one.cells
    ):
        return False
    if one.realm not in {None, scope.realm}:
        return False
    if scope.sites and (measure.kind is Kind.FLOW if one.sites is None else not one.sites & scope.sites):
        return False
    if scope.entities and one.entities is not None and not one.entities & scope.entities:
        return False
    if channels and one.channel is not None:
        if one.channel not in channels:
            return False
        here = scope.sites if one.sites is None else one.sites
        if scope.cells and not any((site, one.channel) in scope.cells for site in here):
            return False
    if scope.process is not None and one.process not in {None, scope.process}:
        return False
    return scope.customer_group is None or one.customer_group in {None, scope.customer_group}
