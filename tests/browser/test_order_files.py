"""A file of orders in a real browser: handed in, looked at, its good orders entered, on a laptop and a phone, in light and dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.importers.ordersheets import COLUMNS
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.web import a_person

pytestmark = pytest.mark.browser

HEAD = {"site": "DUI", "channel": "wholesale", "customer": "10482"}
ROWS = (
    {"order": "A-1", **HEAD, "customer_reference": "PO-7741", "ship_to": "main", "item": "40-0", "quantity": "12"},
    {"order": "A-1", "item": "40-1", "quantity": "3", "line_rush": "yes", "line_wanted_on": "2026-12-03"},
    {"order": "A-2", **HEAD, "item": "4711", "quantity": "5"},
    {"order": "A-3", **HEAD, "item": "40-2", "quantity": "400"},
)


def test_a_file_is_handed_in_and_its_good_orders_are_entered(signed, sqlite_database, clock, tmp_path):
    business = a_business(sqlite_database, at=clock.now())
    business.clock = clock
    open_cells(business)
    path = tmp_path / "march.csv"
    path.write_text(
        "\n".join([",".join(COLUMNS), *(",".join(row.get(name, "") for name in COLUMNS) for row in ROWS)]),
        encoding="utf-8",
    )
    who = a_person(sqlite_database, "customer_service", site=business.site, clock=clock)
    page = signed(who, width=1440)
    page.goto("/orders")
    page.get_by_role("link", name="Files of orders").click()
    page.get_by_role("link", name="Hand a file in").click()
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_text("There is no item with the code 4711.")).to_be_visible()
    page.get_by_label("Enter the good ones").check()
    page.get_by_role("button", name="Enter 2 orders").click()
    expect(page.get_by_text("2 orders are entered.")).to_be_visible()
    here = page.url
    for width, scheme in ((1440, "light"), (360, "dark")):
        page = signed(who, width=width, color_scheme=scheme)
        page.goto(here)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
