"""Site calendars for programs."""

from __future__ import annotations

from datetime import date, datetime, time

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition.request import reader
from app.queries.places import realm_of_site
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.calendars import MOST_CLOSED_DAYS, Calendar, SetCalendar, calendars_of, set_calendars

TAG = "Measures"


class CalendarAnswer(Answer):
    """Hours of a site from a day on: Monday to Sunday, ``null`` for a day of rest. ``number`` counts from 1."""

    number: int
    valid_from: date
    week: list[tuple[time, time] | None]
    closed: list[date]
    reason: str
    set_at: datetime


class CalendarsAnswer(Answer):
    """A live site's calendars in the order they were told; of those that have begun the last holds."""

    items: list[CalendarAnswer]


class CalendarBody(Body):
    """The next calendar. ``seen`` is the number of the last one, 0 where there is none."""

    valid_from: date
    week: list[tuple[time, time] | None] = Field(min_length=7, max_length=7)
    closed: list[date] = Field(default_factory=list, max_length=MOST_CLOSED_DAYS)
    reason: str = Field(min_length=1, max_length=200)
    seen: int = Field(0, ge=0)


def _live(site_id: int) -> None:
    if realm_of_site(reader(), actor(), site_id) != "live":
        raise NotFound("not_found")


@operation(
    "GET", "/sites/{site_id}/calendars", permission=Permission.MEASURE_VIEW, summary="Calendars of a site", tag=TAG,
    answer=CalendarsAnswer,
)  # fmt: skip
def list_site_calendars(site_id: int) -> CalendarsAnswer:
    _live(site_id)
    return CalendarsAnswer(items=[CalendarAnswer.model_validate(one) for one in calendars_of(reader(), [site_id])])


@operation(
    "POST", "/sites/{site_id}/calendars", permission=Permission.MASTERDATA_CHANGE, summary="Set a site's next calendar",
    tag=TAG, body=CalendarBody, answer=CalendarsAnswer,
    example={
        "valid_from": "2027-01-01", "week": [["07:00", "18:00"]] * 5 + [None, None], "closed": ["2027-05-01"],
        "reason": "longer hours", "seen": 1,
    },
)  # fmt: skip
def set_site_calendar(work: UnitOfWork, site_id: int, body: CalendarBody) -> CalendarsAnswer:
    _live(site_id)
    calendar = Calendar(valid_from=body.valid_from, week=body.week, closed=body.closed)
    set_calendars(work, [SetCalendar(site=site_id, calendar=calendar, reason=body.reason, seen=body.seen)])
    return CalendarsAnswer(items=[CalendarAnswer.model_validate(one) for one in calendars_of(work.session, [site_id])])
