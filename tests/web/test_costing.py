"""Methods, layers and late costs on their pages and for programs: who may, what is refused with what was typed, both the same figures."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.costing import bought, chosen, cost_came, layers
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.steps import shipped
from tests.support.web import Browser, a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now(), stock=0)
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def site(database, tmp_path, clock, business):
    return a_site(database, tmp_path, clock)


@pytest.fixture
def browsing(database, site, clock):
    def make(role):
        browser = Browser(site)
        browser.sign_in(a_person(database, role, clock=clock))
        return browser

    return make


@pytest.fixture
def calling(database, site, clock):
    def call(role, method, path, body=None):
        token = a_token(database, a_person(database, role, clock=clock), role, clock=clock)
        headers = {"Authorization": f"Bearer {token}"}
        return site.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers)

    return call


def test_finance_chooses_a_method_and_adds_freight_to_a_receipt(browsing, business, database):
    finance, desk = browsing("finance"), browsing("customer_service")
    assert "Standard cost" in finance.get("/costing").text
    desk.get("/costing", status=403)
    finance.get(f"/costing/{business.site}/choose")
    seen = {"seen": finance.page.value("seen")}
    page = finance.post(
        f"/costing/{business.site}/choose", {"method": "standard", "reason": "as told", **seen}, status=422
    )
    assert "values its stock like that already" in page.text
    assert "as told" in page.html
    finance.post(f"/costing/{business.site}/choose", {"method": "fifo", "reason": "The auditor asks", **seen})
    page = finance.get(f"/costing/{business.site}")
    assert "First in, first out" in page.text
    assert "The auditor asks" in page.text
    receipt = bought(business, "3.00", 10)
    shipped(business, ((0, 4),))
    address = f"/warehouse/receipts/{receipt.id}/late-cost"
    desk.get(address, status=403)
    finance.get(address)
    key = {"request_key": finance.page.value("request_key")}
    typed = {"amount": "10.005", "kind": "freight", "basis": "value", "paper": "FR 77", "note": "forwarder", **key}
    page = finance.post(address, typed, status=422)
    assert "no finer than its smallest coin" in page.text
    assert "FR 77" in page.html
    finance.post(address, typed | {"amount": "10.00"})
    assert "On goods still here 6.00" in finance.page.text
    # The same form once more, as an impatient person sends it, changes nothing.
    finance.post(address, typed | {"amount": "10.00"})
    assert layers(business) == [(10, 6, 2400)]
    with queries(database) as ran:
        page = finance.get(f"/stock/{business.site}/{business.items[0]}/layers")
    assert len(ran) <= MOST
    for said in ("Left", "24.00", "Went out of a layer", "Cost more", receipt.number):
        assert said in page.text, said
    assert "FR 77" in finance.get("/late-costs").text
    assert "FR 77" in finance.get(f"/warehouse/receipts/{receipt.id}").text
    assert "FR 77" not in desk.get(f"/warehouse/receipts/{receipt.id}").text
    assert "first in, first out" in finance.get(f"/stock/{business.site}/{business.items[0]}").text
    desk.get(f"/stock/{business.site}/{business.items[0]}/layers", status=403)
    finance.get("/late-costs/4711", status=404)
    finance.get("/costing/4711", status=404)
    assert_books_agree(database)


def test_an_item_without_layers_says_how_its_site_values_it(browsing, business):
    finance = browsing("finance")
    bought(business, "3.00", 10)
    here = f"/stock/{business.site}/{business.items[0]}/layers"
    assert "at the item's standard cost" in finance.get(here).text
    chosen(business, "average")
    assert "the average of what is there" in finance.get(here).text
    chosen(business)
    assert "what was there before" in finance.get(here).text


def test_steps_of_a_layer_go_on_on_further_pages(browsing, business):
    finance = browsing("finance")
    chosen(business)
    receipt = bought(business, "3.00", 10)
    for n in range(30):
        cost_came(business, receipt, "0.10", paper=f"FR {n}")
    here = f"/stock/{business.site}/{business.items[0]}/layers"
    finance.get(here)
    assert "Older" in finance.page.text
    older = finance.page.html.split("?before=")[1].split("#")[0]
    assert "The newest" in finance.get(f"{here}?before={older}").text
    assert "Came" in finance.page.text
    assert "There is nothing before" in finance.get(f"{here}?before=1").text


def test_programs_choose_read_and_add_the_same(calling, business, database):
    path = f"/sites/{business.site}/costing"
    assert calling("finance", "GET", path).json["method"] == "standard"
    made = calling("finance", "POST", path, {"method": "fifo", "reason": "audit", "seen": 0})
    assert (made.status_code, made.json["method"], len(made.json["history"])) == (200, "fifo", 1), made.json
    again = calling("finance", "POST", path, {"method": "average", "reason": "audit", "seen": 0})
    assert (again.status_code, again.json["code"]) == (409, "changed_meanwhile")
    assert calling("site_lead", "POST", path, {"method": "average", "reason": "audit"}).status_code == 403
    receipt = bought(business, "3.00", 10)
    shipped(business, ((0, 4),))
    late = f"/goods-receipts/{receipt.id}/late-costs"
    added = calling("finance", "POST", late, {"amount": "10.00", "paper": "FR 77"})
    assert added.status_code == 201, added.json
    assert [(one["here"], one["stock"], one["sold"]) for one in added.json["parts"]] == [("6.000", "6.00", "4.00")]
    twice = calling("finance", "POST", late, {"amount": "10.00", "paper": "FR 77"})
    assert (twice.status_code, twice.json["code"]) == (409, "late_cost_twice")
    assert (
        calling("finance", "POST", "/goods-receipts/4711/late-costs", {"amount": "1", "paper": "X"}).status_code == 404
    )
    listed = calling("finance", "GET", "/late-costs?kind=freight").json["items"]
    assert [(one["paper"], one["amount"], one["sold"]) for one in listed] == [("FR 77", "10.00", "4.00")]
    assert calling("finance", "GET", "/late-costs?kind=duty").json["items"] == []
    assert calling("finance", "GET", f"/late-costs/{listed[0]['id']}").json["stock"] == "6.00"
    found = calling("finance", "GET", f"/sites/{business.site}/stock/{business.items[0]}/layers").json
    assert [(one["left"], one["unit_cost"], one["value"]) for one in found["layers"]] == [
        ("6.000", "4.000000", "24.00")
    ]
    assert [one["reason"] for one in found["steps"]] == ["late", "went", "came"]
    assert sum(Decimal(one["value"]) for one in found["steps"]) == Decimal(found["value"])
    rows = calling("finance", "GET", "/costing").json["items"]
    assert [(one["method"], one["value"]) for one in rows] == [("fifo", "24.00")]
    assert calling("customer_service", "GET", "/costing").status_code == 403
    assert_books_agree(database)
