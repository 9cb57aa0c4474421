"""Goods between companies on their pages and for programs: sent, compared side by side, turned back; counterparts named and parted."""

from __future__ import annotations

import pytest

from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.sisters import a_rate, a_sister, lose_a_side, sent
from tests.support.web import Browser, a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def sister(business):
    made = a_sister(business)
    open_cells(business, site=made.site)
    return made


@pytest.fixture
def site(database, tmp_path, clock, sister):
    return a_site(database, tmp_path, clock)


@pytest.fixture
def browsing(database, site, clock):
    def make(role):
        browser = Browser(site)
        browser.sign_in(a_person(database, role, clock=clock))
        return browser

    return make


@pytest.fixture
def calling(database, site, clock):
    tokens = {}

    def call(role, method, path, body=None):
        if role not in tokens:
            tokens[role] = a_token(database, a_person(database, role, clock=clock), role, clock=clock)
        headers = {"Authorization": f"Bearer {tokens[role]}"}
        return site.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers)

    return call


def test_a_supervisor_sends_to_the_sister_sees_both_sides_and_turns_them_back(browsing, business, sister, database):
    keeper = browsing("warehouse_supervisor")
    fields = {
        "to_site": str(sister.site), "arrives_on": "2026-03-04", "item": "40-0", "quantity": "10", "price": "6.00", "note": "",
    }  # fmt: skip
    assert "Nothing went between companies" in keeper.get("/sisters").text
    path = f"/sisters/new?site={business.site}"
    keeper.get(path)
    page = keeper.post(path, {"request_key": keeper.page.value("request_key"), **fields}, status=422)
    assert "There is no rate of EUR/CHF" in page.text
    a_rate(business)
    keeper.get(path)
    key = keeper.page.value("request_key")
    page = keeper.post(path, {"request_key": key, **fields})
    for said in (
        "Sold by Nordhaus GmbH",
        "Bought by Nordhaus AG",
        "60.00",
        "57.00",
        "same key and amount",
    ):
        assert said in page.text, said
    address = keeper.response.request.path
    again = keeper.post(path, {"request_key": key, **fields})
    assert again.title == page.title, "sent once however often the form is"
    with queries(database) as ran:
        assert "both sides agree" in keeper.get("/sisters").text
    assert len(ran) <= MOST
    with queries(database) as ran:
        keeper.get(address)
    assert len(ran) <= MOST
    keeper.get(f"{address}/turn-back")
    seen = keeper.page.value("seen")
    keeper.post(f"{address}/turn-back", {"reason": "", "seen": seen}, status=422)
    page = keeper.post(f"{address}/turn-back", {"reason": "wrong site", "seen": seen})
    assert "turned back" in page.text
    assert "wrong site" in page.text
    assert_books_agree(database)


def test_a_side_that_is_gone_is_said_on_the_page_and_in_the_list(browsing, business, sister):
    a_rate(business)
    done = sent(business, sister)
    lose_a_side(business, "purchase")
    keeper = browsing("warehouse_supervisor")
    assert "one side is missing" in keeper.get("/sisters").text
    page = keeper.get(f"/sisters/{done.transfer}")
    assert "This side is missing" in page.text
    assert "do not agree" in page.text
    keeper.get(f"/sisters/{done.transfer}/turn-back")
    seen = keeper.page.value("seen")
    refused = keeper.post(f"/sisters/{done.transfer}/turn-back", {"reason": "wrong site", "seen": seen}, status=404)
    assert "lacks its purchase side" in refused.text


def test_an_items_counterparts_are_named_and_parted_on_its_page(browsing, business, sister):
    keeper, reader = browsing("data_owner"), browsing("warehouse_supervisor")
    path = f"/items/{business.items[2]}/counterparts"
    assert "No counterpart yet" in reader.get(path).text
    keeper.get(path)
    page = keeper.post(path, {"entity": str(sister.entity), "code": "CH-9"}, status=422)
    assert "CH-9" in page.html
    page = keeper.post(path, {"entity": str(sister.entity), "code": "CH-2"})
    assert "Rohr 2" in page.text
    assert "No counterpart yet" in keeper.post(f"{path}/{sister.items[2]}/part", {}).text


def test_a_program_sends_once_reads_both_sides_and_turns_back(calling, business, sister, database):
    a_rate(business)
    body = {
        "from_site": business.site, "to_site": sister.site, "arrives_on": "2026-03-04", "key": "IC-17",
        "lines": [{"item": business.items[0], "quantity": "10", "price": "6.00"}],
    }  # fmt: skip
    assert calling("billing", "POST", "/sister-transfers", body).status_code == 403
    supervisor = "warehouse_supervisor"
    made = calling(supervisor, "POST", "/sister-transfers", body)
    assert made.status_code == 201, made.json
    assert [(one["side"], one["currency"], one["amount"]) for one in made.json["sides"]] == [
        ("sale", "EUR", "60.00"), ("purchase", "CHF", "57.00"),
    ]  # fmt: skip
    assert calling(supervisor, "POST", "/sister-transfers", body).json["id"] == made.json["id"]
    other = body | {"lines": [{"item": business.items[0], "quantity": "11", "price": "6.00"}]}
    clash = calling(supervisor, "POST", "/sister-transfers", other)
    assert (clash.status_code, clash.json["code"]) == (409, "sister_key_used")
    key = made.json["id"]
    listed = calling("finance", "GET", "/sister-transfers").json["items"]
    assert [(one["id"], one["agreed"], one["mirrored"]) for one in listed] == [(key, "60.00", True)]
    assert calling("finance", "GET", "/sister-transfers?odd=true").json["items"] == []
    back = calling(supervisor, "POST", f"/sister-transfers/{key}/turn-back", {"reason": "wrong site"})
    assert (back.status_code, back.json["turned_back"], len(back.json["sides"])) == (200, True, 4)
    assert calling(supervisor, "GET", "/sister-transfers/4711").status_code == 404
    assert_books_agree(database)


def test_a_program_names_and_parts_counterparts(calling, business, sister):
    path = f"/items/{business.items[2]}/counterparts"
    made = calling("data_owner", "POST", path, {"counterpart": sister.items[2]})
    assert (made.status_code, [one["code"] for one in made.json["items"]]) == (201, ["CH-2"])
    taken = calling("data_owner", "POST", path, {"counterpart": sister.items[0]})
    assert (taken.status_code, taken.json["code"]) == (422, "counterpart_taken")
    assert calling("data_owner", "POST", f"{path}/part", {"counterpart": sister.items[2]}).json["count"] == 0
    assert calling("data_owner", "GET", path).json["items"] == []
