"""The register in two real browsers: one asks, the other decides, and the next order behaves as it was agreed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.composition.policies import RegisterRules
from erpcore.orders.services import capture_orders
from governance.programme.kinds import BodyKind
from tests.support.approvals import a_body, acting
from tests.support.core import OPEN, a_business
from tests.support.operate import open_cells
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def an_order(business, rules):
    with business.work() as work:
        return capture_orders(work, [business.order()], rules=rules, cells=OPEN)[0]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_ship_complete_at_one_site_is_asked_for_agreed_to_effective_and_over(
    signed, business, sqlite_database, clock, script
):
    owner = a_person(sqlite_database, "process_owner", clock=clock, name="Tomasz Wielgus")
    judge = a_person(sqlite_database, "design_authority", clock=clock, name="Aurel Brandis")
    a_body(business, BodyKind.DESIGN_AUTHORITY, [acting(judge.id, "design_authority")], quorum=(1, 1))
    rules = RegisterRules()
    before = an_order(business, rules)

    page = signed(owner, java_script_enabled=script)
    page.goto("/register")
    page.get_by_role("link", name="Ask for a variant").first.click()
    page.get_by_role("link", name="Partial shipment").click()
    page.get_by_label("No: ", exact=False).first.check()
    page.get_by_label("Site", exact=True).select_option(label="Duisburg")
    page.fill("[name=until_on]", "2026-06-30")
    page.fill("[name=support_who]", "branch office")
    page.fill("[name=exit_condition]", "the new hall stands")
    page.fill("[name=reason]", "no room for what is left over")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.locator("#errors")).to_contain_text("the rationale is not said")
    assert page.input_value("[name=reason]") == "no room for what is left over"
    page.select_option("[name=rationale]", "site_limit")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.locator("main")).to_contain_text("It waits for a decision.")
    here = page.url

    other = signed(judge, java_script_enabled=script)
    other.goto(here)
    other.fill("[name=reason]", "until the hall stands")
    other.get_by_role("button", name="Approve").click()
    expect(other.locator("main")).to_contain_text("In force")
    if script:
        assert Axe().run(other).violations_count == 0

    order = an_order(business, rules)
    with business.work() as work:
        assert rules.stored(work, order.ruleset)["partial_shipment"] is False
        assert rules.stored(work, before.ruleset)["partial_shipment"] is True
        elsewhere = rules.resolve(
            work, entity=business.entity, site=business.site + 1, channel=business.channel, customer_group=None
        )
        assert elsewhere["partial_shipment"] is True
    other.goto(f"/orders/{order.id}")
    said = other.locator("section[aria-labelledby=rules]").inner_text()
    assert "Partial shipment" in said
    assert "V-1, Duisburg: no room for what is left over" in said
    other.get_by_role("link", name="V-1, Duisburg").click()
    assert order.number in other.locator("main").inner_text()

    clock.set(clock.now() + timedelta(days=150))
    over = an_order(business, rules)
    with business.work() as work:
        assert rules.stored(work, over.ruleset)["partial_shipment"] is True
