"""When a body meets: once or in a series, moved or called off; calendars learn of each change by its sequence.

A series is never bent: what changes it from a day on ends it there and begins another, so that what was stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfoNotFoundError

from sqlalchemy import select

from erpcore.kernel.clock import local_day, zone
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.ids import uuid7s
from erpcore.kernel.work import UnitOfWork
from governance.programme.kinds import Rhythm
from governance.programme.models import Meeting, MeetingSeries
from governance.programme.permissions import ProgrammePermission
from governance.programme.recurrence import LAST_WEEK, Pattern, days_of, times_of
from governance.programme.seats import lock_body

#: A meeting of a series is looked for up to so far ahead.
FARTHEST = timedelta(days=800)
LONGEST_MINUTES = 24 * 60


@dataclass(frozen=True, kw_only=True)
class ScheduleMeeting:
    """When a body meets once, and what for."""

    body_id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    agenda: str = ""
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class BeginSeries:
    """A body meets again and again; ``week`` for a monthly one: 1 to 4, or 5 for the last of the month."""

    body_id: int
    title: str
    rhythm: Rhythm
    weekday: int
    begins_at: time
    minutes: int
    time_zone: str
    first_on: date
    until_on: date | None = None
    week: int | None = None
    agenda: str = ""
    place: str = ""

    def pattern(self) -> Pattern:
        """As the days are worked out."""
        return Pattern(
            rhythm=self.rhythm, weekday=self.weekday, begins_at=self.begins_at, minutes=self.minutes,
            time_zone=self.time_zone, first_on=self.first_on, until_on=self.until_on, week=self.week,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EndSeries:
    """No meeting of the series after ``last_on``."""

    series_id: int
    last_on: date
    reason: str
    seen_sequence: int | None = None


@dataclass(frozen=True, kw_only=True)
class Which:
    """A meeting: its own id, or the day that its series put it on."""

    meeting_id: int | None = None
    series_id: int | None = None
    series_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class MoveMeeting:
    """One meeting at another time; ``seen_sequence`` is that of the meeting as it was shown."""

    which: Which
    starts_at: datetime
    ends_at: datetime
    reason: str
    seen_sequence: int | None = None


@dataclass(frozen=True, kw_only=True)
class CancelMeeting:
    """One meeting is called off."""

    which: Which
    reason: str
    seen_sequence: int | None = None


def schedule_meeting(work: UnitOfWork, command: ScheduleMeeting) -> Meeting:
    """Put a meeting of a body into the calendar."""
    work.actor.require(ProgrammePermission.MANAGE)
    lock_body(work, command.body_id)
    _title(command.title)
    _times(command.starts_at, command.ends_at)
    meeting = Meeting(
        id=work.ids.one(), body_id=command.body_id, title=command.title.strip(), starts_at=command.starts_at,
        ends_at=command.ends_at, agenda=command.agenda, place=command.place.strip(), uid=_uid(work), sequence=0,
        changed_at=work.now, reason="",
    )  # fmt: skip
    work.session.add(meeting)
    work.audit("meeting.called", "meeting", meeting.id, body=command.body_id, starts_at=command.starts_at)
    return meeting


def begin_series(work: UnitOfWork, command: BeginSeries) -> MeetingSeries:
    """A body meets again and again. Raises ``RuleBroken`` for a series without a day, or a zone that is none."""
    work.actor.require(ProgrammePermission.MANAGE)
    lock_body(work, command.body_id)
    return _begin(work, command)


def _begin(work: UnitOfWork, command: BeginSeries) -> MeetingSeries:
    _check(command)
    series = MeetingSeries(
        id=work.ids.one(), body_id=command.body_id, uid=_uid(work), title=command.title.strip(), agenda=command.agenda,
        place=command.place.strip(), rhythm=command.rhythm, weekday=command.weekday, week=command.week,
        begins_at=command.begins_at, minutes=command.minutes, time_zone=command.time_zone, first_on=command.first_on,
        until_on=command.until_on, sequence=0, changed_at=work.now,
    )  # fmt: skip
    work.session.add(series)
    work.audit(
        "meeting_series.begun", "meeting_series", series.id, body=command.body_id, rhythm=command.rhythm,
        weekday=command.weekday, week=command.week, begins_at=command.begins_at.isoformat(), minutes=command.minutes,
        time_zone=command.time_zone, first_on=command.first_on, until_on=command.until_on,
    )  # fmt: skip
    return series


def end_series(work: UnitOfWork, command: EndSeries) -> MeetingSeries:
    """Call off all meetings after a day; those that were stay. Raises ``RuleBroken`` for one that has ended by then."""
    work.actor.require(ProgrammePermission.MANAGE)
    series = _locked_series(work, command.series_id)
    _end(work, series, command)
    return series


def change_series(work: UnitOfWork, old: EndSeries, new: BeginSeries) -> MeetingSeries:
    """The old series ends after ``old.last_on``, and ``new`` takes its place in the same unit of work.

    Raises ``RuleBroken`` where the new one would begin before the old one ends: both would meet.
    """
    work.actor.require(ProgrammePermission.MANAGE)
    series = _locked_series(work, old.series_id)
    if new.body_id != series.body_id:
        raise NotFound("series_not_found", series=old.series_id)
    if new.first_on <= old.last_on:
        raise RuleBroken("series_overlap", field="first_on", last_on=old.last_on)
    _end(work, series, old)
    return _begin(work, new)


def _end(work: UnitOfWork, series: MeetingSeries, command: EndSeries) -> None:
    _seen(series.sequence, command.seen_sequence)
    _reason(command.reason, "meeting series", "end")
    known = [day for day in (series.ended_on, series.until_on) if day is not None]
    if known and command.last_on >= min(known):
        raise RuleBroken("series_over", field="last_on", ended_on=min(known))
    if command.last_on < local_day(work.now, series.time_zone) - timedelta(days=1):
        raise RuleBroken("series_past", field="last_on", day=command.last_on)
    series.ended_on, series.sequence, series.changed_at = command.last_on, series.sequence + 1, work.now
    work.audit(
        "meeting_series.ended", "meeting_series", series.id, last_on=command.last_on, reason=command.reason.strip()
    )


def move_meeting(work: UnitOfWork, command: MoveMeeting) -> Meeting:
    """One meeting at another time; of a series, only that one. Raises ``Conflict`` when it was changed since it was seen."""
    work.actor.require(ProgrammePermission.MANAGE)
    _times(command.starts_at, command.ends_at)
    _reason(command.reason, "meeting", "move")
    meeting = _for_change(work, command.which, command.seen_sequence)
    before = meeting.starts_at
    meeting.starts_at, meeting.ends_at, meeting.reason = command.starts_at, command.ends_at, command.reason.strip()
    work.audit(
        "meeting.moved", "meeting", meeting.id, before=before, after=command.starts_at, reason=command.reason.strip()
    )
    return meeting


def cancel_meeting(work: UnitOfWork, command: CancelMeeting) -> Meeting:
    """One meeting is called off; it stays in calendars as such. Raises ``Conflict`` when it was changed since it was seen."""
    work.actor.require(ProgrammePermission.MANAGE)
    _reason(command.reason, "meeting", "cancel")
    meeting = _for_change(work, command.which, command.seen_sequence)
    meeting.cancelled_at, meeting.reason = work.now, command.reason.strip()
    work.audit("meeting.cancelled", "meeting", meeting.id, starts_at=meeting.starts_at, reason=command.reason.strip())
    return meeting


def _for_change(work: UnitOfWork, which: Which, seen: int | None) -> Meeting:
    """The meeting under its body's lock, with its next sequence; one of a series gets a row of its own."""
    meeting = _kept(work, which)
    series = _series_of(
        work, which if meeting is None else Which(series_id=meeting.series_id, series_on=meeting.series_on)
    )
    _seen((meeting.sequence if meeting else 0) + (series.sequence if series else 0), seen)
    if meeting is None:
        if series is None or which.series_on is None:
            raise NotFound("meeting_not_found")
        meeting = _out_of_series(work, series, which.series_on)
    if meeting.cancelled_at is not None:
        raise RuleBroken("meeting_cancelled", meeting=meeting.title)
    if meeting.ends_at <= work.now:
        raise RuleBroken("meeting_over", meeting=meeting.title)
    meeting.sequence, meeting.changed_at = meeting.sequence + 1, work.now
    return meeting


def _kept(work: UnitOfWork, which: Which) -> Meeting | None:
    """The meeting's own row, read under its body's lock; ``None`` where only its series knows it so far."""
    if which.meeting_id is not None:
        query = select(Meeting).where(Meeting.id == which.meeting_id)
    else:
        query = select(Meeting).where(Meeting.series_id == which.series_id, Meeting.series_on == which.series_on)
    if which.series_id is not None:
        _locked_series(work, which.series_id)
    else:
        body = work.session.scalar(query.with_only_columns(Meeting.body_id))
        if body is None:
            raise NotFound("meeting_not_found")
        lock_body(work, body)
    return work.session.scalar(query, execution_options={"populate_existing": True})


def _series_of(work: UnitOfWork, which: Which) -> MeetingSeries | None:
    if which.series_id is None:
        return None
    series = work.session.get_one(MeetingSeries, which.series_id, populate_existing=True)
    if series.ended_on is not None and which.series_on is not None and which.series_on > series.ended_on:
        raise RuleBroken("meeting_cancelled", meeting=series.title)
    return series


def _out_of_series(work: UnitOfWork, series: MeetingSeries, day: date) -> Meeting:
    pattern = pattern_of(series)
    if day not in days_of(pattern, day, day):
        raise NotFound("meeting_not_found")
    starts, ends = times_of(pattern, day)
    meeting = Meeting(
        id=work.ids.one(), body_id=series.body_id, title=series.title, starts_at=starts, ends_at=ends, agenda=series.agenda,
        place=series.place, uid=uid_of_day(series.uid, day), sequence=0, changed_at=work.now, series_id=series.id,
        series_on=day, reason="",
    )  # fmt: skip
    work.session.add(meeting)
    return meeting


def pattern_of(series: MeetingSeries) -> Pattern:
    """The series as its days are worked out."""
    return Pattern(
        rhythm=Rhythm(series.rhythm), weekday=series.weekday, begins_at=series.begins_at, minutes=series.minutes,
        time_zone=series.time_zone, first_on=series.first_on, until_on=series.until_on, week=series.week,
    )  # fmt: skip


def uid_of_day(uid: str, day: date) -> str:
    """What calendars know one meeting of a series by: the same before and after it was moved."""
    return f"{uid}-{day:%Y%m%d}"


def _locked_series(work: UnitOfWork, series_id: int) -> MeetingSeries:
    body = work.session.scalar(select(MeetingSeries.body_id).where(MeetingSeries.id == series_id))
    if body is None:
        raise NotFound("series_not_found", series=series_id)
    lock_body(work, body)
    return work.session.get_one(MeetingSeries, series_id, populate_existing=True)


def _check(command: BeginSeries) -> None:
    _title(command.title)
    if not 0 < command.minutes <= LONGEST_MINUTES:
        raise RuleBroken("meeting_length", field="minutes", most=LONGEST_MINUTES)
    if (command.rhythm is Rhythm.MONTHLY) != (command.week is not None):
        raise RuleBroken("week_of_month_missing", field="week")
    if not 0 <= command.weekday <= 6 or (command.week is not None and not 1 <= command.week <= LAST_WEEK):
        raise RuleBroken("series_without_day", field="weekday")
    try:
        zone(command.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RuleBroken("time_zone_unknown", field="time_zone", time_zone=command.time_zone) from None
    if not days_of(command.pattern(), command.first_on, command.until_on or command.first_on + FARTHEST):
        raise RuleBroken("series_without_day", field="until_on")


def _uid(work: UnitOfWork) -> str:
    return uuid7s(work.now, 1)[0]


def _seen(now: int, seen: int | None) -> None:
    if seen is not None and seen != now:
        raise Conflict("changed_meanwhile", document="meeting", seen=seen, now=now)


def _title(title: str) -> None:
    if not title.strip():
        raise RuleBroken("name_missing", field="title")


def _times(starts: datetime, ends: datetime) -> None:
    if ends <= starts:
        raise RuleBroken("end_before_start", field="ends_at", starts_at=starts, ends_at=ends)


def _reason(reason: str, document: str, move: str) -> None:
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document=document, move=move)
