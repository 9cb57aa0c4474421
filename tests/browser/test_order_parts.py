"""A rush with its charge, a line split in two and what leaves with what: in a real browser, at a desk and on a phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.test_operate import served, signed_in_at, trade
from tests.support.charges import a_charge
from tests.support.policies import approve

__all__ = ["served", "signed_in_at", "trade"]

pytestmark = pytest.mark.browser


def test_a_rush_is_taken_with_its_charge_and_split_for_another_day(signed_in_at, trade):
    business = trade.business
    approve(business, "rush_rule", "allow_with_charge", entity=business.entity)
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    page = signed_in_at("super_user")
    page.goto("/orders/new")
    page.fill("[name=customer]", "10482")
    page.fill("[name='lines-0-item']", "40-0")
    page.fill("[name='lines-0-quantity']", "10")
    page.get_by_label("Rush", exact=True).first.check()
    page.wait_for_load_state()
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_contain_text("Order SO-")
    expect(page.get_by_role("cell", name="RUSH Rush · charge")).to_be_visible()
    expect(page.locator("main")).to_contain_text("rush")
    page.get_by_role("link", name="Change order…").click()
    page.get_by_label("Ours").check()
    page.get_by_label("Reason", exact=True).fill("no room on site before")
    page.locator("[name='parts-0-line']").select_option(label="10 · 40-0")
    page.locator("[name='parts-0-quantity']").fill("4")
    later = business.clock.now().date() + timedelta(days=14)
    page.locator("[name='parts-0-day']").fill(later.isoformat())
    page.get_by_role("button", name="Check the changes").click()
    expect(page.locator("main")).to_contain_text("4 pc become a line of their own, for another day")
    page.get_by_role("button", name="Apply").first.click()
    expect(page.locator("main")).to_contain_text("part of line 10")
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
