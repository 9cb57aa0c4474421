"""Customers: the list and its files, one customer with what fills their credit, and how they stand changed by authority."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.masterdata.services import NewCustomer, NewEntity, add_customers, add_entity
from tests.support.operate import a_trading_business
from tests.support.pricing import a_price, save
from tests.support.queries import MOST, queries
from tests.support.quotes import sent
from tests.support.web import a_person, a_token


@pytest.fixture
def trade(sqlite_database, clock):
    return a_trading_business(sqlite_database, clock)


def another_company(business):
    """A company in Vienna with a customer of its own and one by a code that Duisburg has too; the company and the first."""
    with business.work() as work:
        entity = add_entity(
            work,
            NewEntity(code="AT01", name="Südhaus GmbH", country="Austria", currency="EUR", time_zone="Europe/Vienna"),
        )
        first, _ = add_customers(
            work,
            [
                NewCustomer(entity=entity.id, code=code, name=name, country="Austria", currency="EUR")
                for code, name in (("20017", "Rohrbau Wien"), ("10482", "Bautechnik Austria"))
            ],
        )
        return entity.id, first.id


def parts(database):
    with reading(database) as session:
        row = session.execute(text("SELECT receivable_minor, shipped_minor, released_minor FROM credit_exposure")).one()
    return tuple(row)


def test_a_customer_shows_what_fills_the_credit_and_what_is_open(signed_in, trade, sqlite_database, clock):
    quote = sent(trade.business, until=clock.now().date().replace(day=20))
    save(trade.business, a_price(trade.business, "8.50", customer=trade.business.customer, reference="C-77"))
    desk = signed_in("site_lead")
    with queries(sqlite_database) as ran:
        page = desk.get("/customers/10482")
    assert len(ran) <= MOST
    assert page.heading == "10482 · Bautechnik"
    receivable, shipped, released = (f"{minor / 100:,.2f}" for minor in parts(sqlite_database))
    said = page.text
    for figure in (receivable, shipped, released, quote.number, "C-77", "8.50 EUR", "Address", "no house number"):
        assert figure in said, figure
    assert f"/orders/{trade.released}" in page.links()
    assert "Credit limit…" not in said


def test_the_list_and_its_file_tell_who_is_over_the_limit(signed_in, trade, sqlite_database):
    desk = signed_in("billing")
    with queries(sqlite_database) as ran:
        assert "Bautechnik" in desk.get("/customers").text
    assert len(ran) <= MOST
    assert "No customer fits" in desk.get("/customers?over=1").text
    assert "No customer fits" in desk.get("/customers?tier=1").text
    assert "Bautechnik" in desk.get("/customers?tier=2").text
    rows = list(csv.reader(io.StringIO(desk.client.get("/customers.csv").text.removeprefix("\ufeff"))))
    assert rows[1][:3] == ["10482", "Bautechnik", "Germany"]
    assert rows[1][11] == f"{sum(parts(sqlite_database)) / 100:.2f}"
    assert desk.client.get("/customers.xlsx").data[:2] == b"PK"


def test_finance_sets_the_limit_with_a_reason_and_the_page_keeps_it(signed_in, trade):
    finance = signed_in("finance")
    here = f"/customer/{trade.business.customer}/limit"
    page = finance.get(here)
    assert page.value("limit") == "5000"
    seen = page.value("seen")
    page = finance.post(here, {"limit": "100.00", "seen": seen}, status=422)
    assert page.errors() == ["Reason: Say why"]
    assert page.value("limit") == "100.00"
    page = finance.post(here, {"limit": "100.00", "seen": seen, "reason": "pays late"})
    assert "over the limit" in page.text
    assert "Limit 5,000.00 EUR → 100.00 EUR" in page.text
    assert "pays late" in page.text
    assert "10482" in finance.get("/customers?over=1").text
    # What somebody else saw meanwhile is not overwritten.
    finance.get(here)
    page = finance.post(here, {"limit": "900.00", "seen": seen, "reason": "pays again"}, status=409)
    assert "Somebody changed this since you opened it" in page.errors()[0]


def test_the_owner_of_data_sets_tier_and_block_and_finance_does_not(signed_in, trade):
    owner, finance = signed_in("data_owner"), signed_in("finance")
    here = f"/customer/{trade.business.customer}/standing"
    finance.get(here, status=403)
    page = owner.get(here)
    form = {"seen": page.value("seen"), "reason": "bought by a competitor", "is_blocked": "y"}
    page = owner.post(here, {**form, "tier": "9"}, status=422)
    assert "Choose one from the list" in page.errors()[0]
    page = owner.post(here, {**form, "tier": "3"})
    assert "This customer cannot order" in page.text
    assert "small · blocked" in page.text


def test_a_customer_of_a_company_that_is_not_theirs_is_not_there(signed_in, trade, sqlite_database):
    other, theirs = another_company(trade.business)
    desk = signed_in("customer_service", site=trade.business.site)
    assert desk.get("/customers/10482").heading == "10482 · Bautechnik"
    for address in ("/customers/20017", f"/customers/10482?company={other}", "/customers/nobody"):
        assert desk.get(address, status=404).heading == "There is nothing here"
    assert "Rohrbau Wien" not in desk.get("/customers").text
    billing = signed_in("data_owner", site=trade.business.site)
    billing.get(f"/customer/{theirs}/standing", status=404)
    # Who works for both companies meets both, so that the customers are really there.
    all_over = signed_in("site_lead")
    assert all_over.get("/customers/20017").heading == "20017 · Rohrbau Wien"
    assert all_over.get(f"/customers/10482?company={other}").heading == "10482 · Bautechnik Austria"


def test_programs_read_and_change_by_the_same_rules(site, trade, sqlite_database, clock):
    def caller(role):
        token = a_token(sqlite_database, a_person(sqlite_database, role, clock=clock), role, clock=clock)
        return lambda method, path, body=None: site.test_client().open(
            f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {token}"}
        )

    finance, key = caller("finance"), trade.business.customer
    (listed,) = finance("GET", "/customers").json["items"]
    assert (listed["code"], listed["credit_limit"], listed["exposure"]) == (
        "10482", "5000.00", f"{sum(parts(sqlite_database)) / 100:.2f}",
    )  # fmt: skip
    detail = finance("GET", f"/customers/{key}").json
    assert detail["counts"]["orders"] == 6
    body = {"credit_limit": "100.00", "reason": "pays late"}
    assert finance("POST", f"/customers/{key}/standing", body).json["credit_limit"] == "100.00"
    assert finance("POST", f"/customers/{key}/standing", {"tier": 1, "reason": "big"}).status_code == 403
    refused = caller("data_owner")("POST", f"/customers/{key}/standing", {"tier": 9, "reason": "big"})
    assert (refused.status_code, refused.json["code"]) == (422, "tier_unknown")
