"""A carrier's bill is handed in by one person, decided on and approved by another, and its freight is in the books. In a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_money import both
from tests.support.carrier_bills import a_sender, sent, sums
from tests.support.controls import assert_books_agree
from tests.support.operate import open_cells
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    """Two parcels that have left: 6.96 are expected for each."""
    made = a_sender(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    made.first, made.second = sent(made, "0034-1"), sent(made, "0034-2")
    return made


def test_a_bill_is_handed_in_by_one_and_approved_by_another(signed, business, sqlite_database, clock):
    page = signed(a_person(sqlite_database, "billing", clock=clock))
    page.goto("/carrier-bills/new")
    both(page, "carrier-bill-new")
    page.get_by_label("Number of the bill").fill("FR-1")
    page.get_by_label("Total with tax").fill("21.27")
    page.get_by_label("Or its lines").fill("0034-1; 6.96; 1.32\n0034-2; 8.00; 1.52; island\n0034-7; 2.92; 0.55")
    page.get_by_role("button", name="Hand it in").click()
    main = page.locator("main")
    expect(main).to_contain_text("Nothing is posted yet")
    expect(main).to_contain_text("2 lines not as expected")
    expect(main).to_contain_text("1.04 EUR more than the 6.96 EUR expected")
    expect(main).to_contain_text("We have no shipment 0034-7.")
    expect(page.get_by_role("link", name="Accept line 2")).to_have_count(0)
    here = page.url
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    main = page.locator("main")
    page.goto(here)
    both(page, "carrier-bill-waiting")
    page.get_by_role("link", name="Accept line 2").click()
    page.get_by_label("Reason").fill("It went to an island")
    page.get_by_role("button", name="Accept it").click()
    expect(main).to_contain_text("Line 2 is owed as it stands")
    page.get_by_role("link", name="Decline line 3").click()
    page.get_by_label("Reason").fill("Never ours")
    page.get_by_role("button", name="Decline it").click()
    expect(main).to_contain_text("Line 3 is not owed")
    page.get_by_role("button", name="Approve and post").click()
    expect(main).to_contain_text("The bill is in the books")
    both(page, "carrier-bill-posted")
    page.goto("/carrier-bills")
    expect(main).to_contain_text("FR-1")
    expect(main).to_contain_text("17.80")
    both(page, "carrier-bills")
    assert sums(business) == {"freight": 1_496, "input_tax": 284, "payable": -1_780}
    assert_books_agree(sqlite_database)
