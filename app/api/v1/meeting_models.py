"""What programs send and read of a body's calendar."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from app.api.values import Answer, Body
from governance.programme.kinds import Rhythm
from governance.programme.meetings import BeginSeries, Which

MOST = 2**63 - 1


class MeetingBody(Body):
    """When a body meets once, and what for."""

    title: str = Field(min_length=1, max_length=200)
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    agenda: str = Field("", max_length=4000)
    place: str = Field("", max_length=200)


class SeriesBody(Body):
    """How often a body meets, in local times of one zone."""

    title: str = Field(min_length=1, max_length=200)
    rhythm: Rhythm
    weekday: int = Field(ge=0, le=6, description="0 is Monday.")
    week: int | None = Field(
        None, ge=1, le=5, description="Only for a monthly one: 1 to 4, or 5 for the last of the month."
    )
    begins_at: time
    minutes: int = Field(ge=1, le=1440)
    time_zone: str = Field(min_length=1, max_length=48)
    first_on: date
    until_on: date | None = None
    agenda: str = Field("", max_length=4000)
    place: str = Field("", max_length=200)

    def command(self, body_id: int) -> BeginSeries:
        """As the service takes it; a time is that of the zone named, whatever else it says."""
        given = {name: getattr(self, name) for name in SeriesBody.model_fields}
        return BeginSeries(**{**given, "begins_at": self.begins_at.replace(tzinfo=None), "body_id": body_id})


class ChangeSeriesBody(SeriesBody):
    """From ``first_on`` on it meets like this; until the day before, as it did."""

    reason: str = Field(min_length=1, max_length=2000)
    seen_sequence: int | None = Field(None, ge=0, le=10**9)


class EndSeriesBody(Body):
    """No meeting after this day."""

    last_on: date
    reason: str = Field(min_length=1, max_length=2000)
    seen_sequence: int | None = Field(None, ge=0, le=10**9)


class WhichBody(Body):
    """A meeting: its own id, or its series with the day on which that put it."""

    meeting: int | None = Field(None, ge=1, le=MOST)
    series: int | None = Field(None, ge=1, le=MOST)
    series_on: date | None = None
    reason: str = Field(min_length=1, max_length=2000)
    seen_sequence: int | None = Field(None, ge=0, le=10**9)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.meeting is None) == (self.series is None) or (self.series is None) != (self.series_on is None):
            raise ValueError("name the meeting, or its series and the day")
        return self

    def which(self) -> Which:
        """As the services find it."""
        return Which(meeting_id=self.meeting, series_id=self.series, series_on=self.series_on)


class MoveBody(WhichBody):
    """One meeting at another time."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime


class MeetingAnswer(Answer):
    """A meeting. ``id`` is null for one that only its series knows so far; ``sequence`` grows with each change."""

    id: int | None
    series: int | None
    series_on: date | None
    title: str
    starts_at: datetime
    ends_at: datetime
    agenda: str
    place: str
    sequence: int
    is_cancelled: bool
    was_moved: bool
    reason: str


class SeriesAnswer(Answer):
    """A series as it stands."""

    id: int
    title: str
    rhythm: str
    weekday: int
    week: int | None
    begins_at: time
    minutes: int
    time_zone: str
    first_on: date
    until_on: date | None
    ended_on: date | None
    sequence: int
    agenda: str
    place: str


class CalendarAnswer(Answer):
    """When a body meets: its meetings of the next eight weeks, called off or not, and its series."""

    meetings: list[MeetingAnswer]
    series: list[SeriesAnswer]
