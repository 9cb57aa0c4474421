"""When will a criterion pass if it goes on like this? A straight line through its daily figures, or honestly no forecast.

Floats are right here: a forecast is a statistic that nothing is decided by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from typing import Final

from readiness.measures.distributions import t_quantile, whole_up
from readiness.measures.reading import Direction

#: Fewer daily figures have no trend.
LEAST_DAYS: Final = 5
#: Beyond this many days a straight line says nothing.
HORIZON_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Point:
    """A day's figure and how many documents were behind it."""

    day: date
    value: Decimal
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """``passes_on`` is the first day on which the criterion would pass, ``None`` with the code of why there is none."""

    criterion: str
    passes_on: date | None
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked of a criterion's days: its mark, how it reads now, and what it still lacks.

    ``more``: documents still needed at the present value; ``held`` and ``needed``: days a pass has held and must hold.
    """

    criterion: str
    today: date
    word: str
    is_met: bool
    direction: Direction
    pass_mark: Decimal
    points: Sequence[Point]
    more: int | None = None
    held: int = 0
    needed: int = 1


def forecast(question: Question) -> Forecast:
    """The day on which the criterion passes at its present trend.

    A figure that meets its mark and must only hold passes when it has held; one that lacks documents when as many have come
    as came per day so far; one that misses its mark when the line through its days meets it, provided that the slope is
    told from none with 95 % confidence. Everything else has no forecast, and says why.
    """
    name, today = question.criterion, question.today
    if question.word == "pass":
        return Forecast(criterion=name, passes_on=today, code="passes")
    wait = max(0, question.needed - 1)
    if question.is_met:
        return Forecast(
            criterion=name, passes_on=today + timedelta(days=max(1, question.needed - question.held)), code="holding"
        )
    if question.more:
        return _by_documents(question, wait)
    return _by_value(question, wait)


def _within(name: str, today: date, days: float, code: str) -> Forecast:
    if days > HORIZON_DAYS:
        return Forecast(criterion=name, passes_on=None, code="beyond_horizon")
    return Forecast(criterion=name, passes_on=today + timedelta(days=max(1, whole_up(days))), code=code)


def _by_documents(question: Question, wait: int) -> Forecast:
    points = question.points
    if len(points) < 2 or question.more is None:
        return Forecast(criterion=question.criterion, passes_on=None, code="too_few_days")
    days = (points[-1].day - points[0].day).days
    gained = points[-1].count - points[0].count
    if days < 1 or gained <= 0:
        return Forecast(criterion=question.criterion, passes_on=None, code="no_new_documents")
    return _within(question.criterion, question.today, question.more * days / gained + wait, "more_documents")


def _by_value(question: Question, wait: int) -> Forecast:
    points = question.points
    if len(points) < LEAST_DAYS:
        return Forecast(criterion=question.criterion, passes_on=None, code="too_few_days")
    first = points[0].day
    xs = [float((point.day - first).days) for point in points]
    ys = [float(abs(point.value) if question.direction is Direction.ZERO else point.value) for point in points]
    slope, low, high, start = _line(xs, ys)
    rising = question.direction is Direction.UP
    if (low <= 0.0 if rising else high >= 0.0) or slope == 0.0:
        return Forecast(criterion=question.criterion, passes_on=None, code="no_trend_to_mark")
    crossing = (float(question.pass_mark) - start) / slope
    return _within(question.criterion, question.today, crossing - (question.today - first).days + wait, "trend")


def _line(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float, float, float]:
    """Least squares: slope, its 95 % limits by Student's t, and the value at the first day (Draper & Smith, §1.4)."""
    n = len(xs)
    mean_x, mean_y = sum(xs) / n, sum(ys) / n
    spread = sum((x - mean_x) ** 2 for x in xs)
    if spread == 0.0:
        return 0.0, 0.0, 0.0, mean_y
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    start = mean_y - slope * mean_x
    rest = sum((y - start - slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
    half = t_quantile(0.975, n - 2) * sqrt(rest / (n - 2) / spread)
    return slope, slope - half, slope + half, start
