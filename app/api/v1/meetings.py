"""When a body meets: meetings and series, moved, ended and called off."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.api.framework import operation
from app.api.v1.meeting_models import (
    CalendarAnswer,
    ChangeSeriesBody,
    EndSeriesBody,
    MeetingAnswer,
    MeetingBody,
    MoveBody,
    SeriesAnswer,
    SeriesBody,
    WhichBody,
)
from app.composition import programme_office as office
from app.composition.request import now, reader
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork
from governance.programme import calendar, meetings, queries

_RHYTHM = {
    "title": "Design authority", "rhythm": "fortnightly", "weekday": 2, "begins_at": "10:00", "minutes": 60,
    "time_zone": "Europe/Berlin", "first_on": "2027-01-13",
}  # fmt: skip


def meeting_answer(one: calendar.MeetingView) -> MeetingAnswer:
    """A meeting as programs read it."""
    return MeetingAnswer(
        id=one.id, series=one.series_id, series_on=one.series_on, title=one.title, starts_at=one.starts_at, ends_at=one.ends_at,
        agenda=one.agenda, place=one.place, sequence=one.sequence, is_cancelled=one.is_cancelled, was_moved=one.was_moved,
        reason=one.reason,
    )  # fmt: skip


def _series_answer(one: calendar.SeriesView) -> SeriesAnswer:
    pattern = one.pattern
    return SeriesAnswer(
        id=one.id, title=one.title, rhythm=pattern.rhythm.value, weekday=pattern.weekday, week=pattern.week,
        begins_at=pattern.begins_at, minutes=pattern.minutes, time_zone=pattern.time_zone, first_on=pattern.first_on,
        until_on=pattern.until_on, ended_on=one.ended_on, sequence=one.sequence, agenda=one.agenda, place=one.place,
    )  # fmt: skip


def _calendar(session: office.Session, body_id: int, at: datetime) -> CalendarAnswer:
    queries.body(session, body_id, at)
    found = calendar.calendar(session, since=at, until=at + timedelta(weeks=8), bodies={body_id})
    return CalendarAnswer(
        meetings=[meeting_answer(one) for one in found],
        series=[_series_answer(one) for one in calendar.series_of_body(session, body_id)],
    )


def _read_back(work: UnitOfWork, body_id: int) -> CalendarAnswer:
    work.session.flush()  # the answer is read back with queries
    return _calendar(work.session, body_id, work.now)


@operation(
    "GET", "/bodies/{body_id}/calendar", permission=Permission.PROGRAMME_VIEW, summary="When a body meets", tag="Programme",
    answer=CalendarAnswer,
)  # fmt: skip
def show_calendar(body_id: int) -> CalendarAnswer:
    return _calendar(reader(), body_id, now())


@operation(
    "POST", "/bodies/{body_id}/meetings", permission=Permission.PROGRAMME_MANAGE, summary="Put a meeting into the calendar",
    tag="Programme", body=MeetingBody, answer=CalendarAnswer, status=201,
    example={"title": "Go-live of W2", "starts_at": "2027-01-25T09:00:00Z", "ends_at": "2027-01-25T10:00:00Z"},
)  # fmt: skip
def schedule_a_meeting(work: UnitOfWork, body_id: int, body: MeetingBody) -> CalendarAnswer:
    meetings.schedule_meeting(work, meetings.ScheduleMeeting(body_id=body_id, **dict(body)))
    return _read_back(work, body_id)


@operation(
    "POST", "/bodies/{body_id}/series", permission=Permission.PROGRAMME_MANAGE, summary="Let a body meet in a series",
    tag="Programme", body=SeriesBody, answer=CalendarAnswer, status=201, example=_RHYTHM,
)  # fmt: skip
def begin_a_series(work: UnitOfWork, body_id: int, body: SeriesBody) -> CalendarAnswer:
    meetings.begin_series(work, body.command(body_id))
    return _read_back(work, body_id)


@operation(
    "POST", "/bodies/{body_id}/series/{series_id}/change", permission=Permission.PROGRAMME_MANAGE,
    summary="Change a series from a day on", tag="Programme", body=ChangeSeriesBody, answer=CalendarAnswer,
    example={**_RHYTHM, "reason": "the committee moves to Wednesdays"},
)  # fmt: skip
def change_a_series(work: UnitOfWork, body_id: int, series_id: int, body: ChangeSeriesBody) -> CalendarAnswer:
    calendar.find_series(work.session, series_id, body_id)
    old = meetings.EndSeries(
        series_id=series_id, last_on=body.first_on - timedelta(days=1), reason=body.reason, seen_sequence=body.seen_sequence
    )  # fmt: skip
    meetings.change_series(work, old, body.command(body_id))
    return _read_back(work, body_id)


@operation(
    "POST", "/bodies/{body_id}/series/{series_id}/end", permission=Permission.PROGRAMME_MANAGE, summary="End a series",
    tag="Programme", body=EndSeriesBody, answer=CalendarAnswer, example={"last_on": "2027-03-31", "reason": "the wave is live"},
)  # fmt: skip
def end_a_series(work: UnitOfWork, body_id: int, series_id: int, body: EndSeriesBody) -> CalendarAnswer:
    calendar.find_series(work.session, series_id, body_id)
    meetings.end_series(work, meetings.EndSeries(series_id=series_id, **dict(body)))
    return _read_back(work, body_id)


@operation(
    "POST", "/bodies/{body_id}/meetings/move", permission=Permission.PROGRAMME_MANAGE, summary="Move one meeting",
    tag="Programme", body=MoveBody, answer=CalendarAnswer,
    example={"series": 5, "series_on": "2027-01-27", "starts_at": "2027-01-28T09:00:00Z", "ends_at": "2027-01-28T10:00:00Z",
             "reason": "the sponsor travels"},
)  # fmt: skip
def move_a_meeting(work: UnitOfWork, body_id: int, body: MoveBody) -> CalendarAnswer:
    calendar.find_meeting(work.session, body.which(), body_id)
    command = meetings.MoveMeeting(
        which=body.which(), starts_at=body.starts_at, ends_at=body.ends_at, reason=body.reason, seen_sequence=body.seen_sequence
    )  # fmt: skip
    meetings.move_meeting(work, command)
    return _read_back(work, body_id)


@operation(
    "POST", "/bodies/{body_id}/meetings/cancel", permission=Permission.PROGRAMME_MANAGE, summary="Call one meeting off",
    tag="Programme", body=WhichBody, answer=CalendarAnswer,
    example={"series": 5, "series_on": "2027-01-27", "reason": "nothing to decide"},
)  # fmt: skip
def cancel_a_meeting(work: UnitOfWork, body_id: int, body: WhichBody) -> CalendarAnswer:
    calendar.find_meeting(work.session, body.which(), body_id)
    command = meetings.CancelMeeting(which=body.which(), reason=body.reason, seen_sequence=body.seen_sequence)
    meetings.cancel_meeting(work, command)
    return _read_back(work, body_id)
