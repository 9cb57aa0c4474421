"""A picked shipment is put back from its page and by a program; it says so wherever it stands, and nothing asks to ship or bill it."""

from __future__ import annotations

import pytest

from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.floor import ANNA, a_floor, a_task, picked_by
from tests.support.operate import open_cells
from tests.support.rows import rows
from tests.support.steps import allocated


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    a_floor(made)
    return made


def a_shipment(business):
    order = allocated(business)
    return order, picked_by(business, ANNA, a_task(business, order)[0].id).shipments[0]


def test_a_shipment_is_taken_back_on_its_page_with_a_reason(signed_in, business, database):
    order, shipment = a_shipment(business)
    user = signed_in("warehouse_operator")
    page = user.get(f"/shipments/{shipment.id}")
    assert "Take back…" in page.text
    page = user.post(f"/shipments/{shipment.id}/take-back", {"reason": ""}, status=422)
    assert "Say why it does not leave" in page.text
    page = user.post(f"/shipments/{shipment.id}/take-back", {"reason": "the customer waits for the rest"})
    assert f"{shipment.number} is taken back. Put its goods where they came from." in page.text
    assert "Put back on the shelf" in page.text
    assert "the customer waits for the rest" in page.text
    assert "Ship…" not in page.text
    assert "Pack…" not in page.text
    assert rows(database, "SELECT allocated, picked FROM order_line") == [(10_000, 0)]
    assert "was taken back" in user.get(f"/shipments/{shipment.id}/ship").text
    assert "was taken back" in user.get(f"/shipments/{shipment.id}/pack").text
    assert shipment.number in user.get("/shipments?state=taken_back").text
    assert shipment.number not in user.get("/shipments?state=picked").text
    page = signed_in("super_user").get(f"/orders/{order.id}")
    assert "Taken back" in page.text
    assert f"Confirm {shipment.number}" not in page.text
    assert_books_agree(database)


def test_a_program_takes_a_shipment_back_once(caller, business, database):
    _, shipment = a_shipment(business)
    call, here = caller("warehouse_operator"), f"/shipments/{shipment.id}/take-back"
    done = call("POST", here, {"reason": "the van is full"})
    assert (done.status_code, done.json["state"]) == (200, "taken_back")
    again = call("POST", here, {"reason": "the van is full"})
    assert (again.status_code, again.json["code"]) == (422, "illegal_move")
    found = call("GET", "/shipments?state=taken_back").json
    assert [one["id"] for one in found["items"]] == [shipment.id]
    assert_books_agree(database)
