"""A list with more rows than are counted says so, and counts and sums them all when it is asked to."""

from urllib.parse import urlsplit

import pytest

from app.queries import listing
from tests.support.operate import a_trading_business
from tests.support.steps import captured


@pytest.fixture
def trade(database, clock, monkeypatch):
    monkeypatch.setattr(listing, "bound_of", lambda page, size: 3)
    return a_trading_business(database, clock)


def test_a_list_beyond_its_bound_says_more_than_and_sums_nothing(signed_in, trade):
    page = signed_in("super_user").get("/orders")
    assert "more than 3 orders" in page.text
    assert "Orders more than 3 · Count and sum all" in page.text
    assert "Value EUR" not in page.text
    assert "Captured 1" in page.text


def test_who_asks_for_all_gets_every_number(signed_in, trade):
    browser = signed_in("super_user")
    (address,) = [link for link in browser.get("/orders").links() if "count=all" in link]
    assert urlsplit(address).path == "/orders"
    page = browser.get(address)
    assert "7 orders" in page.text
    assert "more than" not in page.text
    assert "Value EUR" in page.text


def test_a_chip_beyond_the_bound_has_a_plus(signed_in, trade, monkeypatch):
    monkeypatch.setattr(listing, "bound_of", lambda page, size: 1)
    page = signed_in("super_user").get("/orders")
    assert "Released 1+" in page.text
    assert "Cancelled 0" in page.text


def test_pages_end_where_skipping_rows_would_cost_more_than_a_filter_and_say_so(signed_in, trade, monkeypatch):
    monkeypatch.setattr(listing, "MOST_TURNED", 25)
    monkeypatch.setattr(listing, "bound_of", lambda page, size: 1_000)
    browser = signed_in("super_user")
    assert "Pages end" not in browser.get("/orders?size=25").text
    for _ in range(20):
        captured(trade.business)
    page = browser.get("/orders?size=25&page=999999")
    assert "27 orders" in page.text
    assert (
        "Pages end at row 25. To see the others, narrow the list by a filter or sort it the other way round"
        in page.text
    )
    assert not [link for link in page.links() if "page=2" in link]
