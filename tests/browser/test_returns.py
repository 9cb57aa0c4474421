"""A return on a phone, from the request over the label to the credit memo, by the people whose step it is; and why goods come back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look, scan
from tests.db.core.test_sending_back import set_apart
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.einvoices import known_to_others
from tests.support.operate import open_cells
from tests.support.steps import invoiced
from tests.support.supply import a_supplier
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=2)
    made.clock = clock
    open_cells(made)
    known_to_others(made)
    return made


@pytest.fixture
def phone(signed, sqlite_database, clock):
    """``phone("billing")`` is a page of somebody with that role at 360 px."""
    return lambda role: signed(a_person(sqlite_database, role, clock=clock), width=360)


def test_a_return_goes_from_its_request_to_the_credit_on_a_phone(phone, business, sqlite_database):
    order, _, _ = invoiced(business, ((0, 10),))
    desk, lead, store, billing = (
        phone(role) for role in ("customer_service", "site_lead", "warehouse_operator", "billing")
    )
    desk.goto(f"/orders/{order.id}/return")
    desk.get_by_label("40-0").fill("4")
    desk.get_by_label("Reason").select_option(label="Damaged")
    desk.get_by_label("Whose fault").select_option(label="Ours")
    is_whole(desk)
    desk.get_by_role("button", name="Request the return").click()
    expect(desk.locator("main")).to_contain_text("is requested")
    here = desk.url
    number = f"RT-{here.rpartition('/')[2]}"
    is_whole(desk)

    lead.goto(here)
    lead.get_by_role("button", name="Authorise").click()
    expect(lead.locator("main")).to_contain_text("The goods may come back")
    is_whole(lead)
    paper = lead.request.get(lead.get_by_role("link", name="Return label").get_attribute("href"))
    assert (paper.status, paper.headers["content-type"], paper.body()[:5]) == (200, "application/pdf", b"%PDF-")

    store.goto("/returns/scan")
    is_whole(store)
    scan(store, number)
    expect(store.get_by_label("40-0")).to_have_value("4")
    is_whole(store)
    store.get_by_label("40-0").fill("3")
    store.get_by_role("button", name="Take the goods in").click()
    expect(store.locator("main")).to_contain_text("The goods are here")
    store.goto("/returns/scan")
    scan(store, number)
    expect(store.get_by_label("Back into stock")).to_have_value("3")
    store.get_by_label("Back into stock").fill("1")
    store.get_by_label("Scrapped").fill("2")
    is_whole(store)
    look(store, "returns-inspect-360")
    store.get_by_role("button", name="Decide").click()
    expect(store.locator("main")).to_contain_text("the credit can be posted")

    billing.goto(here)
    billing.get_by_role("button", name="Post the credit memo").click()
    expect(billing.locator("main")).to_contain_text("The credit memo is posted")
    is_whole(billing)
    look(billing, "returns-credited-360")
    assert_books_agree(sqlite_database)


def test_the_desk_takes_down_a_return_without_an_order_and_reads_why_goods_come_back(phone, business):
    invoiced(business, ((0, 10),))
    business.clock.advance(timedelta(days=1))
    desk = phone("customer_service")
    desk.goto("/returns")
    desk.get_by_role("link", name="Without an order").click()
    is_whole(desk)
    desk.get_by_label("Customer", exact=True).fill("10482")
    desk.get_by_label("Item, line 10").fill("40-0")
    desk.get_by_label("Quantity, line 10").fill("2")
    desk.get_by_role("button", name="Another line").click()
    desk.get_by_label("Item, line 20").fill("40-1")
    desk.get_by_label("Quantity, line 20").fill("1")
    look(desk, "returns-new-360")
    desk.get_by_role("button", name="Request the return").click()
    expect(desk.get_by_role("alert")).to_contain_text("Enter the price that is credited")
    is_whole(desk)
    desk.get_by_label("Price, line 20").fill("4.50")
    desk.get_by_role("button", name="Request the return").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Return RT-")
    number = desk.get_by_role("heading", level=1).inner_text().split()[1]
    desk.goto("/returns")
    desk.get_by_role("link", name="Reasons").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Why goods come back")
    is_whole(desk)
    look(desk, "returns-reasons-360")
    desk.get_by_role("link", name="Damaged · 40-0").click()
    expect(desk.locator("main")).to_contain_text(number)
    is_whole(desk)
    look(desk, "returns-behind-360")


def test_a_faulty_piece_goes_back_to_its_supplier_who_credits_less_on_a_phone(phone, business, sqlite_database):
    a_supplier(business)
    set_apart(business)
    buyer = phone("buyer")
    buyer.goto("/returns")
    buyer.get_by_role("link", name="To suppliers").click()
    expect(buyer.locator("main")).to_contain_text("Nothing was sent back")
    buyer.get_by_role("link", name="Send goods back…").click()
    expect(buyer.get_by_role("heading", level=1)).to_contain_text("Send goods back")
    is_whole(buyer)
    buyer.get_by_role("button", name="The goods leave").click()
    expect(buyer.get_by_role("alert")).to_contain_text("Tick what leaves")
    buyer.get_by_role("checkbox", name="40-0 Pipe 0").check()
    buyer.get_by_label("Note").fill("The thread is cut too short.")
    look(buyer, "returns-send-back-360")
    buyer.get_by_role("button", name="The goods leave").click()
    expect(buyer.locator("main")).to_contain_text("The goods have left")
    expect(buyer.get_by_role("heading", level=1)).to_contain_text("Supplier return SR-")
    is_whole(buyer)
    look(buyer, "returns-sent-back-360")
    paper = buyer.request.get(buyer.get_by_role("link", name="Paper").get_attribute("href"))
    assert (paper.status, paper.headers["content-type"], paper.body()[:5]) == (200, "application/pdf", b"%PDF-")
    billing, finance = phone("billing"), phone("finance")
    billing.goto(buyer.url)
    billing.get_by_role("link", name="Enter a credit note…").click()
    billing.get_by_label("Number").fill("GS-40718")
    billing.get_by_label("Amount").fill("6.00")
    is_whole(billing)
    billing.get_by_role("button", name="Enter a credit note").click()
    expect(billing.locator("main")).to_contain_text("The credit note is entered")
    finance.goto(buyer.url)
    finance.get_by_role("link", name="Accept the difference…").click()
    finance.get_by_label("Reason").fill("They keep a fee for handling.")
    is_whole(finance)
    finance.get_by_role("button", name="Accept the difference").click()
    expect(finance.locator("main")).to_contain_text("The difference is accepted")
    is_whole(finance)
    look(finance, "returns-settled-360")
    assert_books_agree(sqlite_database)
