"""Billing asks for an e-invoice that lacks the company's address; finance enters it; then it comes. In a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from erpcore.masterdata.tax_keeping import NewTaxNumber, keep_tax_number
from tests.browser.test_floor import is_whole
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.steps import invoiced
from tests.support.web import a_person

pytestmark = pytest.mark.browser


def test_what_lacks_is_entered_and_the_document_comes(signed, sqlite_database, clock):
    business = a_business(sqlite_database, at=clock.now(), items=1)
    business.clock = clock
    open_cells(business)
    _, _, invoice = invoiced(business, [(0, 4)])
    with business.work() as work:
        number = NewTaxNumber(
            entity=business.entity, country="Germany", number="DE811907980", valid_from=clock.now().date()
        )
        keep_tax_number(work, number)
    billing = signed(a_person(sqlite_database, "billing", clock=clock))
    billing.goto(f"/invoices/{invoice.id}")
    billing.get_by_role("link", name="XML (UBL)").click()
    expect(billing.get_by_role("heading", level=1)).to_have_text("It lacks something yet")
    expect(billing.locator("main")).to_contain_text("Nordhaus GmbH has no address that held on 02.03.2026")
    billing.get_by_role("link", name="Back to what it is about").click()
    finance = signed(a_person(sqlite_database, "finance", clock=clock), width=360)
    finance.goto("/taxes")
    finance.get_by_role("link", name="Address and tax numbers").click()
    expect(finance.locator("main")).to_contain_text("No address yet")
    is_whole(finance)
    finance.get_by_role("link", name="Enter the address…").click()
    finance.get_by_label("Street and number").fill("Ruhrstraße 4")
    finance.get_by_label("Postal code").fill("47051")
    finance.get_by_label("City").fill("Duisburg")
    finance.get_by_label("Reason").fill("as registered")
    finance.get_by_role("button", name="Keep the address").click()
    expect(finance.locator("main")).to_contain_text("47051 Duisburg")
    is_whole(finance)
    finance.get_by_role("link", name="Name the account…").click()
    finance.get_by_label("IBAN or number").fill("DE89370400440532013000")
    finance.get_by_label("Name").fill("House bank")
    finance.get_by_role("button", name="Add the account").click()
    finance.goto(f"/companies/{business.entity}/invoice-account")
    finance.get_by_label("Reason").fill("the house bank")
    is_whole(finance)
    finance.get_by_role("button", name="Name the account").click()
    expect(finance.locator("main")).to_contain_text("DE89370400440532013000")
    is_whole(finance)
    expect(billing.get_by_role("heading", level=1)).to_contain_text("INV-2026-000001")
    for link, begins in (("XML (UBL)", b"<?xml"), ("PDF (Factur-X)", b"%PDF-")):
        with billing.expect_download() as file:
            billing.get_by_role("link", name=link).click()
        assert Path(file.value.path()).read_bytes().startswith(begins)
