"""Policy values on the screen: asked for by one person, decided by another, found where they run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.composition.policies import RegisterRules
from erpcore.masterdata.models import Item, ItemGroup
from erpcore.orders.services import capture_orders
from erpcore.ports import POLICY_POINTS
from tests.support.core import OPEN, a_business
from tests.support.operate import a_closed_site, open_cells
from tests.support.policies import approve


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def test_the_list_has_every_point_with_its_standard_and_where_it_departs(signed_in, business):
    approve(business, "price_tolerance_permille", 25)
    page = signed_in("auditor").get("/policies")
    assert page.heading == "Policy points"
    assert f"{len(POLICY_POINTS)} places" in page.text
    for point in POLICY_POINTS.values():
        assert point.sentence in page.text
    assert "Price toleranceHow far below the price of the rules a line may be entered" in page.text
    assert "0 % 0 % to 50 % 2.5 % Duisburg variable by commitment" in page.text
    only = signed_in("auditor").get("/policies?only=departs")
    assert "Price tolerance" in only.text
    assert "Lots" not in only.text
    assert "Negative stock" in signed_in("auditor").get("/policies?only=locked").text


def test_the_order_page_says_which_rules_it_runs_under_and_where_each_came_from(signed_in, business):
    with business.work() as work:
        family = ItemGroup(id=work.ids.one(), code="FIT", name="Fittings")
        work.session.add(family)
        work.session.flush()
        work.session.get(Item, business.items[1]).group_id = family.id
        family_id = family.id
    approve(business, "price_tolerance_permille", 25)
    approve(business, "price_tolerance_permille", 100, item_group=family_id)
    with business.work() as work:
        (order,) = capture_orders(work, [business.order([(0, 1), (1, 1)])], rules=RegisterRules(), cells=OPEN)
    page = signed_in("super_user").get(f"/orders/{order.id}")
    assert "Price tolerance2.5 % V-1, Duisburg: the site ships its own way" in page.text
    assert "Line 20, for the item group" in page.text
    assert "Price tolerance10 % V-2, Fittings: the site ships its own way" in page.text
    assert f"{len(POLICY_POINTS) - 1} at the standard" in page.text


def test_values_of_another_site_do_not_exist_for_who_has_one_site(signed_in, business):
    elsewhere = a_closed_site(business)
    value = approve(business, "count_tolerance_permille", 10, site=elsewhere)
    lead = signed_in("site_lead", site=business.site)
    assert "Bremen" not in lead.get("/policies").text
    lead.get(f"/register/variants/{value}", status=404)
    lead.get(f"/policies/here?site={elsewhere}", status=404)
    assert "Bremen" in signed_in("auditor").get("/policies").text


def test_another_day_shows_what_will_run_then(signed_in, business):
    approve(business, "partial_shipment", False, starts=business.clock.now() + timedelta(days=10))
    page = signed_in("auditor")
    assert f"All {len(POLICY_POINTS)} points" in page.get(f"/policies/here?site={business.site}").text
    assert (
        f"1 of {len(POLICY_POINTS)} points depart"
        in page.get(f"/policies/here?site={business.site}&on=2026-04-01").text
    )
    assert (
        f"All {len(POLICY_POINTS)} points"
        in page.get(f"/policies/here?site={business.site}&on=nonsense&channel=abc").text
    )
