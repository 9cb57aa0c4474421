"""The forms of a body's calendar: a meeting once, a series, and what moves, ends or calls off."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, Final

from wtforms import (
    DateField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.kernel.clock import zone
from governance.programme.calendar import MeetingView, SeriesView
from governance.programme.kinds import Rhythm
from governance.programme.meetings import LONGEST_MINUTES, BeginSeries

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKS: Final = {0: "–", 1: "first", 2: "second", 3: "third", 4: "fourth", 5: "last"}
RHYTHMS: Final = {
    Rhythm.WEEKLY: "Every week", Rhythm.FORTNIGHTLY: "Every second week", Rhythm.MONTHLY: "Once a month",
}  # fmt: skip
_LOCAL: Final = "%Y-%m-%dT%H:%M"


def rhythm_text(series: SeriesView) -> str:
    """How often a series meets, as people say it."""
    pattern = series.pattern
    day = WEEKDAYS[pattern.weekday]
    if pattern.rhythm is Rhythm.MONTHLY:
        return f"{WEEKS[pattern.week or 1].capitalize()} {day} of the month"
    return f"Every {day}" if pattern.rhythm is Rhythm.WEEKLY else f"Every second {day}"


class MeetingForm(KeyedForm):
    """When a body meets once, and what for."""

    title = StringField("What for", [InputRequired("Say what for"), Length(max=200)])
    starts_at = DateTimeLocalField("Begins", [InputRequired("Choose when it begins")], format=_LOCAL)
    ends_at = DateTimeLocalField("Ends", [InputRequired("Choose when it ends")], format=_LOCAL)
    place = StringField("Place", [Optional(), Length(max=200)], description="A room, or the address of a call.")
    agenda = TextAreaField("Agenda", [Optional(), Length(max=4000)])


class SeriesForm(KeyedForm):
    """How often a body meets, on which day, at what time of which place."""

    title = StringField("What for", [InputRequired("Say what for"), Length(max=200)])
    rhythm = SelectField("How often", choices=choices((key.value, text) for key, text in RHYTHMS.items()))
    weekday = SelectField("On", coerce=int, choices=choices(enumerate(WEEKDAYS)))
    week = SelectField(
        "Week of the month", coerce=int, choices=choices(WEEKS.items()), default=0, description="Only for once a month."
    )
    begins_at = TimeField("Begins at", [InputRequired("Enter the time")])
    minutes = IntegerField(
        "Takes, minutes", [InputRequired("Enter how long"), NumberRange(1, LONGEST_MINUTES)], default=60
    )
    time_zone = StringField(
        "Time zone",
        [InputRequired("Enter the zone"), Length(max=48)],
        description="Ten o'clock there, summer and winter.",
    )
    first_on = DateField("From", [InputRequired("Choose the first day")])
    until_on = DateField("Until", [Optional()], description="Empty: open.")
    place = StringField("Place", [Optional(), Length(max=200)], description="A room, or the address of a call.")
    agenda = TextAreaField("Agenda", [Optional(), Length(max=4000)])

    def command(self, body_id: int) -> BeginSeries:
        """The series that was typed; only called once the form is valid."""
        first: Any = self.first_on.data
        return BeginSeries(
            body_id=body_id, title=str(self.title.data), rhythm=Rhythm(self.rhythm.data), weekday=int(self.weekday.data),
            week=int(self.week.data) or None, begins_at=self.begins_at.data or time(), minutes=int(self.minutes.data or 0),
            time_zone=str(self.time_zone.data), first_on=first, until_on=self.until_on.data,
            agenda=str(self.agenda.data or ""), place=str(self.place.data or ""),
        )  # fmt: skip


class ChangeSeriesForm(SeriesForm):
    """Another rhythm from a day on."""

    reason = StringField("Reason", [InputRequired("Say why"), Length(max=2000)])
    version = HiddenField()

    def fill(self, series: SeriesView) -> None:
        """What holds now stands in the fields."""
        pattern = series.pattern
        self.title.data, self.place.data, self.agenda.data = series.title, series.place, series.agenda
        self.rhythm.data, self.weekday.data, self.week.data = pattern.rhythm.value, pattern.weekday, pattern.week or 0
        self.begins_at.data, self.minutes.data = pattern.begins_at, pattern.minutes
        self.time_zone.data, self.until_on.data = pattern.time_zone, pattern.until_on
        self.version.data = str(series.sequence)


class EndSeriesForm(Form):
    """No meeting after a day."""

    last_on = DateField("Meets until", [InputRequired("Choose the last day")])
    reason = StringField("Reason", [InputRequired("Say why"), Length(max=2000)])
    version = HiddenField()


class MoveForm(Form):
    """One meeting at another time."""

    starts_at = DateTimeLocalField("Begins", [InputRequired("Choose when it begins")], format=_LOCAL)
    ends_at = DateTimeLocalField("Ends", [InputRequired("Choose when it ends")], format=_LOCAL)
    reason = StringField("Reason", [InputRequired("Say why"), Length(max=2000)])
    version = HiddenField()

    def fill(self, meeting: MeetingView, time_zone: str) -> None:
        """The times as they stand, where the person is."""
        self.starts_at.data, self.ends_at.data = (
            _there(meeting.starts_at, time_zone),
            _there(meeting.ends_at, time_zone),
        )
        self.version.data = str(meeting.sequence)


class CancelForm(Form):
    """One meeting called off."""

    reason = StringField("Reason", [InputRequired("Say why"), Length(max=2000)])
    version = HiddenField()


def _there(at: datetime, time_zone: str) -> datetime:
    return at.astimezone(zone(time_zone)).replace(tzinfo=None)
