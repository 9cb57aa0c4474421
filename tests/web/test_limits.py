"""Limits of control points on the screen and by the API."""

from __future__ import annotations

import pytest

from tests.support.core import a_business
from tests.support.web import a_person, a_token


@pytest.fixture
def business(sqlite_database, clock):
    return a_business(sqlite_database, at=clock.now())


def test_a_process_owner_sets_a_limit_with_a_reason_and_takes_it_back(signed_in, business):
    browser = signed_in("process_owner")
    page = browser.get("/measures/limits")
    assert page.heading == "Limits of control points"
    address = f"/measures/limits/{business.site}/order release"
    assert browser.get(address).value("hours") == "4"
    page = browser.post(address, {"hours": "2.5", "reason": ""}, status=422)
    assert "Say why" in page.text
    assert page.value("hours") == "2.5"
    assert "Enter a number of hours" in browser.post(address, {"hours": "", "reason": "x"}, status=422).text
    for nonsense in ("1\0", "sNaN", "NaN", "1e9", "-1", "10000", "0.0001"):
        browser.post(address, {"hours": nonsense, "reason": "x"}, status=422)
    page = browser.post(address, {"hours": "2.5", "reason": "the carrier comes at noon"})
    assert "Order release 2.5 h 4 h the carrier comes at noon" in page.text
    browser.get(f"{address}/usual")
    page = browser.post(f"{address}/usual", {"reason": "carrier changed"})
    assert "Order release 4 h 4 h the usual limit" in page.text
    browser.get(f"/measures/limits/{business.site}/picking", status=404)
    browser.get("/measures/limits?site=99", status=404)


def test_without_a_live_site_there_is_nothing_to_limit(signed_in):
    assert "No live site yet" in signed_in("process_owner").get("/measures/limits").text


def test_who_is_watched_reads_the_limits_and_does_not_set_them(signed_in, business):
    browser = signed_in("site_lead", site=business.site)
    assert not [
        link for link in browser.get("/measures/limits").links() if "order%20release" in link or "order release" in link
    ]
    browser.get(f"/measures/limits/{business.site}/order release", status=403)


def test_a_program_sets_a_limit(site, sqlite_database, clock, business):
    secret = a_token(
        sqlite_database, a_person(sqlite_database, "process_owner", clock=clock), "process_owner", clock=clock
    )
    headers = {"Authorization": f"Bearer {secret}"}
    path = f"/api/v1/sites/{business.site}/control-limits"
    body = {"point": "order release", "minutes": 90, "reason": "the carrier comes at noon"}
    answer = site.test_client().put(path, json=body, headers=headers)
    assert answer.status_code == 200
    listed = site.test_client().get(path, headers=headers).json["items"]
    assert listed == answer.json["items"]
    assert next(one for one in listed if one["point"] == "order release")["minutes"] == 90
    for wrong, code in (
        ({"minutes": 0}, "limit_absurd"),
        ({"point": "picking"}, "limit_point_unknown"),
        ({"reason": ""}, "unfit"),
    ):
        refused = site.test_client().put(path, json={**body, **wrong}, headers=headers)
        assert (refused.status_code, refused.json["code"]) == (422, code)
    assert site.test_client().get(path, headers=headers).json["items"] == listed
