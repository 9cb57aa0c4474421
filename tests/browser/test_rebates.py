"""A rebate from the draft to the credit memo: agreed to by another, over a tier and back by a return. In a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.steps import invoiced
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def test_a_bonus_is_written_agreed_to_reaches_its_tier_and_is_settled(signed, business, sqlite_database, clock):
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto("/rebates/new")
    page.get_by_label("Name", exact=True).fill("Bonus of the year")
    page.get_by_label("Customer optional").fill("10482")
    page.get_by_label("From, line 10").fill("0")
    page.get_by_label("Percent, line 10").fill("2")
    page.get_by_role("button", name="Another line").click()
    page.get_by_label("From, line 20").fill("250")
    page.get_by_label("Percent, line 20").fill("5")
    page.get_by_role("button", name="Keep the draft").click()
    expect(page.locator("main")).to_contain_text("somebody else agrees to it")
    here = page.url
    other = signed(a_person(sqlite_database, "process_owner", clock=clock))
    other.goto(here)
    other.get_by_role("link", name="Agree…").click()
    other.get_by_label("Note").fill("As negotiated")
    other.get_by_role("button", name="Agree to it").click()
    expect(other.locator("main")).to_contain_text("accrued from now on")
    invoiced(business, [(0, 30)])
    page.goto(here)
    expect(page.get_by_text("reached, holds now")).to_be_visible()
    look(page, "rebate")
    page.get_by_role("link", name="INV-").first.click()
    expect(page.get_by_role("heading", name="Rebates accrued")).to_be_visible()
    page.get_by_role("link", name="Bonus of the year").first.click()
    page.get_by_role("link", name="End…").click()
    page.get_by_label("Note").fill("The customer is sold")
    page.get_by_role("button", name="End it").click()
    page.get_by_role("link", name="Settle…").click()
    expect(page.get_by_label("Net to give back")).to_have_value("15")
    page.get_by_role("button", name="Post the credit memo").click()
    expect(page.locator("main")).to_contain_text("Settled for good")
    page.set_viewport_size({"width": 360, "height": 740})
    # The page follows the new width with its next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    is_whole(page)
    look(page, "rebate-360")
    assert_books_agree(sqlite_database)
