"""Which meetings are in the calendar: single ones, and the days of each series with what was moved or called off."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from governance.programme.meetings import Which, pattern_of, uid_of_day
from governance.programme.models import Meeting, MeetingSeries
from governance.programme.recurrence import Pattern, days_of, times_of

#: Meetings of a series are listed for so long.
AHEAD = timedelta(weeks=8)
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class MeetingView:
    """A meeting. ``id`` is ``None`` for one that only its series knows; ``sequence`` grows with each change of it.

    ``was_moved``: its series had put it on another time.
    """

    id: int | None
    series_id: int | None
    series_on: date | None
    body_id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    agenda: str
    place: str
    uid: str
    sequence: int
    changed_at: datetime
    is_cancelled: bool
    was_moved: bool
    reason: str

    @property
    def which(self) -> Which:
        """As the services find it."""
        if self.series_id is not None:
            return Which(series_id=self.series_id, series_on=self.series_on)
        return Which(meeting_id=self.id)


@dataclass(frozen=True, kw_only=True)
class SeriesView:
    """A series as it stands."""

    id: int
    body_id: int
    title: str
    agenda: str
    place: str
    pattern: Pattern
    ended_on: date | None
    sequence: int


def meetings(session: Session, *, since: datetime, body_id: int | None = None) -> list[MeetingView]:
    """Meetings that take place and end after ``since``, in order of time; those of a series up to eight weeks ahead. Two queries."""
    found = calendar(session, since=since, until=since + AHEAD, bodies=None if body_id is None else {body_id})
    return [one for one in found if not one.is_cancelled]


def calendar(
    session: Session, *, since: datetime, until: datetime, bodies: Collection[int] | None = None
) -> list[MeetingView]:
    """All meetings that end after ``since``, called off or not, in order of time; those of a series begin before ``until``.

    Two queries.
    """
    meets = and_(
        MeetingSeries.first_on <= (until + _DAY).date(),
        or_(MeetingSeries.until_on.is_(None), MeetingSeries.until_on >= (since - _DAY).date()),
    )
    # A meeting may be moved beyond the last day of its series.
    known = select(MeetingSeries).where(
        or_(meets, MeetingSeries.id.in_(select(Meeting.series_id).where(Meeting.ends_at > since)))
    )
    rows = select(Meeting).where(or_(Meeting.ends_at > since, Meeting.series_on >= (since - _DAY).date()))
    if bodies is not None:
        known, rows = known.where(MeetingSeries.body_id.in_(bodies)), rows.where(Meeting.body_id.in_(bodies))
    series = {one.id: one for one in session.scalars(known)}
    known_rows = session.scalars(rows).all()
    kept: dict[tuple[int | None, date | None], Meeting] = {
        (one.series_id, one.series_on): one for one in known_rows if one.series_id is not None
    }
    alone = [one for one in known_rows if one.series_id is None]
    found = [_single(one) for one in alone]
    for one in series.values():
        found += _of_series(one, kept, since, until)
    # Those that were moved into the window from a day outside it.
    listed = {(one.series_id, one.series_on) for one in found}
    found += [
        _moved(row, series[row.series_id])
        for key, row in kept.items()
        if key not in listed and row.series_id in series and row.ends_at > since
    ]
    return sorted((one for one in found if one.ends_at > since), key=lambda one: (one.starts_at, one.uid))


def _single(row: Meeting) -> MeetingView:
    return MeetingView(
        id=row.id, series_id=None, series_on=None, body_id=row.body_id, title=row.title, starts_at=row.starts_at,
        ends_at=row.ends_at, agenda=row.agenda, place=row.place, uid=row.uid, sequence=row.sequence, changed_at=row.changed_at,
        is_cancelled=row.cancelled_at is not None, was_moved=row.sequence > 0 and row.cancelled_at is None, reason=row.reason,
    )  # fmt: skip


def _of_series(
    series: MeetingSeries, kept: dict[tuple[int | None, date | None], Meeting], since: datetime, until: datetime
) -> list[MeetingView]:
    pattern = pattern_of(series)
    first, last = local_day(since - _DAY, series.time_zone), local_day(until, series.time_zone)
    found = []
    for day in days_of(pattern, first, last):
        row = kept.get((series.id, day))
        found.append(_planned(series, pattern, day) if row is None else _moved(row, series))
    return found


def _planned(series: MeetingSeries, pattern: Pattern, day: date) -> MeetingView:
    starts, ends = times_of(pattern, day)
    return MeetingView(
        id=None, series_id=series.id, series_on=day, body_id=series.body_id, title=series.title, starts_at=starts, ends_at=ends,
        agenda=series.agenda, place=series.place, uid=uid_of_day(series.uid, day), sequence=series.sequence,
        changed_at=series.changed_at, is_cancelled=_is_after_end(series, day), was_moved=False, reason="",
    )  # fmt: skip


def _moved(row: Meeting, series: MeetingSeries) -> MeetingView:
    day = row.series_on
    is_cancelled = row.cancelled_at is not None or (day is not None and _is_after_end(series, day))
    planned = None if day is None else times_of(pattern_of(series), day)
    return MeetingView(
        id=row.id, series_id=series.id, series_on=day, body_id=row.body_id, title=row.title, starts_at=row.starts_at,
        ends_at=row.ends_at, agenda=row.agenda, place=row.place, uid=row.uid, sequence=row.sequence + series.sequence,
        changed_at=max(row.changed_at, series.changed_at), is_cancelled=is_cancelled,
        was_moved=planned != (row.starts_at, row.ends_at), reason=row.reason,
    )  # fmt: skip


def _is_after_end(series: MeetingSeries, day: date) -> bool:
    return series.ended_on is not None and day > series.ended_on


def find_meeting(session: Session, which: Which, body_id: int) -> MeetingView:
    """One meeting of a body as it stands. Raises ``NotFound``."""
    if which.meeting_id is not None:
        row = session.get(Meeting, which.meeting_id)
        if row is not None and row.body_id == body_id:
            return _single(row) if row.series_id is None else _moved(row, session.get_one(MeetingSeries, row.series_id))
    elif which.series_id is not None and which.series_on is not None:
        series = session.get(MeetingSeries, which.series_id)
        if series is not None and series.body_id == body_id:
            row = session.scalar(
                select(Meeting).where(Meeting.series_id == series.id, Meeting.series_on == which.series_on)
            )
            if row is not None:
                return _moved(row, series)
            if days_of(pattern_of(series), which.series_on, which.series_on):
                return _planned(series, pattern_of(series), which.series_on)
    raise NotFound("meeting_not_found")


def series_of_body(session: Session, body_id: int) -> list[SeriesView]:
    """The series of a body, the newest first. One query."""
    rows = session.scalars(
        select(MeetingSeries).where(MeetingSeries.body_id == body_id).order_by(MeetingSeries.id.desc())
    )
    return [_series(row) for row in rows]


def find_series(session: Session, series_id: int, body_id: int) -> SeriesView:
    """One series of a body. Raises ``NotFound``."""
    row = session.get(MeetingSeries, series_id)
    if row is None or row.body_id != body_id:
        raise NotFound("series_not_found", series=series_id)
    return _series(row)


def _series(row: MeetingSeries) -> SeriesView:
    return SeriesView(
        id=row.id, body_id=row.body_id, title=row.title, agenda=row.agenda, place=row.place, pattern=pattern_of(row),
        ended_on=row.ended_on, sequence=row.sequence,
    )  # fmt: skip
