"""Rebate agreements on the page and over the API: written, agreed to by another, accrued, settled, printed."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import a_neighbour, open_cells
from tests.support.queries import MOST, queries
from tests.support.rebates import agreed, ended, standing
from tests.support.steps import invoiced


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def typed(business, **changes):
    return {
        "name": "Yearly bonus", "site": str(business.site), "customer": "10482", "valid_from": "2026-01-01",
        "last_on": "2026-12-31", "basis": "net", "lines-0-starts_at": "0", "lines-0-percent": "2", "lines-0-reach": "no",
        "lines-1-starts_at": "250", "lines-1-percent": "5", "lines-1-reach": "yes", **changes,
    }  # fmt: skip


def numbers(database):
    with reading(database) as session:
        return list(session.scalars(text("SELECT id FROM rebate_agreement ORDER BY id")))


def test_an_agreement_is_written_agreed_to_by_another_accrued_and_settled(signed_in, business, sqlite_database):
    finance = signed_in("finance")
    finance.get("/rebates/new")
    finance.post("/rebates/new", typed(business))
    (key,) = numbers(sqlite_database)
    assert finance.path == f"/rebates/{key}"
    page = finance.get(f"/rebates/{key}")
    assert "somebody else agrees to it" in page.text
    assert "of all that counts" in page.text
    finance.post(f"/rebates/{key}/agree", {"reason": "", "version": "1"}, status=403)
    other = signed_in("process_owner")
    other.post(f"/rebates/{key}/agree", {"reason": "As negotiated", "version": "1"})
    _, _, invoice = invoiced(business, [(0, 30)])
    page = finance.get(f"/rebates/{key}")
    assert "15.00 EUR" in page.text
    page = finance.get(f"/invoices/{invoice.id}")
    assert "Rebates accrued" in page.text
    assert f"/rebates/{key}" in page.html
    assert "RB-" in finance.get(f"/rebates/accruals?invoice={invoice.id}").text
    page = other.post(f"/rebates/{key}/end", {"reason": "", "version": "2"}, status=422)
    assert "Say why it ends today" in page.text
    other.post(f"/rebates/{key}/end", {"reason": "Sold", "version": "2"})
    page = finance.post(
        f"/rebates/{key}/settle", {"paid": "14", "claimed": "", "reason": "", "version": "3"}, status=422
    )
    assert "Say why." in page.text
    finance.post(f"/rebates/{key}/settle", {"paid": "15", "claimed": "15", "reason": "", "version": "3"})
    page = finance.get(f"/rebates/{key}")
    assert "Settled for good" in page.text
    assert "CRN-2026-" in page.text
    paper = finance.client.get(f"/rebates/{key}/statement.pdf")
    assert paper.data.startswith(b"%PDF")
    assert_books_agree(sqlite_database)


def test_what_is_wrong_stays_at_its_field_and_loses_nothing(signed_in, business, sqlite_database):
    finance = signed_in("finance")
    page = finance.post("/rebates/new", typed(business, customer="nobody"), status=422)
    assert "DE01 has no customer with this code." in page.text
    page = finance.post("/rebates/new", typed(business, **{"lines-1-starts_at": "0"}), status=422)
    assert "Enter the tiers in rising order." in page.text
    page = finance.post("/rebates/new", typed(business, **{"lines-1-percent": ""}), status=422)
    assert "a percentage, or an amount per unit" in page.text
    assert 'value="Yearly bonus"' in page.html
    assert numbers(sqlite_database) == []


def test_a_draft_is_changed_with_its_tiers_and_withdrawn(signed_in, business, sqlite_database):
    finance = signed_in("finance")
    finance.post("/rebates/new", typed(business))
    (key,) = numbers(sqlite_database)
    page = finance.get(f"/rebates/{key}/edit")
    assert 'value="250"' in page.html
    finance.post(f"/rebates/{key}/edit", typed(business, name="Bonus of the year", version="1"))
    assert "Bonus of the year" in finance.get("/rebates").text
    finance.post(f"/rebates/{key}/withdraw", {"reason": "", "version": "2"}, status=422)
    finance.post(f"/rebates/{key}/withdraw", {"reason": "Not signed", "version": "2"})
    assert "Withdrawn" in finance.get(f"/rebates/{key}").text


def test_the_page_asks_little_and_another_site_sees_nothing(signed_in, business, sqlite_database):
    key = agreed(business)
    _, _, invoice = invoiced(business, [(0, 30)])
    finance = signed_in("finance")
    for path in (f"/rebates/{key}", "/rebates", "/rebates/accruals", f"/invoices/{invoice.id}"):
        with queries(sqlite_database) as ran:
            finance.get(path)
        assert len(ran) <= MOST, path
    stranger = signed_in("billing", site=a_neighbour(business))
    stranger.get(f"/rebates/{key}", status=404)
    assert "Yearly bonus" not in stranger.get("/rebates").text


def test_programs_do_the_same_and_refuse_the_same(caller, business, sqlite_database):
    finance, other = caller("finance"), caller("process_owner")
    body = {
        "site": business.site, "name": "Yearly bonus", "customer": business.customer, "valid_from": "2026-01-01",
        "last_on": "2026-12-31",
        "tiers": [{"starts_at": "0", "percent": "2"}, {"starts_at": "250", "percent": "5", "is_retroactive": True}],
    }  # fmt: skip
    made = finance("POST", "/rebates", body)
    assert made.status_code == 201, made.json
    key = made.json["id"]
    assert finance("POST", f"/rebates/{key}/move", {"move": "agree"}, version=1).status_code == 403
    assert other("POST", f"/rebates/{key}/move", {"move": "agree"}, version=1).json["state"] == "agreed"
    _, _, invoice = invoiced(business, [(0, 30)])
    found = finance("GET", f"/rebates/{key}").json
    assert (found["accrued"], found["open"], found["level"], found["counted"]) == ("15.00", "15.00", 2, "300.00")
    (line,) = finance("GET", f"/rebate-accruals?invoice={invoice.id}").json["items"]
    assert (line["amount"], line["adjusted"], line["net"]) == ("15.00", "0.00", "300.00")
    assert [one["id"] for one in finance("GET", "/rebates?state=agreed").json["items"]] == [key]
    version = found["version"]
    paid = finance("POST", f"/rebates/{key}/settle", {"paid": "5.00"}, version=version).json
    assert (paid["open"], paid["settlements"][0]["is_final"]) == ("10.00", False)
    assert finance("GET", f"/rebates/{key}/statement").json["file_name"].startswith("rebate-RB-")
    assert_books_agree(sqlite_database)
    ended(business, key)
    assert standing(business, key)[3] == 1_500
    assert date.fromisoformat(found["last_on"]) == date(2026, 12, 31)
