"""Goods that wait for their supplier are sent back on the screen and by programs, with a paper; nobody without the permission."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from tests.db.core.test_sending_back import set_apart
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.supply import a_supplier
from tests.support.web import a_person, a_token


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def test_the_buyer_sends_back_what_waits_and_finds_its_paper(signed_in, business, sqlite_database):
    supplier, line = a_supplier(business), set_apart(business)
    other = a_supplier(business, "ANDERE", prices=(("2.00", 1),))
    second = set_apart(business, item=1)
    buyer = signed_in("buyer")
    assert "/supplier-returns" in buyer.get("/returns").links()
    assert "/supplier-returns/new" in buyer.get("/supplier-returns").links()
    page = buyer.get("/supplier-returns/new")
    assert "40-0 Pipe 0 · 2 pc" in page.text
    assert "Rohrwerk AG" in page.text
    page = buyer.post("/supplier-returns/new", {"supplier": str(supplier)}, status=422)
    assert "Tick what leaves" in page.errors()[0]
    page = buyer.post("/supplier-returns/new", {"supplier": str(other), "lines": str(line)}, status=422)
    assert "does not sell 40-0" in page.errors()[0]
    page = buyer.post("/supplier-returns/new", {"supplier": str(supplier), "lines": str(line), "note": "scratched"})
    here = buyer.path
    for said in ("7.00", "8.00", "scratched", "40-0"):
        assert said in page.text, said
    buyer.get(f"{here}/paper.pdf")
    words = " ".join(PdfReader(BytesIO(buyer.response.data)).pages[0].extract_text().split())
    assert "We expect a credit of 7.00 EUR" in words
    with queries(sqlite_database) as ran:
        page = buyer.get("/supplier-returns")
    assert len(ran) <= MOST
    assert "7.00" in page.text
    buyer.post("/supplier-returns/new", {"supplier": str(other), "lines": str(second)})
    assert "Nothing waits for a supplier" in buyer.get("/supplier-returns/new").text
    signed_in("customer_service").get("/supplier-returns/new", status=403)
    buyer.get("/supplier-returns/4711", status=404)


def test_a_program_sends_back_what_waits_once(site, business, sqlite_database, clock):
    supplier, line = a_supplier(business), set_apart(business)
    token = a_token(sqlite_database, a_person(sqlite_database, "buyer", clock=clock), "buyer", clock=clock)
    heads = {"Authorization": f"Bearer {token}"}

    def call(method, path, key=None, **said):
        more = {"Idempotency-Key": key} if key else {}
        return site.test_client().open(f"/api/v1{path}", method=method, headers={**heads, **more}, **said)

    waiting = call("GET", f"/supplier-returns/waiting?site={business.site}").json["lines"]
    assert [(one["line"], one["item"], one["suppliers"]) for one in waiting] == [(line, "40-0", [supplier])]
    body = {"site": business.site, "supplier": supplier, "lines": [line]}
    made = call("POST", "/supplier-returns", "send-back-000001", json=body)
    assert (made.status_code, made.json.get("expected"), made.json.get("value")) == (201, "7.00", "8.00"), made.json
    assert call("POST", "/supplier-returns", "send-back-000001", json=body).json == made.json
    again = call("POST", "/supplier-returns", "send-back-000002", json=body)
    assert (again.status_code, again.json["code"]) == (422, "sent_back_already")
    key = made.json["id"]
    assert call("GET", f"/supplier-returns/{key}").json["lines"][0]["expected"] == "7.00"
    assert call("GET", f"/supplier-returns/{key}/paper").status_code == 200
    assert [one["id"] for one in call("GET", f"/supplier-returns?supplier={supplier}").json["items"]] == [key]
    assert call("GET", "/supplier-returns/waiting").json["lines"] == []
