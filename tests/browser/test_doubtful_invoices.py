"""A price that was not ordered: billing changes it, the invoice waits in the queue, somebody else releases it, it is posted. In a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.composition.uow import unit_of_work
from erpcore.billing.services import draft_invoices
from erpcore.kernel.actor import Actor
from tests.browser.test_floor import is_whole
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells
from tests.support.steps import shipped
from tests.support.web import a_person

pytestmark = pytest.mark.browser


def test_a_doubtful_invoice_waits_until_somebody_else_releases_it(signed, sqlite_database, clock):
    business = a_business(sqlite_database, at=clock.now())
    business.clock = clock
    open_cells(business)
    _, shipment = shipped(business, [(0, 4)])
    with unit_of_work(sqlite_database, actor=Actor.system("billing"), clock=clock) as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN, rules=RULES)
    billing = signed(a_person(sqlite_database, "billing", clock=clock))
    billing.goto(f"/invoices/{invoice.id}")
    billing.get_by_role("link", name="Amend line 10").click()
    billing.get_by_label("Price that is charged").fill("11.5")
    billing.get_by_label("Reason").fill("freight put on the price")
    billing.get_by_role("button", name="Charge this price").click()
    expect(billing.locator("main")).to_contain_text("Doubtful: it is not posted yet")
    expect(billing.locator("main")).to_contain_text("Line 10 charges 11.50, ordered at 10.00.")
    expect(billing.get_by_role("region", name="Doubtful")).to_contain_text("Whose it is: Finance.")
    expect(billing.locator("main")).to_contain_text("the invoice is blocked: line 10 charges 11.50, ordered at 10.00")
    finance = signed(a_person(sqlite_database, "finance", clock=clock), width=360)
    finance.goto("/exceptions?queue=blocked")
    expect(finance.locator("main")).to_contain_text("line 10 charges 11.50, ordered at 10.00")
    finance.goto("/invoices?lane=blocked")
    is_whole(finance)
    finance.get_by_role("link", name="Draft").last.click()
    finance.get_by_role("link", name="Release…").click()
    finance.get_by_label("Reason").fill("agreed on the telephone")
    finance.get_by_role("button", name="Release the invoice").click()
    expect(finance.locator("main")).to_contain_text("What was doubtful stays recorded.")
    is_whole(finance)
    billing.reload()
    billing.get_by_role("button", name="Post", exact=True).click()
    expect(billing.get_by_role("heading", level=1)).to_contain_text("INV-2026-000001")
    assert_books_agree(sqlite_database)
