"""The core's pages in a real browser: an order without a mouse, a closed cell, one hand on a phone, axe in both themes."""

from __future__ import annotations

import re
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from werkzeug.serving import make_server

from tests.support.operate import a_trading_business, another_item
from tests.support.web import a_person, a_site

pytestmark = pytest.mark.browser


@pytest.fixture
def trade(sqlite_database, clock):
    made = a_trading_business(sqlite_database, clock)
    for code, name in (("6120-15", "Press coupling 15 mm"), ("6124-15", "Press elbow 15 mm")):
        another_item(made.business, code, name, cost="2.10")
    return made


@pytest.fixture
def served(sqlite_database, trade, tmp_path, clock):
    """The address of the site, served."""
    site = a_site(sqlite_database, tmp_path, clock)
    server = make_server("127.0.0.1", 0, site, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def signed_in_at(browser, served, sqlite_database, clock):
    """``signed_in_at("super_user")`` is a page of somebody with that role."""
    contexts = []

    def open_page(role, *, width=1440, **options):
        who = a_person(sqlite_database, role, clock=clock)
        context = browser.new_context(viewport={"width": width, "height": 800}, base_url=served, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("[name=sign_in]", who.sign_in)
        page.fill("[name=password]", who.password)
        page.click("button[type=submit]")
        return page

    yield open_page
    for context in contexts:
        context.close()


def test_an_order_is_entered_without_a_mouse(signed_in_at):
    page = signed_in_at("customer_service")
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/orders/new")
    page.focus("#customer")
    page.keyboard.type("10482")
    page.focus("[data-item]")
    page.keyboard.type("press", delay=15)
    page.wait_for_selector("#lookup .pick")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[name=lines-0-quantity]")).to_be_focused()
    assert page.input_value("[name=lines-0-item]") == "6124-15"
    page.keyboard.type("3")
    expect(page.locator("#lines-0-q-net")).to_have_text("11.76")
    # None is on the shelf, so it comes after the seven days in which the item is replenished.
    expect(page.locator("#lines-0-q-promise")).to_contain_text("Mon 9 Mar")
    page.keyboard.press("Enter")
    expect(page.locator("[name=lines-1-item]")).to_be_focused()
    page.keyboard.type("40-0")
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    page.wait_for_load_state()
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/orders/\d+$"))
    assert "31.76 EUR" in page.inner_text("main")
    assert said == []


def test_a_refused_order_in_a_closed_cell_names_the_wave_and_keeps_what_was_typed(signed_in_at, trade):
    page = signed_in_at("customer_service")
    page.goto(f"/orders/new?site={trade.closed_site}")
    assert "wave W2 waits for the go of its committee" in page.inner_text("#order-side")
    page.fill("#customer", "10482")
    page.fill("[data-item]", "40-0")
    page.fill("[name=lines-0-quantity]", "7")
    page.get_by_role("button", name="Enter the order").click()
    page.wait_for_load_state()
    assert "wave W2 waits for the go of its committee" in page.inner_text("#errors")
    assert page.input_value("[name=lines-0-quantity]") == "7"


def test_an_order_is_entered_without_script(signed_in_at):
    page = signed_in_at("customer_service", java_script_enabled=False)
    page.goto("/orders/new")
    page.fill("#customer", "Bautechnik")
    page.fill("[name=lines-0-item]", "40-1")
    page.fill("[name=lines-0-quantity]", "4")
    page.get_by_role("button", name="Another line").click()
    page.fill("[name=lines-1-item]", "press elb")
    page.fill("[name=lines-1-quantity]", "1")
    page.get_by_role("button", name="Enter the order").click()
    assert "43.92 EUR" in page.inner_text("main")


PAGES = ("/orders", "/orders/new", "/orders/{invoiced}", "/orders/{held}", "/stock", "/invoices", "/invoices/{invoice}",
         "/returns/{returned}", "/search?q=pipe", "/receipts", "/holds",
         "/quotes", "/quotes/new", "/customers", "/customers/10482")  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_an_axe_violation(signed_in_at, trade, theme):
    page = signed_in_at("super_user", color_scheme=theme, bypass_csp=True)
    for path in PAGES:
        page.goto(path.format(**vars(trade)))
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == [], path


def test_nothing_has_to_be_scrolled_sideways_on_a_phone(signed_in_at, trade):
    page = signed_in_at("super_user", width=360)
    for path in PAGES:
        page.goto(path.format(**vars(trade)))
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
