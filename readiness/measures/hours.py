"""How long is that in working hours? Within the site's opening hours, across days of rest and changes of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from erpcore.kernel.clock import zone
from readiness.measures.ports import SiteCalendar


def opening(day: date, calendar: SiteCalendar) -> tuple[datetime, datetime] | None:
    """When the site is open on its day, in UTC; ``None`` on a day of rest."""
    hours = calendar.hours(day)
    return None if hours is None else open_between(day, *hours, calendar.time_zone)


@lru_cache(maxsize=65_536)
def open_between(day: date, opens: int, closes: int, time_zone: str) -> tuple[datetime, datetime]:
    """The instants of opening and closing, given in minutes after midnight; a closing not after the opening is on the next day."""
    there = zone(time_zone)
    last = day if closes > opens else day + timedelta(days=1)
    start = datetime.combine(day, time(opens // 60, opens % 60), there).astimezone(UTC)
    return start, datetime.combine(last, time(closes // 60, closes % 60), there).astimezone(UTC)


def working_time(since: datetime, until: datetime, calendar: SiteCalendar) -> timedelta:
    """Working time in [since, until); nothing where ``until`` is not after ``since``."""
    total = timedelta()
    for opens, closes in _days_back(until, calendar):
        if closes <= since:
            # Days before are earlier still; a day whose opening lies before is the last that counts.
            break
        total += max(timedelta(), min(closes, until) - max(opens, since))
    return total


def working_end(since: datetime, worked: timedelta, calendar: SiteCalendar) -> datetime:
    """When ``worked`` of working time has passed since then. Raises ``ValueError`` for a calendar that is never open."""
    left = worked
    day = since.astimezone(zone(calendar.time_zone)).date() - timedelta(days=1)
    for further in range(3_660):
        hours = opening(day + timedelta(days=further), calendar)
        if hours is None or hours[1] <= since:
            continue
        starts = max(hours[0], since)
        if hours[1] - starts >= left:
            return starts + left
        left -= hours[1] - starts
    raise ValueError("a calendar without any opening hours")


def limit_passed_before(now: datetime, limit: timedelta, calendar: SiteCalendar) -> datetime:
    """Who waits since before this instant has waited longer than ``limit`` of working time.

    One instant for a site and a limit, so that thousands of waiting documents are compared with it instead of each being
    counted through its days.
    """
    left = limit
    for opens, closes in _days_back(now, calendar):
        worked = min(closes, now) - opens
        if worked <= timedelta():
            continue
        # Exactly the limit is not beyond it: who came while the site was closed has waited no longer either.
        if worked > left:
            return min(closes, now) - left
        left -= worked
    raise ValueError("a calendar without any opening hours")


def _days_back(now: datetime, calendar: SiteCalendar) -> Iterator[tuple[datetime, datetime]]:
    day = now.astimezone(zone(calendar.time_zone)).date()
    # Ten years: nobody waits longer, and a calendar that is never open must not run for ever.
    for back in range(3_660):
        hours = opening(day - timedelta(days=back), calendar)
        if hours is not None:
            yield hours
