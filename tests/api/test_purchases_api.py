"""Suppliers and purchase orders over the API: the same services and refusals, the version that was read, one effect per key."""

from __future__ import annotations

from tests.api.test_warehouse_api import business
from tests.support.controls import assert_books_agree
from tests.support.supply import column
from tests.support.warehouse import balance, day

__all__ = ["business"]


def test_a_program_keeps_a_supplier_orders_confirms_receives_and_ends(caller, business):  # the fixtures above
    owner, buyer, floor = caller("data_owner"), caller("buyer"), caller("warehouse_operator")
    body = {"entity": business.entity, "code": "ROHR", "name": "Rohrwerk AG", "country": "Germany", "lead_days": 5}
    made = owner("POST", "/suppliers", body)
    assert made.status_code == 201
    assert owner("POST", "/suppliers", body).json["code"] == "code_in_use"
    supplier = made.json["id"]
    offer = owner("POST", f"/suppliers/{supplier}/offers", {"item": business.items[0], "price": "3.50"})
    assert offer.json["offers"][0]["price"] == "3.500000"
    order = {"site": business.site, "supplier": supplier, "lines": [{"item": business.items[0], "quantity": "20"}]}
    placed = buyer("POST", "/purchase-orders", order)
    assert (placed.status_code, placed.json["value"], placed.json["state"]) == (201, "70.00", "ordered")
    wrong = {**order, "lines": [{"item": business.items[0], "quantity": "0"}]}
    refused = buyer("POST", "/purchase-orders", wrong)
    assert (refused.status_code, refused.json["code"]) == (422, "quantity_not_positive_here")
    key, line = placed.json["id"], placed.json["lines"][0]
    said = {"reference": "AB 9", "lines": [{"line": line["id"], "on": day(9).isoformat(), "quantity": "15"}]}
    assert buyer("POST", f"/purchase-orders/{key}/confirm", said, version=7).status_code == 412
    confirmed = buyer("POST", f"/purchase-orders/{key}/confirm", said, version=1)
    assert (confirmed.json["state"], confirmed.json["lines"][0]["cancelled"]) == ("confirmed", "5.000")
    receipt = {
        "site": business.site,
        "paper": "DN 9",
        "lines": [{"item": business.items[0], "quantity": "9", "expected": line["expected"]}],
    }
    assert floor("POST", "/goods-receipts", receipt).status_code == 201
    assert floor("POST", f"/purchase-orders/{key}/end", {"reason": "late"}, version=3).status_code == 403
    ended = buyer("POST", f"/purchase-orders/{key}/end", {"reason": "late"}, version=3)
    assert (ended.json["state"], ended.json["number"]) == ("closed", "PO-2026-000001")
    assert [one["id"] for one in buyer("GET", "/purchase-orders").json["items"]] == [key]
    assert balance(business)[0] == 9
    assert column(business, "SELECT state FROM purchase_order") == ["closed"]
    assert_books_agree(business.database)


def test_a_program_orders_nothing_from_a_blocked_supplier_until_it_is_open_again(caller, business):
    owner, buyer = caller("data_owner"), caller("buyer")
    body = {"entity": business.entity, "code": "ROHR", "name": "Rohrwerk AG", "country": "Germany", "lead_days": 5}
    supplier = owner("POST", "/suppliers", body).json["id"]
    owner("POST", f"/suppliers/{supplier}/offers", {"item": business.items[0], "price": "3.50"})
    order = {"site": business.site, "supplier": supplier, "lines": [{"item": business.items[0], "quantity": "20"}]}
    here = f"/suppliers/{supplier}/standing"
    assert buyer("POST", here, {"is_blocked": True}).status_code == 403
    assert owner("POST", here, {"is_blocked": True}).json["is_blocked"] is True
    assert buyer("POST", "/purchase-orders", order).json["code"] == "supplier_blocked"
    assert column(business, "SELECT count(*) FROM purchase_order") == [0]
    assert owner("POST", here, {"is_blocked": False}).json["is_blocked"] is False
    assert buyer("POST", "/purchase-orders", order).status_code == 201
