"""The programme office of the demo: when its bodies meet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta

from app.composition.uow import reading
from app.demo.desk import Desk
from app.demo.rollout import Rollout
from governance.programme.calendar import calendar
from governance.programme.kinds import Rhythm
from governance.programme.meetings import BeginSeries, MoveMeeting, begin_series, move_meeting
from governance.programme.queries import bodies

_ZONE = "Europe/Berlin"
#: Body → what for, how often, weekday, at what time, for how long, where, and what is on the table each time.
_MEETS = {
    "steering": ("Steering committee", Rhythm.FORTNIGHTLY, 3, time(10), 90, "Board room, Duisburg",
                 "Gates of the waves · conditions that fall due · risks above their threshold"),
    "pmo": ("Programme office", Rhythm.WEEKLY, 0, time(14), 45, "By video", "Plan, criteria, conditions, what waits for whom"),
}  # fmt: skip


@dataclass
class Office:
    """What the office does, by its days."""

    desk: Desk
    rollout: Rollout

    def call_meetings(self) -> None:
        """Every body meets in a series of its own from the first day on."""
        with reading(self.desk.database) as session:
            known = {
                one.code: one.id for one in bodies(session, self.desk.clock.now(), programme_id=self.rollout.programme)
            }
        with self.desk.work(self.desk.staff["pmo"], "live", "screen") as work:
            for code, (title, rhythm, weekday, begins, minutes, place, agenda) in _MEETS.items():
                begin_series(
                    work,
                    BeginSeries(
                        body_id=known[code], title=title, rhythm=rhythm, weekday=weekday, begins_at=begins, minutes=minutes,
                        time_zone=_ZONE, first_on=self.desk.options.first, place=place, agenda=agenda,
                    ),
                )  # fmt: skip

    def move_next(self, day: date) -> None:
        """The committee's next meeting after ``day`` is a day later, since its chair travels."""
        now = self.desk.clock.now()
        with self.desk.work(self.desk.staff["pmo"], "live", "screen") as work:
            planned = calendar(work.session, since=now, until=now + timedelta(days=30), bodies={self.rollout.body})
            next_one = next(one for one in planned if one.series_on is not None and one.series_on > day)
            move_meeting(
                work,
                MoveMeeting(
                    which=next_one.which, starts_at=next_one.starts_at + timedelta(days=1),
                    ends_at=next_one.ends_at + timedelta(days=1), reason="The sponsor is in Basel that day.",
                ),
            )  # fmt: skip
