"""How fast do customers pay? Days of sales outstanding, days delinquent, what is overdue and how much of what was due came in.

Nothing is kept of them: open documents and sales are read themselves, as of now or of the ends of a month. Source of the
formulas: the count-back method of days sales outstanding, and the collection effectiveness index of credit managers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

from readiness.measures import receivable_figures as c
from readiness.measures.behind import Behind
from readiness.measures.disputes import DisputeRows
from readiness.measures.flows import blank
from readiness.measures.measure import Source
from readiness.measures.plans import Plan, month_before
from readiness.measures.ports import OpenDebt, Owed, Receivables, Sold
from readiness.measures.reading import Reading, Stale, ratio, rounded
from readiness.measures.registers import RegisterRows

#: Sales are counted back through this month and so many before it.
MONTHS = 13
_DAY = timedelta(days=1)
_SECONDS = 86_400


def counted_back(minor: int, sales: Mapping[date, int], today: date) -> tuple[Fraction, bool]:
    """The days of sales that an amount is, from today back, and whether all of it was found in the months that are known.

    A month without sales has its days all the same; of this month only those up to today.
    """
    left, days, month, until = minor, Fraction(0), today.replace(day=1), today + _DAY
    for _ in range(MONTHS + 1):
        if left <= 0:
            return days, True
        sold, length = max(0, sales.get(month, 0)), (until - month).days
        if left < sold:
            return days + Fraction(left * length, sold), True
        left, days = left - sold, days + length
        month, until = month_before(month), month
    return days, left <= 0


class Records:
    """What plans that are read from records need: registers, what customers owe and what they dispute; each read once, and not where no plan is of it."""

    def __init__(self, plans: Sequence[Plan], source: object, as_of: datetime) -> None:
        self._as_of = as_of
        self._registers = RegisterRows(plans, source, as_of)
        self._disputes = DisputeRows(plans, source, as_of)
        self._owed: Sequence[Owed] | None = None
        self._sold: Sequence[Sold] = ()
        mine = [plan for plan in plans if plan.measure.source is Source.RECEIVABLES]
        if mine and isinstance(source, Receivables):
            days = {on for plan in mine for on in _days_of(plan)}
            since = min([plan.start.replace(day=1) for plan in mine if plan.measure.is_monthly] + [_first(as_of)])
            realms = {plan.asked.scope.realm for plan in mine}
            self._owed, self._sold = source.owed(realms, days, since, as_of)

    def reading(self, plan: Plan) -> Reading:
        """The figure of a plan; without any invoice there is nothing to judge and no value."""
        if plan.measure.source is Source.REGISTER:
            return self._registers.reading(plan)
        if plan.measure.source is Source.DISPUTES:
            return self._disputes.reading(plan)
        if self._owed is None:
            return blank(plan, self._as_of, stale=Stale.SOURCE_MISSING, stale_detail="no receivables were asked")
        owed = [one for one in self._owed if _is_within(one, plan)]
        sold = [one for one in self._sold if _is_within(one, plan)]
        currencies = sorted({one.currency for one in owed} | {one.currency for one in sold})
        if len(currencies) > 1:
            said = f"amounts in {', '.join(currencies)} cannot be added"
            return blank(plan, self._as_of, stale=Stale.SOURCE_UNREADABLE, stale_detail=said)
        if plan.measure.id == c.COLLECTION_EFFECTIVENESS:
            return self._effectiveness(plan, owed, sold)
        now = [one for one in owed if one.on is None]
        if plan.measure.id == c.OVERDUE_SHARE:
            return self._share(plan, now)
        return self._days(plan, now, sold)

    def _share(self, plan: Plan, owed: Sequence[Owed]) -> Reading:
        overdue, not_due, documents = _sum(owed)
        return blank(
            plan, self._as_of, value=ratio(overdue, overdue + not_due), numerator=overdue, denominator=overdue + not_due,
            count=documents, days=1 if documents else 0,
        )  # fmt: skip

    def _days(self, plan: Plan, owed: Sequence[Owed], sold: Sequence[Sold]) -> Reading:
        overdue, not_due, _ = _sum(owed)
        today = max((one.today for one in sold), default=None)
        invoices = sum(one.invoices for one in sold)
        if today is None or not invoices:
            return blank(plan, self._as_of)
        sales: dict[date, int] = defaultdict(int)
        for one in sold:
            sales[one.month] += one.minor
        days, is_whole = counted_back(overdue + not_due, sales, today)
        if plan.measure.id == c.AVERAGE_DAYS_DELINQUENT:
            days -= counted_back(not_due, sales, today)[0]
        return blank(
            plan, self._as_of, value=rounded(days * _SECONDS), reached=is_whole, count=invoices,
            days=sum(max(one.days for one in sold if one.month == month) for month in sales),
        )  # fmt: skip

    def _effectiveness(self, plan: Plan, owed: Sequence[Owed], sold: Sequence[Sold]) -> Reading:
        opening, closing = ([one for one in owed if one.on == on] for on in _days_of(plan))
        sales = [one for one in sold if plan.start <= one.month < plan.end]
        begun, overdue, not_due = sum(_sum(opening)[:2]), *_sum(closing)[:2]
        turned = begun + sum(one.minor for one in sales)
        collected, due = turned - overdue - not_due, turned - not_due
        # Where nothing came due there was nothing to collect, whatever came in.
        value = ratio(collected, due) if due > 0 else None
        return blank(
            plan, self._as_of, value=value, numerator=collected, denominator=max(0, due),
            count=sum(one.invoices for one in sales) + _sum(opening)[2], days=max((one.days for one in sales), default=0),
        )  # fmt: skip


def debts_behind(plan: Plan, source: object, as_of: datetime, limit: int) -> list[Behind]:
    """The documents behind a figure of receivables, the largest first: open ones now, or those that the month left unpaid."""
    if not isinstance(source, Receivables):
        return []
    scope = plan.asked.scope
    on = plan.end - _DAY if plan.measure.is_monthly else None
    found = source.debts(
        scope.realm, scope.entities, scope.sites, on, as_of, limit, customer_group=scope.customer_group,
        is_due=plan.measure.id != c.DAYS_SALES_OUTSTANDING,
    )  # fmt: skip
    return [_behind(one) for one in found]


def _behind(one: OpenDebt) -> Behind:
    said = f"{one.days_over} days overdue" if one.days_over else "not overdue"
    return Behind(
        one.id, one.id, one.kind, next(iter(one.sites)) if len(one.sites) == 1 else None, None, one.customer_group, one.since,
        one.minor, one.currency, (said,), "", one.minor, "minor", is_open=True,
        title=f"{one.kind.replace('_', ' ').capitalize()} {one.number}",
    )  # fmt: skip


def _days_of(plan: Plan) -> tuple[date | None, ...]:
    """The days at whose ends it is asked what is owed."""
    return (plan.start - _DAY, plan.end - _DAY) if plan.measure.is_monthly else (None,)


def _first(as_of: datetime) -> date:
    # A day less: it may be the month before yet where the company is.
    month = (as_of - _DAY).date().replace(day=1)
    for _ in range(MONTHS):
        month = month_before(month)
    return month


def _sum(owed: Sequence[Owed]) -> tuple[int, int, int]:
    """Overdue, not due, and how many documents."""
    return sum(one.overdue for one in owed), sum(one.not_due for one in owed), sum(one.documents for one in owed)


def _is_within(one: Owed | Sold, plan: Plan) -> bool:
    """Whether a company and group belong to the scope. A company is that of each of its sites; it is told apart by nothing else."""
    scope = plan.asked.scope
    return (
        one.realm == scope.realm
        and plan.asked.dimension is None
        and (not scope.entities or one.entity in scope.entities)
        and (not scope.sites or bool(one.sites & scope.sites))
        and scope.process in {None, "order_to_cash"}
        and (scope.customer_group is None or one.customer_group == scope.customer_group)
    )
