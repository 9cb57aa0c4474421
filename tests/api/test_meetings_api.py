"""When a body meets, as programs see and change it."""

from __future__ import annotations

import pytest

from app.composition.uow import reading
from governance.programme.models import Meeting, MeetingSeries
from tests.support.steering import a_programme
from tests.support.web import a_site, a_token

WEEKLY = {
    "title": "Steering", "rhythm": "weekly", "weekday": 2, "begins_at": "10:00", "minutes": 60, "time_zone": "Europe/Berlin",
    "first_on": "2026-03-02",
}  # fmt: skip


@pytest.fixture
def steered(database, clock):
    return a_programme(database, clock, evaluated=None)


@pytest.fixture
def office(database, tmp_path, steered, clock):
    client = a_site(database, tmp_path, clock).test_client()
    secret = a_token(database, steered.office, "pmo", clock=clock)

    def call(method, path, body=None):
        return client.open(f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {secret}"})

    return call


def test_a_series_is_begun_one_meeting_moved_one_called_off_and_the_series_ended(office, steered):
    here = f"/bodies/{steered.steering}"
    made = office("POST", f"{here}/series", WEEKLY)
    assert made.status_code == 201
    assert [one["series_on"] for one in made.json["meetings"]][:3] == ["2026-03-04", "2026-03-11", "2026-03-18"]
    series = made.json["series"][0]["id"]
    moved = office(
        "POST", f"{here}/meetings/move",
        {"series": series, "series_on": "2026-03-11", "starts_at": "2026-03-12T09:00:00Z", "ends_at": "2026-03-12T10:00:00Z",
         "reason": "travel", "seen_sequence": 0},
    )  # fmt: skip
    assert (moved.json["meetings"][1]["starts_at"], moved.json["meetings"][1]["sequence"]) == (
        "2026-03-12T09:00:00Z",
        1,
    )
    stale = office(
        "POST",
        f"{here}/meetings/cancel",
        {"series": series, "series_on": "2026-03-11", "reason": "x", "seen_sequence": 0},
    )
    assert (stale.status_code, stale.json["code"]) == (409, "changed_meanwhile")
    gone = office("POST", f"{here}/meetings/cancel", {"meeting": moved.json["meetings"][1]["id"], "reason": "x"})
    assert gone.json["meetings"][1]["is_cancelled"] is True
    ended = office("POST", f"{here}/series/{series}/end", {"last_on": "2026-03-19", "reason": "done"})
    assert ended.json["series"][0]["ended_on"] == "2026-03-19"
    changed = office(
        "POST",
        f"{here}/series/{series}/change",
        {**WEEKLY, "first_on": "2026-03-16", "weekday": 4, "reason": "Fridays"},
    )
    assert changed.status_code == 200
    assert [one["ended_on"] for one in changed.json["series"]] == [None, "2026-03-15"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/series", {**WEEKLY, "weekday": 7}, 422),
        ("/series", {**WEEKLY, "time_zone": "Nowhere/At_all"}, 422),
        ("/series", {**WEEKLY, "rhythm": "monthly"}, 422),
        ("/meetings/cancel", {"reason": "x"}, 422),
        ("/meetings/cancel", {"meeting": 1, "series": 2, "series_on": "2026-03-11", "reason": "x"}, 422),
        ("/meetings/cancel", {"meeting": 1, "reason": "x"}, 404),
        ("/series/1/end", {"last_on": "2026-03-19", "reason": "x"}, 404),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_kept(office, steered, path, body, status):
    assert office("POST", f"/bodies/{steered.steering}{path}", body).status_code == status
    with reading(steered.database) as session:
        assert (session.query(Meeting).count(), session.query(MeetingSeries).count()) == (0, 0)


def test_a_body_that_is_none_has_no_calendar(office):
    assert office("GET", "/bodies/4711/calendar").status_code == 404


def test_days_at_the_ends_of_the_calendar_are_refused(office, steered):
    here = f"/bodies/{steered.steering}"
    series = office("POST", f"{here}/series", WEEKLY).json["series"][0]["id"]
    for day in ("0001-01-01", "9999-12-31"):
        refused = [
            office("POST", f"{here}/series", {**WEEKLY, "first_on": day}),
            office("POST", f"{here}/series/{series}/change", {**WEEKLY, "first_on": day, "reason": "x"}),
            office("POST", f"{here}/series/{series}/end", {"last_on": day, "reason": "x"}),
            office("POST", f"{here}/meetings/cancel", {"series": series, "series_on": day, "reason": "x"}),
            office("POST", f"{here}/meetings", {"title": "x", "starts_at": f"{day}T00:00:00Z", "ends_at": f"{day}T23:00:00Z"}),
        ]  # fmt: skip
        assert [one.status_code for one in refused] == [422] * len(refused)
        assert "1900" in refused[0].get_data(as_text=True)
    assert office("GET", f"{here}/calendar").json["series"][0]["sequence"] == 0
