"""Exchange rates on their page and for programs: told, corrected, handed in by file, asked for; both show the same rows."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.core import a_business
from tests.support.queries import MOST, queries
from tests.support.trader import fingerprint_of
from tests.support.web import Browser, a_person, a_site, a_token

FILE = "day,currency,against,rate,source\n2026-02-27,EUR,CHF,0.9398,ECB\n2026-03-02,EUR,CHF,0.9412,ECB\n2026-03-02,EUR,GBP,0.87,ECB\n"
RATE = {
    "currency": "eur", "against": "CHF", "day": "2026-03-02", "rate": "0.9412", "source": "ECB", "holds_days": "7", "reason": "",
}  # fmt: skip


@pytest.fixture
def business(database, clock):
    return a_business(database, at=clock.now())


@pytest.fixture
def site(database, tmp_path, clock, business):
    return a_site(database, tmp_path, clock)


@pytest.fixture
def browsing(database, site, clock):
    def make(role):
        browser = Browser(site)
        browser.sign_in(a_person(database, role, clock=clock))
        return browser

    return make


@pytest.fixture
def calling(database, site, clock):
    tokens = {}

    def call(role, method, path, body=None, data=None, **headers):
        if role not in tokens:
            tokens[role] = a_token(database, a_person(database, role, clock=clock), role, clock=clock)
        headers = {"Authorization": f"Bearer {tokens[role]}", **headers}
        return site.test_client().open(f"/api/v1{path}", method=method, json=body, data=data, headers=headers)

    return call


def send(browser, path, fields, status=200):
    browser.get(path)
    return browser.post(path, {"request_key": browser.page.value("request_key"), **fields}, status=status)


def test_finance_tells_a_rate_corrects_it_with_a_reason_and_others_only_read(browsing, database):
    finance, billing = browsing("finance"), browsing("billing")
    assert "No rate fits" in finance.get("/exchange-rates").text
    page = send(finance, "/exchange-rates/new", RATE | {"against": "EUR", "source": "My bank"}, 422)
    assert "My bank" in page.html, "what was typed stays"
    send(finance, "/exchange-rates/new", RATE)
    refused = send(finance, "/exchange-rates/new", RATE | {"rate": "0.9421"}, 422)
    assert "is 0.9412 already, from ECB" in refused.text
    send(finance, "/exchange-rates/new", RATE | {"rate": "0.9421", "reason": "two digits changed places"})
    with queries(database) as ran:
        page = finance.get("/exchange-rates")
    assert len(ran) <= MOST
    for said in ("1 EUR in CHF", "0.9412", "corrected since", "0.9421", "correction 1", "two digits changed places"):
        assert said in page.text, said
    assert "corrected since" not in finance.get("/exchange-rates?last=1").text
    assert "Tell a rate" not in billing.get("/exchange-rates").text
    billing.get("/exchange-rates/new", status=403)
    billing.get("/exchange-rates/file", status=403)


def test_what_holds_on_a_day_is_asked_by_an_address_and_a_missing_rate_says_where_to_enter_it(browsing):
    finance = browsing("finance")
    send(finance, "/exchange-rates/new", RATE)
    page = finance.get("/exchange-rates/held?currency=CHF&against=EUR&day=2026-03-08")
    assert "1.062473438" in page.text
    assert "told the other way round" in page.text
    refused = finance.get("/exchange-rates/held?currency=CHF&against=EUR&day=2026-03-09", status=422)
    assert "could be used until 08 Mar 2026" in refused.text
    assert "Exchange rates" in refused.text


def test_a_file_is_taken_whole_and_a_second_time_changes_nothing_and_a_bad_row_is_named(browsing, database):
    finance = browsing("finance")

    def hand_in(content, status=200):
        finance.get("/exchange-rates/file")
        return finance.post(
            "/exchange-rates/file", {"file": (io.BytesIO(content.encode()), "rates.csv")}, status=status
        )

    before = fingerprint_of(database)
    refused = hand_in(FILE + "2026-02-30,EUR,CHF,0.94,ECB\n", 422)
    assert "Row 5" in refused.text
    assert "Nothing of the file is taken" in refused.text
    assert fingerprint_of(database) == before
    hand_in("day,currency,rate\n2026-03-02,EUR,1\n", 422)
    hand_in(FILE)
    rows = told(database)
    assert rows == [("EUR", "CHF", 939_800_000), ("EUR", "CHF", 941_200_000), ("EUR", "GBP", 870_000_000)]
    hand_in(FILE)
    assert told(database) == rows
    export = finance.client.get("/exchange-rates.csv").text
    assert export.splitlines()[0].lstrip("\ufeff").lower().split(",") == [
        "day", "currency", "against", "rate", "source", "holds_days", "reason"
    ]  # fmt: skip
    hand_in(export.lstrip("\ufeff"))
    assert told(database) == rows, "the export is a file that can be handed in"


def test_a_program_tells_rates_one_by_one_and_by_file_and_asks_for_the_one_that_holds(calling, database):
    body = {"currency": "EUR", "against": "CHF", "day": "2026-03-02", "rate": "0.9412", "source": "ECB"}
    assert calling("billing", "POST", "/exchange-rates", body).status_code == 403
    made = calling("finance", "POST", "/exchange-rates", body)
    assert (made.status_code, made.json["rate"], made.json["until"]) == (201, "0.941200000", "2026-03-08")
    clash = calling("finance", "POST", "/exchange-rates", body | {"rate": "0.9421"})
    assert (clash.status_code, clash.json["code"]) == (422, "rate_told")
    path = "/exchange-rates/file?file_name=rates.csv"
    taken = calling("finance", "POST", path, data=FILE.encode(), **{"Content-Type": "application/octet-stream"})
    assert (taken.status_code, taken.json) == (201, {"count": 3})
    listed = calling("billing", "GET", "/exchange-rates?last=true").json["items"]
    assert [(one["currency"], one["against"], one["day"]) for one in listed] == [
        ("EUR", "CHF", "2026-03-02"), ("EUR", "GBP", "2026-03-02"),
    ]  # fmt: skip
    held = calling("billing", "GET", "/exchange-rates/held?currency=GBP&against=EUR&day=2026-03-03").json
    assert (held["factor"], held["turned"]) == ("1.149425287", True)
    missing = calling("billing", "GET", "/exchange-rates/held?currency=USD&against=EUR&day=2026-03-03")
    assert (missing.status_code, missing.json["code"]) == (422, "rate_missing")
    assert calling("billing", "GET", "/exchange-rates?realm=rehearsal").json["items"] == []


def told(database):
    with reading(database) as session:
        query = "SELECT currency, against, rate FROM exchange_rate ORDER BY currency, against, day_on, revision"
        return [tuple(row) for row in session.execute(text(query))]
