"""The lists and pages of orders, stock, billing, returns, ledger: whole, scoped, cheap, and honest."""

from __future__ import annotations

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
        "super_user": ("/ledger", "/imports"), "site_lead": ("/ledger", "/imports", "/orders/new"),
        "auditor": ("/orders/new",),
    }  # fmt: skip
    return path.startswith(rights[role])
