"""From the margin of an item to the entry it stands on. In a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.steps import invoiced
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=2)
    made.clock = clock
    open_cells(made)
    return made


def test_finance_follows_the_margin_of_an_item_to_its_entry(signed, business, sqlite_database, clock):
    invoiced(business, ((0, 10), (1, 5)))
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto("/ledger/profit-and-loss")
    page.get_by_role("link", name="Margin").click()
    expect(page.get_by_role("heading", name="Margin")).to_be_visible()
    page.get_by_label("By", exact=True).select_option(label="Items")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("main")).to_contain_text("As in profit and loss")
    expect(page.get_by_role("row", name="40-0")).to_contain_text("60.00")
    look(page, "margin")
    page.set_viewport_size({"width": 360, "height": 740})
    # The page follows the new width with its next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    is_whole(page)
    page.get_by_role("link", name="40-0").click()
    expect(page.get_by_role("heading", name="Margin of 40-0")).to_be_visible()
    is_whole(page)
    page.locator("tbody a").first.click()
    expect(page.locator("main")).to_contain_text("Sales")
