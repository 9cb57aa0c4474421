"""How late does a customer pay? A score whose every point has a reason, from the customer's own invoices and promises.

The measure behind it is the amount-weighted average of days beyond terms, as credit agencies define it (Experian's Days Beyond
Terms, the PAYDEX of Dun & Bradstreet): a large invoice that was late says more than a small one. Whole numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

#: Fewer invoices than these say nothing about how somebody pays.
LEAST = 5
#: So many days back invoices count, by the day they were due.
WINDOW_DAYS = 365
#: The most points of each part, a hundred together, and the days at which the two that count days are full.
DAYS_MOST, SHARE_MOST, PROMISES_MOST, TREND_MOST = 40, 25, 20, 15
FULL_DAYS, FULL_TREND_DAYS = 30, 15
#: From how many points on a customer pays in which way.
BANDS = ((70, "very_late"), (45, "late"), (20, "often_late"), (0, "punctual"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """An invoice that was paid, or that is overdue and open until today; ``days_late`` is never below nothing."""

    document: int
    due_on: date
    amount_minor: int
    days_late: int
    is_open: bool


class Part(StrEnum):
    """What a score is made of."""

    DAYS = "days"
    SHARE = "share"
    PROMISES = "promises"
    TREND = "trend"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """So many of so many points, and why."""

    part: Part
    points: int
    most: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """``points`` of a hundred, the more the later; ``None`` below ``LEAST`` invoices. ``paid`` and ``late_open`` are the sample."""

    points: int | None
    paid: int
    late_open: int
    reasons: tuple[Reason, ...] = ()

    @property
    def sample(self) -> int:
        return self.paid + self.late_open

    @property
    def band(self) -> str:
        if self.points is None:
            return "unknown"
        return next(name for least, name in BANDS if self.points >= least)


def score_of(invoices: Sequence[Behaviour], kept: int, broken: int) -> Score:
    """The score, its points rounded half up part by part; the reasons add up to it."""
    paid = sum(not one.is_open for one in invoices)
    late_open = len(invoices) - paid
    if len(invoices) < LEAST:
        return Score(points=None, paid=paid, late_open=late_open)
    reasons = (_days(invoices), _share(invoices), _promises(kept, broken), _trend(invoices))
    return Score(points=sum(one.points for one in reasons), paid=paid, late_open=late_open, reasons=reasons)


def _points(part: int, whole: int, most: int) -> int:
    """So much of the whole as points; a whole of nothing gives none."""
    return 0 if whole <= 0 else max(0, min(most, (2 * most * part + whole) // (2 * whole)))


def _weighted(invoices: Sequence[Behaviour]) -> tuple[int, int]:
    """Amounts times days late, and amounts: their quotient is the average."""
    amounts = sum(one.amount_minor for one in invoices)
    return sum(one.amount_minor * one.days_late for one in invoices), amounts


def _rounded(part: int, whole: int) -> int:
    return 0 if whole <= 0 else (2 * part + whole) // (2 * whole)


def _days(invoices: Sequence[Behaviour]) -> Reason:
    days, amounts = _weighted(invoices)
    average = _rounded(days, amounts)
    said = (
        f"{average} day{'' if average == 1 else 's'} late on average, by amount"
        if average
        else "On time on average, by amount"
    )
    return Reason(part=Part.DAYS, points=_points(days, amounts * FULL_DAYS, DAYS_MOST), most=DAYS_MOST, text=said)


def _share(invoices: Sequence[Behaviour]) -> Reason:
    late = sum(one.amount_minor for one in invoices if one.days_late)
    amounts = sum(one.amount_minor for one in invoices)
    count = sum(one.days_late > 0 for one in invoices)
    said = (
        f"{_rounded(100 * late, amounts)} % of the money came late or is overdue ({count} of {len(invoices)} invoices)"
    )
    return Reason(part=Part.SHARE, points=_points(late, amounts, SHARE_MOST), most=SHARE_MOST, text=said)


def _promises(kept: int, broken: int) -> Reason:
    said = f"{broken} of {kept + broken} promises broken" if kept + broken else "No promise was made"
    points = _points(broken, kept + broken, PROMISES_MOST)
    return Reason(part=Part.PROMISES, points=points, most=PROMISES_MOST, text=said)


def _trend(invoices: Sequence[Behaviour]) -> Reason:
    """The half that was due later against the half before it."""
    ordered = sorted(invoices, key=lambda one: (one.due_on, one.document))
    (before, of_before), (after, of_after) = (
        _weighted(half) for half in (ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :])
    )
    # after / of_after - before / of_before, over one denominator.
    part, whole = after * of_before - before * of_after, of_after * of_before
    worse = _rounded(max(0, part), whole)
    said = (
        f"{worse} day{'' if worse == 1 else 's'} later than in the half before"
        if worse
        else "Not later than in the half before"
    )
    return Reason(
        part=Part.TREND, points=_points(part, whole * FULL_TREND_DAYS, TREND_MOST), most=TREND_MOST, text=said
    )
