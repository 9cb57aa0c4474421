"""A close with a check that keeps the books open until it is mended. In a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.test_floor import is_whole, look
from tests.support.closings import a_closing
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.journals import a_journal, with_rent
from tests.support.operate import open_cells
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=1, stock=0)
    made.clock = clock
    open_cells(made)
    return with_rent(made)


def test_a_journal_nobody_approved_keeps_the_books_open_until_it_is_rejected(signed, business, sqlite_database, clock):
    until = clock.now().date().replace(day=1)
    closing = a_closing(business, until)
    a_journal(business, entry_on=until - timedelta(days=1))
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto(f"/ledger/closings/{closing}")
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("main")).to_contain_text("Keeps the books open")
    look(page, "close-room")
    page.get_by_role("link", name="Lock the books…").click()
    page.get_by_label("Reason").fill("The month is final")
    page.get_by_role("button", name="Lock the books").click()
    expect(page.get_by_role("alert").first).to_contain_text("not approved or not posted: 1, 900.00 EUR")
    page.goto("/ledger/journals")
    page.get_by_role("link", name="MJ-").first.click()
    page.get_by_role("button", name="Submit").click()
    second = signed(a_person(sqlite_database, "process_owner", clock=clock))
    second.goto(page.url)
    second.get_by_role("link", name="Decide…").click()
    second.get_by_label("Reject").check()
    second.get_by_label("Note").fill("Nobody owes this")
    second.get_by_role("button", name="Decide").click()
    page.goto(f"/ledger/closings/{closing}")
    page.get_by_role("link", name="Lock the books…").click()
    page.get_by_label("Reason").fill("The month is final")
    page.get_by_role("button", name="Lock the books").click()
    expect(page.locator("main")).to_contain_text("The books are locked")
    is_whole(page)
    page.set_viewport_size({"width": 360, "height": 740})
    # The page follows the new width with its next frame.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    is_whole(page)
    look(page, "close-room-360")
    assert_books_agree(sqlite_database)
