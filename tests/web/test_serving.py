"""Service commitments and lanes on their screens and over the API."""

from __future__ import annotations

from tests.support.supply import column
from tests.web.test_purchasing import business

__all__ = ["business"]


def test_a_commitment_is_kept_once_and_ended(signed_in, business):  # the fixture above
    owner = signed_in("data_owner")
    page = owner.get("/service-commitments")
    assert "leaves after 2 days" in page.text
    owner.get("/service-commitments/new")
    typed = {
        "site": business.site, "channel": business.channel, "group": "0", "basis": "delivery", "lead_days": "3", "transit_days": "1",
        "early_days": "0", "late_days": "0", "weekdays": ["2", "16"], "fill_target": "97.5", "valid_from": "2026-04-01",
    }  # fmt: skip
    page = owner.post("/service-commitments/new", typed, status=409)
    assert "have a commitment of 2 days from 01 Jan 2020 until further notice already" in page.errors()[0]
    assert page.value("lead_days") == "3"
    (old,) = column(business, "SELECT id FROM service_commitment")
    owner.post(f"/service-commitments/{old}/end", {"until": "2019-01-01"}, status=422)
    owner.post(f"/service-commitments/{old}/end", {"until": "2026-04-01"})
    page = owner.post("/service-commitments/new", typed)
    assert "arrives after 4 days" in page.text
    assert "Tue, Fri" in page.text
    assert "97.5 %" in page.text
    signed_in("customer_service").get("/service-commitments/new", status=403)


def test_a_lane_is_kept_replaced_and_dropped(signed_in, business):  # the fixture above
    owner = signed_in("data_owner")
    assert "No lane fits" in owner.get("/sourcing-lanes").text
    owner.get("/sourcing-lanes/new")
    typed = {"site": business.site, "country": "Germany", "transit_days": "2", "cost": "9.50"}
    owner.post("/sourcing-lanes/new", {**typed, "transit_days": "-1"}, status=422)
    owner.post("/sourcing-lanes/new", typed)
    page = owner.post("/sourcing-lanes/new", {**typed, "cost": "8.00"})
    assert "8.00" in page.text
    assert "9.50" not in page.text
    (lane,) = column(business, "SELECT id FROM sourcing_lane")
    assert "No lane fits" in owner.post(f"/sourcing-lanes/{lane}/drop", {}).text


def test_a_program_keeps_commitments_and_lanes(caller, business):  # the fixtures above
    owner = caller("data_owner")
    body = {"site": business.site, "channel": business.channel, "lead_days": 3, "valid_from": "2026-04-01"}
    refused = owner("POST", "/service-commitments", body)
    assert (refused.status_code, refused.json["code"]) == (409, "commitment_overlaps")
    (old,) = (one["id"] for one in owner("GET", "/service-commitments").json["items"])
    assert owner("POST", f"/service-commitments/{old}/end", {"until": "2026-04-01"}).json["valid_until"] == "2026-04-01"
    assert owner("POST", "/service-commitments", {**body, "weekdays": 18}).json["weekdays"] == 18
    lane = owner("POST", "/sourcing-lanes", {"site": business.site, "country": "*", "transit_days": 2, "cost": "9.50"})
    assert (lane.status_code, lane.json["cost"]) == (201, "9.50")
    assert owner("DELETE", f"/sourcing-lanes/{lane.json['id']}").status_code == 204
    assert owner("GET", "/sourcing-lanes").json["count"] == 0
