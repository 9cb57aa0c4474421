"""The programme office of the demo: when its bodies meet, what figures read before, and who answers for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from app.composition.baselines import TakeBaseline, record_typed, say_who_answers, take_baseline
from app.composition.uow import reading
from app.demo.desk import Desk
from app.demo.rollout import Rollout
from governance.programme.calendar import calendar
from governance.programme.kinds import Rhythm
from governance.programme.meetings import BeginSeries, MoveMeeting, begin_series, move_meeting
from governance.programme.queries import bodies
from readiness.measures.baselines import NameOwner, TypeBaseline
from readiness.measures.catalogue import MEASURES

_ZONE = "Europe/Berlin"
#: Body → what for, how often, weekday, at what time, for how long, where, and what is on the table each time.
_MEETS = {
    "steering": ("Steering committee", Rhythm.FORTNIGHTLY, 3, time(10), 90, "Board room, Duisburg",
                 "Gates of the waves · conditions that fall due · risks above their threshold"),
    "pmo": ("Programme office", Rhythm.WEEKLY, 0, time(14), 45, "By video", "Plan, criteria, conditions, what waits for whom"),
}  # fmt: skip


class Before(NamedTuple):
    """A headline figure of the old systems, in base units, and what differs where it was made in another way."""

    figure: str
    value: str
    why_not: str = ""


_BEFORE = (
    Before("fill_rate_lines", "0.884"),
    Before("otif_lines", "0.792"),
    Before(
        "promise_accuracy", "0.861", "The old systems overwrote a promise when they gave another; the first is lost."
    ),
    Before("order_cycle_time.p90", "345600"),
    Before("touchless_rate", "0.47"),
    Before("order_exception_rate", "0.284"),
    Before("invoice_accuracy", "0.927"),
    Before("billing_cycle_time.p90", "216000"),
    Before("return_credit_time.p90", "1036800"),
    Before("inventory_adjustment_rate", "0.017", "Pratteln booked reversals as corrections of their own."),
)
#: Who answers, by what the catalogue calls them; nobody is the control owner yet.
_ANSWERS = {
    "fulfilment owner": "operations", "customer service owner": "process", "process owner": "process",
    "billing owner": "process.billing", "returns owner": "process.billing", "inventory owner": "data", "controller": "finance",
    "design authority": "process", "programme office": "pmo",
}  # fmt: skip


@dataclass
class Office:
    """What the office does, by its days."""

    desk: Desk
    rollout: Rollout

    def call_meetings(self) -> None:
        """The committee and the office meet, each in a series of its own, from the first day on."""
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

    def record_baselines(self) -> None:
        """What the old systems' reports said, and who answers for each measure from now on."""
        first, staff = self.desk.options.first, self.desk.staff
        with self.desk.work(staff["pmo"], "live", "screen") as work:
            for figure, value, why_not in _BEFORE:
                record_typed(
                    work,
                    TypeBaseline(
                        figure=figure, site=None, value=Decimal(value), period_from=first - timedelta(days=120),
                        period_until=first - timedelta(days=30), completeness=Decimal("0.96"),
                        method="All orders of Duisburg, Kassel, Pratteln and Leeds; direct deliveries are left out.",
                        source="Extract of the three old systems for the board's paper", is_comparable=not why_not,
                        why_not=why_not,
                    ),
                )  # fmt: skip
            for measure in MEASURES.values():
                who = _ANSWERS.get(measure.owner)
                if who is not None:
                    say_who_answers(
                        work, NameOwner(measure=measure.key, person=staff.ids[who], reason="Named at the kick-off")
                    )

    def take_counters(self) -> None:
        """The counters of Cologne and Leeds were on the core before: their first ten days are a baseline by our own formula."""
        first, staff = self.desk.options.first, self.desk.staff
        with self.desk.work(staff["pmo"], "live", "screen") as work:
            take_baseline(
                work,
                TakeBaseline(
                    figure="invoice_right_at_posting", realm="live", site=None, period_from=first,
                    period_until=first + timedelta(days=10), method="Counter sales of Cologne and Leeds, before wave 1.",
                ),
            )  # fmt: skip
