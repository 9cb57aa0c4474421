"""When a body meets: series, moved and called-off meetings, what calendars learn of them, and a secret address that ends."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from app.composition.uow import reading
from app.identity.feeds import feed_since, make_feed, reader_of, revoke_feed
from app.identity.models import CalendarFeed
from app.identity.services import close_account
from erpcore.kernel.errors import Busy, Conflict, NotAllowed, NotFound, RuleBroken
from governance.programme.calendar import calendar, meetings, series_of_body
from governance.programme.kinds import Rhythm
from governance.programme.meetings import (
    CancelMeeting,
    EndSeries,
    MoveMeeting,
    ScheduleMeeting,
    Which,
    begin_series,
    cancel_meeting,
    change_series,
    end_series,
    move_meeting,
    schedule_meeting,
)
from governance.programme.models import Meeting, MeetingSeries
from tests.support.meetings import weekly
from tests.support.steering import a_programme

FROM, UNTIL = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 4, 4, 9, tzinfo=UTC)
WEDNESDAYS = [date(2026, 3, 4), date(2026, 3, 11), date(2026, 3, 18), date(2026, 3, 25), date(2026, 4, 1)]


@pytest.fixture
def steered(database, clock):
    return a_programme(database, clock, evaluated=None)


@pytest.fixture
def series(steered):
    with steered.work() as work:
        return begin_series(work, weekly(steered)).id


def listed(steered, until=UNTIL):
    with reading(steered.database) as session:
        return calendar(session, since=FROM, until=until, bodies={steered.steering})


def counted(steered):
    with reading(steered.database) as session:
        return session.query(Meeting).count(), session.query(MeetingSeries).count()


def test_a_series_stands_in_the_calendar_with_an_identity_for_each_day(steered, series):
    found = listed(steered)
    assert [one.series_on for one in found] == WEDNESDAYS
    assert [one.starts_at.hour for one in found] == [9, 9, 9, 9, 8]  # summer time begins on 29 March
    assert len({one.uid for one in found}) == 5
    assert [one.uid for one in listed(steered)] == [one.uid for one in found]
    assert {(one.sequence, one.is_cancelled) for one in found} == {(0, False)}
    assert counted(steered) == (0, 1)


def test_one_meeting_moves_and_keeps_its_identity(steered, series):
    before = listed(steered)[1]
    at = datetime(2026, 3, 12, 13, tzinfo=UTC)
    with steered.work() as work:
        which = Which(series_id=series, series_on=WEDNESDAYS[1])
        move_meeting(work, MoveMeeting(which=which, starts_at=at, ends_at=at + timedelta(hours=2), reason="travel"))
    found = listed(steered)
    assert [one.starts_at for one in found if one.was_moved] == [at]
    moved = next(one for one in found if one.was_moved)
    assert (moved.uid, moved.sequence, moved.reason, moved.series_on) == (before.uid, 1, "travel", WEDNESDAYS[1])
    assert [one.sequence for one in found] == [0, 1, 0, 0, 0]
    with pytest.raises(Conflict) as refused, steered.work() as work:
        move_meeting(
            work, MoveMeeting(which=which, starts_at=at, ends_at=at + timedelta(hours=1), reason="x", seen_sequence=0)
        )
    assert refused.value.code == "changed_meanwhile"
    assert listed(steered)[1].ends_at == at + timedelta(hours=2)


def test_a_meeting_that_moves_behind_the_window_is_still_found_by_its_time(steered, series):
    at = UNTIL + timedelta(days=30)
    with steered.work() as work:
        which = Which(series_id=series, series_on=WEDNESDAYS[0])
        move_meeting(work, MoveMeeting(which=which, starts_at=at, ends_at=at + timedelta(hours=1), reason="later"))
    assert [one.series_on for one in listed(steered)] == [*WEDNESDAYS[1:], WEDNESDAYS[0]]


def test_a_meeting_that_was_moved_past_the_end_of_its_series_stays_in_the_calendar(steered):
    with steered.work() as work:
        short = begin_series(work, weekly(steered, until_on=WEDNESDAYS[1])).id
    at = UNTIL - timedelta(days=1)
    with steered.work() as work:
        which = Which(series_id=short, series_on=WEDNESDAYS[1])
        move_meeting(work, MoveMeeting(which=which, starts_at=at, ends_at=at + timedelta(hours=1), reason="later"))
    with reading(steered.database) as session:
        later = calendar(session, since=UNTIL - timedelta(days=10), until=UNTIL, bodies={steered.steering})
    assert [(one.series_on, one.starts_at, one.was_moved) for one in later] == [(WEDNESDAYS[1], at, True)]


def test_a_meeting_called_off_stays_in_calendars_as_such_and_is_called_off_once(steered, series):
    with steered.work() as work:
        which = Which(series_id=series, series_on=WEDNESDAYS[2])
        cancel_meeting(work, CancelMeeting(which=which, reason="nothing to decide"))
    gone = listed(steered)[2]
    assert (gone.is_cancelled, gone.sequence, gone.reason) == (True, 1, "nothing to decide")
    with reading(steered.database) as session:
        assert [one.series_on for one in meetings(session, since=FROM, body_id=steered.steering)][:3] == [
            WEDNESDAYS[0],
            WEDNESDAYS[1],
            WEDNESDAYS[3],
        ]
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        cancel_meeting(work, CancelMeeting(which=which, reason="again"))
    assert refused.value.code == "meeting_cancelled"
    assert listed(steered)[2] == gone


def test_a_series_ends_and_what_was_moved_beyond_is_called_off_with_a_later_sequence(steered, series):
    at = datetime(2026, 3, 26, 13, tzinfo=UTC)
    with steered.work() as work:
        which = Which(series_id=series, series_on=WEDNESDAYS[3])
        move_meeting(work, MoveMeeting(which=which, starts_at=at, ends_at=at + timedelta(hours=1), reason="travel"))
    told = {one.uid: one.sequence for one in listed(steered)}
    with steered.work() as work:
        end_series(work, EndSeries(series_id=series, last_on=date(2026, 3, 12), reason="done"))
    found = listed(steered)
    assert [one.is_cancelled for one in found] == [False, False, True, True, True]
    assert all(one.sequence > told[one.uid] for one in found if one.is_cancelled)
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        move_meeting(work, MoveMeeting(which=which, starts_at=at, ends_at=at + timedelta(hours=1), reason="x"))
    assert refused.value.code == "meeting_cancelled"
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        end_series(work, EndSeries(series_id=series, last_on=date(2026, 3, 20), reason="longer"))
    assert refused.value.code == "series_over"


def test_a_series_changes_from_a_day_on_and_what_was_stays(steered, series):
    with steered.work() as work:
        old = EndSeries(series_id=series, last_on=date(2026, 3, 15), reason="Thursdays suit the sponsor")
        change_series(work, old, weekly(steered, weekday=3, first_on=date(2026, 3, 16)))
    kept = [one.starts_at.date() for one in listed(steered) if not one.is_cancelled]
    assert kept == [*WEDNESDAYS[:2], date(2026, 3, 19), date(2026, 3, 26), date(2026, 4, 2)]
    with reading(steered.database) as session:
        assert [one.ended_on for one in series_of_body(session, steered.steering)] == [None, date(2026, 3, 15)]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"title": " "}, "name_missing"),
        ({"minutes": 0}, "meeting_length"),
        ({"rhythm": Rhythm.MONTHLY}, "week_of_month_missing"),
        ({"week": 2}, "week_of_month_missing"),
        ({"weekday": 7}, "series_without_day"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone_unknown"),
        ({"time_zone": "../etc/passwd"}, "time_zone_unknown"),
        ({"until_on": date(2026, 3, 3)}, "series_without_day"),
        ({"until_on": date(2026, 3, 1)}, "series_without_day"),
    ],
)
def test_a_series_that_makes_no_sense_is_refused_and_nothing_is_kept(steered, given, code):
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        begin_series(work, weekly(steered, **given))
    assert refused.value.code == code
    assert counted(steered) == (0, 0)


def test_what_is_no_meeting_is_not_found_and_what_is_over_stays(steered, series, clock):
    at = UNTIL
    for which in (
        Which(series_id=series, series_on=date(2026, 3, 5)),
        Which(series_id=series + 999, series_on=WEDNESDAYS[0]),
        Which(meeting_id=4),
        Which(),
    ):
        with pytest.raises(NotFound), steered.work() as work:
            move_meeting(work, MoveMeeting(which=which, starts_at=at, ends_at=at + timedelta(hours=1), reason="x"))
    clock.advance(timedelta(days=5))
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        cancel_meeting(work, CancelMeeting(which=Which(series_id=series, series_on=WEDNESDAYS[0]), reason="late"))
    assert refused.value.code == "meeting_over"
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        change_series(
            work,
            EndSeries(series_id=series, last_on=date(2026, 4, 1), reason="x"),
            weekly(steered, first_on=date(2026, 3, 20)),
        )
    assert refused.value.code == "series_overlap"
    assert counted(steered) == (0, 1)


def test_two_who_move_the_same_meeting_at_once_leave_one_row_and_two_sequences(steered, series):
    refused, start = [], threading.Barrier(2)

    def move(hours):
        at = datetime(2026, 3, 12, 9, tzinfo=UTC) + timedelta(hours=hours)
        which = Which(series_id=series, series_on=WEDNESDAYS[1])
        start.wait()
        try:
            with steered.work() as work:
                move_meeting(
                    work,
                    MoveMeeting(
                        which=which, starts_at=at, ends_at=at + timedelta(hours=1), reason="x", seen_sequence=0
                    ),
                )
        except (Conflict, Busy) as error:
            refused.append(error)

    threads = [threading.Thread(target=move, args=(hours,)) for hours in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert counted(steered) == (1, 1)
    assert listed(steered)[1].sequence == 1


def test_only_who_manages_the_programme_changes_its_calendar(steered, series):
    def nobody(work):
        work.actor = type(work.actor)(id=steered.finance.id, role="finance", permissions=frozenset())
        return work

    for act in (
        lambda work: begin_series(nobody(work), weekly(steered)),
        lambda work: end_series(nobody(work), EndSeries(series_id=series, last_on=date(2026, 3, 12), reason="x")),
        lambda work: schedule_meeting(
            nobody(work), ScheduleMeeting(body_id=steered.steering, title="x", starts_at=FROM, ends_at=UNTIL)
        ),
        lambda work: cancel_meeting(
            nobody(work), CancelMeeting(which=Which(series_id=series, series_on=WEDNESDAYS[0]), reason="x")
        ),
    ):
        with pytest.raises(NotAllowed), steered.work() as work:
            act(work)
    assert counted(steered) == (0, 1)


def test_an_address_is_kept_as_a_hash_and_a_new_one_ends_the_old(steered):
    with steered.work() as work:
        _, first = make_feed(work, steered.chair.id)
    with steered.work() as work:
        _, second = make_feed(work, steered.chair.id)
    with reading(steered.database) as session:
        assert reader_of(session, second) == steered.chair.id
        assert feed_since(session, steered.chair.id) is not None
        for wrong in (first, second[:-1], second + "x", "", "wgc1_"):
            with pytest.raises(NotFound):
                reader_of(session, wrong)
        rows = session.query(CalendarFeed).all()
        assert len(rows) == 2
        assert not any(second in str(vars(row)) or first in str(vars(row)) for row in rows)
    with steered.work() as work:
        revoke_feed(work, steered.chair.id)
    with reading(steered.database) as session, pytest.raises(NotFound):
        reader_of(session, second)
    with pytest.raises(NotFound), steered.work() as work:
        revoke_feed(work, steered.chair.id)


def test_who_has_left_has_no_calendar_any_more(steered):
    with steered.work() as work:
        _, secret = make_feed(work, steered.finance.id)
    with steered.work() as work:
        close_account(work, steered.finance.id, reason="left")
    with reading(steered.database) as session, pytest.raises(NotFound):
        reader_of(session, secret)
    with pytest.raises(NotFound), steered.work() as work:
        make_feed(work, steered.finance.id)
