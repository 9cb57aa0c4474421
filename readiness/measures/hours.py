"""How long is that in working hours? Monday to Friday, within the site's opening hours, across changes of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from erpcore.kernel.clock import zone
from readiness.measures.ports import SiteCalendar

_SATURDAY = 5


def opening(day: date, calendar: SiteCalendar) -> tuple[datetime, datetime] | None:
    """When the site is open on its day, in UTC; ``None`` at a weekend."""
    if day.weekday() >= _SATURDAY:
        return None
    there = zone(calendar.time_zone)
    last = day if calendar.closes_at > calendar.opens_at else day + timedelta(days=1)
    opens = datetime.combine(day, calendar.opens_at, there).astimezone(UTC)
    return opens, datetime.combine(last, calendar.closes_at, there).astimezone(UTC)


def working_time(since: datetime, until: datetime, calendar: SiteCalendar) -> timedelta:
    """Working time in [since, until); nothing where ``until`` is not after ``since``."""
    total = timedelta()
    for opens, closes in _days_back(until, calendar):
        if closes <= since:
            # Days before are earlier still; a day whose opening lies before is the last that counts.
            break
        total += max(timedelta(), min(closes, until) - max(opens, since))
    return total


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
