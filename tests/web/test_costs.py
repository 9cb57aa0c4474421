"""Costs are for who may see them: the value of stock, its unit costs, floors; on pages, in files and in the order of rows."""

from __future__ import annotations

import pytest

from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.web import Browser, a_person, a_site


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def browsing(database, business, tmp_path, clock):
    site = a_site(database, tmp_path, clock)

    def make(role):
        browser = Browser(site)
        browser.sign_in(a_person(database, role, clock=clock))
        return browser

    return make


def test_stock_tells_its_worth_to_who_may_see_costs_alone(browsing, business):
    lead, desk = browsing("site_lead"), browsing("customer_service")
    here = f"/stock/{business.site}/{business.items[0]}"
    assert "Standard cost 4.00 EUR" in lead.get(here).text
    assert "Unit cost" in lead.page.text
    assert "Value 400.00" in lead.page.text
    page = desk.get(here)
    for word in ("Standard cost", "Unit cost", "Value", "400.00", "4.00 EUR"):
        assert word not in page.text, word
    assert "Known value EUR 1,200.00" in lead.get("/stock").text
    assert "Value" not in desk.get("/stock?sort=-value&col=item&col=value").text
    for kind in ("csv", "xlsx"):
        assert desk.client.get(f"/stock.{kind}").status_code == 200
    assert "Value" in lead.client.get("/stock.csv").text
    file = desk.client.get("/stock.csv?col=value&col=item").text
    assert "Value" not in file
    assert "400" not in file
    assert "sort=" not in desk.get("/stock?sort=-value").html.split("</thead>")[1], "nor is its order told"


def test_the_lowest_price_tells_no_floor_to_who_may_not_see_it(browsing, business):
    approve(business, "price_tolerance_permille", 500, entity=business.entity)
    lead, desk = browsing("site_lead"), browsing("customer_service")
    assert "Lowest without approval 5.00" in lead.get("/prices/check?item=40-0").text
    approve(business, "minimum_margin_permille", 500, entity=business.entity)
    assert "Lowest without approval 8.00" in lead.get("/prices/check?item=40-0").text
    page = desk.get("/prices/check?item=40-0")
    assert "Lowest by the tolerance 5.00" in page.text
    assert "8.00" not in page.text
