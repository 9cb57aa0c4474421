"""A collector's day in Chromium: a payment that was short is named, disputed and settled, and the next action is done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe

from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from tests.support.core import a_business
from tests.support.dunning import a_procedure
from tests.support.operate import open_cells
from tests.support.steps import invoiced
from tests.support.web import a_person

pytestmark = pytest.mark.browser


def test_a_short_payment_is_named_disputed_and_settled_and_the_customer_is_called(signed, sqlite_database, clock):
    business = a_business(sqlite_database, at=clock.now())
    business.clock = clock
    open_cells(business)
    a_procedure(business)
    _, _, invoice = invoiced(business)
    with business.work() as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=9_600)]
        )
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=9_600)])
    clock.advance(timedelta(days=40))
    page = signed(a_person(sqlite_database, "collections", clock=clock))
    page.goto(f"/receipts/{receipt}")
    page.get_by_role("link", name="was paid short").click()
    page.select_option("[name=reason]", "damaged")
    page.fill("[name=note]", "Two pieces dented")
    page.get_by_role("button", name="Name the difference").click()
    dispute = page.url
    assert "24.00 EUR of 24.00 EUR open" in page.locator("main").inner_text()
    page.goto(f"/receipts/{receipt}")
    assert page.get_by_role("link", name="Take back what paid").count() == 1
    assert page.get_by_role("link", name="was paid short").count() == 0
    page.goto("/exceptions?queue=variance")
    page.get_by_role("link", name="Settle or contest it").click()
    page.get_by_role("link", name="Settle or contest it").click()
    assert page.url == dispute
    page.get_by_role("link", name="It is disputed…").click()
    page.fill("[name=note]", "The driver says they were whole")
    page.get_by_role("button", name="Open the dispute").click()
    page.goto("/collections")
    assert "Nobody to collect from" in page.locator("main").inner_text(), "all that is open is in dispute"
    page.goto(dispute)
    page.get_by_role("link", name="Settle…").click()
    page.fill("[name=rebill]", "24.00")
    page.fill("[name=reason]", "Signed for without a remark")
    page.get_by_role("button", name="Settle it").click()
    assert "Nothing of it is open any more" in page.locator("main").inner_text()
    page.goto("/collections")
    assert "Send letter" in page.locator("main").inner_text()
    page.get_by_role("link", name="Bautechnik").first.click()
    page.fill("[name=spoke_with]", "Ms Kern")
    page.fill("[name=said]", "Pays the rest on Friday")
    page.fill("[name=follow_up]", (clock.now() + timedelta(days=6)).date().isoformat())
    page.get_by_role("button", name="Note it").click()
    assert "To be followed up on 17 Apr 2026" in page.get_by_label("Next step").inner_text()
    assert Axe().run(page).response["violations"] == []
