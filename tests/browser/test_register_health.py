"""The register as a whole in a real browser: map and comparison are read on a phone, and what nobody uses goes to its review."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe

from app.composition.uow import reading
from governance.variants.models import Variant
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.registered import figured, in_force, ordered
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def test_what_nobody_uses_is_found_and_proposed_and_figures_lead_to_their_documents(
    signed, business, sqlite_database, clock
):
    unused = in_force(business, {"count_freeze": True}, cost_minor=9_000, cost_currency="EUR")
    whole = in_force(business, {"partial_shipment": False})
    orders = ordered(business, 3)
    clock.advance(timedelta(days=40))
    figured(business)
    owner = a_person(sqlite_database, "process_owner", clock=clock, name="Tomasz Wielgus")
    page = signed(owner, width=360)
    page.goto("/register/map")
    page.get_by_role("link", name="1 variant of Warehouse at Duisburg").click()
    assert "Freeze while counting: yes" in page.locator("main").inner_text()
    page.goto("/register/health")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert Axe().run(page).violations_count == 0
    page.get_by_role("link", name="Propose to retire V-1").click()
    assert page.input_value("[name=reason]").startswith(
        "Proposed for retirement: in force for 40 days, and nothing ran under it. Cost of keeping: 90.00 EUR per month."
    )
    page.get_by_role("button", name="Have it reviewed").click()
    assert "It is put to those who decide." in page.locator("body").inner_text()
    with reading(sqlite_database) as session:
        assert session.get_one(Variant, unused).state == "under_review"
    page.goto(f"/register/variants/{whole}")
    page.get_by_role("link", name="Against the standard").click()
    assert "Too few to tell" in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert Axe().run(page).violations_count == 0
    page.get_by_role("link", name="Under it").click()
    assert orders[0].number in page.locator("main").inner_text()
