"""Items over the API: lists that go on, packs, tracking, and another day for what is expected."""

from __future__ import annotations

import pytest

from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.warehouse import everything, expected, received


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=3, stock=0)
    made.clock = clock
    open_cells(made)
    return made


def test_items_are_listed_in_parts_with_what_there_is_of_them(caller, business):
    received(business, 7)
    expected(business, 20)
    call = caller("warehouse_operator")
    first = call("GET", "/items?limit=2").json
    assert [(one["code"], one["on_hand"], one["free"], one["expected"]) for one in first["items"]] == [
        ("40-0", "7.000", "7.000", "20.000"), ("40-1", "0", "0", "0"),
    ]  # fmt: skip
    assert first["items"][0]["class"] == "A"
    assert "class_" not in first["items"][0]
    rest = call("GET", f"/items?limit=2&cursor={first['next']}").json
    assert ([one["code"] for one in rest["items"]], rest["next"]) == (["40-2"], None)


def test_a_pack_is_added_once_and_costs_are_shown_to_who_may_see_them(caller, business):
    owner, path = caller("data_owner"), f"/items/{business.items[0]}"
    box = {"code": "box", "name": "Box of 12", "numerator": 12}
    made = owner("POST", f"{path}/packs", box)
    assert (made.status_code, made.json["packs"][0]["numerator"], made.json["standard_cost"]) == (201, 12, "4.000000")
    before = everything(business)
    again = owner("POST", f"{path}/packs", box)
    assert (again.status_code, again.json["code"]) == (409, "code_in_use")
    assert caller("warehouse_operator")("GET", path).json["standard_cost"] is None
    assert caller("warehouse_operator")("POST", f"{path}/packs", box).status_code == 403
    assert everything(business) == before


def test_tracking_is_refused_while_there_is_stock(caller, business):
    owner = caller("data_owner")
    kept = owner("POST", f"/items/{business.items[0]}/keeping", {"tracking": "lot", "order_multiple": "6"})
    assert (kept.status_code, kept.json["tracking"], kept.json["order_multiple"]) == (200, "lot", "6.000")
    received(business, 7, item=1)
    refused = owner("POST", f"/items/{business.items[1]}/keeping", {"tracking": "serial"})
    assert (refused.status_code, refused.json["code"]) == (422, "tracking_with_stock")


def test_what_is_expected_gets_another_day_once_for_each_version(caller, business):
    key = expected(business, 20)
    call = caller("warehouse_supervisor")
    path = f"/expected-receipts/{key}/changes"
    changed = call("POST", path, {"expected_on": "2026-03-09", "cancelled": "5", "version": 1})
    assert (changed.status_code, changed.json["open"], changed.json["expected_on"]) == (200, "15.000", "2026-03-09")
    before = everything(business)
    late = call("POST", path, {"cancelled": "0", "version": 1})
    assert (late.status_code, late.json["code"]) == (409, "changed_meanwhile")
    more = call("POST", path, {"cancelled": "21"})
    assert (more.status_code, more.json["code"]) == (422, "cancel_above_open")
    assert everything(business) == before
