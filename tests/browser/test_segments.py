"""From a trial balance by site to the lines of what belongs to none. In a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.steps import paid
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    """An order of 10 pieces, paid: the money in the bank belongs to no site."""
    made = a_business(sqlite_database, at=clock.now(), items=2)
    made.clock = clock
    open_cells(made)
    paid(made, [(0, 10)])
    return made


def test_finance_sets_the_books_apart_by_site_and_follows_what_belongs_to_none(
    signed, business, sqlite_database, clock
):
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto("/ledger/trial-balance")
    page.get_by_label("Beside each other").select_option(label="Sites")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("columnheader", name="no site")).to_be_visible()
    expect(page.get_by_role("row", name="1000 Bank")).to_contain_text("120.00")
    expect(page.locator("main")).to_contain_text("Balances to the last cent")
    look(page, "segments")
    page.get_by_label("Figure").select_option(label="Debit")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("row", name="All accounts")).to_contain_text("120.00")
    page.set_viewport_size({"width": 360, "height": 740})
    # The page follows the new width with its next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    is_whole(page)
    page.get_by_role("row", name="1000 Bank").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Ledger lines")).to_be_visible()
    expect(page.get_by_role("link", name="Of no site")).to_have_attribute("aria-current", "true")
    expect(page.locator("tbody")).to_contain_text("1000 Bank")
    is_whole(page)


def test_on_paper_a_segmented_report_lies_across_and_says_its_days(signed, business, sqlite_database, clock):
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto("/ledger/profit-and-loss?by=cell")
    said = page.locator(".on-paper")
    expect(said).to_be_hidden()
    page.emulate_media(media="print")
    expect(said).to_be_visible()
    expect(said).to_contain_text("all sites · all channels")
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
