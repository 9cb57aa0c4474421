"""On which days does a series of meetings fall, and from when to when is each of them? Pure: no database, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from erpcore.kernel.clock import zone
from governance.programme.kinds import Rhythm

#: The fifth week of a month stands for the last.
LAST_WEEK = 5
_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """How often, on which day of the week, at what local time and for how long. ``week``: which of the month, 5 the last."""

    rhythm: Rhythm
    weekday: int
    begins_at: time
    minutes: int
    time_zone: str
    first_on: date
    until_on: date | None = None
    week: int | None = None


def days_of(pattern: Pattern, first: date, last: date) -> list[date]:
    """The days of the series from ``first`` to ``last``, both included.

    A fortnight is counted from the series' own first day, so that it does not shift with the window that is looked at.
    """
    last = last if pattern.until_on is None else min(last, pattern.until_on)
    if pattern.rhythm is Rhythm.MONTHLY:
        return _monthly(pattern, max(first, pattern.first_on), last)
    step = _WEEK * (2 if pattern.rhythm is Rhythm.FORTNIGHTLY else 1)
    day = pattern.first_on + timedelta(days=(pattern.weekday - pattern.first_on.weekday()) % 7)
    if day < first:
        day += step * -((day - first) // step)
    days = []
    while day <= last:
        days.append(day)
        day += step
    return days


def _monthly(pattern: Pattern, first: date, last: date) -> list[date]:
    days, year, month = [], first.year, first.month
    while date(year, month, 1) <= last:
        day = _day_of_month(year, month, pattern.weekday, pattern.week or 1)
        if first <= day <= last:
            days.append(day)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return days


def _day_of_month(year: int, month: int, weekday: int, week: int) -> date:
    begins = date(year, month, 1)
    day = begins + timedelta(days=(weekday - begins.weekday()) % 7)
    if week < LAST_WEEK:
        return day + _WEEK * (week - 1)
    while (day + _WEEK).month == month:
        day += _WEEK
    return day


def times_of(pattern: Pattern, day: date) -> tuple[datetime, datetime]:
    """From when to when the meeting of ``day`` is, in UTC. A local time that the clock skips moves on by what it skips."""
    starts = datetime.combine(day, pattern.begins_at, zone(pattern.time_zone)).astimezone(UTC)
    return starts, starts + timedelta(minutes=pattern.minutes)
