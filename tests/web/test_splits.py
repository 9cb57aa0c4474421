"""A line is split on the page on which orders are changed, and through the API, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.db.core.test_drop_ship import confirmed, released
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.steps import allocated
from tests.support.supply import a_supplier


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def quantities(database):
    with reading(database) as session:
        return [row[0] for row in session.execute(text("SELECT quantity FROM order_line ORDER BY line_no"))]


def test_a_part_is_typed_checked_shown_and_applied(signed_in, business, database):
    order = allocated(business, ((0, 10),))
    desk, line = signed_in("customer_service"), order.lines[0].id
    here = f"/orders/{order.id}/amend"
    page = desk.get(here)
    typed = {
        "request_key": page.value("request_key"), "version": page.value("version"), "was": page.value("was"),
        "by_customer": "ours", "reason": "the site is not ready", f"quantity_{line}": "10", "parts-0-line": str(line),
        "parts-0-quantity": "11", "parts-0-day": "2027-03-20",
    }  # fmt: skip
    page = desk.post(here, typed, status=422)
    assert "something must be left of it" in page.errors()[0]
    assert page.value("parts-0-quantity") == "11"
    page = desk.post(here, {**typed, "press": "part"})
    assert page.value("parts-1-quantity") == ""
    page = desk.post(here, {**typed, "parts-0-quantity": "4", "request_key": page.value("request_key")})
    assert "4 pc become a line of their own, for another day" in page.text
    assert quantities(database) == [10_000]
    page = desk.post(f"{desk.path}/apply", {})
    assert quantities(database) == [6_000, 4_000]
    page = desk.get(f"/orders/{order.id}")
    assert "part of line 10" in page.text
    assert "line 10: 4 of 10 split off" in page.text
    assert_books_agree(database)


def test_a_program_splits_a_line(caller, business, database):
    order, desk = allocated(business, ((0, 10),)), caller("super_user")
    change = {"kind": "split", "line": order.lines[0].id, "quantity": "4", "day": "2027-03-20"}
    body = {"by_customer": False, "reason": "the site is not ready", "changes": [{**change, "day": None}]}
    refused = desk("POST", f"/orders/{order.id}/amendments", body, version=order.version)
    assert (refused.status_code, refused.json["code"]) == (422, "amend_split_same")
    staged = desk("POST", f"/orders/{order.id}/amendments", {**body, "changes": [change]}, version=order.version)
    assert staged.status_code == 201, staged.json
    done = desk("POST", f"/orders/{order.id}/amendments/{staged.json['id']}/apply")
    assert done.status_code == 200, done.json
    found = desk("GET", f"/orders/{order.id}").json["lines"]
    assert [(one["quantity"], one["split_from_id"]) for one in found] == [("6.000", None), ("4.000", order.lines[0].id)]
    assert quantities(database) == [6_000, 4_000]
    assert_books_agree(database)


def test_a_line_that_a_supplier_sends_is_split_until_the_supplier_has_confirmed_it(signed_in, business, database):
    a_supplier(business, ships_direct=True)
    order, (purchase,) = released(business)
    desk, line = signed_in("super_user"), order.lines[0].id

    def typed(quantity):
        page = desk.get(f"/orders/{order.id}/amend")
        return {
            "request_key": page.value("request_key"), "version": page.value("version"), "was": page.value("was"),
            "by_customer": "ours", "reason": "the site is not ready", f"quantity_{line}": page.value(f"quantity_{line}"),
            "parts-0-line": str(line), "parts-0-quantity": quantity, "parts-0-day": "2026-03-20",
        }  # fmt: skip

    desk.post(f"/orders/{order.id}/amend", typed("4"))
    desk.post(f"{desk.path}/apply", {})
    assert quantities(database) == [6_000, 4_000]
    page = desk.get(f"/purchase-orders/{purchase.id}")
    assert "for their line 20" in page.text
    confirmed(business, purchase, 9)
    page = desk.post(f"/orders/{order.id}/amend", typed("2"), status=422)
    assert "The supplier has confirmed 6 of line 10 on PO-2026-000001" in page.errors()[0]
    assert "at most 0 can be split off" in page.errors()[0]
    assert quantities(database) == [6_000, 4_000]
    assert_books_agree(database)


def test_a_program_splits_a_line_that_a_supplier_sends(caller, business, database):
    a_supplier(business, ships_direct=True)
    (order, (purchase,)), desk = released(business), caller("super_user")
    version = desk("GET", f"/orders/{order.id}").json["version"]
    change = {"kind": "split", "line": order.lines[0].id, "quantity": "4", "day": "2026-03-20"}
    body = {"by_customer": False, "reason": "the site is not ready", "changes": [change]}
    staged = desk("POST", f"/orders/{order.id}/amendments", body, version=version)
    assert staged.status_code == 201, staged.json
    assert desk("POST", f"/orders/{order.id}/amendments/{staged.json['id']}/apply").status_code == 200
    found = desk("GET", f"/purchase-orders/{purchase.id}").json["lines"]
    assert [(one["quantity"], one["requested_on"]) for one in found] == [
        ("6.000", str(purchase.lines[0].requested_on)), ("4.000", "2026-03-20"),
    ]  # fmt: skip
    confirmed(business, purchase, 9)
    version = desk("GET", f"/orders/{order.id}").json["version"]
    refused = desk("POST", f"/orders/{order.id}/amendments", body, version=version)
    assert (refused.status_code, refused.json["code"]) == (422, "direct_split_confirmed")
    assert quantities(database) == [6_000, 4_000]
