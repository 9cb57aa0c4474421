"""The board of disputes in Chromium, wide and on a phone: from the board to one difference, and settled in one part."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.core import a_business
from tests.support.disputes import objected, paid_short
from tests.support.operate import open_cells
from tests.support.steps import invoiced
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 360], ids=["wide", "phone"])
def test_a_difference_is_found_on_the_board_and_asked_for_again(signed, sqlite_database, clock, width):
    business = a_business(sqlite_database, at=clock.now())
    business.clock = clock
    open_cells(business)
    _, _, first = invoiced(business)
    _, _, second = invoiced(business, [(1, 5)])
    _, dispute = paid_short(business, first, 9_600, reason="damaged", note="Two pieces dented")
    objected(business, second, 1_000)
    page = signed(a_person(sqlite_database, "billing", clock=clock), width=width)
    page.goto("/disputes")
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name=f"DE-{dispute}").click()
    expect(page.locator("main")).to_contain_text("24.00 EUR of 24.00 EUR open")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("link", name="Settle…").click()
    page.fill("[name=rebill]", "24.01")
    page.fill("[name=reason]", "The driver says they were whole")
    page.get_by_role("button", name="Settle it").click()
    expect(page.locator("#errors")).to_contain_text("only 24.00 EUR is open")
    page.fill("[name=rebill]", "24.00")
    page.get_by_role("button", name="Settle it").click()
    expect(page.locator("main")).to_contain_text("Nothing of it is open any more")
    expect(page.locator("#parts").locator("xpath=../..")).to_contain_text("Asked for again")
