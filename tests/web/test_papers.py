"""A paper that there is not: a page says which, why and the way out, instead of a page that looks as if all were well."""

from __future__ import annotations

import pytest

from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, start_task
from erpcore.fulfilment.services import PickOrder, pick_orders
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import ANNA, a_task
from tests.support.operate import open_cells
from tests.support.pages import Page
from tests.support.steps import allocated


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=1)
    made.clock = clock
    open_cells(made)
    return made


def refused(browser, path, status):
    """The page that says why there is no paper; no file and no redirect."""
    answer = browser.client.get(path)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    return Page(answer.get_data(as_text=True))


def test_a_paper_that_there_is_not_yet_says_why_and_leads_back_to_its_document(signed_in, business):
    order = allocated(business, [(0, 4)])
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN, rules=RULES)
    (task,) = a_task(business, allocated(business, [(0, 4)]))
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=4_000))
    lead = signed_in("warehouse_supervisor")
    for path, said, back in (
        (f"/shipments/{shipment.id}/labels.pdf", "no carton is closed", f"/shipments/{shipment.id}"),
        (f"/floor/tasks/{task.id}/pick-list.pdf", "all of it is picked", f"/floor/tasks/{task.id}"),
        (f"/floor/{business.site}/location-labels.pdf", "this site has no locations", "/floor"),
    ):
        page = refused(lead, path, 409)
        assert page.heading == "There is no such paper"
        assert said in page.text
        (way_out,) = [one for one in page.root.find("a") if "btn-primary" in one.attributes.get("class", "")]
        assert way_out.attributes["href"].startswith(back)
    assert lead.client.get(f"/shipments/{shipment.id}/packing-slip.pdf").mimetype == "application/pdf"


def test_the_paper_of_a_document_that_there_is_not_is_not_found(signed_in, business):
    lead = signed_in("site_lead")
    for path in (
        "/shipments/1/labels.pdf", "/shipments/1/packing-slip.pdf", "/orders/1/confirmation.pdf", "/quotes/1/quote.pdf",
        "/floor/tasks/1/pick-list.pdf",
    ):  # fmt: skip
        assert refused(lead, path, 404).heading
