"""Goods go to another company: refused without a rate, sent, seen on both sides, turned back. In a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.sisters import a_rate, a_sister
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    open_cells(made, site=a_sister(made).site)
    return made


def send(page, site):
    page.goto(f"/sisters/new?site={site}")
    page.locator("select[name=to_site]").select_option(label="Pratteln · Nordhaus AG")
    for label, value in (
        ("Arrives on", "2026-03-04"),
        ("Item", "40-0"),
        ("Quantity", "10"),
        ("Transfer price of a unit", "6.00"),
    ):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Send the goods").click()


def test_goods_are_sold_here_and_bought_there_and_turned_back_on_both_sides(signed, business, sqlite_database, clock):
    page = signed(a_person(sqlite_database, "warehouse_supervisor", clock=clock))
    send(page, business.site)
    expect(page.locator("main")).to_contain_text("There is no rate of EUR/CHF")
    is_whole(page)
    look(page, "sister-refused")
    a_rate(business)
    send(page, business.site)
    expect(page.locator("main")).to_contain_text("The goods are on their way: sold here, bought there.")
    expect(page.get_by_role("heading", name="Sold by Nordhaus GmbH")).to_be_visible()
    expect(page.get_by_role("heading", name="Bought by Nordhaus AG")).to_be_visible()
    is_whole(page)
    look(page, "sister-sent")
    page.get_by_role("link", name="Turn back…").click()
    page.get_by_label("Reason").fill("meant for another site")
    page.get_by_role("button", name="Turn both sides back").click()
    expect(page.locator("main")).to_contain_text("Both sides are turned back")
    page.set_viewport_size({"width": 360, "height": 740})
    # The page follows the new width with its next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    is_whole(page)
    look(page, "sister-turned")
    assert_books_agree(sqlite_database)
