"""How often do customers object to invoices, and how old are the objections that nobody has answered?

How much of what they paid did they deduct, and what of partners' payouts does nobody explain? Nothing is kept of them: disputes,
invoices and payouts are read themselves, once for all figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import ceil

from readiness.measures import dispute_figures as c
from readiness.measures.behind import Behind
from readiness.measures.flows import SHARES, blank
from readiness.measures.intervals import Sums, total, yes_no_sample
from readiness.measures.measure import Source
from readiness.measures.plans import Plan
from readiness.measures.ports import Contested, Disputes, DisputeTold, PaidOut, Posted, Settled
from readiness.measures.reading import Reading, Stale, ratio, rounded
from readiness.measures.values import OF_VALUE, Valued, value_reading, valued, values_behind

#: So long after it was posted an invoice may be disputed and counts.
WITHIN = timedelta(days=30)
#: An age needs invoices posted in so many days, today included: where nothing was billed there is nothing to judge.
RECENT = timedelta(days=28)
_DAY = timedelta(days=1)


class DisputeRows:
    """What these plans are made of; a ``source`` of calendars that knows no disputes leaves them without."""

    def __init__(self, plans: Sequence[Plan], source: object, as_of: datetime) -> None:
        self._as_of = as_of
        self._disputed: Sequence[DisputeTold] | None = None
        self._told = Contested()
        mine = [plan for plan in plans if plan.measure.source is Source.DISPUTES]
        if mine and isinstance(source, Disputes):
            since = min(_since(plan) for plan in mine)
            self._told = source.disputed({plan.asked.scope.realm for plan in mine}, since, as_of)
            self._disputed = self._told.disputes

    def reading(self, plan: Plan) -> Reading:
        """The figure of a plan; where no invoice was posted there is nothing to judge and no value."""
        if self._disputed is None:
            return blank(plan, self._as_of, stale=Stale.SOURCE_MISSING, stale_detail="no disputes were asked")
        if plan.measure.id in OF_VALUE:
            return value_reading(plan, self.valued(plan), self._as_of)
        posted: dict[date, int] = defaultdict(int)
        for one in self._told.posted:
            if _is_within(one, plan) and _since(plan) <= one.on < _until(plan):
                posted[one.on] += one.invoices
        if plan.measure.id == c.DISPUTE_AGE:
            return self._age(plan, posted)
        misses: dict[date, int] = defaultdict(int)
        for on, _ in {(one.on, one.invoice) for one in self.counting(plan)}:
            misses[on] += 1
        days = [Sums(many, misses[on], many, misses[on], misses[on], many) for on, many in sorted(posted.items())]
        sums = total(days)
        return blank(
            plan, self._as_of, value=ratio(sums.x, sums.y), numerator=sums.x, denominator=sums.y, count=sums.n, days=len(days),
            sample=None if plan.is_point else yes_no_sample(days),
        )  # fmt: skip

    def _age(self, plan: Plan, posted: dict[date, int]) -> Reading:
        ages = sorted(seconds(one, self._as_of) for one in self.counting(plan))
        value = None
        if ages:
            share = SHARES[plan.figure.percentile or "p90"]
            value = rounded(Fraction(ages[max(1, ceil(share * len(ages))) - 1]))
        elif posted:
            value = rounded(Fraction(0))
        return blank(plan, self._as_of, value=value, count=sum(posted.values()), days=len(posted))

    def valued(self, plan: Plan) -> list[Valued]:
        """What a share of value is made of."""
        rows = self._told.settled if plan.measure.id == c.DEDUCTION_RATE else self._told.paid_out
        mine = [one for one in rows if _is_within(one, plan) and plan.start <= one.on < plan.end]
        return [valued(one, plan.asked.dimension) for one in mine]

    def counting(self, plan: Plan) -> list[DisputeTold]:
        """The disputes that a figure counts."""
        mine = [
            one for one in self._disputed or () if _is_within(one, plan) and plan.asked.dimension in {None, one.reason}
        ]
        if plan.measure.id == c.DISPUTE_AGE:
            return [one for one in mine if one.open_minor]
        return [one for one in mine if _since(plan) <= one.on < _until(plan) and one.begun_at <= one.posted_at + WITHIN]


def seconds(one: DisputeTold, as_of: datetime) -> float:
    """How long it has been disputed."""
    return max(0.0, (as_of - one.begun_at).total_seconds())


def disputes_behind(plan: Plan, source: object, as_of: datetime, limit: int) -> list[Behind]:
    """The invoices behind a figure: those disputed longest, or those disputed within their 30 days, the largest amount first."""
    if plan.measure.id in OF_VALUE:
        return values_behind(DisputeRows([plan], source, as_of).valued(plan), limit)
    is_age = plan.measure.id == c.DISPUTE_AGE
    found = [
        Behind(
            one.invoice, one.invoice, "invoice", one.site, one.channel, one.customer_group, one.begun_at, one.minor, one.currency,
            (one.reason.replace("_", " "),), "", int(seconds(one, as_of)) if is_age else one.minor,
            "seconds" if is_age else "minor", is_open=bool(one.open_minor), title=f"Invoice {one.number}",
        )
        for one in DisputeRows([plan], source, as_of).counting(plan)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.weight, one.id))[:limit]


def _since(plan: Plan) -> date:
    return plan.today - RECENT + _DAY if plan.measure.id == c.DISPUTE_AGE else plan.start


def _until(plan: Plan) -> date:
    return plan.end if plan.measure.id == c.DISPUTE_RATE else plan.today + _DAY


def _is_within(one: DisputeTold | Posted | Settled | PaidOut, plan: Plan) -> bool:
    """Whether it belongs to the scope."""
    scope = plan.asked.scope
    return (
        one.realm == scope.realm
        and (not scope.entities or one.entity in scope.entities)
        and (not scope.sites or one.site in scope.sites)
        and (not scope.channels or one.channel in scope.channels)
        and (not scope.channels or not scope.cells or (one.site, one.channel) in scope.cells)
        and scope.process in {None, "channel_settlement" if isinstance(one, PaidOut) else "order_to_cash"}
        and (scope.customer_group is None or one.customer_group == scope.customer_group)
    )
