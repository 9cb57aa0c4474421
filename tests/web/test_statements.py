"""Reports of the books on the page, as a file and over the API: figures that lead to their lines, and the posting rules."""

import csv
import io
import re

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.ledger.posting_rules import POSTING_RULES
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.steps import paid
from tests.support.web import a_person, a_token

REPORTS = ("/ledger/trial-balance", "/ledger/profit-and-loss", "/ledger/balance-sheet")


@pytest.fixture
def business(sqlite_database, clock):
    """An order of 10 pieces paid: 100.00 and 20.00 of tax, at a cost of 40.00; stock worth 800.00 was opened."""
    made = a_business(sqlite_database, at=clock.now(), items=2)
    made.clock = clock
    open_cells(made)
    paid(made, [(0, 10)])
    return made


def test_reports_show_their_figures_ask_little_and_lead_to_their_lines(signed_in, business, sqlite_database):
    browser = signed_in("finance")
    for path in REPORTS:
        for also in ("", "?by=site", "?by=channel", f"?site={business.site}&channel={business.channel}"):
            with queries(sqlite_database) as ran:
                page = browser.get(f"{path}{also}")
            assert len(ran) <= MOST
            assert ("Balances to the last cent" in page.text) == (path != "/ledger/profit-and-loss")
    page = browser.get("/ledger/profit-and-loss")
    assert "4000 Sales 100.00 0.00 100.00" in page.text
    assert "Gross result 60.00 0.00 60.00" in page.text
    (link,) = {one for one in page.links() if f"account={_account(sqlite_database, '4000')}" in one}
    lines = browser.get(link)
    assert "4000 Sales" in lines.text
    assert "100.00" in lines.text
    (entry,) = [one for one in lines.links() if re.fullmatch(r"/ledger/entries/\d+", one)]
    assert "Invoice" in browser.get(entry).text


def _account(database, code):
    with reading(database) as session:
        return session.scalar(text("SELECT id FROM ledger_account WHERE code = :code"), {"code": code})


def test_the_figures_of_a_trial_balance_lead_to_the_lines_of_their_days(signed_in, business, sqlite_database, clock):
    page = signed_in("finance").get("/ledger/trial-balance")
    today, account = clock.now().date(), _account(sqlite_database, "1400")
    (debit, credit, closing) = [one for one in page.links() if f"account={account}" in one]
    assert debit == credit
    assert f"since={today.replace(day=1)}" in debit
    assert "since" not in closing
    assert f"until={today}" in closing


def test_a_trial_balance_by_segment_leads_from_each_column_to_the_lines_of_it(signed_in, business, sqlite_database):
    browser = signed_in("finance")
    page = browser.get("/ledger/trial-balance?by=site")
    assert "EUR Duisburg no site All" in page.text
    assert "1000 Bank 0.00 120.00 120.00" in page.text
    bank = _account(sqlite_database, "1000")
    none, everything = [one for one in page.links() if f"account={bank}" in one]
    assert "siteless=1" in none
    assert "siteless" not in everything
    lines = browser.get(none)
    assert "1000 Bank" in lines.text
    assert "Of no site" in lines.text
    assert "No line fits" in browser.get(f"/ledger/lines?account={_account(sqlite_database, '1400')}&siteless=1").text
    assert "No line fits" not in browser.get("/ledger/lines?channelless=1").text
    debits = browser.get("/ledger/trial-balance?by=channel&figure=debit")
    assert "4000 Sales" not in debits.text
    assert "1200 Trade receivables 120.00 0.00 120.00" in debits.text
    assert (
        "Sales −100.00 −100.00" in browser.get("/ledger/trial-balance?by=channel&channel=" + str(business.channel)).text
    )
    rows = browser.client.get("/ledger/trial-balance.csv?by=cell").get_data(as_text=True)
    assert "Duisburg · Wholesale,Duisburg · no channel,no site · no channel,All" in rows


def test_the_result_of_the_year_leads_to_the_profit_and_loss_of_its_column(signed_in, business):
    browser = signed_in("finance")
    page = browser.get("/ledger/balance-sheet?by=site")
    here, everything = [one for one in page.links() if "/ledger/profit-and-loss" in one and "since=2026-01-01" in one]
    assert f"site={business.site}" in here
    assert "Result 60.00" in browser.get(here).text
    assert "site=" not in everything
    of_none = browser.get("/ledger/profit-and-loss?site=0")
    assert "Result 0.00" in of_none.text


def test_segments_that_make_no_sense_are_not_taken(signed_in, business):
    browser = signed_in("finance")
    for nonsense in ("by=x", "by=site&figure=x", "by=site&start=-1", "by=site&start=x", "by=site&start=99"):
        assert "Balances to the last cent" in browser.get(f"/ledger/trial-balance?{nonsense}").text


def test_days_that_make_no_sense_are_said_or_not_taken(signed_in, business):
    browser = signed_in("finance")
    page = browser.get("/ledger/profit-and-loss?since=2026-05-31&until=2026-05-01")
    assert "taken the other way round" in page.text
    assert page.value("since") == "2026-05-01"
    for nonsense in ("since=0001-01-01", "until=9999-12-31", "since=2026-02-30", "until=x", "by=entity"):
        assert "Result 60.00" in browser.get(f"/ledger/profit-and-loss?{nonsense}").text
    browser.get(f"/ledger/profit-and-loss?entity={business.entity + 999}", status=404)
    browser.get(f"/ledger/profit-and-loss?site={business.site + 999}", status=404)
    browser.get("/ledger/balance-sheet?channel=1", status=404)


def test_a_report_as_a_file_holds_the_same_figures(signed_in, business):
    browser = signed_in("finance")
    answer = browser.client.get("/ledger/balance-sheet.csv")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [row[3] for row in rows if row[2] in ("All assets", "Liabilities and equity")] == ["880.00", "880.00"]
    assert ["Equity", "", "Result of this year", "60.00", "0.00", "60.00"] in rows
    assert browser.client.get("/ledger/profit-and-loss.xlsx").data[:2] == b"PK"


def test_who_sees_no_books_sees_none_of_this(signed_in, business):
    picker = signed_in("warehouse_operator")
    for path in (*REPORTS, "/ledger/lines", "/ledger/posting-rules"):
        picker.get(path, status=403)


def test_the_posting_rules_are_shown_each_with_an_example(signed_in, business, sqlite_database):
    browser = signed_in("finance")
    with queries(sqlite_database) as ran:
        page = browser.get("/ledger/posting-rules")
    assert len(ran) <= MOST
    assert all(rule.when in page.text for rule in POSTING_RULES)
    assert "Direct cost for shipment Stock shipment.confirmed Cost of sales Received not invoiced" in page.text
    # Opening, cost of sales, invoice, receipt and application have posted here.
    examples = {one for one in page.links() if re.fullmatch(r"/ledger/entries/\d+", one)}
    assert len(examples) == 5


def test_programs_read_reports_entries_and_rules(site, business, sqlite_database, clock):
    def call(path, role="finance"):
        token = a_token(sqlite_database, a_person(sqlite_database, role, clock=clock), role, clock=clock)
        return site.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})

    found = call(f"/ledger/reports?report=balance-sheet&entity={business.entity}").json
    assert [section["total"]["figures"][0] for section in found["sections"]] == ["880.00", "20.00", "860.00"]
    assert found["check"] == ["0.00", "0.00", "0.00"]
    assert [one["since"] for one in found["columns"]] == [None, None, None]
    for days in ("until=0001-01-01", "since=0001-01-01", "until=9999-12-31", "since=9999-12-31&until=9999-12-31"):
        for path in ("reports?report=profit-and-loss&", "reports?report=balance-sheet&", "entries?"):
            assert call(f"/ledger/{path}entity={business.entity}&{days}").status_code == 422
    found = call(f"/ledger/reports?report=trial-balance&entity={business.entity}&by=cell").json
    assert [(one["label"], one["adds"], one["site"], one["channel"]) for one in found["columns"]] == [
        ("Duisburg · Wholesale", "part", business.site, business.channel),
        ("Duisburg · no channel", "part", business.site, 0),
        ("no site · no channel", "part", 0, 0), ("All", "all", None, None),
    ]  # fmt: skip
    assert (found["others"], found["beyond"], found["check"]) == (0, 0, ["0.00"] * 4)
    kept = call(f"/ledger/reports?report=trial-balance&entity={business.entity}&site=0").json
    assert {row["label"]: row["figures"][3] for row in kept["sections"][0]["rows"] if row["figures"][3] != "0.00"} == {
        "1000 Bank": "120.00", "2300 Receipts on account": "-120.00",
    }  # fmt: skip
    lines = call(f"/ledger/lines?entity={business.entity}&siteless=true").json["items"]
    assert [(one["account"], one["site"]) for one in lines] == [("1000 Bank", None), ("2300 Receipts on account", None)]
    assert call(f"/ledger/reports?report=trial-balance&entity={business.entity}&by=site&figure=x").status_code == 422
    one_day = f"report=profit-and-loss&entity={business.entity}&since=2020-05-02&until=2020-05-01"
    assert call(f"/ledger/reports?{one_day}").status_code == 422
    assert call(f"/ledger/reports?report=cash-flow&entity={business.entity}").status_code == 422
    assert call(f"/ledger/reports?report=balance-sheet&entity={business.entity + 999}").status_code == 404
    assert call(f"/ledger/reports?report=balance-sheet&entity={business.entity}", "buyer").status_code == 403
    first = call(f"/ledger/entries?entity={business.entity}&limit=4").json
    rest = call(f"/ledger/entries?entity={business.entity}&cursor={first['next']}").json
    rules = [entry["rule"] for entry in (*first["items"], *rest["items"])]
    assert sorted(rules) == ["application", "cost_of_sales", "invoice", "opening", "opening", "receipt"]
    assert all(
        sum(float(line["debit"]) - float(line["credit"]) for line in entry["lines"]) == 0 for entry in first["items"]
    )
    table = call("/posting-rules").json
    assert table["count"] == len(POSTING_RULES)
    assert table["items"][0]["debits"] == [{"role": "receivable", "may_turn": False}]
