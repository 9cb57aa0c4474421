"""The books of all companies on the page, as a file and over the API; without a rate the page says which, and where to tell it."""

from __future__ import annotations

import csv
import io

import pytest

from tests.support.companies import a_sister, rates_of_spring, trade_of_spring
from tests.support.core import a_business
from tests.support.queries import MOST, queries
from tests.support.web import a_person, a_token

PATH = "/ledger/consolidated"
DAYS = "since=2026-03-01&until=2026-03-20"


@pytest.fixture
def sister(sqlite_database, clock):
    """Nordhaus keeps euros (stock worth 800.00), Alpen francs: 1,000.00 brought in at 1.00, 100.00 earned at 1.15 on average."""
    business = a_business(sqlite_database, at=clock.now(), items=2)
    business.clock = clock
    made = a_sister(business)
    rates_of_spring(business)
    trade_of_spring(made)
    return made


def test_the_page_puts_companies_beside_each_other_and_says_how_they_were_translated(
    signed_in, sister, sqlite_database
):
    browser = signed_in("finance")
    with queries(sqlite_database) as ran:
        page = browser.get(f"{PATH}?{DAYS}")
    assert len(ran) <= MOST
    assert "1000 Bank 1,320.00 0.00 1,320.00" in page.text
    assert "Translation differencewhat changed rates did to what is held 205.00 0.00 205.00" in page.text
    assert "Each company’s books balance" in page.text
    used = page.text[page.text.index("Average of its months") :]
    assert used.startswith(
        "Average of its months Translation difference Alpen AGCHF 1.2000 11 Mar 2026Bank 1.1500 March 2026 205.00 "
        "Nordhaus GmbHEUR – its own currency – 0.00"
    ), used[:200]
    found = browser.get(f"{PATH}?report=profit-and-loss&{DAYS}")
    assert "4000 Sales 115.00 0.00 115.00" in found.text
    (link,) = [one for one in found.links() if one.startswith("/ledger/lines?") and f"entity={sister.entity}" in one]
    lines = browser.get(link)
    assert "4000 Sales" in lines.text
    assert "100.00" in lines.text
    francs = browser.get(f"{PATH}?report=trial-balance&currency=CHF&{DAYS}")
    assert "1000 Bank 1,100.00 0.00 1,100.00" in francs.text


def test_a_day_without_a_rate_is_said_with_the_way_out_and_nothing_else_is_shown(signed_in, sister):
    browser = signed_in("finance")
    page = browser.get(f"{PATH}?since=2026-04-01&until=2026-04-02", status=422)
    assert "Alpen AG cannot be translated: there is no rate of CHF/EUR for 02 Apr 2026" in page.text
    assert "/exchange-rates" in page.links()
    assert "1000 Bank" not in page.text
    assert page.value("until") == "2026-04-02"
    browser.get(f"{PATH}.csv?since=2026-04-01&until=2026-04-02", status=422)


def test_what_makes_no_sense_is_said_or_not_taken(signed_in, sister):
    browser = signed_in("finance")
    assert "taken the other way round" in browser.get(f"{PATH}?since=2026-03-20&until=2026-03-01").text
    assert "All assets" in browser.get(f"{PATH}?report=x&{DAYS}").text
    browser.get(f"{PATH}?currency=XXX&{DAYS}", status=404)
    assert "No company" in browser.get(f"{PATH}?realm=rehearsal").text
    signed_in("warehouse_operator").get(PATH, status=403)


def test_the_report_as_a_file_holds_the_same_figures(signed_in, sister):
    browser = signed_in("finance")
    answer = browser.client.get(f"{PATH}.csv?{DAYS}")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows[0] == ["Section", "Account", "Name", "CH01", "DE01", "All in EUR"]
    assert ["Equity", "", "Translation difference", "205.00", "0.00", "205.00"] in rows
    assert browser.client.get(f"{PATH}.xlsx?{DAYS}").data[:2] == b"PK"


def test_programs_read_the_same(site, sister, sqlite_database, clock):
    def call(query, role="finance"):
        token = a_token(sqlite_database, a_person(sqlite_database, role, clock=clock), role, clock=clock)
        return site.test_client().get(f"/api/v1{PATH}?{query}", headers={"Authorization": f"Bearer {token}"})

    found = call(f"report=balance-sheet&currency=eur&{DAYS}").json
    assert [section["total"]["figures"] for section in found["sections"]] == [
        ["1320.00", "800.00", "2120.00"], ["0.00", "0.00", "0.00"], ["1320.00", "800.00", "2120.00"],
    ]  # fmt: skip
    alpen, nordhaus = found["companies"]
    assert (alpen["entity"], alpen["told_on"], alpen["source"], alpen["difference"]) == (
        sister.entity, "2026-03-11", "Bank", "205.00",
    )  # fmt: skip
    assert float(alpen["closing"]) == 1.2
    assert [(one["month"], float(one["rate"])) for one in alpen["averages"]] == [("2026-03-01", 1.15)]
    assert nordhaus["closing"] is None
    assert found["check"] == ["0.00"] * 3
    refused = call("report=trial-balance&currency=CHF&since=2026-01-01&until=2026-04-30")
    assert (refused.status_code, refused.json["code"]) == (422, "company_rate_too_old")
    assert call(f"report=balance-sheet&currency=XXX&{DAYS}").status_code == 404
    assert call(f"report=cash-flow&currency=EUR&{DAYS}").status_code == 422
    assert call("report=balance-sheet&currency=EUR&since=2026-03-02&until=2026-03-01").status_code == 422
    assert call(f"report=balance-sheet&currency=EUR&{DAYS}", "buyer").status_code == 403
