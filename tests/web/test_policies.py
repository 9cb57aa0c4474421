"""Policy values on the screen: asked for by one person, decided by another, found where they run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.composition.policies import RegisterRules
from app.composition.uow import reading
from erpcore.masterdata.models import Item, ItemGroup
from erpcore.orders.services import capture_orders
from erpcore.ports import POLICY_POINTS
from governance.variants.models import Variant, VariantValue
from tests.support.core import OPEN, a_business
from tests.support.operate import a_closed_site, open_cells
from tests.support.policies import approve, ask_for


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def typed(business, **changes):
    return {
        "request_key": changes.pop("key", "k1"), "value": "no", "item_group": 0, "customer_group": 0, "channel": 0, "site": business.site,
        "entity": 0, "from_on": "", "until_on": "2026-12-31", "reason": "the branch waits for whole orders", **changes,
    }  # fmt: skip


def values(database):
    with reading(database) as session:
        return session.execute(
            select(Variant.state, VariantValue.value, Variant.site_id, Variant.version)
            .join(VariantValue, VariantValue.variant_id == Variant.id)
            .order_by(Variant.id)
        ).all()


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


def test_a_value_is_asked_for_and_approved_by_somebody_else_and_then_runs(signed_in, business, database):
    owner = signed_in("process_owner")
    page = owner.get("/policies/partial_shipment")
    assert "/policies/partial_shipment/ask" in page.links()
    owner.get("/policies/partial_shipment/ask")
    page = owner.post("/policies/partial_shipment/ask", typed(business))
    assert page.heading == "Partial shipment: no"
    assert "your role may not decide on controlled variations that somebody else asked for" in page.text
    assert "Withdraw" in page.text
    here = owner.path
    version = page.value("version")
    assert values(database) == [("submitted", "false", business.site, 2)]

    judge = signed_in("design_authority")
    assert "Policy value: Partial shipment, no" in judge.get("/").text
    page = judge.get(here)
    page = judge.post(here, {"move": "approve", "reason": "", "version": version}, status=422)
    assert "Say why" in page.text
    page = judge.post(here, {"move": "approve", "reason": "until the new hall stands", "version": version})
    assert "It holds." in page.text
    assert "Approved" in page.text
    assert "Design authority" not in page.text, "one reads oneself as You"
    assert values(database) == [("approved", "false", business.site, 3)]
    assert "Policy value" not in judge.get("/").text

    page = owner.get(f"/policies/here?site={business.site}")
    assert "1 of 29 points depart from the standard now" in page.text
    assert "Partial shipmentWhat is there may leave before the rest of the order. no" in page.text
    assert "the branch waits for whole orders" in page.text


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
    assert "Price tolerance2.5 % Duisburg: the site ships its own way" in page.text
    assert "Line 20, for the item group" in page.text
    assert "Price tolerance10 % Fittings: the site ships its own way" in page.text
    assert "28 at the standard" in page.text


def test_an_overlap_is_refused_naming_the_other_value_and_what_was_typed_stays(signed_in, business, database):
    approve(business, "partial_shipment", False)
    owner = signed_in("process_owner")
    owner.get("/policies/partial_shipment/ask")
    before = values(database)
    page = owner.post("/policies/partial_shipment/ask", typed(business), status=422)
    assert "Variant V-1 (no) holds for the same scope" in page.text
    assert "the branch waits for whole orders" in page.text
    assert values(database) == before


@pytest.mark.parametrize(
    ("point", "changes", "said"),
    [
        ("partial_shipment", {"site": 0}, "Name for whom it departs"),
        ("partial_shipment", {"value": ""}, "Choose one"),
        ("partial_shipment", {"until_on": "2026-03-02"}, "Choose a later end"),
        ("partial_shipment", {"until_on": "2036-03-02"}, "at most 1098 days"),
        ("partial_shipment", {"from_on": "2026-03-01"}, "documents under way keep their rules"),
        ("partial_shipment", {"reason": ""}, "Say why"),
        ("price_tolerance_permille", {"value": "50.1"}, "It may be: 0 % to 50 %"),
        ("price_tolerance_permille", {"value": "1.25"}, "places"),
        ("price_tolerance_permille", {"value": "much"}, "is not a number"),
        ("price_tolerance_permille", {"value": "0"}, "there is nothing to ask for"),
        ("override_limit_minor", {"value": "-1"}, "It may be"),
    ],
)
def test_what_cannot_hold_is_refused_at_its_field_and_nothing_is_asked(
    signed_in, business, database, point, changes, said
):
    owner = signed_in("process_owner")
    owner.get(f"/policies/{point}/ask")
    page = owner.post(f"/policies/{point}/ask", typed(business, **changes), status=422)
    assert said in page.text
    assert values(database) == []


def test_a_form_sent_twice_asks_once(signed_in, business, database):
    owner = signed_in("process_owner")
    owner.get("/policies/partial_shipment/ask")
    owner.post("/policies/partial_shipment/ask", typed(business))
    first = owner.path
    owner.get("/policies/partial_shipment/ask")
    owner.post("/policies/partial_shipment/ask", typed(business))
    assert owner.path == first
    assert len(values(database)) == 1


def test_a_value_is_revoked_at_once_and_the_standard_runs_again(signed_in, business, database):
    value = approve(business, "partial_shipment", False)
    judge = signed_in("design_authority")
    here = f"/policies/values/{value}"
    version = judge.get(here).value("version")
    page = judge.post(here, {"move": "revoke", "reason": "the hall stands", "version": version})
    assert "The standard holds again from now on." in page.text
    assert "revoked" in judge.get("/policies/partial_shipment").text
    assert "All 29 points are at the standard" in judge.get(f"/policies/here?site={business.site}").text
    judge.get(here)
    page = judge.post(here, {"move": "approve", "reason": "again", "version": "4"}, status=422)
    assert values(database) == [("revoked", "false", business.site, 4)]


def test_a_version_seen_too_long_ago_is_no_decision(signed_in, business, database):
    value = ask_for(business, "partial_shipment", False)
    judge = signed_in("design_authority")
    judge.get(f"/policies/values/{value}")
    judge.post(f"/policies/values/{value}", {"move": "approve", "reason": "seen", "version": "0"}, status=409)
    assert values(database)[0].state == "submitted"


def test_who_may_not_decide_or_ask_is_refused_and_a_locked_point_has_no_form_to_send(signed_in, business, database):
    value = ask_for(business, "partial_shipment", False)
    lead = signed_in("site_lead", site=business.site)
    page = lead.get(f"/policies/values/{value}")
    assert "your role may not decide on controlled variations that somebody else asked for" in page.text
    lead.get("/account")
    lead.post(f"/policies/values/{value}", {"move": "approve", "reason": "mine", "version": "2"}, status=403)
    signed_in("customer_service", site=business.site).get("/policies/partial_shipment/ask", status=403)
    assert values(database)[0].state == "submitted"
    owner = signed_in("process_owner")
    assert "The point is locked" in owner.get("/policies/negative_stock/ask").text
    assert "negative_stock/ask" not in " ".join(owner.get("/policies/negative_stock").links())
    owner.get("/policies/nothing", status=404)
    owner.get("/policies/values/99", status=404)


def test_values_of_another_site_do_not_exist_for_who_has_one_site(signed_in, business):
    elsewhere = a_closed_site(business)
    value = approve(business, "count_tolerance_permille", 10, site=elsewhere)
    lead = signed_in("site_lead", site=business.site)
    assert "Bremen" not in lead.get("/policies").text
    lead.get(f"/policies/values/{value}", status=404)
    lead.get(f"/policies/here?site={elsewhere}", status=404)
    assert "Bremen" in signed_in("auditor").get("/policies").text


def test_a_process_owner_of_one_site_asks_for_that_site_alone(signed_in, business, database):
    elsewhere = a_closed_site(business)
    owner = signed_in("process_owner", site=business.site)
    owner.get("/policies/count_tolerance_permille/ask")
    wide = typed(business, value="1", site=0, entity=business.entity)
    owner.post("/policies/count_tolerance_permille/ask", wide, status=403)
    owner.get("/policies/count_tolerance_permille/ask")
    owner.post("/policies/count_tolerance_permille/ask", typed(business, value="1", site=elsewhere), status=422)
    assert values(database) == []
    owner.get("/policies/count_tolerance_permille/ask")
    owner.post("/policies/count_tolerance_permille/ask", typed(business, value="1"))
    assert values(database) == [("submitted", "10", business.site, 2)]


def test_another_day_shows_what_will_run_then(signed_in, business):
    approve(business, "partial_shipment", False, starts=business.clock.now() + timedelta(days=10))
    page = signed_in("auditor")
    assert "All 29 points" in page.get(f"/policies/here?site={business.site}").text
    assert "1 of 29 points depart" in page.get(f"/policies/here?site={business.site}&on=2026-04-01").text
    assert "All 29 points" in page.get(f"/policies/here?site={business.site}&on=nonsense&channel=abc").text
