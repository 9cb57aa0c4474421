"""Transfer orders on their screens and over the API: asked for, answered by somebody else, shipped, received, cancelled."""

from __future__ import annotations

from tests.support.controls import assert_books_agree
from tests.support.operate import open_cells
from tests.support.supply import column
from tests.support.warehouse import balance, second_site
from tests.web.test_purchasing import business

__all__ = ["business"]


def test_a_branch_asks_another_site_answers_ships_and_the_branch_receives(signed_in, business):  # the fixture above
    branch = second_site(business)
    open_cells(business, site=branch)
    lead, boss, floor = signed_in("site_lead"), signed_in("warehouse_supervisor"), signed_in("warehouse_operator")
    assert "No transfer order fits" in lead.get("/transfer-orders").text
    lead.get("/transfer-orders/new")
    typed = {
        "from_site": business.site,
        "to_site": business.site,
        "lines-0-item": "40-0",
        "lines-0-quantity": "30",
        "press": "enter",
    }
    page = lead.post("/transfer-orders/new", typed, status=422)
    assert page.errors()
    assert page.value("lines-0-quantity") == "30"
    page = lead.post("/transfer-orders/new", {**typed, "to_site": branch})
    assert "Duisburg → Hamburg" in page.heading
    assert "from stock" in page.text
    assert "you asked for it, so a colleague decides" in page.text
    (key,) = column(business, "SELECT id FROM transfer_order")
    boss.get(f"/transfer-orders/{key}/decide")
    page = boss.post(f"/transfer-orders/{key}/decide", {"verdict": "reject", "reason": "", "version": "1"}, status=422)
    assert page.errors()
    boss.post(f"/transfer-orders/{key}/decide", {"verdict": "approve", "reason": "", "version": "1"})
    assert balance(business)[1] == 30
    (line,) = column(business, "SELECT id FROM transfer_order_line")
    boss.get(f"/transfer-orders/{key}/ship")
    sent = {f"line_{line}": "31", "arrives_on": "2026-03-04", "version": "2"}
    page = boss.post(f"/transfer-orders/{key}/ship", sent, status=422)
    assert "asks for less of 40-0 than this" in page.errors()[0]
    page = boss.post(f"/transfer-orders/{key}/ship", {**sent, f"line_{line}": "30"})
    assert "TR-" in page.text
    (come,) = column(business, "SELECT id FROM expected_receipt")
    floor.post(f"/receive/{come}", {"quantity": "30"})
    assert balance(business, site=branch)[0] == 30
    assert "Nothing more of it is to be shipped" in lead.get(f"/transfer-orders/{key}").text
    assert_books_agree(business.database)


def test_a_program_asks_decides_ships_and_takes_back(caller, business):  # the fixtures above
    branch = second_site(business)
    open_cells(business, site=branch)
    lead, boss = caller("site_lead"), caller("warehouse_supervisor")
    body = {"from_site": business.site, "to_site": branch, "lines": [{"item": business.items[0], "quantity": "30"}]}
    made = lead("POST", "/transfer-orders", body)
    assert (made.status_code, made.json["promise_reason"]) == (201, "stock")
    here = f"/transfer-orders/{made.json['id']}"
    own = lead("POST", f"{here}/decide", {"approve": True}, version=1)
    assert (own.status_code, own.json["code"]) == (422, "transfer_own_request")
    assert boss("POST", f"{here}/decide", {"approve": True}, version=7).status_code == 412
    assert boss("POST", f"{here}/decide", {"approve": True}, version=1).json["lines"][0]["reserved"] == "30.000"
    line = made.json["lines"][0]["id"]
    sent = boss("POST", f"{here}/ship", {"lines": [{"line": line, "quantity": "12"}]}, version=2)
    assert (sent.json["state"], sent.json["lines"][0]["shipped"], len(sent.json["transfers"])) == (
        "approved",
        "12.000",
        1,
    )
    back = lead("POST", f"{here}/cancel", {"reason": "enough"}, version=3)
    assert (back.json["state"], back.json["lines"][0]["cancelled"]) == ("cancelled", "18.000")
    assert [one["id"] for one in lead("GET", "/transfer-orders").json["items"]] == [made.json["id"]]
    assert balance(business) == (88, 0, 0, 0)
    assert_books_agree(business.database)
