"""On which days a series falls, also around a change of the clocks, and how it stands in a calendar program."""

from __future__ import annotations

import importlib
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.icalendar import CalendarEvent, calendar_text, folded
from governance.programme.kinds import Rhythm
from governance.programme.recurrence import Pattern, days_of, times_of


def pattern(**given):
    return Pattern(
        **{
            "rhythm": Rhythm.WEEKLY,
            "weekday": 2,
            "begins_at": time(10),
            "minutes": 60,
            "time_zone": "Europe/Berlin",
            "first_on": date(2026, 3, 2),
            **given,
        }
    )


def test_a_weekly_series_begins_on_its_first_such_day_and_ends_with_its_last():
    found = days_of(pattern(until_on=date(2026, 3, 18)), date(2026, 1, 1), date(2026, 12, 31))
    assert found == [date(2026, 3, 4), date(2026, 3, 11), date(2026, 3, 18)]


@pytest.mark.parametrize("first", [date(2026, 3, day) for day in range(1, 19)])
def test_a_fortnight_does_not_shift_with_the_days_that_are_looked_at(first):
    every = days_of(pattern(rhythm=Rhythm.FORTNIGHTLY), date(2026, 3, 1), date(2026, 5, 1))
    assert every == [date(2026, 3, 4), date(2026, 3, 18), date(2026, 4, 1), date(2026, 4, 15), date(2026, 4, 29)]
    found = days_of(pattern(rhythm=Rhythm.FORTNIGHTLY), first, date(2026, 5, 1))
    assert found == [day for day in every if day >= first]


def test_once_a_month_is_the_second_or_the_last_such_day_of_it():
    second = pattern(rhythm=Rhythm.MONTHLY, week=2)
    assert days_of(second, date(2026, 3, 1), date(2026, 5, 31)) == [
        date(2026, 3, 11),
        date(2026, 4, 8),
        date(2026, 5, 13),
    ]
    last = pattern(rhythm=Rhythm.MONTHLY, week=5, weekday=0, first_on=date(2026, 11, 1))
    assert days_of(last, date(2026, 1, 1), date(2027, 1, 31)) == [
        date(2026, 11, 30),
        date(2026, 12, 28),
        date(2027, 1, 25),
    ]


def test_ten_o_clock_stays_ten_o_clock_when_summer_time_begins():
    before, after = times_of(pattern(), date(2026, 3, 25)), times_of(pattern(), date(2026, 4, 1))
    assert before == (datetime(2026, 3, 25, 9, tzinfo=UTC), datetime(2026, 3, 25, 10, tzinfo=UTC))
    assert after == (datetime(2026, 4, 1, 8, tzinfo=UTC), datetime(2026, 4, 1, 9, tzinfo=UTC))
    skipped = times_of(pattern(weekday=6, begins_at=time(2, 30)), date(2026, 3, 29))
    assert skipped[0] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # half past three there


def an_event(**given):
    at = datetime(2026, 3, 4, 9, tzinfo=UTC)
    return CalendarEvent(
        **{
            "uid": "abc-20260304",
            "sequence": 0,
            "changed_at": at,
            "starts_at": at,
            "ends_at": at + timedelta(hours=1),
            "summary": "Steering",
            **given,
        }
    )


def read_back(text):
    """As another program reads it. Named late, since it types nothing that we use."""
    return importlib.import_module("icalendar").Calendar.from_ical(text)


def test_a_calendar_program_reads_back_what_was_written():
    text = calendar_text(
        "Wavegate; all, of it",
        [
            an_event(
                summary="Board, go-live; W2 \\ Süd",
                description="Zeile 1\nZeile 2",
                place="Köln",
                address="https://a.example/b",
            ),
            an_event(uid="abc-20260311", sequence=3, is_cancelled=True),
        ],
    )
    calendar = read_back(text)
    first, second = calendar.walk("VEVENT")
    assert str(first["SUMMARY"]) == "Board, go-live; W2 \\ Süd"
    assert str(first["DESCRIPTION"]) == "Zeile 1\nZeile 2"
    assert (str(first["LOCATION"]), str(first["URL"]), str(first["UID"])) == (
        "Köln",
        "https://a.example/b",
        "abc-20260304@wavegate",
    )
    assert first.decoded("DTSTART") == datetime(2026, 3, 4, 9, tzinfo=UTC)
    assert first.decoded("DTEND") == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert (str(first["STATUS"]), first["SEQUENCE"]) == ("CONFIRMED", 0)
    assert (str(second["STATUS"]), second["SEQUENCE"]) == ("CANCELLED", 3)
    assert "\r\nX-WR-CALNAME:Wavegate\\; all\\, of it\r\n" in text
    assert calendar["VERSION"] == "2.0"


@given(st.text(max_size=300))
def test_any_text_survives_and_no_line_is_longer_than_75_bytes(text):
    written = calendar_text("Wavegate", [an_event(description=text)])
    assert written.endswith("END:VCALENDAR\r\n")
    lines = written.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    (event,) = read_back(written).walk("VEVENT")
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(sign for sign in kept if sign in "\n\t" or (sign >= " " and sign != "\x7f"))
    unfolded = written.replace("\r\n ", "")
    escaped = kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    assert (f"DESCRIPTION:{escaped}\r\n" in unfolded) == bool(text)
    assert str(event["UID"]) == "abc-20260304@wavegate"


def test_a_sign_of_four_bytes_is_never_torn_apart():
    parts = folded("SUMMARY:" + "🏗" * 40).split("\r\n ")
    assert len(parts) == 3
    assert "".join(parts) == "SUMMARY:" + "🏗" * 40
