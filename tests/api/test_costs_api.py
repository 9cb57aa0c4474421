"""Programs get no cost that their token may not see: the value of stock, the floor under a price, the worth of a difference."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erpcore.inventory.adjusting import Adjust, adjust
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.web import a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    return made


@pytest.fixture
def reads(database, tmp_path, clock):
    site = a_site(database, tmp_path, clock)

    def make(role, path):
        token = a_token(database, a_person(database, role, clock=clock), role, clock=clock)
        return site.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}).json

    return make


def test_stock_tells_its_worth_to_who_may_see_costs_alone(reads, business):
    here = f"/sites/{business.site}/stock/{business.items[0]}"
    assert (reads("site_lead", here)["value"], reads("customer_service", here)["value"]) == ("400.00", None)
    listed = [{row["value"] for row in reads(role, "/stock")["items"]} for role in ("site_lead", "customer_service")]
    assert listed == [{"400.00"}, {None}]


def test_what_a_difference_is_worth_is_told_to_who_decides_on_it(reads, business):
    approve(business, "adjustment_limit_minor", 100)
    with business.work() as work:
        adjust(
            work, [Adjust(site=business.site, item=business.items[0], quantity=Decimal(-5), reason="damaged", note="fell")],
            rules=RULES, cells=OPEN,
        )  # fmt: skip
    told = {role: [row["value"] for row in reads(role, "/stock-adjustments")["items"]]
            for role in ("warehouse_supervisor", "auditor", "warehouse_operator")}  # fmt: skip
    assert told == {"warehouse_supervisor": ["-20.00"], "auditor": ["-20.00"], "warehouse_operator": [None]}


def test_the_lowest_price_tells_no_floor_to_who_may_not_see_it(reads, business):
    path = f"/price-check?item={business.items[0]}&quantity=1"
    assert Decimal(reads("site_lead", path)["lowest_without_approval"]) > 0
    assert reads("customer_service", path)["lowest_without_approval"] is None
