"""The order board: every open order in one column, and its figures lead to the orders behind them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from erpcore.orders.allocation import allocate_orders
from tests.db.core.test_drop_ship import released
from tests.support.core import OPEN, RULES
from tests.support.operate import a_trading_business
from tests.support.queries import MOST, queries
from tests.support.supply import a_supplier


@pytest.fixture
def trade(sqlite_database, clock):
    return a_trading_business(sqlite_database, clock)


def _columns(page):
    return {
        link.attributes["aria-label"].split(":")[0]: link
        for link in page.root.find("a")
        if link.attributes.get("aria-label", "").endswith((" orders", ": 1 order"))
    }


def test_each_open_order_stands_in_one_column_that_leads_to_it(signed_in, sqlite_database, trade, clock):
    browser = signed_in("super_user")
    with queries(sqlite_database) as ran:
        page = browser.get("/orders/board")
    assert len(ran) <= MOST, len(ran)
    columns = _columns(page)
    assert list(columns) == [
        "Captured", "Held", "To allocate", "Short of stock", "Ready to pick", "Picking", "With the supplier",
        "Shipped, not invoiced",
    ]  # fmt: skip
    total = 0
    for link in columns.values():
        count = int(link.text)
        listed = browser.get(link.attributes["href"])
        assert f"Orders {count}" in listed.text or (count == 0 and "No order fits" in listed.text)
        total += count
    assert f"{total} open orders" in page.text
    assert f"SO-{trade.held}" in browser.get(columns["Held"].attributes["href"]).text
    assert f"SO-{trade.released}" in browser.get(columns["To allocate"].attributes["href"]).text
    assert f"SO-{trade.allocated}" in browser.get(columns["Ready to pick"].attributes["href"]).text


def test_late_orders_are_counted_and_led_to(signed_in, trade, clock):
    assert "none late" in signed_in("super_user").get("/orders/board").text
    clock.set(clock.now() + timedelta(days=8))
    page = signed_in("super_user").get("/orders/board")
    (late,) = [link for link in page.links() if "late=1" in link and "step=to_pick" in link]
    assert f"SO-{trade.allocated}" in signed_in("super_user").get(late).text


def test_what_a_supplier_sends_is_not_to_be_picked_by_us(signed_in, trade):
    a_supplier(trade.business, ships_direct=True)
    order, _ = released(trade.business)
    browser = signed_in("super_user")
    column = _columns(browser.get("/orders/board"))["With the supplier"]
    assert column.text == "1"
    assert order.number in browser.get(column.attributes["href"]).text
    page = browser.get(f"/orders/{order.id}")
    assert "Pick and ship…: the supplier sends what is open." in page.text
    assert f"/orders/{order.id}/pick" not in page.links()
    mixed, _ = released(trade.business, ((0, 10, True), (1, 2, False)))
    with trade.business.work() as work:
        allocate_orders(work, [mixed.id], rules=RULES, cells=OPEN)
    assert mixed.number in browser.get("/orders?step=to_pick").text
    page = browser.get(f"/orders/{mixed.id}/pick")
    assert page.value(f"line_{mixed.lines[1].id}") == "2"
    assert f"line_{mixed.lines[0].id}" not in page.html


def test_the_board_is_kept_to_a_site(signed_in, trade):
    page = signed_in("super_user").get(f"/orders/board?site={trade.closed_site}")
    assert "0 open orders" in page.text
