"""When do people work at a site, from which day on, and who said so?

A calendar is never changed: a new one holds from its first day on, and of two that hold on a day the one told later does.
What was worked stays as it was worked, so only a site's first calendar may begin in the past.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity, Site, SiteCalendar
from erpcore.published.sites import SiteCalendarSet

SET_CALENDAR = "masterdata:record:change"
#: Single days of rest that one calendar names; ten years of public holidays are fewer.
MOST_CLOSED_DAYS = 200

Hours = tuple[time, time]
"""Opening and closing of a day; a closing not after the opening lies on the next day, equal ones mean round the clock."""

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_encode = msgspec.json.Encoder().encode
_week_of = msgspec.json.Decoder(list[tuple[int, int] | None]).decode
_days_of = msgspec.json.Decoder(list[date]).decode


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The hours of a site from ``valid_from`` on: Monday to Sunday, ``None`` for a day of rest, and single closed days."""

    valid_from: date
    week: Sequence[Hours | None]
    closed: Sequence[date] = ()


@dataclass(frozen=True, kw_only=True)
class SetCalendar:
    """A live site's next calendar; its twins follow. ``seen`` is the number of the last one that the person saw, 0 for none."""

    site: int
    calendar: Calendar
    reason: str
    seen: int = 0


@dataclass(frozen=True, kw_only=True)
class CalendarView:
    """A calendar as it was told; ``number`` counts those of its site from 1."""

    site: int
    number: int
    valid_from: date
    week: tuple[Hours | None, ...]
    closed: tuple[date, ...]
    reason: str
    set_by: int
    set_at: datetime


class Rest(NamedTuple):
    """The single days on which a site rests, by one of its calendars."""

    site: int
    valid_from: date
    days: frozenset[date]

    @classmethod
    def of(cls, site: int, valid_from: date, closed: str) -> Rest:
        return cls(site, valid_from, frozenset(_days_of(closed)))


def common_rest(told: Iterable[Rest]) -> frozenset[date]:
    """The single days on which all these sites rest by the calendars that hold on them, as public holidays are; of each site in
    the order they were told. Sites without a calendar say nothing.
    """
    of_site: dict[int, list[Rest]] = defaultdict(list)
    for one in told:
        of_site[one.site].append(one)

    def is_common(day: date) -> bool:
        holding = [next((one for one in reversed(known) if one.valid_from <= day), None) for known in of_site.values()]
        return any(holding) and all(day in one.days for one in holding if one is not None)

    named = {day for known in of_site.values() for one in known for day in one.days}
    return frozenset(day for day in named if is_common(day))


def company_rest(session: Session, entity: int) -> frozenset[date]:
    """The single days on which all sites of a company rest. One query."""
    query = (
        select(SiteCalendar.site_id, SiteCalendar.valid_from, SiteCalendar.closed)
        .join(Site, Site.id == SiteCalendar.site_id)
        .where(Site.entity_id == entity)
        .order_by(SiteCalendar.site_id, SiteCalendar.number)
    )
    return common_rest(Rest.of(*row) for row in session.execute(query))


def workdays(opens: time, closes: time) -> tuple[Hours | None, ...]:
    """The same hours from Monday to Friday."""
    return (*[(opens, closes)] * 5, None, None)


def set_calendars(work: UnitOfWork, commands: Sequence[SetCalendar]) -> list[CalendarView]:
    """Tell live sites' calendars and publish them, for their twins too; kept in the audit trail.

    Raises ``NotFound`` for a site that is not there, ``Conflict`` where another calendar was told meanwhile, ``RuleBroken`` for
    hours that overlap, a week without work, a first day that is not ahead.
    """
    told: list[CalendarView] = []
    for command in commands:
        work.actor.require(SET_CALENDAR, site=command.site)
        query = select(Site).where(Site.id == command.site).with_for_update(key_share=True)
        site = work.session.execute(query).scalar_one_or_none()
        if site is None:
            raise NotFound("not_found")
        if site.twin_id is not None:
            raise RuleBroken("calendar_of_twin", site=site.code)
        if not command.reason.strip():
            raise RuleBroken("calendar_reason_missing", field="reason", site=site.code)
        known = calendars_of(work.session, [site.id])
        if command.seen != len(known):
            raise Conflict("calendar_changed", site=site.code, set_at=known[-1].set_at if known else work.now)
        _check(command.calendar, site)
        if known and command.calendar.valid_from <= local_day(work.now, site.time_zone):
            raise RuleBroken("calendar_from_past", field="valid_from", site=site.code, day=command.calendar.valid_from)
        twins = work.session.scalars(select(Site).where(Site.twin_id == site.id).order_by(Site.id))
        told += [tell_calendar(work, one, command.calendar, command.reason) for one in (site, *twins)]
    return told


def tell_calendar(work: UnitOfWork, site: Site, calendar: Calendar, reason: str) -> CalendarView:
    """Keep a site's calendar and publish it. Raises ``RuleBroken`` as ``set_calendars`` does; nobody is asked for permission."""
    _check(calendar, site)
    closed = sorted(set(calendar.closed))
    told = select(func.count()).select_from(SiteCalendar).where(SiteCalendar.site_id == site.id)
    number = work.session.execute(told).scalar_one() + 1
    row = SiteCalendar(
        site_id=site.id, number=number, valid_from=calendar.valid_from, week=_encode(_minutes(calendar)).decode(),
        closed=_encode(closed).decode(), reason=reason, set_by=work.actor.id, set_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    realm = work.session.execute(select(Entity.realm).where(Entity.id == site.entity_id)).scalar_one()
    place = Place(realm, site.entity_id, site.id, time_zone=site.time_zone)
    event = SiteCalendarSet(
        valid_from=calendar.valid_from, time_zone=site.time_zone, week=_minutes(calendar), closed=closed
    )
    work.audit(
        "site_calendar.set",
        "site",
        site.id,
        valid_from=calendar.valid_from,
        week=_minutes(calendar),
        closed=closed,
        reason=reason,
    )
    work.publish(event, place, step="master_data.site", subject=("site", site.id, number), journey=site.id)
    return _view(row)


def calendars_of(session: Session, sites: Sequence[int]) -> list[CalendarView]:
    """The calendars of these sites, of each in the order they were told."""
    query = (
        select(SiteCalendar).where(SiteCalendar.site_id.in_(sites)).order_by(SiteCalendar.site_id, SiteCalendar.number)
    )
    return [_view(row) for row in session.scalars(query)]


def calendar_on(calendars: Sequence[CalendarView], day: date) -> CalendarView | None:
    """The calendar of a site that holds on a day: the last told of those that have begun."""
    return next((one for one in reversed(calendars) if one.valid_from <= day), None)


def _view(row: SiteCalendar) -> CalendarView:
    week = tuple(None if hours is None else (_clock(hours[0]), _clock(hours[1])) for hours in _week_of(row.week))
    return CalendarView(
        site=row.site_id, number=row.number, valid_from=row.valid_from, week=week, closed=tuple(_days_of(row.closed)),
        reason=row.reason, set_by=row.set_by, set_at=row.set_at,
    )  # fmt: skip


def _clock(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


def _minutes(calendar: Calendar) -> list[tuple[int, int] | None]:
    return [
        None if hours is None else (hours[0].hour * 60 + hours[0].minute, hours[1].hour * 60 + hours[1].minute)
        for hours in calendar.week
    ]


def _check(calendar: Calendar, site: Site) -> None:
    week = _minutes(calendar)
    if len(week) != len(DAYS):
        raise RuleBroken("calendar_week_unfit", field="week", site=site.code, days=len(week))
    if any(at.second or at.microsecond or at.tzinfo for hours in calendar.week if hours for at in hours):
        raise RuleBroken("calendar_not_minutes", field="week", site=site.code)
    if not any(week):
        raise RuleBroken("calendar_never_open", field="week", site=site.code)
    if len(set(calendar.closed)) > MOST_CLOSED_DAYS:
        raise RuleBroken(
            "calendar_closed_too_often", field="closed", site=site.code, days=len(set(calendar.closed)),
            most=MOST_CLOSED_DAYS,
        )  # fmt: skip
    for number, hours in enumerate(week):
        following = week[(number + 1) % len(week)]
        # What closes on the next day must have closed when that opens.
        if hours is not None and following is not None and following[0] < hours[1] <= hours[0]:
            raise RuleBroken("calendar_hours_overlap", field="week", site=site.code, day=DAYS[number])
