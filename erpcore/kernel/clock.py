"""The only place that reads the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the current instant, aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SetClock:
    """A clock that stands where it was set; tests, the demo and back-dated imports move it."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise TypeError("a clock needs a time zone")
        self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self._at += by


#: Years that a calendar of business has; others overflow where a day becomes a moment.
FIRST_YEAR, LAST_YEAR = 1900, 2999


def out_of_time(value: object) -> bool:
    """Whether this is a day or a moment that no calendar of business has."""
    return isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of a site."""
    return ZoneInfo(name)


def local_day(at: datetime, time_zone: str) -> date:
    """The calendar day of ``at`` where the site stands."""
    return at.astimezone(zone(time_zone)).date()


def day_start(day: date, time_zone: str) -> datetime:
    """The first instant of ``day`` where the site stands, in UTC."""
    return datetime.combine(day, time.min, zone(time_zone)).astimezone(UTC)


def day_end(day: date, time_zone: str) -> datetime:
    """The last microsecond of ``day`` where the site stands, in UTC: the ``due_at`` of a promised day."""
    return day_start(day + timedelta(days=1), time_zone) - timedelta(microseconds=1)
