"""How fast customers pay, on the pages of figures and for programs: with owner, sample and the documents behind."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.db.test_readings import a_shipped, consumed
from tests.support.core import a_business
from tests.support.events import elsewhere
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.steps import invoiced


@pytest.fixture
def business(database, clock):
    """120.00 that was due ten days ago."""
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    _, _, made.invoice = invoiced(made, [(0, 10)])
    clock.advance(timedelta(days=40))
    return made


def test_they_stand_among_all_measures_and_lead_to_the_invoices_behind_them(signed_in, caller, business):
    reader = signed_in("auditor")
    with queries(business.database) as ran:
        page = reader.get("/measures")
    assert len(ran) <= MOST
    for title in ("Days sales outstanding", "Average days delinquent", "Overdue share", "Collection effectiveness"):
        assert title in page.text
    with queries(business.database) as ran:
        page = reader.get("/measures/overdue_share")
    assert len(ran) <= MOST
    assert "collections owner" in page.text
    assert "10 days overdue" in page.text
    assert f"/invoices/{business.invoice.id}" in page.links()
    call = caller("auditor")
    (one,) = call("GET", "/readings?key=overdue_share").json["items"]
    assert (Decimal(one["value"]), one["count"]) == (1, 1)
    (one,) = call("GET", "/readings?key=days_sales_outstanding").json["items"]
    assert Decimal(one["value"]) == 42 * 86_400, "all of March, ten days of April and today"
    (behind,) = call("GET", "/journeys?key=average_days_delinquent").json["items"]
    assert (behind["kind"], behind["id"], behind["weight"], behind["unit"]) == ("invoice", business.invoice.id, 12_000, "minor")  # fmt: skip


def test_a_figure_over_two_currencies_says_so_and_where_each_is(signed_in, database, clock):
    consumed(database, a_shipped(1000), a_shipped(2000, place=elsewhere(currency="GBP")))
    clock.advance(timedelta(days=2))
    page = signed_in("auditor").get("/measures/fill_rate_value")
    assert "No figure over several currencies" in page.text
    assert "Amounts in EUR, GBP cannot be added. Each site has its own below" in page.text
    assert "Not to be believed yet" not in page.text
    assert "#sites" in page.links()
