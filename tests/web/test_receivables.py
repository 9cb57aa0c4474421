"""Receivables on the page, as files, as the paper that is sent, and over the API."""

from __future__ import annotations

import csv
import io
from base64 import b64decode
from datetime import timedelta

import pytest

from erpcore.billing.cash import ReceiveCash, receive_cash
from erpcore.masterdata.services import NewCustomer, add_customers
from tests.support.archive import broken_rules
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.steps import invoiced
from tests.support.web import Browser, a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    """An invoice of 120.00 that is due on 1 April and 5.00 on account; today is 11 April."""
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    invoiced(made, [(0, 10)])
    clock.advance(timedelta(days=20))
    with made.work() as work:
        receive_cash(
            work, [ReceiveCash(entity=made.entity, customer=made.customer, amount_minor=500, reference="too early")]
        )
    clock.advance(timedelta(days=20))
    return made


@pytest.fixture
def site(database, business, tmp_path, clock):
    return a_site(database, tmp_path, clock)


@pytest.fixture
def finance(site, database, clock):
    browser = Browser(site)
    browser.sign_in(a_person(database, "finance", clock=clock))
    return browser


@pytest.fixture
def asks(site, database, clock):
    token = a_token(database, a_person(database, "finance", clock=clock), "finance", clock=clock)
    return lambda path: site.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})


def test_the_list_shows_what_is_overdue_and_leads_to_the_account(finance, database, business):
    with queries(database) as ran:
        page = finance.get("/receivables")
    assert len(ran) <= MOST
    assert "1–30 days" in page.text
    assert "120.00" in page.text
    assert "−5.00" in page.text
    assert "115.00" in page.text
    here = f"/receivables/{business.customer}"
    assert here in page.links()
    with queries(database) as ran:
        page = finance.get(here)
    assert len(ran) <= MOST
    assert "10 days over" in page.text
    assert "115.00 EUR owed in all, 120.00 EUR of it overdue" in page.text
    early = finance.get("/receivables?as_of=2026-03-10").text
    assert "115.00" not in early
    assert f"{here}?as_of=2026-03-10" in finance.page.links()
    assert "Nobody owes anything" in finance.get("/receivables?as_of=2020-01-01").text
    assert "120.00" in finance.get(f"/receivables?company={business.entity}").text
    assert here in finance.get("/customers/10482").links()


def test_the_files_hold_exact_figures(finance):
    (row,) = csv.DictReader(io.StringIO(finance.client.get("/receivables.csv").text.removeprefix("\ufeff")))
    assert (row["Customer code"], row["1–30 days"], row["On account"], row["Balance"]) == (
        "10482",
        "120.00",
        "-5.00",
        "115.00",
    )
    assert finance.client.get("/receivables.xlsx").status_code == 200


def test_a_day_to_come_is_said_and_nonsense_is_today(finance, business):
    here = f"/receivables/{business.customer}"
    page = finance.get(f"{here}?as_of=2026-12-24")
    assert "has not come yet" in page.text
    assert "115.00" in page.text
    for nonsense in ("as_of=x", "as_of=0001-01-01", "as_of=9999-12-31"):
        assert "115.00" in finance.get(f"{here}?{nonsense}").text
    assert finance.client.get(f"/receivables?{nonsense}").status_code == 200
    assert finance.client.get("/receivables/1").status_code == 404


def test_a_statement_is_a_paper_for_the_archive_or_says_why_not(finance, business):
    here = f"/receivables/{business.customer}/statement.pdf"
    answer = finance.client.get(f"{here}?since=2026-03-01&until=2026-04-11")
    assert answer.content_type == "application/pdf"
    assert broken_rules(answer.data) == []
    refused = finance.client.get(f"{here}?since=2026-04-11&until=2026-03-01")
    assert refused.status_code == 409
    assert "choose an earlier first day" in refused.text.lower()


def test_a_statement_is_made_for_a_customer_whose_code_no_scanner_reads(finance, business):
    with business.work() as work:
        (other,) = add_customers(
            work,
            [
                NewCustomer(
                    entity=business.entity,
                    code='Ä/1"',
                    name="Łódź",
                    country="Poland",
                    currency="EUR",
                    credit_limit_minor=None,
                )
            ],
        )
    answer = finance.client.get(f"/receivables/{other.id}/statement.pdf")
    assert answer.content_type == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'inline; filename="statement---1--20260411.pdf"'


def test_programs_read_the_same(asks, business):
    (row,) = asks("/receivables").json["items"]
    assert (row["not_due"], row["overdue_1_30"], row["on_account"], row["balance"]) == (
        "0.00",
        "120.00",
        "-5.00",
        "115.00",
    )
    there = asks(f"/customers/{business.customer}/account?as_of=2026-03-25").json
    assert [(one["kind"], one["open"], one["days_over"]) for one in there["items"]] == [
        ("invoice", "120.00", 0),
        ("receipt", "-5.00", 0),
    ]
    page = asks(f"/customers/{business.customer}/statement?since=2026-03-01&until=2026-04-11").json
    assert (page["opening"], page["closing"], len(page["movements"])) == ("0.00", "115.00", 2)
    paper = asks(f"/customers/{business.customer}/statement-paper").json
    assert b64decode(paper["pdf"]).startswith(b"%PDF-")
    assert asks(f"/customers/{business.customer}/account?as_of=2027-01-01").status_code == 422
    assert asks(f"/customers/{business.customer}/statement?since=2026-04-02&until=2026-04-01").status_code == 422
    assert asks("/customers/1/account").status_code == 404


def test_who_may_not_read_invoices_reads_no_receivables(site, database, business, clock):
    browser = Browser(site)
    browser.sign_in(a_person(database, "warehouse_operator", clock=clock))
    assert browser.client.get("/receivables").status_code == 403
    assert browser.client.get(f"/receivables/{business.customer}").status_code == 403
