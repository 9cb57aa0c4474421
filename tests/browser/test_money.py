"""Money that is asked for and comes in: a dunning run by two people, the collector's day, the cash desk. In a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from erpcore.billing.bank import add_bank_account
from erpcore.billing.cash import ReceiveCash
from erpcore.billing.cash_typed import RecordReceipt, record_receipt
from erpcore.fulfilment.services import PickOrder, pick_orders
from tests.browser.test_floor import is_whole, look
from tests.support.bankdesk import hand_in
from tests.support.bankfiles import IBAN, camt, entry
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, a_business
from tests.support.dunning import a_procedure
from tests.support.operate import open_cells
from tests.support.steps import allocated, invoiced
from tests.support.supply import column
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    """120.00 that was due ten days ago; today is 11 April, and a procedure is in force."""
    made = a_business(sqlite_database, at=clock.now(), stock=200)
    made.clock = clock
    open_cells(made)
    a_procedure(made)
    made.invoice = invoiced(made, [(0, 10)])[2]
    clock.advance(timedelta(days=40))
    return made


def both(page, name):
    """Pictures on a laptop and on a phone, whole on both."""
    look(page, f"collect-{name}")
    page.set_viewport_size({"width": 360, "height": 740})
    # The page follows the new width with its next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    look(page, f"collect-{name}-360")
    is_whole(page)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_one_proposes_a_dunning_run_another_confirms_it_and_a_collector_takes_the_promise(
    signed, business, sqlite_database, clock
):
    first, second = (signed(a_person(sqlite_database, "finance", clock=clock)) for _ in range(2))
    first.goto("/dunning/propose")
    first.get_by_role("button", name="Work it out").click()
    expect(first.locator("main")).to_contain_text("somebody else confirms it")
    both(first, "dunning-run")
    second.goto(first.url)
    second.get_by_role("button", name="Confirm").click()
    expect(second.locator("main")).to_contain_text("1 issued")
    second.get_by_role("link", name="Bautechnik").first.click()
    expect(second.locator("main")).to_contain_text("Zahlungserinnerung")
    both(second, "dunning-notice")
    paper = second.request.get(second.get_by_role("link", name="Print").get_attribute("href"))
    assert paper.body().startswith(b"%PDF")
    collector = signed(a_person(sqlite_database, "collections", clock=clock))
    collector.goto("/collections")
    expect(collector.locator("main")).to_contain_text("Asked at level 1")
    both(collector, "worklist")
    collector.get_by_role("checkbox", name="Bautechnik").check()
    collector.get_by_role("button", name="Give them").click()
    expect(collector.locator("main")).to_contain_text("1 customer given")
    collector.get_by_role("link", name="Bautechnik").click()
    collector.get_by_label("With whom").fill("Ms Kern")
    collector.get_by_role("textbox", name="What was said").fill("Pays all of it on Friday")
    collector.get_by_role("button", name="Note it").click()
    expect(collector.locator("main")).to_contain_text("Pays all of it on Friday")
    both(collector, "customer")
    collector.get_by_role("link", name="Promise to pay").click()
    collector.get_by_label("Amount").fill("120.00")
    collector.get_by_label("Comes until").fill("2026-04-17")
    collector.get_by_label("Said by").fill("Ms Kern")
    both(collector, "promise")
    collector.get_by_role("button", name="Keep the promise").click()
    expect(collector.locator("main")).to_contain_text("120.00 EUR until")
    both(collector, "dunning-customer")
    collector.goto("/collections")
    expect(collector.locator("main")).to_contain_text("Promised until 17 Apr 2026 by Ms Kern")
    dark = signed(a_person(sqlite_database, "finance", clock=clock), color_scheme="dark")
    for name, path in (
        ("worklist", "/collections"),
        ("customer", f"/collections/{business.customer}"),
        ("dunning", "/dunning"),
        ("procedures", "/dunning/procedures"),
        ("routes", "/collections/routes"),
    ):
        dark.goto(path)
        look(dark, f"collect-{name}-dark")
        is_whole(dark)
    assert column(business, "SELECT said FROM collection_contact") == ["Pays all of it on Friday"]
    assert column(business, "SELECT amount_minor FROM payment_promise") == [12_000]
    assert_books_agree(sqlite_database)


def test_a_statement_is_handed_in_its_proposal_accepted_and_the_receipt_is_there(
    signed, business, sqlite_database, clock
):
    (number,) = column(business, f"SELECT number FROM invoice WHERE id = {business.invoice.id}")
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto("/cash/accounts/new")
    page.get_by_label("IBAN or number").fill(IBAN)
    page.get_by_label("Name").fill("House bank")
    page.get_by_role("button", name="Add the account").click()
    content = camt(entry("120.00", day="2026-04-10", text=f"Rg {number}", name="Bautechnik"), closing="120.00")
    page.get_by_label("File").set_input_files({"name": "day.xml", "mimeType": "text/xml", "buffer": content})
    page.get_by_role("button", name="Hand it in").click()
    expect(page.locator("main")).to_contain_text("waits at the cash desk")
    both(page, "statement")
    page.goto("/cash")
    expect(page.locator("main")).to_contain_text("99 %")
    both(page, "desk")
    page.get_by_role("button", name="Accept the chosen").click()
    expect(page.locator("main")).to_contain_text("Nothing waits")
    page.goto("/receipts")
    page.locator("main table").get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text(number)
    both(page, "receipt")
    assert column(business, f"SELECT open_minor FROM receivable WHERE document_id = {business.invoice.id}") == [0]
    assert_books_agree(sqlite_database)


def test_an_entry_whose_money_was_typed_becomes_that_receipt(signed, business, sqlite_database, clock):
    with business.work() as work:
        business.bank = add_bank_account(work, business.entity, number=IBAN, name="House bank")
        money = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=12_000)
        receipt = record_receipt(work, RecordReceipt(receipt=money))
    (number,) = column(business, f"SELECT number FROM invoice WHERE id = {business.invoice.id}")
    hand_in(business, camt(entry("120.00", day="2026-04-10", text=number, name="Bautechnik"), closing="120.00"))
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto("/cash")
    expect(page.locator("main")).to_contain_text(f"Typed before? Receipt RC-{receipt}")
    expect(page.get_by_role("checkbox", name="Choose the entry of 120.00 EUR")).not_to_be_checked()
    both(page, "desk-typed")
    page.get_by_role("link", name="Assign the entry of 120.00 EUR").click()
    expect(page.get_by_role("heading", name="Typed before?")).to_be_visible()
    both(page, "line-typed")
    page.get_by_role("button", name="Assign it").click()
    expect(page.locator("main")).to_contain_text("looks typed before")
    page.get_by_role("button", name=f"It is receipt RC-{receipt}").click()
    expect(page.locator("main")).to_contain_text("Nothing waits")
    assert column(business, "SELECT outcome FROM bank_line") == ["typed"]
    assert column(business, "SELECT COUNT(*) FROM receipt") == [1]
    assert_books_agree(sqlite_database)


def test_what_a_shipment_would_post_is_shown_and_not_posted(signed, business, sqlite_database, clock):
    order = allocated(business)
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
    before = column(business, "SELECT COUNT(*) FROM journal_entry")
    page = signed(a_person(sqlite_database, "auditor", clock=clock))
    page.goto("/ledger/posting-rules")
    page.get_by_label("What happens").select_option(f"shipment:{shipment.id}")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("heading", name=f"The shipment leaves: {shipment.number}")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Nothing of this is in the books")
    both(page, "posting-trial")
    assert column(business, "SELECT COUNT(*) FROM journal_entry") == before
