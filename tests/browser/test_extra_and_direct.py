"""A little more than was ordered at the shelf, and a supplier's line split with its purchase order: in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look
from tests.db.core.test_drop_ship import released
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.floor import a_task
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.steps import allocated
from tests.support.supply import a_supplier, column
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), stock=200)
    made.clock = clock
    open_cells(made)
    return made


def test_a_picker_takes_a_little_more_and_no_more_than_the_tolerance(signed, business, sqlite_database, clock):
    approve(business, "over_ship_tolerance_permille", 50, entity=business.entity)
    order = allocated(business, [(0, 100), (1, 4)])
    (task,) = a_task(business, order)
    page = signed(a_person(sqlite_database, "warehouse_operator", clock=clock), width=360)
    page.goto(f"/floor/tasks/{task.id}")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Up to 105 pc within the tolerance")).to_be_visible()
    look(page, "tolerance-360")
    page.get_by_label("Quantity").fill("106")
    page.get_by_role("button", name="Taken").click()
    expect(page.get_by_role("alert")).to_contain_text("105")
    expect(page.get_by_label("Quantity")).to_have_value("106")
    look(page, "beyond-tolerance-360")
    is_whole(page)
    page.get_by_label("Quantity").fill("105")
    page.get_by_role("button", name="Taken").click()
    expect(page.get_by_text("5 pc more than ordered")).to_be_visible()
    page.get_by_role("button", name="Taken").click()
    look(page, "taken-more-360")
    is_whole(page)
    page.get_by_role("button", name="Finish the round").click()
    desk = signed(a_person(sqlite_database, "customer_service", clock=clock))
    desk.goto(f"/orders/{order.id}")
    expect(desk.locator("main")).to_contain_text("line 10: 5 more than ordered")
    look(desk, "order-with-more")
    assert column(business, "SELECT picked FROM order_line ORDER BY line_no") == [105_000, 4_000]
    assert_books_agree(sqlite_database)


def test_a_line_that_a_supplier_sends_is_split_and_the_purchase_order_with_it(signed, business, sqlite_database, clock):
    a_supplier(business, ships_direct=True)
    order, (purchase,) = released(business)
    page = signed(a_person(sqlite_database, "super_user", clock=clock), width=1280)
    page.goto(f"/orders/{order.id}/amend")
    page.get_by_label("Ours").check()
    page.get_by_label("Reason", exact=True).fill("the site is not ready")
    page.locator("[name='parts-0-line']").select_option(label="10 · 40-0")
    page.locator("[name='parts-0-quantity']").fill("4")
    page.locator("[name='parts-0-day']").fill((clock.now().date() + timedelta(days=18)).isoformat())
    page.get_by_role("button", name="Check the changes").click()
    expect(page.locator("main")).to_contain_text("4 pc become a line of their own, for another day")
    page.get_by_role("button", name="Apply").first.click()
    expect(page.locator("main")).to_contain_text("part of line 10")
    look(page, "direct-split-order")
    page.set_viewport_size({"width": 360, "height": 780})
    look(page, "direct-split-order-360")
    is_whole(page)
    page.goto(f"/purchase-orders/{purchase.id}")
    expect(page.locator("main")).to_contain_text("for their line 20")
    look(page, "direct-split-purchase-360")
    is_whole(page)
    page.set_viewport_size({"width": 1280, "height": 780})
    look(page, "direct-split-purchase")
    assert column(business, "SELECT quantity FROM purchase_order_line ORDER BY line_no") == [6_000, 4_000]
    assert_books_agree(sqlite_database)
