"""Suppliers and purchase orders on their screens: kept, ordered, confirmed, received, ended; what was typed stays."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.supply import a_supplier, column, head, lines_of, ordered
from tests.support.warehouse import balance, day, expected


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=2, stock=100)
    made.clock = clock
    open_cells(made)
    return made


def test_a_supplier_is_kept_with_what_it_asks(signed_in, business):
    owner = signed_in("data_owner")
    assert "No supplier fits" in owner.get("/suppliers").text
    form = {
        "entity": business.entity,
        "code": "ROHR",
        "name": "Rohrwerk AG",
        "country": "Germany",
        "lead_days": "5",
        "site": "0",
    }
    owner.get("/suppliers/new")
    page = owner.post("/suppliers/new", form)
    assert page.heading == "Rohrwerk AG"
    page = owner.post("/suppliers/new", form, status=409)
    assert "The code ROHR is in use" in page.errors()[0]
    assert page.value("name") == "Rohrwerk AG"
    key = column(business, "SELECT id FROM supplier")[0]
    owner.get(f"/suppliers/{key}/items/new")
    page = owner.post(f"/suppliers/{key}/items/new", {"item": "nothing", "price": "3.50", "rank": "1"}, status=422)
    assert "No item has the code nothing" in page.errors()[0]
    page = owner.post(f"/suppliers/{key}/items/new", {"item": "40-0", "price": "3.50", "rank": "1"})
    assert "3.50" in page.text
    assert "5 days" in page.text
    page = owner.post(f"/suppliers/{key}/block", {})
    assert "Order from it again" in page.text


def test_a_purchase_order_is_typed_confirmed_received_and_done(signed_in, business):
    supplier = a_supplier(business)
    buyer = signed_in("buyer")
    assert "No purchase order fits" in buyer.get("/purchase-orders").text
    buyer.get("/purchase-orders/new")
    typed = {
        "supplier": supplier,
        "site": business.site,
        "lines-0-item": "40-1",
        "lines-0-quantity": "20",
        "press": "enter",
    }
    page = buyer.post("/purchase-orders/new", typed, status=422)
    assert "has no price for 40-1" in page.errors()[0]
    assert page.value("lines-0-quantity") == "20"
    more = buyer.post("/purchase-orders/new", {**typed, "press": "add"})
    assert more.value("lines-1-item") == ""
    page = buyer.post("/purchase-orders/new", {**typed, "lines-0-item": "Pipe 0"})
    assert page.heading == "PO-2026-000001 · Rohrwerk AG"
    (key,) = column(business, "SELECT id FROM purchase_order")
    (line,) = column(business, "SELECT id FROM purchase_order_line")
    buyer.get(f"/purchase-orders/{key}/confirm")
    said = {f"on_{line}": day(9).isoformat(), f"quantity_{line}": "21", "reference": "AB 9", "version": "1"}
    page = buyer.post(f"/purchase-orders/{key}/confirm", said, status=422)
    assert "at most what was ordered" in page.errors()[0]
    page = buyer.post(f"/purchase-orders/{key}/confirm", {**said, f"quantity_{line}": "15"})
    assert "Wed 11 Mar" in page.text
    page = buyer.post(f"/purchase-orders/{key}/confirm", said, status=409)
    assert "Somebody changed this" in page.errors()[0]
    floor = signed_in("warehouse_operator")
    assert floor.get("/receive?scan=PO-2026-000001").heading == "40-0 · Pipe 0"
    (come,) = column(business, "SELECT id FROM expected_receipt")
    floor.post(f"/receive/{come}", {"quantity": "15", "paper": "DN 9"})
    page = buyer.get(f"/purchase-orders/{key}")
    assert "Nothing more is expected of it." in page.text
    assert balance(business)[0] == 115
    assert buyer.get("/search?q=PO-2026-000001").heading == "PO-2026-000001 · Rohrwerk AG"
    assert_books_agree(business.database)


def test_a_form_sent_twice_orders_once(signed_in, business):
    buyer = signed_in("buyer")
    typed = {
        "supplier": a_supplier(business), "site": business.site, "lines-0-item": "40-0", "lines-0-quantity": "20", "press": "enter",
        "request_key": "one-and-the-same",
    }  # fmt: skip
    buyer.get("/purchase-orders/new")
    buyer.post("/purchase-orders/new", typed)
    buyer.post("/purchase-orders/new", typed)
    assert len(column(business, "SELECT id FROM purchase_order")) == 1


def test_ending_needs_a_reason_and_what_one_may_not_do_says_so(signed_in, business):
    purchase = ordered(business, a_supplier(business))
    service = signed_in("customer_service")
    page = service.get(f"/purchase-orders/{purchase.id}")
    assert "your role may not note what suppliers confirm" in page.text
    service.get(f"/purchase-orders/{purchase.id}/end", status=403)
    buyer = signed_in("buyer")
    page = buyer.post(f"/purchase-orders/{purchase.id}/end", {"reason": "", "version": "1"}, status=422)
    assert page.errors()
    buyer.post(f"/purchase-orders/{purchase.id}/end", {"reason": "too late", "version": "1"})
    assert (head(business, purchase).state, lines_of(business, purchase)) == ("cancelled", [(20, 0, 20)])
    page = buyer.get("/purchase-orders?state=cancelled")
    assert "PO-2026-000001" in page.text


def test_a_long_list_asks_no_more_than_a_short_one(signed_in, business, sqlite_database):
    from tests.support.queries import queries

    supplier = a_supplier(business)
    buyer = signed_in("buyer")
    ordered(business, supplier)
    expected(business, 5)
    with queries(sqlite_database) as few:
        buyer.get("/purchase-orders")
    for _ in range(12):
        ordered(business, supplier)
    with queries(sqlite_database) as many:
        buyer.get("/purchase-orders")
    with reading(sqlite_database) as session:
        assert session.execute(text("SELECT COUNT(*) FROM purchase_order")).scalar_one() == 13
    assert len(many) == len(few) <= 25
