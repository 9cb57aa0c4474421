"""A cut-off finding keeps the books open until the accruals are run. In a real browser."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look
from tests.support.closings import a_closing
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.steps import shipped
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    """Two pieces left in March by terms of delivery: their cost waits for April."""
    made = a_business(sqlite_database, items=1)
    clock.set(datetime(2026, 3, 31, 9, tzinfo=UTC))
    made.clock = clock
    open_cells(made)
    shipped(made, [(0, 3)])
    approve(made, "control_transfer", "delivered")
    shipped(made, [(0, 2)])
    clock.set(datetime(2026, 4, 2, 9, tzinfo=UTC))
    return made


def test_revenue_in_the_wrong_period_keeps_the_books_open_until_it_is_accrued(signed, business, sqlite_database, clock):
    closing = a_closing(business, date(2026, 4, 1))
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto(f"/ledger/closings/{closing}")
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("main")).to_contain_text("Revenue of 30.00 EUR stands in another period")
    page.get_by_role("link", name="Revenue stands in the period in which control passed").click()
    expect(page.locator("main")).to_contain_text("Wrong period")
    is_whole(page)
    look(page, "cut-off")
    page.get_by_role("link", name="Accruals of these days").click()
    page.get_by_role("button", name="Run the accruals").click()
    expect(page.locator("main")).to_contain_text("2 lines are posted and turned back")
    is_whole(page)
    look(page, "accruals")
    page.get_by_role("link", name="Revenue not invoiced").click()
    expect(page.locator("main")).to_contain_text("SH-")
    page.set_viewport_size({"width": 360, "height": 740})
    # The page follows the new width with its next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    is_whole(page)
    page.goto(f"/ledger/cut-off?entity={business.entity}&until=2026-04-01")
    expect(page.locator("main")).not_to_contain_text("Wrong period")
    is_whole(page)
    assert_books_agree(sqlite_database)
