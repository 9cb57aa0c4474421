"""Goods in on a phone: the scan field has the focus, targets are large, and one step follows the other."""

from __future__ import annotations

from decimal import Decimal
from threading import Thread

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from erpcore.inventory.count_plan import PlanCount, plan_counts
from erpcore.inventory.shifting import MoveBin, move_bins
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells
from tests.support.warehouse import balance, expected, locations, no_names, received
from tests.support.web import a_person, a_site

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=2, stock=100)
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def phone(browser, business, sqlite_database, tmp_path, clock):
    """A phone in the hand of an operator, without JavaScript."""
    server = make_server("127.0.0.1", 0, a_site(sqlite_database, tmp_path, clock), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    who = a_person(sqlite_database, "warehouse_operator", clock=clock)
    context = browser.new_context(
        viewport={"width": 360, "height": 740},
        base_url=f"http://127.0.0.1:{server.server_port}",
        java_script_enabled=False,
    )
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("[name=sign_in]", who.sign_in)
    page.fill("[name=password]", who.password)
    page.click("button[type=submit]")
    yield page
    context.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_goods_are_scanned_received_and_put_away_with_one_hand(phone, business, tmp_path):
    expected(business, 20)
    locations(business, "DOCK", kind="receiving")
    locations(business, "A-01")
    phone.goto("/receive")
    expect(phone.locator("#scan")).to_be_focused()
    phone.screenshot(path=str(tmp_path / "receive-list.png"), full_page=True)
    phone.fill("#scan", "PO-1")
    phone.press("#scan", "Enter")
    expect(phone.locator("#quantity")).to_be_focused()
    phone.fill("#quantity", "20")
    phone.fill("#paper", "DN 9")
    phone.screenshot(path=str(tmp_path / "receive.png"), full_page=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    phone.get_by_role("button", name="Receive").click()
    phone.goto("/put-away")
    phone.fill("#scan", "40-0")
    phone.press("#scan", "Enter")
    expect(phone.locator("#location")).to_be_focused()
    phone.fill("#location", "A-01")
    phone.screenshot(path=str(tmp_path / "put-away.png"), full_page=True)
    phone.press("#location", "Enter")
    expect(phone.get_by_text("40-0 is put away and free.")).to_be_visible()
    assert balance(business) == (120, 0, 0, 20)


def test_a_place_is_counted_with_a_scan_and_the_book_is_not_shown(phone, business):
    (shelf,) = locations(business, "A-01")
    received(business, 7)
    with business.work() as work:
        moved = MoveBin(site=business.site, item=business.items[0], quantity=Decimal(7), source=None, location=shelf)
        move_bins(work, [moved], rules=RULES, cells=OPEN, order_names=no_names)
        plan_counts(
            work, [PlanCount(site=business.site, item=business.items[0], location=shelf)], rules=RULES, cells=OPEN
        )
    phone.goto("/counts")
    expect(phone.locator("#scan")).to_be_focused()
    phone.keyboard.type("A-01")
    phone.keyboard.press("Enter")
    phone.get_by_role("button", name="Begin to count").click()
    expect(phone.locator("#found")).to_be_focused()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    assert "7" not in phone.locator("main").inner_text()
    phone.keyboard.type("7")
    phone.keyboard.press("Enter")
    expect(phone.get_by_text("Counted.", exact=True)).to_be_visible()
    assert balance(business) == (107, 0, 0, 7)


def test_parts_of_a_piece_are_refused_while_they_are_typed_where_stock_is_counted_and_adjusted(
    signed, business, sqlite_database, clock
):
    with business.work() as work:
        (number,) = plan_counts(work, [PlanCount(site=business.site, item=business.items[0])], rules=RULES, cells=OPEN)
    finer = "1.5 has more decimal places than it is counted in. Round it."
    worker = signed(a_person(sqlite_database, "warehouse_operator", clock=clock), width=360)
    worker.goto(f"/counts/{number}")
    worker.get_by_role("button", name="Begin to count").click()
    worker.get_by_label("Found").fill("1.5")
    expect(worker.locator(".error")).to_have_text(finer)
    lead = signed(a_person(sqlite_database, "warehouse_supervisor", clock=clock))
    lead.goto(f"/stock/{business.site}/{business.items[0]}/adjust")
    quantity, said = lead.get_by_label("Quantity"), lead.locator(".error")
    quantity.fill("1.5")
    expect(said).to_have_text(finer)
    quantity.fill("-2")
    expect(said).to_have_text("")
