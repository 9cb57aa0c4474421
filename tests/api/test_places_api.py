"""Places, transfers, lots, count plans, periods and carriers over the API, with the refusals of the screens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.masterdata.services import NewEntity, NewItem, add_entity, add_items, ensure_customer_group
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.warehouse import balance, bins, everything, locations, lot_id, received, second_site, tracked


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=2, stock=0)
    made.clock = clock
    open_cells(made)
    return made


def test_a_location_is_listed_blocked_once_and_goods_move_from_it(caller, business):
    shelf, other = locations(business, "A-01", "A-02")
    lead = caller("warehouse_supervisor")
    assert lead("POST", "/zones", {"site": business.site, "code": "COLD", "name": "Cold store"}).status_code == 201
    received(business, 5)
    here = {"site": business.site, "item": business.items[0]}
    moved = lead("POST", "/bin-moves", {**here, "quantity": "5", "location": shelf})
    assert (moved.status_code, [one["location"] for one in moved.json["items"]]) == (201, ["A-01"])
    assert lead("POST", f"/locations/{shelf}/block", {"reason": "bent"}).json == {"state": "blocked"}
    before = everything(business)
    again = lead("POST", f"/locations/{shelf}/block", {"reason": "bent"})
    assert (again.status_code, again.json["code"]) == (422, "location_is_so")
    too_much = lead("POST", "/bin-moves", {**here, "quantity": "6", "source": shelf, "location": other})
    assert (too_much.status_code, too_much.json["code"]) == (422, "bin_short")
    assert everything(business) == before
    found = lead("GET", f"/locations?site={business.site}&blocked=true").json
    assert [(one["code"], one["items"], one["is_blocked"]) for one in found["items"]] == [("A-01", 1, True)]
    assert caller("warehouse_operator")("POST", f"/locations/{shelf}/open", {"reason": "x"}).status_code == 403


def test_a_transfer_and_its_loss_above_the_limit_are_read_line_by_line(caller, business):
    received(business, 500)
    target = second_site(business)
    open_cells(business, site=target)
    lead = caller("warehouse_supervisor")
    day = (business.clock.now() + timedelta(days=2)).date().isoformat()
    made = lead(
        "POST", "/stock-transfers",
        {"from_site": business.site, "to_site": target, "arrives_on": day, "lines": [{"item": business.items[0], "quantity": "300"}]},
    ).json  # fmt: skip
    (line,) = lead("GET", f"/stock-transfers/{made['id']}").json["parts"]
    lost = lead(
        "POST", f"/stock-transfers/{made['id']}/losses", {"line": line["line"], "quantity": "200", "reason": "burnt"}
    )
    assert (lost.json["settled"], lost.json["waits"]) == (False, True)
    (line,) = lead("GET", f"/stock-transfers/{made['id']}").json["parts"]
    assert (line["open"], line["proposed"], line["lost"]) == ("300.000", "200.000", "0.000")
    (asked,) = lead("GET", "/stock-adjustments").json["items"]
    own = lead("POST", f"/stock-adjustments/{asked['id']}/decision", {"approved": True, "note": "sure"})
    assert (own.status_code, own.json["code"]) == (403, "own_request")
    other = caller("warehouse_supervisor")
    assert (
        other("POST", f"/stock-adjustments/{asked['id']}/decision", {"approved": True, "note": "seen"}).status_code
        == 200
    )
    assert balance(business, site=target)[0] == 100
    assert [one["number"] for one in lead("GET", "/stock-transfers").json["items"]] == [made["number"]]


def test_a_count_above_the_limit_says_that_it_waits_and_damaged_goods_are_written_off(caller, business):
    received(business, 500)
    lead = caller("warehouse_supervisor")
    here = {"site": business.site, "item": business.items[0]}
    counted = lead("POST", "/stock/counts", {**here, "found": "100"}).json
    assert (counted["difference"], counted["adjustment"] is None) == ("-400.000", False)
    assert balance(business)[0] == 500
    lead(
        "POST", "/stock-status", {**here, "quantity": "3", "source": "available", "target": "damaged", "reason": "wet"}
    )
    done = lead(
        "POST", "/stock/adjustments",
        {**here, "quantity": "-3", "reason": "thrown away", "reason_code": "damaged", "status": "damaged"},
    )  # fmt: skip
    assert (done.status_code, done.json["waits"], done.json["on_hand"]) == (201, False, "497.000")
    assert bins(business) == {}


def test_lots_are_listed_and_the_plan_of_counts_says_what_is_due(caller, business):
    tracked(business, "lot")
    received(business, 4, lot="L-1", expires_on=(business.clock.now() + timedelta(days=5)).date())
    call = caller("warehouse_supervisor")
    found = call("GET", "/lots?expiring=true").json["items"]
    assert [(one["id"], one["code"], one["on_hand"]) for one in found] == [(lot_id(business, "L-1"), "L-1", "4.000")]
    assert call("POST", "/count-cadences", {"site": business.site, "abc": "A", "days": 7}).status_code == 200
    classes = {one["abc"]: one for one in call("GET", f"/count-plan?site={business.site}").json["classes"]}
    assert (classes["A"]["days"], classes["A"]["due"], classes["B"]["days"]) == (7, 0, 90)
    business.clock.set(business.clock.now() + timedelta(days=8))
    classes = {one["abc"]: one for one in call("GET", f"/count-plan?site={business.site}").json["classes"]}
    assert classes["A"]["due"] == 1


def test_the_books_are_closed_and_the_steps_are_read(caller, business):
    finance = caller("finance")
    body = {"entity": business.entity, "until": "2026-03-01", "reason": "month end"}
    assert finance("POST", "/periods", body).status_code == 201
    assert finance("POST", "/periods", {**body, "until": "2026-02-01"}).status_code == 201
    steps = finance("GET", f"/periods?entity={business.entity}").json["items"]
    assert [(one["until"], one["opens"]) for one in steps] == [("2026-02-01", True), ("2026-03-01", False)]


def test_a_carrier_is_set_up_over_the_api_alone(caller, business):
    lead = caller("warehouse_supervisor")
    carrier = lead("POST", "/carriers", {"entity": business.entity, "code": "DHL", "name": "DHL"}).json["id"]
    service = lead(
        "POST", f"/carriers/{carrier}/services", {"code": "PARCEL", "name": "Parcel", "base_charge": "4.50"}
    ).json["id"]
    cut_offs = {"site": business.site, "cut_offs": {"0": "16:00:00"}}
    assert lead("POST", f"/carrier-services/{service}/cut-offs", cut_offs).status_code == 200
    wrong = lead("POST", f"/carrier-services/{service}/cut-offs", {**cut_offs, "cut_offs": {"9": "16:00:00"}})
    assert wrong.status_code == 422
    rule = lead(
        "POST",
        "/carrier-rules",
        {"service": service, "reason": "by road", "valid_from": "2026-01-01", "site": business.site},
    ).json["id"]
    (found,) = lead("GET", "/carriers").json["items"]
    assert found["services"][0]["cut_offs"] == [{"site": business.site, "weekday": 0, "cut_off": "16:00:00"}]
    assert lead("POST", f"/carrier-rules/{rule}/end", {"until": "2026-12-31"}).json == {"state": "ends"}
    assert lead("GET", "/carrier-rules").json["items"][0]["valid_until"] == "2026-12-31"
    assert lead("POST", f"/carrier-services/{service}/activity", {"is_active": False}).json == {"state": "rests"}
    assert lead("POST", "/carriers", {"entity": business.entity, "code": "DHL", "name": "X"}).status_code == 409
    assert (
        caller("warehouse_operator")(
            "POST", "/carriers", {"entity": business.entity, "code": "U", "name": "X"}
        ).status_code
        == 403
    )


def test_a_carrier_rule_says_for_which_customers_and_a_company_that_practises_has_no_carriers_of_its_own(
    caller, business
):
    with business.work() as work:
        group = ensure_customer_group(work, "building", "Building trade").id
        twin = add_entity(work, NewEntity(code="DE01R", name="Nordhaus practice", country="Germany", currency="EUR",
                                          time_zone="Europe/Berlin", realm="rehearsal", twin=business.entity)).id  # fmt: skip
    lead = caller("warehouse_supervisor")
    carrier = lead("POST", "/carriers", {"entity": business.entity, "code": "DHL", "name": "DHL"}).json["id"]
    service = lead("POST", f"/carriers/{carrier}/services", {"code": "PARCEL", "name": "Parcel"}).json["id"]
    rule = {"service": service, "reason": "by road", "valid_from": "2026-01-01", "customer_group": group}
    assert lead("POST", "/carrier-rules", rule).status_code == 201
    assert lead("GET", "/carrier-rules").json["items"][0]["customer_group"] == "Building trade"
    before = everything(business)
    assert lead("POST", "/carriers", {"entity": twin, "code": "UPS", "name": "UPS"}).status_code == 404
    assert everything(business) == before


def test_another_company_s_items_get_no_substitutes(caller, business):
    with business.work() as work:
        other = add_entity(work, NewEntity(code="AT01", name="Alpen GmbH", country="Austria", currency="EUR",
                                           time_zone="Europe/Vienna")).id  # fmt: skip
        theirs = [
            row.id for row in add_items(work, [NewItem(entity=other, code=f"A-{n}", name="Rail") for n in (1, 2)])
        ]
    owner = caller("data_owner", sites=frozenset({business.site}))
    assert owner("POST", "/substitutes", {"item": theirs[0], "substitute": theirs[1]}).status_code == 404
    with reading(business.database) as session:
        assert session.execute(text("SELECT COUNT(*) FROM item_substitute")).scalar_one() == 0
    own = {"item": business.items[0], "substitute": business.items[1]}
    assert [one["rank"] for one in owner("POST", "/substitutes", own).json["items"]] == [1]


def test_another_site_s_places_and_papers_do_not_exist(caller, business):
    (shelf,) = locations(business, "A-01")
    done = received(business, 5)
    elsewhere = second_site(business, "BRE")
    call = caller("warehouse_supervisor", sites=frozenset({elsewhere}))
    for method, path, body in (
        ("POST", f"/locations/{shelf}/block", {"reason": "bent"}), ("GET", f"/locations?site={business.site}", None),
        ("GET", f"/goods-receipts/{done.id}", None), ("GET", f"/count-plan?site={business.site}", None),
    ):  # fmt: skip
        assert call(method, path, body).status_code == 404, path
