"""Accruals on the page and over the API: what is due, the run, its lines, and the ways from them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.queries import MOST, queries
from tests.support.steps import shipped
from tests.support.web import calls_of

END, LATER = datetime(2026, 3, 31, 9, tzinfo=UTC), datetime(2026, 4, 2, 9, tzinfo=UTC)


@pytest.fixture
def business(sqlite_database, clock):
    """Ten pieces left in March and are not billed; two more by terms of delivery."""
    made = a_business(sqlite_database, items=2)
    clock.set(END)
    made.clock = clock
    open_cells(made)
    shipped(made, [(0, 10)])
    approve(made, "control_transfer", "delivered")
    shipped(made, [(1, 2)])
    clock.set(LATER)
    return made


def _one(database, query):
    with reading(database) as session:
        return session.execute(text(query)).scalar_one()


def test_finance_runs_the_accruals_and_goes_from_a_line_to_its_shipment_and_entries(
    signed_in, business, sqlite_database
):
    finance = signed_in("finance")
    with queries(sqlite_database) as ran:
        page = finance.get(f"/ledger/accruals?entity={business.entity}&until=2026-04-01")
    assert len(ran) <= MOST
    assert "Revenue not invoiced" in page.text
    assert "Cost of goods on the way" in page.text
    page = finance.post(f"/ledger/accruals/{business.entity}", {"until": "2026-04-01"})
    assert "2 lines are posted and turned back" in page.text
    page = finance.post(f"/ledger/accruals/{business.entity}", {"until": "2026-04-01"})
    assert "Nothing was left to be posted" in page.text
    run = _one(sqlite_database, "SELECT id FROM accrual_run")
    page = finance.get(f"/ledger/accrual-lines?run={run}&kind=unbilled")
    entry = _one(sqlite_database, "SELECT entry_id FROM accrual_line WHERE kind = 'unbilled'")
    assert f'/ledger/entries/{entry}"' in page.html
    assert "100.00" in page.text
    page = finance.get(f"/ledger/entries/{entry}")
    assert "Revenue not invoiced yet" in page.text
    order = _one(sqlite_database, "SELECT order_id FROM accrual_line WHERE kind = 'unbilled'")
    assert f"/orders/{order}" in page.html
    page = finance.post(f"/ledger/accruals/{business.entity}", {"until": "2026-05-01"}, status=422)
    assert "This cannot be done yet" in page.text


def test_who_does_not_close_periods_reads_and_runs_nothing(signed_in, business, sqlite_database):
    auditor = signed_in("auditor")
    page = auditor.get(f"/ledger/accruals?entity={business.entity}&until=2026-04-01")
    assert "Run the accruals</button>" not in page.text
    auditor.post(f"/ledger/accruals/{business.entity}", {"until": "2026-04-01"}, status=403)
    auditor.get("/ledger/accruals?entity=999999", status=404)
    # A day that is none asks for the month that is over.
    assert "1 Apr" in auditor.get(f"/ledger/accruals?entity={business.entity}&until=soon").text
    assert _one(sqlite_database, "SELECT COUNT(*) FROM accrual_line") == 0


def test_programs_see_what_is_due_and_run_it_once(site, business, sqlite_database, clock):
    finance = calls_of(site, sqlite_database, clock)("finance")
    due = finance("GET", f"/accruals?entity={business.entity}&until=2026-04-01").json
    assert [(one["kind"], one["due"], one["in_books"], one["to_post"]) for one in due["kinds"]] == [
        ("unbilled", "100.00", "0.00", "100.00"), ("cost", "8.00", "0.00", "8.00")
    ]  # fmt: skip
    assert (due["left"], due["run"]) == (2, None)
    body = {"entity": business.entity, "until": "2026-04-01"}
    ran = finance("POST", "/accruals", body)
    assert (ran.status_code, ran.json["left"]) == (201, 0)
    again = finance("POST", "/accruals", body).json
    assert again["kinds"] == ran.json["kinds"]
    lines = finance("GET", f"/accrual-lines?run={ran.json['run']}").json["items"]
    assert [(one["kind"], one["amount"]) for one in lines] == [("unbilled", "100.00"), ("cost", "8.00")]
    assert finance("GET", "/accrual-lines?kind=rent").json["errors"][0]["pointer"] == "/kind"
    early = finance("POST", "/accruals", {**body, "until": "2026-06-01"})
    assert (early.status_code, early.json["code"]) == (422, "period_not_over")
    assert finance("POST", "/accruals", {**body, "entity": 999_999}).status_code == 404


def test_the_cut_off_test_shows_what_is_wrong_until_it_is_accrued(signed_in, site, business, sqlite_database, clock):
    finance = signed_in("finance")
    asked = f"entity={business.entity}&until=2026-04-01"
    with queries(sqlite_database) as ran:
        page = finance.get(f"/ledger/cut-off?{asked}")
    assert len(ran) <= MOST
    assert "Wrong period" in page.text
    call = calls_of(site, sqlite_database, clock)("finance")
    before = call("GET", f"/cut-off?{asked}").json
    (row,) = before["items"]
    assert (row["passed_on"], row["invoice_on"], row["should"], row["has"], row["agrees"]) == (
        "2026-03-31", None, "100.00", "0.00", False
    )  # fmt: skip
    (channel,) = before["channels"]
    # The ten that are not billed are wrong; the two on the way are nobody's revenue yet, and rightly so.
    assert (channel["count"], channel["tested"], channel["wrong"]) == (2, "120.00", "100.00")
    finance.post(f"/ledger/accruals/{business.entity}", {"until": "2026-04-01"})
    after = call("GET", f"/cut-off?{asked}&channel={business.channel}").json
    assert [(one["has"], one["agrees"]) for one in after["items"]] == [("100.00", True)]
    page = finance.get(f"/ledger/cut-off?{asked}")
    assert "Wrong period" not in page.text
    assert "Accrued" in page.text
    finance.get(f"/ledger/cut-off?{asked}&channel=999999", status=404)
    nothing = finance.get(f"/ledger/cut-off?entity={business.entity}&until=2020-01-01")
    assert "No evidence" in nothing.text
    assert "Pass" not in nothing.text


def test_nothing_due_of_a_company_that_traded_nothing_is_no_evidence(signed_in, site, business, sqlite_database, clock):
    finance, call = signed_in("finance"), calls_of(site, sqlite_database, clock)("finance")
    page = finance.get(f"/ledger/accruals?entity={business.entity}&until=2026-02-01")
    assert "No evidence" in page.text
    assert "nothing left or was billed in this month" in page.text
    assert "Pass" not in page.text
    asked = f"/accruals?entity={business.entity}&until="
    assert call("GET", f"{asked}2026-02-01").json["has_traded"] is False
    finance.post(f"/ledger/accruals/{business.entity}", {"until": "2026-04-01"})
    page = finance.get(f"/ledger/accruals?entity={business.entity}&until=2026-04-01")
    assert "Pass" in page.text
    assert "No evidence" not in page.text
    # The ten that left on the last day are of March, and of no day after it.
    assert [call("GET", f"{asked}{day}").json["has_traded"] for day in ("2026-03-31", "2026-04-01", "2026-04-02")] == [
        False,
        True,
        False,
    ]
