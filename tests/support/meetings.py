"""Meetings of a committee: its series as it is begun."""

from __future__ import annotations

from datetime import date, time

from governance.programme.kinds import Rhythm
from governance.programme.meetings import BeginSeries


def weekly(steered, **given):
    """The steering committee meets on Wednesdays at ten for an hour, from 2 March 2026 on."""
    return BeginSeries(
        **{
            "body_id": steered.steering, "title": "Steering committee", "rhythm": Rhythm.WEEKLY, "weekday": 2,
            "begins_at": time(10), "minutes": 60, "time_zone": "Europe/Berlin", "first_on": date(2026, 3, 2), **given,
        }
    )  # fmt: skip
