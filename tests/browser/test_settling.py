"""A partner's payout is handed in, matched and posted, and what nobody explains is settled. In a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_money import both
from tests.support.controls import assert_books_agree
from tests.support.operate import open_cells
from tests.support.settlement import a_market, payout_file, sold, sums
from tests.support.web import a_person

pytestmark = pytest.mark.browser
_KINDS = "Order = sale\nCommission = fee\nRefund = refund\nHeld = reserve held"


@pytest.fixture
def business(sqlite_database, clock):
    """Two orders of a marketplace that are invoiced: 120.00 and 60.00."""
    made = a_market(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    made.first, made.second = sold(made, "B-1"), sold(made, "B-2", 5)
    return made


def test_a_payout_is_handed_in_posted_and_what_nobody_explains_is_accepted(signed, business, sqlite_database, clock):
    page = signed(a_person(sqlite_database, "finance", clock=clock))
    page.goto(f"/settlement-partners/{business.partner}/mapping")
    for label, heading in (
        ("Column of the day", "Date"), ("Column of the kind", "Type"), ("Column of the order’s number", "Order"),
        ("Column of the amount", "Amount"), ("Column of the tax within", "Tax"),
    ):  # fmt: skip
        page.get_by_label(label).fill(heading)
    page.get_by_label("The partner’s words for kinds of lines").fill(_KINDS)
    page.get_by_role("button", name="Read them so").click()
    content = payout_file(
        ("Order", "B-1", "120,00"), ("Order", "B-2", "60,00"), ("Commission", "", "-27,00"), ("Refund", "B-9", "-12,00"),
        ("Held", "", "-9,00"),
    )  # fmt: skip
    expect(page.get_by_role("heading", name="Hand a payout in")).to_be_visible()
    page.get_by_label("Number of the payout").fill("P-1")
    page.get_by_label("File").set_input_files({"name": "p.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_label("What is paid").fill("132.00")
    page.get_by_role("button", name="Hand it in").click()
    main = page.locator("main")
    expect(main).to_contain_text("Nothing is posted yet")
    expect(main).to_contain_text("5.40 EUR more than the 12 %")
    expect(main).to_contain_text("We have no order B-9 of this partner.")
    both(page, "payout-waiting")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(main).to_contain_text("The payout is posted")
    page.get_by_role("link", name="Accept line 3").click()
    page.get_by_label("Reason").fill("A new tariff from this month on")
    page.get_by_role("button", name="Accept it").click()
    expect(main).to_contain_text("Line 3 is accepted")
    both(page, "payout-posted")
    page.goto("/partner-owed")
    expect(main).to_contain_text("Paid out, not at the bank")
    both(page, "payout-owed")
    page.goto("/settlement-partners")
    expect(main).to_contain_text("Bazaar")
    both(page, "payout-partners")
    assert sums(business) == {
        "partner": 13_200, "partner_fees": 2_700, "partner_reserve": 900, "partner_difference": 1_200,
    }  # fmt: skip
    assert_books_agree(sqlite_database)
