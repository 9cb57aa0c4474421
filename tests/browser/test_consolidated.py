"""From the balance sheet of all companies to a company's lines, and from a missing rate to the place where it is told. In a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look
from tests.support.companies import a_sister, rates_of_spring, trade_of_spring
from tests.support.core import a_business
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def sister(sqlite_database, clock):
    business = a_business(sqlite_database, at=clock.now(), items=2)
    business.clock = clock
    made = a_sister(business)
    rates_of_spring(business)
    trade_of_spring(made)
    return made


def test_finance_reads_all_companies_and_follows_a_figure(signed, sister, sqlite_database, clock):
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto("/ledger/profit-and-loss")
    page.get_by_role("navigation", name="Report").get_by_role("link", name="All companies").click()
    expect(page.get_by_role("heading", name="Balance sheet · all companies")).to_be_visible()
    # Today is in April, when nobody has told a rate yet.
    expect(page.get_by_role("alert")).to_contain_text("Alpen AG cannot be translated")
    is_whole(page)
    page.get_by_label("First day").fill("2026-03-01")
    page.get_by_label("Last day").fill("2026-03-20")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("row", name="Translation difference what")).to_contain_text("205.00")
    expect(page.get_by_role("alert")).to_have_count(0)
    look(page, "consolidated")
    page.set_viewport_size({"width": 360, "height": 740})
    # The page follows the new width with its next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    is_whole(page)
    page.get_by_role("row", name="1000 Bank").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Ledger lines")).to_be_visible()
    expect(page.locator("tbody")).to_contain_text("1000 Bank")
