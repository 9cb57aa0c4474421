"""How many working seconds lie between two instants, by the calendars that the events told of a site?

A time is counted by the calendars told before its last event and by no later one: what is finished stays as it was worked.
Where a day has no calendar there is no answer; none is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from erpcore.kernel.clock import local_day
from readiness.measures.hours import open_between
from readiness.measures.models import CalendarRow
from readiness.measures.ports import Told

_ONE_DAY = timedelta(days=1)
week_of = msgspec.json.Decoder(tuple[tuple[int, int] | None, ...]).decode
closed_of = msgspec.json.Decoder(frozenset[date]).decode


class Worked:
    """Working time by what is known of the sites' calendars. ``load`` gives them when the first question comes."""

    def __init__(self, load: Callable[[], Iterable[tuple[int, Told]]]) -> None:
        self._load: Callable[[], Iterable[tuple[int, Told]]] | None = load
        self._more: list[tuple[int, Told]] = []
        self._told: dict[int, list[Told]] = {}

    def add(self, told: Iterable[tuple[int, Told]]) -> None:
        """Know further calendars, as (site, calendar)."""
        self._more += told

    def seconds(self, site: int | None, since: datetime, until: datetime, known_to: int | None = None) -> float | None:
        """Working seconds in [since, until); ``None`` where the site has no calendar for a day of it.

        ``known_to``: only calendars told before this place in the log count.
        """
        told = self._known(site, known_to)
        if not told:
            return None
        day = local_day(min(since, until), told[-1].time_zone)
        if all(one.valid_from > day for one in told):
            return None
        total = 0.0
        # A shift of the day before may last past midnight.
        day -= _ONE_DAY
        end = local_day(until, told[-1].time_zone)
        while day <= end:
            holding = next((one for one in told if one.valid_from <= day), None)
            hours = holding.hours(day) if holding is not None else None
            if holding is not None and hours is not None:
                opens, closes = open_between(day, *hours, holding.time_zone)
                if opens < until and closes > since:
                    total += (min(closes, until) - max(opens, since)).total_seconds()
            day += _ONE_DAY
        return total

    def _known(self, site: int | None, known_to: int | None) -> list[Told]:
        """The site's calendars, the one told last first."""
        if self._load is not None:
            self._more = [*self._load(), *self._more]
            self._load = None
        if self._more:
            for number, one in self._more:
                self._told.setdefault(number, []).append(one)
            for found in self._told.values():
                found.sort(key=lambda one: -one.seq)
            self._more = []
        found = self._told.get(site, []) if site is not None else []
        return found if known_to is None else [one for one in found if one.seq < known_to]


def told_calendar(row: tuple[Any, ...]) -> tuple[int, Told]:
    """A row of ``measure_calendar`` as (site, calendar)."""
    seq, site, valid_from, time_zone, week, closed = row
    return site, Told(valid_from, time_zone, week_of(week), closed_of(closed), seq)


def worked(connection: Connection) -> Worked:
    """Working time by every calendar that was told; one statement, with the first question."""
    query = select(CalendarRow.__table__)
    return Worked(lambda: [told_calendar(tuple(row)) for row in connection.execute(query)])


def as_instant(microseconds: int) -> datetime:
    """An instant kept as microseconds since 1970."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
