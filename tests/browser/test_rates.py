"""A rate is told, refused where it slipped, and asked for. In a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look
from tests.support.core import a_business
from tests.support.web import a_person

pytestmark = pytest.mark.browser


def tell(page, rate, day, reason=""):
    page.goto("/exchange-rates/new")
    for label, value in (("One unit of", "EUR"), ("Is worth", rate), ("Of", "CHF"), ("On", day), ("Source", "ECB")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Keep the rate").click()


def test_a_rate_is_told_one_that_slipped_is_refused_and_what_holds_on_a_day_is_asked(signed, sqlite_database, clock):
    a_business(sqlite_database, at=clock.now())
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto("/exchange-rates")
    expect(page.locator("main")).to_contain_text("No rate fits")
    is_whole(page)
    tell(page, "0.9398", "2026-02-27")
    expect(page.locator("main")).to_contain_text("The rate is kept")
    tell(page, "9.412", "2026-03-02")
    expect(page.locator("main")).to_contain_text("differs by more than a quarter")
    is_whole(page)
    look(page, "rate-refused")
    tell(page, "0.9412", "2026-03-02")
    expect(page.locator("main")).to_contain_text("0.9412")
    is_whole(page)
    look(page, "rates")
    page.get_by_role("link", name="What holds on a day").click()
    for label, value in (("One unit of", "CHF"), ("In", "EUR"), ("On", "2026-03-01")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Look").click()
    expect(page.locator("main")).to_contain_text("1.064056182")
    expect(page.locator("main")).to_contain_text("told the other way round")
    page.set_viewport_size({"width": 360, "height": 740})
    # The page follows the new width with its next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    is_whole(page)
    look(page, "rate-held")
