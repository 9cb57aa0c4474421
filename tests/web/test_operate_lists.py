"""The lists and pages of orders, stock, billing, returns, ledger: whole, scoped, cheap, and honest."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from tests.support.operate import a_trading_business
from tests.support.queries import MOST, queries


@pytest.fixture
def trade(sqlite_database, clock):
    return a_trading_business(sqlite_database, clock)


PAGES = (
    "/orders", "/orders?late=1", "/orders?state=held", "/orders/{captured}", "/orders/{held}", "/orders/{released}",
    "/orders/{shipped}", "/orders/{invoiced}", "/orders/{paid}", "/orders/new", "/stock", "/stock?unvalued=1",
    "/invoices", "/invoices?lane=due", "/invoices?lane=draft", "/invoices/{invoice}", "/returns", "/returns/{returned}",
    "/credit-memos", "/receipts", "/ledger", "/ledger/entries", "/imports", "/search", "/search?q=so",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_and_asks_little(signed_in, sqlite_database, trade, path):
    for role in ("super_user", "auditor", "site_lead"):
        browser = signed_in(role)
        path_here = path.format(**vars(trade))
        status = 403 if _is_closed_to(role, path) else 200
        with queries(sqlite_database) as ran:
            browser.get(path_here, status=status)
        assert len(ran) <= MOST, f"{path_here} asked {len(ran)} times: {ran.statements}"


def _is_closed_to(role, path):
    rights = {
        "super_user": ("/ledger", "/imports"), "site_lead": ("/ledger", "/imports"),
        "auditor": ("/orders/new",),
    }  # fmt: skip
    return path.startswith(rights[role])


def test_the_list_counts_sums_and_narrows(signed_in, trade):
    browser = signed_in("super_user")
    page = browser.get("/orders")
    assert "Orders 7" in page.text
    assert "Value EUR 2,350.00" in page.text
    assert [link.text for link in browser.get("/orders?state=held").root.find("a") if link.text.startswith("SO-")] == [
        f"SO-{trade.held}"
    ]
    assert f"SO-{trade.invoiced}" in browser.get("/orders?text=b-7741").text


def test_an_order_that_misses_its_promise_is_late(signed_in, trade, clock):
    browser = signed_in("super_user")
    assert "No order fits" in browser.get("/orders?late=1").text
    clock.set(clock.now() + timedelta(days=8))
    browser = signed_in("super_user")
    page = browser.get("/orders?late=1")
    assert f"SO-{trade.allocated}" in page.text
    assert f"SO-{trade.paid}" not in page.text


def test_a_file_holds_what_the_list_shows_and_runs_nothing(signed_in, trade, sqlite_database):
    browser = signed_in("super_user")
    answer = browser.client.get("/orders.csv?state=held")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert len(rows) == 2
    assert rows[1][0] == f"SO-{trade.held}"
    assert rows[1][13:] == ["10.00", "EUR"]
    assert browser.client.get("/orders.xlsx").data[:2] == b"PK"


def test_stock_says_who_holds_it(signed_in, trade):
    page = signed_in("super_user").get(f"/stock/{trade.business.site}/{trade.business.items[2]}")
    assert "On hand 100 pc" in page.text
    assert f"SO-{trade.allocated} Bautechnik 10 3 pc" in page.text
    assert "Available 97 pc" in page.text


def test_search_goes_to_the_one_thing_it_means_and_lists_what_is_like_it(signed_in, trade):
    browser = signed_in("super_user")
    browser.get(f"/search?q=SO-{trade.invoiced}")
    assert browser.path == f"/orders/{trade.invoiced}"
    page = browser.get("/search?q=pipe")
    assert "3 things fit" in page.text
    assert "Nothing fits" in browser.get("/search?q=%25%25").text
