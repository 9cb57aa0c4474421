"""The register as a whole in a real browser: the map is read on a phone, and what nobody uses any more goes to its review."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

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


def test_what_nobody_uses_is_found_on_a_phone_and_goes_to_its_review(signed, business, sqlite_database, clock):
    unused = in_force(business, {"count_freeze": True}, cost_minor=9_000, cost_currency="EUR")
    ordered(business, 3)
    clock.advance(timedelta(days=40))
    figured(business)
    owner = a_person(sqlite_database, "process_owner", clock=clock, name="Tomasz Wielgus")
    page = signed(owner, width=360)
    page.goto("/register/map")
    page.get_by_role("link", name="1 variant of Warehouse at Duisburg").click()
    expect(page.locator("main")).to_contain_text("Freeze while counting: yes")
    page.goto("/register/health")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert Axe().run(page).violations_count == 0
    page.get_by_role("link", name="Propose to retire V-1").click()
    assert page.input_value("[name=reason]").startswith(
        "Proposed for retirement: nothing ran under it in the last 30 days, 3 documents or steps before"
    )
    page.get_by_role("button", name="Have it reviewed").click()
    expect(page.locator("body")).to_contain_text("It is put to those who decide.")
    with reading(sqlite_database) as session:
        assert session.get_one(Variant, unused).state == "under_review"
