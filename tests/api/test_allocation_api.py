"""Scarce stock over the API: the same services, the same refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.db.core.test_scarce_stock import allocated_of, receive
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.rows import rows
from tests.support.steps import allocated
from tests.support.web import a_person, a_token


@pytest.fixture
def business(sqlite_database, clock):
    """Three orders wait for 6, 6 and 3 of one item; ten have come since."""
    made = a_business(sqlite_database, at=clock.now(), items=1, stock=0)
    made.clock = clock
    open_cells(made)
    made.waiting = []
    for quantity in (6, 6, 3):
        made.waiting.append(allocated(made, [(0, quantity)]))
        clock.advance(timedelta(minutes=1))
    receive(made, 10)
    return made


@pytest.fixture
def caller(site, sqlite_database, clock):
    def make(role):
        token = a_token(sqlite_database, a_person(sqlite_database, role, clock=clock), role, clock=clock)

        def call(method, path, body=None):
            headers = {"Authorization": f"Bearer {token}"}
            return site.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers)

        return call

    return make


def test_short_items_claims_and_a_run_from_simulation_to_its_explanation(caller, business):
    lead = caller("site_lead")
    (short,) = lead("GET", "/short-items").json["items"]
    assert (short["item"], short["lines"], short["unmet"], short["free"]) == ("40-0", 3, "15.000", "10.000")
    place = lead("GET", f"/sites/{business.site}/items/{business.items[0]}/claims").json
    assert [claim["gets"] for claim in place["claims"]] == ["6.000", "4.000", "0.000"]
    assert place["claims"][0]["by_rule"]["fair_share"] == "4.000"
    made = lead("POST", "/allocation-runs", {"site": business.site, "item": business.items[0]})
    assert made.status_code == 201
    run = made.json["id"]
    assert allocated_of(business.database, *business.waiting) == [0, 0, 0]
    assert lead("POST", f"/allocation-runs/{run}/commit", {"version": 7}).status_code == 409
    assert lead("POST", f"/allocation-runs/{run}/commit", {"version": 1}).json == {"id": run, "state": "committed"}
    assert allocated_of(business.database, *business.waiting) == [6000, 4000, 0]
    told = lead("GET", f"/allocation-runs/{run}").json
    assert [line["why"] for line in told["explained"]] == ["served", "part", "earlier_ranks"]
    assert told["inputs"][0]["free"] == "10.000"
    assert [one["id"] for one in lead("GET", "/allocation-runs?state=committed").json["items"]] == [run]
    assert_books_agree(business.database)


def test_a_ranking_by_hand_is_committed_by_another_person(caller, business):
    lead, other = caller("site_lead"), caller("warehouse_supervisor")
    run = lead("POST", "/allocation-runs", {"site": business.site}).json["id"]
    body = {"line": business.waiting[2].lines[0].id, "rank": 1, "reason": "stands still"}
    assert lead("POST", f"/allocation-runs/{run}/ranks", body).status_code == 200
    assert lead("POST", f"/allocation-runs/{run}/commit", {}).json["code"] == "own_request"
    assert other("POST", f"/allocation-runs/{run}/commit", {}).status_code == 200
    assert allocated_of(business.database, *business.waiting) == [6000, 1000, 3000]


def test_stock_goes_back_with_two_people_and_nobody_decides_on_their_own_wish(caller, business):
    approve(business, "take_back_rule", "second_person")
    lead, other = caller("site_lead"), caller("warehouse_supervisor")
    run = lead("POST", "/allocation-runs", {"site": business.site}).json["id"]
    last, second = business.waiting[2].lines[0].id, business.waiting[1].lines[0].id
    lead("POST", f"/allocation-runs/{run}/ranks", {"line": last, "rank": 1, "reason": "stands still"})
    other("POST", f"/allocation-runs/{run}/commit", {})
    body = {"line": last, "to": second, "quantity": "2", "reason": "promised first"}
    made = lead("POST", "/take-backs", body)
    assert (made.status_code, made.json["state"]) == (201, "proposed")
    assert allocated_of(business.database, *business.waiting) == [6000, 1000, 3000]
    wish = made.json["wish"]
    assert lead("GET", "/take-backs").json["items"][0]["id"] == wish
    decision = {"agreed": True, "note": "yes"}
    assert lead("POST", f"/take-backs/{wish}/decision", decision).json["code"] == "own_request"
    assert caller("process_owner")("POST", f"/take-backs/{wish}/decision", decision).json["state"] == "done"
    assert allocated_of(business.database, *business.waiting) == [6000, 3000, 1000]
    assert_books_agree(business.database)


def test_a_protection_is_entered_and_ended(caller, business):
    lead = caller("site_lead")
    body = {
        "site": business.site, "item": business.items[0], "customer": business.customer, "quantity": "5",
        "contract": "frame 7", "valid_from": "2026-01-01",
    }  # fmt: skip
    refused = lead("POST", "/stock-protections", {**body, "valid_until": "2025-01-01"})
    assert refused.json["code"] == "validity_empty"
    key = lead("POST", "/stock-protections", body).json["id"]
    assert lead("POST", "/stock-protections", body).status_code == 409
    assert lead("GET", "/stock-protections").json["count"] == 1
    assert lead("POST", f"/stock-protections/{key}/end").json["state"] == "ended"
    assert lead("POST", f"/stock-protections/{key}/end").json["code"] == "protection_ended"


def test_backorders_are_listed_promised_anew_and_cancelled_each_for_itself(caller, business):
    desk = caller("customer_service")
    found = desk("GET", "/backorders").json["items"]
    assert [one["unmet"] for one in found] == ["6.000", "6.000", "3.000"]
    first, last = business.waiting[0].lines[0].id, business.waiting[2].lines[0].id
    day = (business.clock.now() + timedelta(days=20)).date().isoformat()
    done = desk("POST", "/backorders/promises", {"lines": [first, 77], "reason": "they wrote", "day": day}).json
    assert [(one["done"], one["code"]) for one in done["results"]] == [(True, None), (False, "line_unknown")]
    assert rows(business.database, "SELECT promised_on FROM order_line WHERE id = :i", i=first)[0][0] == day
    assert desk("POST", "/backorders/cancellations", {"lines": [last], "reason": "discontinued"}).json["done"] == 1
    assert len(desk("GET", "/backorders").json["items"]) == 2
    assert_books_agree(business.database)


def test_who_may_not_is_refused_and_nothing_happens(caller, business):
    desk = caller("customer_service")
    assert desk("POST", "/allocation-runs", {"site": business.site}).status_code == 403
    assert rows(business.database, "SELECT COUNT(*) FROM allocation_run") == [(0,)]
