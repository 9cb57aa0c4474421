"""Buying and deciding for a short line in Chromium: a purchase order typed, confirmed, and a shortage compared and settled."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from erpcore.masterdata.commitments import NewCommitment, keep_commitments
from erpcore.masterdata.lanes import KeepLane, keep_lanes
from erpcore.masterdata.services import ensure_customer_group
from tests.db.core.test_drop_ship import released
from tests.db.core.test_sourcing import stocked
from tests.db.core.test_transfer_orders import asked, decided, shipped
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.steps import allocated, captured
from tests.support.supply import a_supplier, column, confirmed, ordered
from tests.support.warehouse import day, second_site
from tests.support.web import a_person

pytestmark = pytest.mark.browser

PAGES = ("purchase-orders", "purchase-orders/{po}", "purchase-orders/{po}/confirm", "purchase-orders/new", "suppliers", "suppliers/{supplier}",
         "transfer-orders", "transfer-orders/{to}", "service-commitments", "sourcing-lanes", "shortages", "shortages?sort=-credit", "shortages/{line}", "orders/{order}", "purchase-orders/{direct}",
         "purchase-orders/{direct}/rest", "stock/{site}/{item}/count", "measures/silent-failures/goods receipt")  # fmt: skip


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=3, stock=100, limit=2_000_000)
    made.clock = clock
    open_cells(made)
    return made


def test_a_short_line_is_bought_for_on_one_page_and_every_page_holds_on_a_phone(
    signed, business, sqlite_database, clock, tmp_path
):
    hamburg = second_site(business)
    open_cells(business, site=hamburg)
    stocked(business, hamburg, 0, 300)
    with business.work() as work:
        keep_lanes(work, [KeepLane(site=business.site, country="Germany", transit_days=1, cost_minor=650),
                          KeepLane(site=hamburg, country="Germany", transit_days=2, cost_minor=1400)])  # fmt: skip
        group = ensure_customer_group(work, "key", "Key accounts").id
        keep_commitments(
            work,
            [NewCommitment(site=business.site, channel=business.channel, group=group, lead_days=1, basis="delivery", transit_days=1,
                           weekdays=2 | 16, fill_target_permille=985, valid_from=day(3))],
        )  # fmt: skip
    supplier = a_supplier(business, prices=(("3.50", 0), ("2.25", 1)))
    purchase = ordered(business, supplier, ((0, 20), (1, 50)))
    confirmed(business, purchase, 9, 15)
    order = asked(business, hamburg, 20, item=2)
    decided(business, order)
    shipped(business, order, 12)
    line = allocated(business, [(0, 130), (1, 10)]).lines[0]
    captured(business, [(2, 5)])
    a_supplier(business, "BLECH", prices=(("6.00", 2),), ships_direct=True)
    _, (direct,) = released(business, ((2, 10, True),))
    confirmed(business, direct, 7, 4)
    page = signed(a_person(sqlite_database, "site_lead", clock=clock), width=1440)
    at = {"po": purchase.id, "supplier": supplier, "to": order.id, "line": line.id, "order": line.order_id, "direct": direct.id,
          "site": business.site, "item": business.items[0]}  # fmt: skip
    for width, scheme in ((1440, "light"), (1440, "dark"), (360, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        for address in PAGES:
            page.goto("/" + address.format(**at))
            name = address.replace("/", "-").replace("{", "").replace("}", "")
            page.screenshot(path=str(tmp_path / f"{name}-{width}-{scheme}.png"), full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"/shortages/{line.id}")
    page.get_by_text("Order from Rohrwerk AG").click()
    page.get_by_label("Reason").fill("the supplier is fast")
    page.get_by_role("button", name="Do this").click()
    expect(page.get_by_text("It is done, and kept with the reason.")).to_be_visible()
    assert column(business, "SELECT option FROM shortage_choice") == ["purchase"]
    assert_books_agree(sqlite_database)


def test_an_order_says_which_sites_were_compared_for_a_line_that_another_one_ships(
    signed, business, sqlite_database, clock
):
    hamburg = second_site(business)
    open_cells(business, site=hamburg)
    stocked(business, hamburg, 0, 300)
    with business.work() as work:
        keep_lanes(work, [KeepLane(site=business.site, country="Germany", transit_days=1, cost_minor=650),
                          KeepLane(site=hamburg, country="Germany", transit_days=1, cost_minor=400)])  # fmt: skip
    approve(business, "sourcing_rule", "cheapest", channel=business.channel)
    order = allocated(business, [(0, 10)])
    page = signed(a_person(sqlite_database, "site_lead", clock=clock), width=1440)
    for width, scheme in ((1440, "light"), (1440, "dark"), (360, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto(f"/orders/{order.id}")
        card = page.get_by_role("region", name="Where goods come from")
        expect(card.get_by_text("from Hamburg")).to_be_visible()
        rows = card.locator("details li")
        expect(rows.first).to_be_hidden()
        card.get_by_text("What was compared").click()
        expect(rows).to_have_text(
            [re.compile("Duisburg.*1 day.*6.50 EUR a line"), re.compile("Hamburg.*1 day.*4.00 EUR a line")]
        )
        found = Axe().run(page).response["violations"]
        assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
