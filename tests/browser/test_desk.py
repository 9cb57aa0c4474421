"""Lists, exception queues, the order board and letters in a real browser: views kept and shared, two exceptions given away at once."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from erpcore.orders.holds import HoldOrder, hold_orders
from erpcore.orders.models import HoldKind
from tests.support.operate import a_trading_business
from tests.support.steps import captured
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def trade(sqlite_database, clock):
    made = a_trading_business(sqlite_database, clock)
    made.also_held = captured(made.business).id
    with made.business.work() as work:
        hold_orders(work, [HoldOrder(order=made.also_held, kind=HoldKind.MANUAL, reason="asks for a discount")])
    return made


@pytest.fixture
def signed_in_at(signed, trade, sqlite_database, clock):
    """``signed_in_at("super_user")`` is a page of somebody with that role."""

    def open_page(role, *, width=1440, **options):
        return signed(a_person(sqlite_database, role, clock=clock), width=width, **options)

    return open_page


def test_a_view_is_kept_shared_and_opens_the_list(signed_in_at):
    lead = signed_in_at("site_lead")
    lead.goto("/orders?state=held")
    lead.locator("summary", has_text="Views").click()
    lead.get_by_role("link", name="Save this view").click()
    lead.get_by_label("Name", exact=True).fill("Stopped")
    lead.get_by_label("Shared with").select_option(label="Customer service")
    lead.get_by_label("The list opens with it, for me").check()
    lead.get_by_role("button", name="Save the view").click()
    lead.goto("/orders")
    expect(lead).to_have_url(re.compile(r"state=held"))
    expect(lead.locator("summary", has_text="Stopped")).to_be_visible()
    desk = signed_in_at("customer_service")
    desk.goto("/orders")
    desk.locator("summary", has_text="Views").click()
    desk.get_by_role("link", name=re.compile("Stopped")).click()
    expect(desk).to_have_url(re.compile(r"state=held"))


def test_two_exceptions_are_given_away_at_once(signed_in_at, trade):
    signed_in_at("customer_service")
    lead = signed_in_at("site_lead")
    lead.goto("/exceptions?queue=blocked")
    for order in (trade.held, trade.also_held):
        lead.locator(f"#document-order-{order}").check()
    lead.get_by_label("What to do").select_option(label="Give them to a role")
    lead.get_by_label("Role").select_option(label="Customer service")
    lead.get_by_role("button", name="Do it with the chosen ones").click()
    expect(lead.get_by_text("2 documents: done.")).to_be_visible()
    expect(lead.locator("td[data-label=Owner]", has_text="Customer service")).to_have_count(2)


PAGES = (
    "/orders",
    "/exceptions",
    "/orders/board",
    "/letters",
    "/letters/texts",
    "/letters/texts/confirmation/de",
    "/exceptions/owners",
)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (360, "light")])
def test_the_pages_fit_and_say_what_they_hold_to_everybody(signed_in_at, trade, width, scheme):
    page = signed_in_at("process_owner", width=width, color_scheme=scheme)
    for path in (*PAGES, f"/exceptions/order/{trade.held}", f"/letters/customers/{trade.business.customer}"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found = Axe().run(page)
        assert not found.response["violations"], (path, found.generate_report())
        if "WAVEGATE_PICTURES" in os.environ:
            name = path.strip("/").replace("/", "-")
            page.screenshot(
                path=Path(os.environ["WAVEGATE_PICTURES"]) / f"desk-{name}-{width}-{scheme}.png", full_page=True
            )


def test_what_was_typed_is_asked_about_when_another_form_is_sent(signed_in_at):
    desk = signed_in_at("super_user")
    desk.goto("/orders/new")
    desk.get_by_label("Customer reference").press_sequentially("B-1")
    asked = []
    desk.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    desk.evaluate("document.querySelector('form[action=\"/sign-out\"]').requestSubmit()")
    expect(desk.get_by_label("Customer reference")).to_have_value("B-1")
    assert asked == ["beforeunload"]
