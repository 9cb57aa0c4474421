"""Working hours: weekends, closing time, round the clock, and the hour that a change of the clock adds."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from readiness.measures.hours import limit_passed_before, working_time
from readiness.measures.ports import SiteCalendar

BERLIN = SiteCalendar("Europe/Berlin", time(7), time(18))
NIGHT = SiteCalendar("Europe/Berlin", time(22), time(6))
ALWAYS = SiteCalendar("UTC", time(0), time(0))
FRIDAY_16 = datetime(2026, 3, 6, 15, 0, tzinfo=UTC)


def test_the_weekend_does_not_count():
    monday_9 = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
    assert working_time(FRIDAY_16, monday_9, BERLIN) == timedelta(hours=4)


def test_outside_opening_hours_nothing_passes():
    assert working_time(FRIDAY_16 + timedelta(hours=3), FRIDAY_16 + timedelta(hours=40), BERLIN) == timedelta()


def test_nothing_passes_backwards():
    assert working_time(FRIDAY_16, FRIDAY_16 - timedelta(hours=5), BERLIN) == timedelta()


def test_a_shift_past_midnight_belongs_to_the_day_it_began_on():
    # Friday 22:00 to Saturday 06:00 is Friday's; Saturday's does not take place.
    friday, sunday = datetime(2026, 3, 6, 12, 0, tzinfo=UTC), datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
    assert working_time(friday, sunday, NIGHT) == timedelta(hours=8)


def test_equal_times_mean_round_the_clock():
    wednesday = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    assert working_time(wednesday, wednesday + timedelta(hours=30), ALWAYS) == timedelta(hours=30)


def test_the_night_in_which_clocks_go_forward_is_an_hour_shorter():
    calendar = SiteCalendar("Europe/Berlin", time(0), time(0))
    # Clocks change on Sunday 29 March; Friday and Monday are untouched, so look at a Sunday as the week's edge.
    friday, monday = datetime(2026, 3, 27, 12, 0, tzinfo=UTC), datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
    assert working_time(friday, monday, calendar) == timedelta(hours=11 + 14)


@given(
    after=st.integers(-20_000_000, 20_000_000),
    waited=st.integers(0, 400_000),
    limit=st.integers(1, 60),
    calendar=st.sampled_from((BERLIN, NIGHT, ALWAYS)),
)
def test_who_waits_since_before_the_instant_has_waited_longer_and_nobody_else(after, waited, limit, calendar):
    now = FRIDAY_16 + timedelta(seconds=after)
    since, allowed = now - timedelta(seconds=waited), timedelta(hours=limit)
    beyond = since < limit_passed_before(now, allowed, calendar)
    assert beyond == (working_time(since, now, calendar) > allowed)


def test_a_limit_of_four_hours_on_monday_morning_reaches_back_to_friday():
    monday_8 = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
    assert limit_passed_before(monday_8, timedelta(hours=4), BERLIN) == FRIDAY_16 - timedelta(hours=1)
