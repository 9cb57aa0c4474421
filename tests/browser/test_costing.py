"""Freight that comes after the goods, from the choice of layers to the page that says who paid it. In a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.costing import bought, layers
from tests.support.operate import open_cells
from tests.support.steps import shipped
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=1, stock=0)
    made.clock = clock
    open_cells(made)
    return made


def test_finance_keeps_layers_and_shares_a_freight_among_what_is_here_and_what_was_sold(
    signed, business, sqlite_database, clock
):
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto(f"/costing/{business.site}")
    page.get_by_role("link", name="Value otherwise…").click()
    page.get_by_label("From now on").select_option(label="First in, first out")
    page.get_by_label("Reason").fill("The auditor asks")
    page.get_by_role("button", name="Choose the method").click()
    expect(page.locator("main")).to_contain_text("The auditor asks")
    receipt = bought(business, "3.00", 10)
    shipped(business, ((0, 4),))
    page.goto(f"/warehouse/receipts/{receipt.id}")
    page.get_by_role("link", name="Late cost…").click()
    page.get_by_label("Amount").fill("10.00")
    page.get_by_label("Paper").fill("FR 77")
    page.get_by_role("button", name="Add the cost").click()
    expect(page.locator("main")).to_contain_text("they are worth that much more")
    expect(page.locator("main")).to_contain_text("4.00")
    is_whole(page)
    page.get_by_role("link", name="40-0").click()
    expect(page.get_by_role("heading", name="Layers")).to_be_visible()
    look(page, "cost-layers")
    page.set_viewport_size({"width": 360, "height": 740})
    # The page follows the new width with its next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    is_whole(page)
    assert layers(business) == [(10, 6, 2400)]
    assert_books_agree(sqlite_database)
