"""The warehouse over the API: the same services, the same refusals, traces from a lot to its paper and its customer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.warehouse import balance, locations, lot_id, tracked


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=1, stock=0)
    made.clock = clock
    open_cells(made)
    return made


def test_goods_are_expected_received_with_their_lot_put_away_and_traced(caller, business, sqlite_database):
    tracked(business, "lot")
    (dock,) = locations(business, "DOCK", kind="receiving")
    (shelf,) = locations(business, "A-01")
    lead = caller("warehouse_supervisor")
    here = {"site": business.site, "item": business.items[0]}
    day = (business.clock.now() + timedelta(days=3)).date().isoformat()
    made = lead(
        "POST",
        "/expected-receipts",
        {**here, "quantity": "20", "expected_on": day, "number": "PO-1", "supplier": "Rohrwerk"},
    )
    assert made.status_code == 201
    line = {
        "item": business.items[0],
        "quantity": "21",
        "expected": made.json["id"],
        "lot": "L-1",
        "expires_on": "2027-01-31",
    }
    receipt = {"site": business.site, "paper": "DN 9", "lines": [line]}
    refused = lead("POST", "/goods-receipts", receipt)
    assert (refused.status_code, refused.json["code"]) == (422, "received_too_much")
    receipt["lines"][0]["quantity"] = "20"
    taken = lead("POST", "/goods-receipts", receipt)
    assert (taken.status_code, taken.json["waits_to_be_put_away"]) == (201, True)
    lot = lot_id(business, "L-1")
    put = lead("POST", "/put-aways", {**here, "quantity": "20", "source": dock, "location": shelf, "lot": lot})
    assert [(one["location"], one["lot"], one["status"], one["quantity"]) for one in put.json["items"]] == [
        ("A-01", "L-1", "available", "20.000")
    ]
    trace = lead("GET", f"/lots/{lot}/trace").json
    assert [(one["kind"], one["paper"], one["supplier"]) for one in trace["stations"]] == [
        ("receipt", "DN 9", "Rohrwerk")
    ]
    assert balance(business) == (20, 0, 0, 20)
    assert_books_agree(sqlite_database)


def test_a_period_is_closed_by_finance_and_by_nobody_else(caller, business):
    body = {"entity": business.entity, "until": business.clock.now().date().isoformat(), "reason": "month end"}
    assert caller("warehouse_supervisor")("POST", "/periods", body).status_code == 403
    assert caller("finance")("POST", "/periods", body).status_code == 201


def test_goods_move_between_places_and_not_more_than_lie_there(caller, business, sqlite_database):
    shelf, other = locations(business, "A-01", "A-02")
    lead, here = caller("warehouse_supervisor"), {"site": business.site, "item": business.items[0]}
    lead("POST", "/stock/receipts", {**here, "quantity": "10", "reason": "first goods"})
    lead("POST", "/bin-moves", {**here, "quantity": "10", "location": shelf})
    moved = lead("POST", "/bin-moves", {**here, "quantity": "4", "source": shelf, "location": other})
    there = [("A-01", "6.000"), ("A-02", "4.000")]
    assert moved.status_code == 201, moved.json
    assert sorted((one["location"], one["quantity"]) for one in moved.json["items"]) == there
    refused = lead("POST", "/bin-moves", {**here, "quantity": "7", "source": shelf, "location": other})
    assert refused.status_code in (409, 422), refused.json
    left = lead("GET", f"/stock-bins?site={business.site}&item={business.items[0]}").json["items"]
    assert sorted((one["location"], one["quantity"]) for one in left) == there
    assert balance(business)[0] == 10
    assert_books_agree(sqlite_database)
