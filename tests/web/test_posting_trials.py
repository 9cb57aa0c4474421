"""What would this post? On the page of the posting rules and for programs; nothing is in the books afterwards."""

from __future__ import annotations

import pytest

from erpcore.fulfilment.services import PickOrder, pick_orders
from tests.support.core import OPEN, a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.rows import rows
from tests.support.steps import allocated

BOOKS = "SELECT COUNT(*) FROM journal_line"


@pytest.fixture
def business(database, clock):
    """Ten pieces at a cost of 40.00 are picked."""
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    order = allocated(made)
    with made.work() as work:
        (made.shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
    return made


def test_the_page_shows_the_entries_of_a_shipment_and_posts_none(signed_in, business, database):
    browser, before = signed_in("auditor"), rows(database, BOOKS)
    page = browser.get("/ledger/posting-rules")
    assert business.shipment.number in page.text
    with queries(database) as ran:
        page = browser.post("/ledger/posting-rules", {"document": f"shipment:{business.shipment.id}"})
    assert len(ran) <= MOST + 15, "the shipment's own statements come on top"
    assert "5000 Cost of sales – 40.00" in page.text
    assert "1400 Inventory – 40.00" in page.text
    assert "Nothing of this is in the books" in page.text
    assert rows(database, BOOKS) == before


def test_programs_see_the_same_and_are_told_what_is_refused(caller, business, database):
    call, before = caller("auditor"), rows(database, BOOKS)
    found = call("POST", "/posting-trials", {"event": "shipment", "document": business.shipment.id}).json["entries"]
    assert [(one["rule"], [(line["debit"], line["credit"]) for line in one["lines"]]) for one in found] == [
        ("cost_of_sales", [("40.00", "0.00"), ("0.00", "40.00")])
    ]
    assert rows(database, BOOKS) == before
    unknown = call("POST", "/posting-trials", {"event": "invoice", "document": business.shipment.id})
    assert (unknown.status_code, unknown.json["code"]) == (404, "trial_document_unknown")
    assert call("POST", "/posting-trials", {"event": "party", "document": 1}).status_code == 422
