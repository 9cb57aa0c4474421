"""Site calendars on the screen and by the API."""

from __future__ import annotations

import pytest

from tests.support.core import a_business
from tests.support.web import a_person, a_token

WEEK = {f"{what}_{day}": at for day in range(5) for what, at in (("opens", "07:00"), ("closes", "18:00"))}
EMPTY = {f"{what}_{day}": "" for day in (5, 6) for what in ("opens", "closes")}


@pytest.fixture
def business(sqlite_database, clock):
    return a_business(sqlite_database, at=clock.now())


def test_a_data_owner_tells_a_calendar_and_what_is_wrong_is_kept_on_the_page(signed_in, business):
    browser = signed_in("data_owner")
    page = browser.get("/measures/calendars")
    assert "No calendar is known here" in page.text
    address = f"/measures/calendars/{business.site}"
    assert browser.get(address).value("opens_0") == "08:00"
    form = {
        **WEEK,
        **EMPTY,
        "seen": "0",
        "valid_from": "2026-01-01",
        "closed": "2026-12-25\n2026-12-26",
        "reason": "as agreed",
    }
    for wrong, said in (
        ({"closed": "christmas"}, "christmas is no day"), ({"closes_2": ""}, "Enter when it closes"),
        ({"opens_1": "25:00"}, "Enter a time of the day"), ({"reason": ""}, "Say why"), ({"valid_from": "2026-02-30"}, "Enter a day that there is"),
    ):  # fmt: skip
        page = browser.post(address, {**form, **wrong}, status=422)
        assert said in page.text
        assert page.value("opens_0") == "07:00"
    page = browser.post(address, form)
    assert (
        "holds now 07:00–18:00 07:00–18:00 07:00–18:00 07:00–18:00 07:00–18:00 closed closed 2Fri 25 Dec to Sat 26 Dec"
        in page.text
    )
    # Seen before the other one was told, and a first day that has passed.
    assert "got another calendar" in browser.post(address, {**form, "valid_from": "2026-04-01"}, status=409).text
    assert "cannot begin on" in browser.post(address, {**form, "seen": "1"}, status=422).text
    browser.get("/measures/calendars?site=99", status=404)
    browser.get("/measures/calendars/99", status=404)


def test_who_is_measured_reads_the_calendar_and_does_not_set_it(signed_in, business):
    browser = signed_in("site_lead", site=business.site)
    assert f"/measures/calendars/{business.site}" not in browser.get("/measures/calendars").links()
    browser.get(f"/measures/calendars/{business.site}", status=403)


def test_a_program_tells_a_calendar(site, sqlite_database, clock, business):
    secret = a_token(sqlite_database, a_person(sqlite_database, "data_owner", clock=clock), "data_owner", clock=clock)
    headers = {"Authorization": f"Bearer {secret}"}
    path = f"/api/v1/sites/{business.site}/calendars"
    body = {"valid_from": "2026-01-01", "week": [["07:00", "18:00"]] * 5 + [None] * 2, "reason": "as agreed"}
    answer = site.test_client().post(path, json=body, headers=headers)
    assert answer.status_code == 200
    listed = site.test_client().get(path, headers=headers).json["items"]
    assert listed == answer.json["items"]
    assert (listed[0]["number"], listed[0]["week"][0], listed[0]["week"][6]) == (1, ["07:00:00", "18:00:00"], None)
    later = {**body, "valid_from": "2026-04-01", "seen": 1}
    for wrong, status, code in (
        ({"seen": 0}, 409, "calendar_changed"), ({"valid_from": "2026-02-01"}, 422, "calendar_from_past"),
        ({"week": [None] * 7}, 422, "calendar_never_open"), ({"week": [None] * 6}, 422, "unfit"),
        ({"week": [["07:00Z", "18:00"]] * 7}, 422, "calendar_not_minutes"), ({"closed": ["2026-02-30"]}, 422, "unfit"),
    ):  # fmt: skip
        refused = site.test_client().post(path, json={**later, **wrong}, headers=headers)
        assert (refused.status_code, refused.json["code"]) == (status, code), wrong
    assert site.test_client().get(path, headers=headers).json["items"] == listed
