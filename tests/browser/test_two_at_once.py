"""Two people in two browsers at once: on one order, and on the last piece of an article."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.rows import rows
from tests.support.steps import released
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, items=1, stock=1, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def two(signed, sqlite_database, clock):
    """Two pages of two people at the same desk."""
    return [signed(a_person(sqlite_database, "customer_service", clock=clock)) for _ in range(2)]


def test_two_clerks_change_one_order_and_the_slower_one_sees_what_the_faster_did(two, business, sqlite_database):
    order = released(business, [(0, 8)])
    line = order.lines[0].id
    for page, wanted in zip(two, ("5", "3"), strict=True):
        page.goto(f"/orders/{order.id}/amend")
        page.fill(f"[name=quantity_{line}]", wanted)
        page.fill("[name=reason]", "the customer called")
    fast, slow = two
    fast.get_by_role("button", name="Check the changes").click()
    fast.locator("form[action$='/apply'] button").click()
    expect(fast.get_by_text("The changes are applied.")).to_be_visible()
    slow.get_by_role("button", name="Check the changes").click()
    expect(slow.locator("#conflict")).to_contain_text("Somebody changed this order meanwhile")
    expect(slow.locator("#conflict")).to_contain_text("8 → 5 pc")
    # What was typed is still there, and checked again it can be applied.
    expect(slow.locator(f"[name=quantity_{line}]")).to_have_value("3")
    expect(slow.locator("[name=reason]")).to_have_value("the customer called")
    assert rows(sqlite_database, "SELECT quantity - cancelled, state FROM order_line, order_amendment") == [
        (5000, "applied")
    ]
    slow.get_by_role("button", name="Check the changes").click()
    slow.locator("form[action$='/apply'] button").click()
    expect(slow.get_by_text("The changes are applied.")).to_be_visible()
    assert rows(sqlite_database, "SELECT state FROM order_amendment ORDER BY number") == [("applied",), ("applied",)]
    assert_books_agree(sqlite_database)


def test_two_desks_see_the_last_piece_and_only_the_first_one_gets_it(two, business, sqlite_database):
    orders = [released(business, [(0, 1)]), released(business, [(0, 1)])]
    for page, order in zip(two, orders, strict=True):
        page.goto(f"/orders/{order.id}")
        expect(page.locator("form[action$='/allocate'] button")).to_be_visible()
    for page in two:
        page.locator("form[action$='/allocate'] button").first.click()
        expect(page.locator("main")).to_contain_text("What there is is promised to this order.")
    assert rows(sqlite_database, "SELECT allocated FROM order_line ORDER BY id") == [(1000,), (0,)]
    assert rows(sqlite_database, "SELECT on_hand, reserved FROM stock_balance") == [(1000, 1000)]
    assert rows(sqlite_database, "SELECT quantity, unmet FROM reservation ORDER BY order_line_id") == [
        (1000, 0),
        (0, 1000),
    ]
    assert_books_agree(sqlite_database)
