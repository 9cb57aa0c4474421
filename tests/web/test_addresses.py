"""A customer's addresses on screen and over the API; orders choose one, papers print it."""

from __future__ import annotations

import pytest

from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.rows import rows
from tests.web.test_amending import typed


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def entered(page, **more):
    kept = typed(page)
    return {**{key: value for key, value in kept.items() if key != "by_customer"}, **more}


def test_an_address_is_entered_changed_and_ended_and_the_past_stays(signed_in, business, sqlite_database):
    desk, here = signed_in("customer_service"), f"/customers/{business.customer}/addresses"
    assert "Ruhrstraße 4, 47051 Duisburg" in desk.get(here).text
    page = desk.get(f"{here}/new")
    page = desk.post(f"{here}/new", entered(page, code="north", gln="12"), status=422)
    assert page.errors()[0].startswith("GLN: 12 is no GLN")
    page = desk.post(f"{here}/new", entered(page, code="north", gln="", street="Am Ring 1", city=""))
    assert "lacks city" in page.text
    key = rows(sqlite_database, "SELECT id FROM customer_address WHERE code = 'north'")[0][0]
    page = desk.post(f"/addresses/{key}/change", entered(desk.get(f"/addresses/{key}/change"), city="Essen"))
    assert "Am Ring 1, Essen" in page.text
    assert "Others have taken their place" in page.text
    assert rows(sqlite_database, "SELECT city, followed_by IS NULL FROM customer_address WHERE code = 'north' ORDER BY id") == [
        ("", 0), ("Essen", 1),
    ]  # fmt: skip
    now = rows(sqlite_database, "SELECT MAX(id) FROM customer_address")[0][0]
    desk.post(f"/addresses/{now}/end", entered(desk.get(f"/addresses/{now}/end")))
    assert "does not hold today" in desk.page.text
    picker = signed_in("warehouse_operator")
    picker.get(f"{here}/new", status=403)


def test_an_order_is_entered_for_an_address_and_the_paper_prints_it(signed_in, business, caller, sqlite_database):
    call = caller("customer_service")
    made = call("POST", f"/customers/{business.customer}/addresses", {
        "code": "north", "name": "Baustelle Nord", "street": "Am Ring 1", "postal_code": "45127", "city": "Essen",
        "country": "Germany", "valid_from": "2020-01-01",
    })  # fmt: skip
    assert (made.status_code, made.json["missing"], made.json["is_default"]) == (201, [], False)
    north = made.json["id"]
    order = call("POST", "/orders", {
        "site": business.site, "channel": business.channel, "customer": business.customer, "ship_to": north,
        "lines": [{"item": business.items[0], "quantity": "2"}],
    })  # fmt: skip
    assert order.json["ship_to_id"] == north
    desk = signed_in("customer_service")
    page = desk.get(f"/orders/{order.json['id']}")
    assert "Baustelle Nord, Am Ring 1, 45127 Essen, Germany" in page.text
    page = desk.get("/orders/new?customer=10482")
    assert "The usual: main · Bautechnik, Duisburg, Germany" in page.html
    assert "north · Baustelle Nord, Essen, Germany" in page.html


def test_programs_of_another_site_and_stale_ones_change_nothing(business, caller, sqlite_database):
    body = {"code": "x", "name": "N", "country": "Germany", "valid_from": "2020-01-01"}
    path = f"/customers/{business.customer}/addresses"
    assert caller("warehouse_operator")("POST", path, body).status_code == 403
    key = rows(sqlite_database, "SELECT id FROM customer_address")[0][0]
    call = caller("customer_service")
    assert call("POST", f"/addresses/{key}/change", body, If_Match='"7"').status_code == 412
    assert (
        call("POST", f"/addresses/{key}/end", {"on": "2026-12-31"}, If_Match='"1"').json["code"]
        == "address_default_needed"
    )
    assert call("POST", path, {**body, "gln": "4012345000008"}).json["pointer"] == "/gln"
    assert rows(sqlite_database, "SELECT COUNT(*) FROM customer_address") == [(1,)]
    assert call("GET", path).json["items"][0]["street"] == "Ruhrstraße 4"
