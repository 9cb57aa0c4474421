"""A company's address and tax numbers on screen and for programs: entered, refused, kept over time."""

from __future__ import annotations

import pytest

from tests.support.core import a_business
from tests.support.queries import MOST, queries
from tests.support.rows import rows
from tests.web.test_amending import typed

SEAT = {
    "name": "Nordhaus GmbH", "street": "Ruhrstraße 4", "postal_code": "47051", "city": "Duisburg", "region": "", "country": "DE",
    "register_number": "HRB 4711 Duisburg", "valid_from": "2026-01-01", "reason": "as registered",
}  # fmt: skip


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    return made


def test_finance_enters_the_address_and_the_page_keeps_what_held_before(signed_in, business, sqlite_database):
    finance, here = signed_in("finance"), f"/companies/{business.entity}"
    assert "No address yet" in finance.get(here).text
    assert here in finance.get("/taxes").html
    page = finance.get(f"{here}/address")
    assert '<option selected value="DE">Germany</option>' in page.html, "the company’s own country is proposed"
    page = finance.post(f"{here}/address", {**typed(page), **SEAT, "city": ""}, status=422)
    assert page.errors() == ["City: Enter the city"]
    assert "Ruhrstraße 4" in page.html
    stale = typed(finance.get(f"{here}/address"))
    page = finance.post(f"{here}/address", {**stale, **SEAT})
    assert "47051 Duisburg" in page.text
    page = finance.post(f"{here}/address", {**stale, **SEAT, "city": "Essen"}, status=409)
    assert "got another address" in page.text
    again = typed(finance.get(f"{here}/address"))
    assert again["street"] == "Ruhrstraße 4"
    finance.post(
        f"{here}/address", {**again, "country": "DE", "city": "Essen", "valid_from": "2026-03-01", "reason": "moved"}
    )
    with queries(sqlite_database) as ran:
        page = finance.get(here)
    assert len(ran) <= MOST
    for said in ("47051 Essen", "47051 Duisburg", "HRB 4711 Duisburg", "You: moved", "Germany"):
        assert said in page.text, said
    assert rows(sqlite_database, "SELECT number, city FROM entity_address ORDER BY number") == [
        (1, "Duisburg"),
        (2, "Essen"),
    ]
    reader = signed_in("billing")
    assert "Change the address" not in reader.get(here).text
    reader.get(f"{here}/address", status=403)
    reader.get("/companies/4711", status=404)


def test_tax_numbers_are_entered_for_the_company_and_for_a_customer(signed_in, business, sqlite_database):
    finance, here = signed_in("finance"), f"/companies/{business.entity}"
    page = finance.get(f"{here}/tax-numbers/new")
    page = finance.post(f"{here}/tax-numbers/new", {**typed(page), "number": "DE811907980", "valid_from": "2026-01-01"})
    assert "DE811907980" in page.text
    theirs = f"/customers/{business.customer}/tax-numbers/new"
    page = finance.post(theirs, {**typed(finance.get(theirs)), "number": ""}, status=422)
    assert page.errors() == ["Tax number: Enter the number"]
    page = finance.post(theirs, {**typed(page), "number": "DE129273398", "valid_from": "2026-01-01"})
    assert "DE129273398" in page.text
    assert rows(sqlite_database, "SELECT number, customer_id FROM tax_registration ORDER BY id") == [
        ("DE811907980", None), ("DE129273398", business.customer),
    ]  # fmt: skip
    signed_in("billing").get(theirs, status=403)


def test_finance_names_the_account_that_invoices_ask_for(signed_in, business, sqlite_database):
    finance, here = signed_in("finance"), f"/companies/{business.entity}"
    assert "No account yet" in finance.get(here).text
    assert "Add the account first" in finance.get(f"{here}/invoice-account").text
    new = f"/cash/accounts/new?entity={business.entity}"
    finance.post(
        "/cash/accounts/new",
        {
            **typed(finance.get(new)),
            "number": "DE89370400440532013000",
            "name": "House bank",
            "entity": business.entity,
        },
    )
    ((account,),) = rows(sqlite_database, "SELECT id FROM bank_account")
    stale = {**typed(finance.get(f"{here}/invoice-account")), "account": account}
    page = finance.post(f"{here}/invoice-account", {**stale, "bic": "COBA", "reason": "set up"}, status=422)
    assert "“COBA” is no BIC" in page.text
    assert 'value="set up"' in page.html
    said = {**stale, "bic": "COBADEFFXXX", "valid_from": "2026-01-01", "reason": "set up"}
    page = finance.post(f"{here}/invoice-account", said)
    assert "House bank · COBADEFFXXX" in page.text
    page = finance.post(f"{here}/invoice-account", said, status=409)
    assert "was told another account" in page.text
    late = {
        **typed(finance.get(f"{here}/invoice-account")),
        "valid_from": "2026-01-02",
        "reason": "late",
        "account": account,
    }
    assert "Choose today or a later day" in finance.post(f"{here}/invoice-account", late, status=422).text
    with queries(sqlite_database) as ran:
        finance.get(here)
    assert len(ran) <= MOST
    assert rows(sqlite_database, "SELECT number, bic FROM invoice_account") == [(1, "COBADEFFXXX")]
    signed_in("billing").get(f"{here}/invoice-account", status=403)


def test_a_program_names_the_account_that_invoices_ask_for(caller, business):
    finance, path = caller("finance"), f"/companies/{business.entity}"
    bank = {"entity": business.entity, "number": "DE89370400440532013000", "name": "House bank"}
    said = {
        "account": finance("POST", "/bank-accounts", bank).json["id"],
        "valid_from": "2026-01-01",
        "reason": "set up",
    }
    made = finance("POST", f"{path}/invoice-accounts", said)
    assert made.status_code == 201, made.json
    (one,) = made.json["invoice_accounts"]
    assert (one["number"], one["account"], one["currency"], one["valid_from"]) == (
        1,
        bank["number"],
        "EUR",
        "2026-01-01",
    )
    late = finance("POST", f"{path}/invoice-accounts", said)
    assert (late.status_code, late.json["code"]) == (409, "invoice_account_changed")
    assert finance("POST", f"{path}/invoice-accounts", {**said, "account": 4711, "seen": 1}).status_code == 404
    assert caller("billing")("POST", f"{path}/invoice-accounts", said).status_code == 403


def test_a_program_tells_the_address_and_reads_all_of_them(caller, business):
    finance, path = caller("finance"), f"/companies/{business.entity}"
    said = {**SEAT, "region": None, "seen": 0}
    made = finance("POST", f"{path}/addresses", said)
    assert made.status_code == 201, made.json
    late = finance("POST", f"{path}/addresses", said)
    assert (late.status_code, late.json["code"]) == (409, "company_address_changed")
    wrong = finance("POST", f"{path}/addresses", {**said, "seen": 1, "country": "XX"})
    assert (wrong.status_code, wrong.json["code"]) == (422, "country_unknown")
    found = caller("billing")("GET", path)
    (address,) = found.json["addresses"]
    assert (address["number"], address["city"], address["country"], address["valid_from"]) == (
        1,
        "Duisburg",
        "DE",
        "2026-01-01",
    )
    assert found.json["tax_numbers"] == []
    assert caller("billing")("POST", f"{path}/addresses", said).status_code == 403
    assert caller("billing")("GET", "/companies/4711").status_code == 404
