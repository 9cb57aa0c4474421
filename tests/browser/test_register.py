"""The register in two real browsers: one asks, the other decides, and the next order behaves as it was agreed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.composition.policies import RegisterRules
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from governance.programme.kinds import BodyKind
from tests.support.approvals import a_body, acting
from tests.support.core import OPEN, a_business
from tests.support.operate import a_neighbour, open_cells
from tests.support.web import a_person

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def an_order(business, rules, number, **changes):
    """Ten of one item, of which there is enough, and two hundred of another, of which there is not; as far as it is allocated."""
    lines = [(0, 10), (1, 200)]
    with business.work() as work:
        command = business.order(lines, customer_reference=f"B-{number}", **changes)
        (order,) = capture_orders(work, [command], rules=rules, cells=OPEN)
        release_orders(work, [order.id], rules=rules, cells=OPEN)
        (order,) = allocate_orders(work, [order.id], rules=rules, cells=OPEN)
    return order


def allocated(page, order):
    """What its page says is set aside for each line."""
    page.goto(f"/orders/{order.id}")
    cells = page.locator("section[aria-labelledby=lines] td[data-label=Allocated]")
    return [cells.nth(n).inner_text().split()[0] for n in range(cells.count())]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_ship_complete_at_one_site_is_asked_for_agreed_to_effective_and_over(
    signed, business, sqlite_database, clock, script
):
    owner = a_person(sqlite_database, "process_owner", clock=clock, name="Tomasz Wielgus")
    judge = a_person(sqlite_database, "design_authority", clock=clock, name="Aurel Brandis")
    a_body(business, BodyKind.DESIGN_AUTHORITY, [acting(judge.id, "design_authority")], quorum=(1, 1))
    rules, neighbour = RegisterRules(), a_neighbour(business)
    desk = signed(a_person(sqlite_database, "super_user", clock=clock), java_script_enabled=script)
    before = an_order(business, rules, 1)
    assert allocated(desk, before) == ["10", "100"]

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

    order, next_door = an_order(business, rules, 2), an_order(business, rules, 3, site=neighbour)
    assert allocated(desk, order) == ["0", "0"]
    supply = desk.locator("section[aria-labelledby=supply]").inner_text()
    assert "leaves whole or not at all" in supply
    said = desk.locator("section[aria-labelledby=rules]").inner_text()
    assert "Partial shipment" in said
    assert "V-1, Duisburg: no room for what is left over" in said
    assert allocated(desk, next_door) == ["10", "100"]
    assert "leaves whole" not in desk.locator("main").inner_text()
    assert "the standard" in desk.locator("section[aria-labelledby=rules]").inner_text()
    assert allocated(desk, before) == ["10", "100"], "what was promised before keeps its rules"

    other.goto(f"/orders/{order.id}")
    other.get_by_role("link", name="V-1, Duisburg").first.click()
    assert order.number in other.locator("main").inner_text()

    clock.set(clock.now() + timedelta(days=150))
    over = an_order(business, rules, 4)
    assert allocated(signed(owner, java_script_enabled=script), over)[0] == "10"
