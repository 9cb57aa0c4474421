"""How do the books of a company read in another currency?

What it has and owes at the rate of the last day; income and expenses at the average of the month that they fell in; equity at the
rate of its day. What then remains is the translation difference: what holding a currency gained or lost, and nobody earned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Protocol

from erpcore.ledger.models import AccountKind
from erpcore.ledger.statements import AccountFact, Period, Report

_RESULTS = frozenset({AccountKind.INCOME, AccountKind.EXPENSE})


class Rates(Protocol):
    """What a unit of a company's currency is worth."""

    def factor(self, day: date) -> Fraction:
        """On a day."""

    def average(self, since: date, until: date) -> Fraction:
        """On average of these days."""


#: Debits less credits by account and day, or of a whole month by its first day.
Buckets = Mapping[tuple[int, date], int]


@dataclass(frozen=True, kw_only=True)
class Translated:
    """A company's books in another currency, debits less credits by account in its minor units.

    ``whole``: all there is up to the last day; ``earlier``: of results what lies in earlier years; ``result``: of results what
    lies in the period, for a profit and loss, which needs nothing else. ``difference``: by how much the translated accounts do not balance. ``unbalanced``: by how much they did
    not before, which is nil in books that are right.
    """

    whole: Mapping[int, int]
    earlier: Mapping[int, int]
    result: Mapping[int, int]
    difference: int
    unbalanced: int


def rounded(exact: Fraction) -> int:
    """To a whole unit, half away from zero."""
    above, below = abs(exact.numerator), exact.denominator
    found = (2 * above + below) // (2 * below)
    return found if exact >= 0 else -found


def translate(
    report: Report, accounts: Sequence[AccountFact], buckets: Buckets, rates: Rates, period: Period
) -> Translated:
    """Read what a report shows of the books in another currency; accounts of equity come by day.

    Each figure is rounded once, so that a year's result is what its profit and loss shows. Raises as the rates do where one is
    missing; days and months without a figure need none, nor does what the report does not show.
    """
    kinds = {one.id: one.kind for one in accounts}
    results = {key: net for key, net in buckets.items() if kinds[key[0]] in _RESULTS}
    unbalanced = sum(buckets.values())
    if report is Report.PROFIT_AND_LOSS:
        shown = _Months({key: net for key, net in results.items() if period.since <= key[1] <= period.until})
        return Translated(
            whole={}, earlier={}, result=shown.rounded(rates, period.until), difference=0, unbalanced=unbalanced
        )
    year = period.year_begins
    earlier = _Months({key: net for key, net in results.items() if key[1] < year}).rounded(rates, period.until)
    of_year = _Months({key: net for key, net in results.items() if key[1] >= year}).rounded(rates, period.until)
    whole = {key: earlier.get(key, 0) + of_year.get(key, 0) for key in {*earlier, *of_year}}
    held: dict[int, int] = defaultdict(int)
    equity: dict[int, Fraction] = defaultdict(Fraction)
    for (account, day), net in buckets.items():
        if kinds[account] == AccountKind.EQUITY and net:
            equity[account] += net * rates.factor(day)
        elif kinds[account] not in {*_RESULTS, AccountKind.EQUITY}:
            held[account] += net
    closing = rates.factor(period.until) if any(held.values()) else Fraction(1)
    whole |= {account: rounded(exact) for account, exact in equity.items()}
    whole |= {account: rounded(net * closing) for account, net in held.items()}
    return Translated(whole=whole, earlier=earlier, result={}, difference=sum(whole.values()), unbalanced=unbalanced)


class _Months:
    """What accounts came to by month."""

    def __init__(self, buckets: Buckets) -> None:
        self.nets: dict[tuple[int, date], int] = defaultdict(int)
        for (account, day), net in buckets.items():
            self.nets[account, day.replace(day=1)] += net

    def rounded(self, rates: Rates, until: date) -> dict[int, int]:
        """Each account at the averages of its months, the last of them up to a day, rounded once."""
        months = sorted({month for (_, month), net in self.nets.items() if net})
        averages = {month: rates.average(month, min(_last_day(month), until)) for month in months}
        exact: dict[int, Fraction] = defaultdict(Fraction)
        for (account, month), net in self.nets.items():
            if net:
                exact[account] += net * averages[month]
        return {account: rounded(value) for account, value in exact.items()}


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
