"""How long the books of a month stay open, on the pages of figures and for programs: as days, with the closing behind it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.support.closings import a_closing
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.steps import invoiced


@pytest.fixture
def business(database, clock):
    """March has been over for eight working days."""
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    invoiced(made)
    clock.advance(timedelta(days=39))
    made.closing = a_closing(made, date(2026, 4, 1))
    return made


def test_it_stands_among_all_measures_and_leads_to_the_closing(signed_in, caller, business):
    reader = signed_in("auditor")
    with queries(business.database) as ran:
        page = reader.get("/measures")
    assert len(ran) <= MOST
    assert "Close cycle time" in page.text
    with queries(business.database) as ran:
        page = reader.get("/measures/close_cycle_time")
    assert len(ran) <= MOST
    assert "controller" in page.text
    assert "8 days" in page.text
    assert f"/ledger/closings/{business.closing}" in page.links()
    call = caller("auditor")
    (one,) = call("GET", "/readings?key=close_cycle_time").json["items"]
    assert (Decimal(one["value"]), one["count"]) == (8 * 86_400, 1)
    (behind,) = call("GET", "/journeys?key=close_cycle_time").json["items"]
    assert (behind["kind"], behind["id"]) == ("closing", business.closing)
