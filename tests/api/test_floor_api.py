"""The floor for programs: the same services, and papers that are the same bytes each time."""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.support.archive import broken_rules
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.floor import a_floor
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.steps import allocated
from tests.support.web import a_person, a_token


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def call_as(site, sqlite_database, clock):
    """``call_as("warehouse_supervisor")("GET", "/tasks", None, 200)`` is the answer's content, after its status was checked."""

    def make(role):
        key = a_token(sqlite_database, a_person(sqlite_database, role, clock=clock), role, clock=clock)
        client = site.test_client()

        def call(method, path, body, status, version=None):
            headers = {"Authorization": f"Bearer {key}"} | ({} if version is None else {"If-Match": f'"{version}"'})
            answer = client.open(f"/api/v1{path}", method=method, json=body, headers=headers)
            assert answer.status_code == status, answer.text
            return answer.get_json()

        return call

    return make


def test_a_program_plans_picks_packs_ships_and_prints(call_as, business, sqlite_database):
    floor = a_floor(business)
    order = allocated(business, [(0, 10), (1, 4)])
    boss = call_as("warehouse_supervisor")
    wave = boss("POST", "/pick-waves", {"site": business.site, "method": "batch", "service": floor.parcel}, 201)
    assert (wave["state"], wave["tasks"], wave["lines"]) == ("planned", 1, 2)
    assert boss("POST", f"/pick-waves/{wave['id']}/release", None, 412, version=9)["code"] == "precondition_failed"
    boss("POST", f"/pick-waves/{wave['id']}/release", None, 200, version=wave["version"])
    task = boss("POST", "/tasks/next", {"site": business.site, "kinds": ["pick"], "device": "scanner 7"}, 200)["task"][
        "task"
    ]
    here = f"/tasks/{task['id']}"
    boss("POST", f"{here}/start", {"device": "scanner 7"}, 200)
    wrong = boss("POST", f"{here}/lines/1/confirm", {"quantity": "10", "scanned": "40-2"}, 422)
    assert (wrong["code"], wrong["pointer"]) == ("scan_wrong_item", "/scanned")
    paper = boss("GET", f"{here}/pick-list", None, 200)
    assert broken_rules(base64.b64decode(paper["pdf"])) == []
    boss("POST", f"{here}/lines/1/confirm", {"quantity": "10", "scanned": "40-0", "before": "0"}, 200)
    boss("POST", f"{here}/lines/2/confirm", {"quantity": "4", "scanned": "40-1"}, 200)
    done = boss("POST", f"{here}/finish", None, 200)
    (shipment,) = done["shipments"]
    there = f"/shipments/{shipment}"
    packed = boss("POST", f"{there}/cartons", {"carton_type": floor.box, "weight_kg": "8.2"}, 201)
    assert (packed["carriage"]["service_id"], packed["carriage"]["freight_estimate"]) == (floor.parcel, "6.96")
    assert boss("POST", f"{there}/ship", {"service": floor.express}, 422)["code"] == "premium_reason_needed"
    left = boss("POST", f"{there}/ship", {"tracking_number": "00340434161094042557"}, 200)
    assert left["state"] == "confirmed"
    opened = boss("POST", f"{there}/exceptions", {"kind": "delayed", "reason": "motorway closed"}, 201)
    trouble = opened["exceptions"][0]["id"]
    settled = boss("POST", f"/shipment-exceptions/{trouble}/resolve", {"resolution": "arrived a day later"}, 200)
    assert settled["exceptions"][0]["resolution"] == "arrived a day later"
    assert boss("POST", f"{there}/freight", {"amount": "7.42"}, 200)["carriage"]["freight_actual"] == "7.42"
    assert boss("POST", f"{there}/proof", {"received_by": "M. Weber"}, 200)["state"] == "delivered"
    for address in (f"{there}/packing-slip", f"{there}/labels", f"/orders/{order.id}/confirmation"):
        first, second = boss("GET", address, None, 200), boss("GET", address, None, 200)
        assert first["pdf"] == second["pdf"], address
        assert broken_rules(base64.b64decode(first["pdf"])) == [], address
        assert first["sha256"] == hashlib.sha256(base64.b64decode(first["pdf"])).hexdigest()
    assert_books_agree(sqlite_database)


def test_a_program_picks_a_little_more_within_the_tolerance(call_as, business, sqlite_database):
    approve(business, "over_ship_tolerance_permille", 50)
    order, boss = allocated(business, [(0, 40)]), call_as("warehouse_supervisor")
    boss("POST", "/tasks/pick-now", {"site": business.site, "orders": [order.id]}, 201)
    task = boss("POST", "/tasks/next", {"site": business.site, "kinds": ["pick"]}, 200)["task"]["task"]
    here = f"/tasks/{task['id']}"
    boss("POST", f"{here}/start", {}, 200)
    over = boss("POST", f"{here}/lines/1/confirm", {"quantity": "42.001"}, 422)
    assert over["code"] == "pick_over_line"
    said = boss("POST", f"{here}/lines/1/confirm", {"quantity": "42"}, 200)
    assert [(line["picked"], line["extra"]) for line in said["lines"]] == [("40.000", "2.000")]
    boss("POST", f"{here}/finish", None, 200)
    line = boss("GET", f"/orders/{order.id}", None, 200)["lines"][0]
    assert (line["picked"], line["extra"]) == ("42.000", "2.000")
    assert_books_agree(sqlite_database)
