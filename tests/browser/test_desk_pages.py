"""Every page of the desk, of supply and of prices with something on it: nothing sideways on a phone, nothing that axe finds."""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

#: Who looks at which pages.
PAGES = {
    "site_lead": (
        "allocation", "allocation/{site}/{item}", "allocation/{site}/{item}/take-back", "allocation/runs", "allocation/runs/{run}",
        "allocation/protections", "backorders", "shortages/{line}", "orders/board", "exceptions/order/{held}",
    ),
    "customer_service": (
        "orders/{order}", "orders/{order}/amend", "orders/{order}/amendments/{amendment}", "quotes", "quotes/{quote}",
        "quotes/{quote}/accept", "quotes/{asked}", "customers/{customer}/addresses", "customers/10482", "stock/items/40-1",
    ),
    "data_owner": (
        "prices", "prices/new", "prices/check", "prices/lists", "prices/lists/{list}", "sourcing-lanes", "substitutes",
        "service-commitments", "policies", "policies/here",
    ),
    "process_owner": (
        "policies/partial_shipment", "policies/partial_shipment/ask", "letters", "letters/texts", "letters/texts/confirmation/en",
        "letters/words/hold_credit", "letters/customers/{customer}", "exceptions/owners",
    ),
    "warehouse_supervisor": (
        "transfer-orders", "transfer-orders/{transfer}", "transfer-orders/new", "adjustments", "warehouse/counts",
        "purchase-orders/{purchase}", "stock/{site}/{item}",
    ),
    "finance": ("receivables", "receivables/{customer}"),
}  # fmt: skip


@pytest.mark.parametrize("role", PAGES)
def test_pages_fit_a_phone_and_keep_to_the_rules_of_the_web_in_the_dark(showroom, person, role):
    page = person(role, width=360, bypass_csp=True, color_scheme="dark")
    wide, found = {}, {}
    for address in PAGES[role]:
        answer = page.goto("/" + address.format(**showroom.places))
        assert answer.status == 200, address
        if (width := page.evaluate("document.documentElement.scrollWidth")) > 360:
            wide[address] = width
        for one in Axe().run(page).response["violations"]:
            found.setdefault(address, []).append((one["id"], [node["html"][:120] for node in one["nodes"]][:2]))
        if folder := os.environ.get("WAVEGATE_PICTURES"):
            name = address.replace("/", "-").replace("{", "").replace("}", "")
            page.screenshot(path=f"{folder}/desk-{name}-360-dark.png", full_page=True)
    assert wide == {}
    assert found == {}
