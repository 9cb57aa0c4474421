"""The floor on screen: a wave planned and released, picked with a scanner, packed, shipped, delivered; and its papers."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.floor import a_floor, a_task
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.steps import allocated


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def one(database, query):
    with reading(database) as session:
        return session.execute(text(query)).one()


def keyed(browser, **values):
    return {"request_key": browser.page.value("request_key"), **values}


def test_whose_a_task_is_is_asked_for_and_the_asking_is_kept(signed_in, business, sqlite_database):
    floor = a_floor(business)
    allocated(business, [(0, 10)])
    boss, picker, other = signed_in("warehouse_supervisor"), signed_in("warehouse_operator"), signed_in("super_user")
    boss.get(f"/floor/{business.site}/waves/new?service={floor.parcel}")
    boss.post(
        f"/floor/{business.site}/waves/new",
        keyed(boss, service=floor.parcel, method="order", capacity="100", totes="8", zone=""),
    )
    wave = one(sqlite_database, "SELECT id FROM pick_wave").id
    boss.post(f"/floor/waves/{wave}/release/go")
    picker.get("/floor")
    picker.post("/floor/next", {"site": business.site, "kind": "pick"})
    (name,) = one(sqlite_database, "SELECT a.name FROM account a JOIN warehouse_task t ON t.owner_id = a.id")
    there = f"/floor/waves/{wave}"
    assert "a colleague" in boss.get(there).text
    assert name not in boss.page.text
    boss.get("/floor/board")
    assert name in boss.post(f"/names/floor/{business.site}").text
    kept = one(sqlite_database, "SELECT kind, subject_type, subject_id FROM audit_entry ORDER BY position DESC LIMIT 1")
    assert tuple(kept) == ("person.looked_up", "floor", business.site)
    assert "a colleague" in other.get(there).text
    assert name not in other.page.text


def test_an_order_goes_from_wave_to_proof_of_delivery_with_a_scanner(signed_in, business, sqlite_database):
    floor = a_floor(business)
    allocated(business, [(0, 10), (1, 4)])
    boss, picker = signed_in("warehouse_supervisor"), signed_in("warehouse_operator")
    assert "Not planned" in boss.get("/floor/board").text
    boss.get(f"/floor/{business.site}/waves/new?service={floor.parcel}")
    page = boss.post(
        f"/floor/{business.site}/waves/new",
        keyed(boss, service=floor.parcel, method="order", capacity="100", totes="8", zone=""),
    )
    wave = one(sqlite_database, "SELECT id FROM pick_wave").id
    assert "Release it when its round may begin" in page.text
    boss.post(f"/floor/waves/{wave}/release/go")

    assert "Take the next pick · 1 waits" in picker.get("/floor").text
    assert "Take the next pack" not in picker.page.text, "a button that could only refuse"
    picker.post("/floor/next", {"site": business.site, "kind": "pick"})
    here = picker.path
    page = picker.post(f"{here}/start")
    assert page.heading == "40-0"
    before = keyed(picker, scanned="40-1", quantity="10", before="0", scanned_location="")
    page = picker.post(f"{here}/lines/1", before, status=422)
    assert "This is 40-1, not 40-0. Put it back and scan 40-0." in page.text
    page = picker.post(f"{here}/lines/1", keyed(picker, scanned="40-0", quantity="10", before="0", scanned_location=""))
    assert page.heading == "40-1"
    picker.get(f"{here}/lines/2/short")
    page = picker.post(
        f"{here}/lines/2/short", keyed(picker, quantity="3", damaged="", reason="shelf empty", before="0")
    )
    assert "Every line is done" in page.text
    picker.post(f"{here}/finish")
    assert one(sqlite_database, "SELECT state FROM pick_wave") == ("completed",)

    shipment = one(sqlite_database, "SELECT id FROM shipment").id
    there = f"/shipments/{shipment}"
    picker.get("/floor")
    picker.post("/floor/next", {"site": business.site, "kind": "pack"})
    assert picker.path == f"{there}/pack"
    picker.post(f"{there}/cartons", keyed(picker, carton_type=floor.box))
    page = picker.post(f"{there}/put", keyed(picker, scanned="40-2", quantity="1"), status=422)
    assert "40-2 is not in SH-" in page.text
    picker.get(f"{there}/pack")
    picker.post(f"{there}/put", keyed(picker, scanned="40-0", quantity="10"))
    page = picker.post(f"{there}/put", keyed(picker, scanned="40-1", quantity="3"))
    carton = one(sqlite_database, "SELECT id FROM carton").id
    page = picker.post(f"{there}/cartons/{carton}/close", {"w-weight_kg": "8.2"})
    assert "is packed" in page.heading
    picker.get(f"{there}/ship")
    page = picker.post(
        f"{there}/ship", {"tracking_number": "00340434161094042557", "service": "0", "premium_reason": ""}
    )
    assert "has left." in page.text
    boss.get(f"{there}/freight")
    assert "7.42 EUR" in boss.post(f"{there}/freight", {"amount": "7.42"}).text
    boss.get(f"{there}/proof")
    page = boss.post(f"{there}/proof", {"received_by": "M. Weber", "note": "at the ramp"})
    assert "M. Weber" in page.text
    assert one(sqlite_database, "SELECT sum(shipped), sum(delivered) FROM order_line") == (13000, 13000)
    assert_books_agree(sqlite_database)


def test_a_little_more_than_ordered_is_picked_on_the_phone_within_the_tolerance(signed_in, business, sqlite_database):
    approve(business, "over_ship_tolerance_permille", 50)
    a_task(business, allocated(business, [(0, 40)]))
    picker = signed_in("warehouse_operator")
    picker.get("/floor")
    picker.post("/floor/next", {"site": business.site, "kind": "pick"})
    here = picker.path
    page = picker.post(f"{here}/start")
    assert "Up to 42 pc within the tolerance" in page.text
    form = {"before": "0", "scanned": "40-0", "scanned_location": ""}
    page = picker.post(f"{here}/lines/1", keyed(picker, quantity="43", **form), status=422)
    assert "only 42 are still to be picked here, with what the rules tolerate" in page.text
    assert page.value("quantity") == "43"
    page = picker.post(f"{here}/lines/1", keyed(picker, quantity="42", **form))
    assert "2 pc more than ordered" in page.text
    page = picker.get(f"{here}/lines/1/put-back")
    assert page.value("quantity") == "2"
    picker.post(f"{here}/lines/1/put-back", keyed(picker, quantity="1"))
    picker.post(f"{here}/finish")
    assert tuple(one(sqlite_database, "SELECT picked, extra FROM order_line")) == (41_000, 1_000)
    assert_books_agree(sqlite_database)


def test_a_form_sent_twice_picks_once(signed_in, business, sqlite_database):
    allocated(business, [(0, 10)])
    boss = signed_in("warehouse_supervisor")
    order = one(sqlite_database, "SELECT number FROM sales_order").number
    boss.get(f"/floor/{business.site}/urgent")
    boss.post(f"/floor/{business.site}/urgent", keyed(boss, orders=order))
    task = one(sqlite_database, "SELECT id FROM warehouse_task").id
    boss.get(f"/floor/tasks/{task}")
    boss.post(f"/floor/tasks/{task}/start")
    values = keyed(boss, scanned="40-0", quantity="4", before="0", scanned_location="")
    boss.post(f"/floor/tasks/{task}/lines/1", values)
    boss.post(f"/floor/tasks/{task}/lines/1", values)
    assert one(sqlite_database, "SELECT picked FROM warehouse_task_line").picked == 4000


def test_a_supervisor_changes_a_turn_with_a_reason_and_hands_a_task_over(signed_in, business, sqlite_database):
    allocated(business, [(0, 10)])
    boss = signed_in("warehouse_supervisor")
    order = one(sqlite_database, "SELECT number FROM sales_order").number
    boss.get(f"/floor/{business.site}/urgent")
    assert (
        "There is no order SO-0 here."
        in boss.post(f"/floor/{business.site}/urgent", keyed(boss, orders="SO-0"), status=422).text
    )
    boss.post(f"/floor/{business.site}/urgent", keyed(boss, orders=order))
    task = one(sqlite_database, "SELECT id FROM warehouse_task").id
    here = f"/floor/tasks/{task}"
    boss.get(f"{here}/manage")
    boss.post(f"{here}/priority", {"p-priority": "1", "p-reason": ""}, status=422)
    assert one(sqlite_database, "SELECT priority FROM warehouse_task") == (5,)
    boss.post(f"{here}/priority", {"p-priority": "1", "p-reason": "customer waits"})
    assert one(sqlite_database, "SELECT priority FROM warehouse_task") == (1,)
    boss.post(f"{here}/assign", {"a-person": "0"})
    boss.post(f"{here}/cancel", {"c-reason": "truck broke down"})
    assert one(sqlite_database, "SELECT state FROM warehouse_task") == ("cancelled",)


def test_carriers_are_set_up_on_their_page(signed_in, business, sqlite_database):
    boss = signed_in("warehouse_supervisor")
    assert "No carrier yet" in boss.get("/carriers").text
    boss.get("/carriers/new")
    boss.post(
        "/carriers/new",
        {"entity": business.entity, "code": "UPS", "name": "UPS", "tracking_address": "http://x"},
        status=422,
    )
    boss.post("/carriers/new", {"entity": business.entity, "code": "UPS", "name": "UPS", "tracking_address": ""})
    carrier = one(sqlite_database, "SELECT id FROM carrier").id
    boss.get(f"/carriers/{carrier}/services/new")
    boss.post(f"/carriers/{carrier}/services/new", {
        "code": "STD", "name": "Standard", "transit_days": "2", "base_charge": "5", "per_kg": "0.2", "most_kg": "", "label_format": "a6",
    })  # fmt: skip
    service = one(sqlite_database, "SELECT id FROM carrier_service").id
    boss.get(f"/carriers/services/{service}/cut-offs/{business.site}")
    page = boss.post(
        f"/carriers/services/{service}/cut-offs/{business.site}", {"day_0": "16:00", "day_1": "16:00", "day_4": "12:00"}
    )
    assert "Mon–Tue 16:00, Fri 12:00" in page.text
    boss.get("/carriers/rules/new")
    boss.post("/carriers/rules/new", {
        "service": service, "site": "0", "channel": "0", "country": "", "most_kg": "", "valid_from": "2026-01-01", "valid_until": "", "reason": "all goes with it",
    })  # fmt: skip
    rule = one(sqlite_database, "SELECT id FROM carrier_rule").id
    boss.get(f"/carriers/rules/{rule}/end")
    assert "has ended" in boss.post(f"/carriers/rules/{rule}/end", {"until": "2026-03-01"}).text
    boss.get("/carriers/carton-types/new")
    page = boss.post("/carriers/carton-types/new", {
        "entity": business.entity, "code": "M", "name": "Box M", "length_mm": "400", "width_mm": "300", "height_mm": "200", "tare_kg": "0.4", "most_kg": "30",
    })  # fmt: skip
    assert "400 × 300 × 200 mm" in page.text
