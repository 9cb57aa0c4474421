"""The register on the screen: a variant is written, asked for, decided on by those whom the rules name, reviewed and ended."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app.composition.policies import RegisterRules
from app.composition.uow import reading
from app.composition.variants import AskForVariant, write_variant
from erpcore.masterdata.models import Entity
from erpcore.orders.models import SalesOrder
from erpcore.orders.services import capture_orders
from erpcore.ports import POLICY_POINTS
from governance.approvals.models import ApprovalRequest
from governance.approvals.services import outdate
from governance.programme.kinds import BodyKind
from governance.variants.models import Variant, VariantDeviation, VariantValue
from governance.variants.register import Scope
from governance.variants.writing import Content
from tests.support.approvals import a_body, acting
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
        "request_key": changes.pop("key", "k1"), "kind": "controlled_variation", "value": "no", "item_group": 0,
        "customer_group": 0, "channel": 0, "site": business.site, "entity": 0, "from_on": "", "until_on": "2026-12-31",
        "owner": 0, "deputy": 0, "rationale": "site_limit", "reason": "the branch waits for whole orders",
        "support_who": "branch office", "exit_condition": "the new hall stands", "review_months": "6", "supersedes": 0,
        **changes,
    }  # fmt: skip


def stored(database):
    with reading(database) as session:
        return session.execute(
            select(Variant.state, VariantValue.value, Variant.site_id, Variant.version)
            .join(VariantValue, VariantValue.variant_id == Variant.id)
            .order_by(Variant.id)
        ).all()


@pytest.fixture
def judge(signed_in, business):
    """Somebody who sits in the design authority."""
    browser = signed_in("design_authority")
    a_body(business, BodyKind.DESIGN_AUTHORITY, [acting(browser.who.id, "design_authority")], quorum=(1, 1))
    return browser


def test_a_variant_is_asked_for_decided_by_the_design_authority_and_then_runs(signed_in, business, database, judge):
    owner = signed_in("process_owner")
    page = owner.get("/register/ask")
    assert "/register/ask?point=partial_shipment" in page.links()
    owner.get("/register/ask?point=partial_shipment")
    page = owner.post("/register/ask?point=partial_shipment", typed(business))
    here = owner.path
    assert page.heading == "Partial shipment: no"
    assert "It waits for a decision." in page.text
    assert stored(database) == [("submitted", "false", business.site, 2)]
    owner.post(here, {"move": "approve", "reason": "mine", "version": "2"}, status=403)
    assert stored(database)[0].state == "submitted"

    version = judge.get(here).value("version")
    page = judge.post(here, {"move": "approve", "reason": "", "version": version}, status=422)
    assert "Say why" in page.text
    page = judge.post(here, {"move": "approve", "reason": "until the new hall stands", "version": version})
    assert "In force" in page.text
    assert "No order was promised under it yet." in page.text
    assert stored(database) == [("approved", "false", business.site, 3)]
    with business.work() as work:
        (order,) = capture_orders(work, [business.order()], rules=RegisterRules(), cells=OPEN)
    page = judge.get(here)
    assert "1 order" in page.text
    assert order.number in page.text
    page = owner.get(f"/policies/here?site={business.site}")
    assert f"1 of {len(POLICY_POINTS)} points depart from the standard now" in page.text


def test_the_list_shows_filters_and_files(signed_in, business):
    approve(business, "price_tolerance_permille", 25)
    ask_for(business, "partial_shipment", False)
    auditor = signed_in("auditor")
    page = auditor.get("/register")
    assert page.heading == "Process register"
    for text in ("Price tolerance: 2.5 %", "Partial shipment: no", "In force", "Waits for a decision", "Duisburg"):
        assert text in page.text
    only = auditor.get("/register?effective=1")
    assert "Price tolerance: 2.5 %" in only.text
    assert "Partial shipment: no" not in only.text
    only = auditor.get("/register?state=submitted&point=partial_shipment")
    assert "Partial shipment: no" in only.text
    assert "Price tolerance: 2.5 %" not in only.text
    auditor.get("/register.csv")
    text = auditor.response.text
    assert text.lstrip("\ufeff").splitlines()[0].split(",")[:4] == ["Variant", "Title", "Kind", "What it changes"]
    assert "V-1,Price tolerance: 2.5 %,controlled_variation,Price tolerance: 2.5 %" in text
    auditor.get("/register.xlsx")


def test_a_request_is_prefilled_by_its_address_and_covers_what_people_do_by_hand(signed_in, business, database):
    owner = signed_in("process_owner")
    address = f"/register/ask?deviation=picked_short&site={business.site}&channel={business.channel}"
    page = owner.get(address)
    assert page.value("deviations") == "picked_short"
    page = owner.post(address, typed(business, deviations="picked_short, shipped_before_release", value=""))
    assert "Done by hand, and covered by this variant" in page.text
    with reading(database) as session:
        assert session.scalars(select(VariantDeviation.deviation).order_by(VariantDeviation.deviation)).all() == [
            "picked_short", "shipped_before_release",
        ]  # fmt: skip
    owner.get(address)
    page = owner.post(address, typed(business, deviations="Picked Short!", key="k2"), status=422)
    assert "Picked Short! is no name of a deviation" in page.text


def test_a_draft_is_kept_written_on_and_asked_for(signed_in, business, database):
    owner = signed_in("process_owner")
    owner.get("/register/ask?point=price_tolerance_permille")
    half = typed(business, value="2.5", exit_condition="", support_who="", draft="1")
    owner.post("/register/ask?point=price_tolerance_permille", half)
    here = owner.path
    page = owner.get(f"{here}/write")
    assert page.value("value") == "2.5"
    assert "the branch waits for whole orders" in page.text
    page = owner.post(here, {"move": "submit", "reason": "now", "version": "1"}, status=422)
    assert "It cannot be decided on yet: who supports it is not said" in page.text
    owner.get(f"{here}/write")
    owner.post(f"{here}/write", typed(business, value="3"))
    assert stored(database) == [("submitted", "30", business.site, 3)]
    owner.get(f"{here}/write", status=404)


def test_an_answer_to_a_variant_that_changed_since_it_was_seen_is_refused(signed_in, business, database, judge):
    owner = signed_in("process_owner")
    owner.get("/register/ask?point=partial_shipment")
    owner.post("/register/ask?point=partial_shipment", typed(business))
    here = owner.path
    judge.get(here)
    page = judge.post(here, {"move": "approve", "reason": "as it was", "version": "1"}, status=409)
    assert "changed" in page.text
    assert stored(database) == [("submitted", "false", business.site, 2)]
    judge.post(here, {"move": "approve", "reason": "as it is", "version": "2"})
    assert stored(database)[0].state == "approved"


def test_a_draft_changed_meanwhile_is_not_written_over(signed_in, business, database):
    owner = signed_in("process_owner")
    owner.get("/register/ask?point=price_tolerance_permille")
    owner.post("/register/ask?point=price_tolerance_permille", typed(business, value="2.5", draft="1"))
    here = f"{owner.path}/write"
    version = owner.get(here).value("version")
    owner.post(here, typed(business, value="3", draft="1", version=version, key="k2"))
    owner.get(here)
    page = owner.post(here, typed(business, value="4", draft="1", version=version, key="k3"), status=409)
    assert "changed" in page.text
    assert stored(database) == [("draft", "30", business.site, 2)]


def test_a_draft_of_a_value_keeps_what_it_covers_by_hand(signed_in, business, database):
    owner = signed_in("process_owner")
    who = acting(owner.who.id, "process_owner")
    with business.work(who) as work:
        draft = write_variant(
            work,
            AskForVariant(
                scope=Scope(site=business.site), values={"partial_shipment": False}, deviations=("picked_short",),
                until_on=date(2026, 12, 31), content=Content(reason="the branch waits"), is_draft=True,
            ),
        ).id  # fmt: skip
    here = f"/register/variants/{draft}/write"
    version = owner.get(here).value("version")
    owner.post(here, typed(business, version=version))
    assert stored(database) == [("submitted", "false", business.site, 3)]
    with reading(database) as session:
        assert session.scalars(select(VariantDeviation.deviation)).all() == ["picked_short"]


@pytest.mark.parametrize(
    ("currency", "typed_cost", "minor"), [("EUR", "12.5", 1250), ("JPY", "1200", 1200), ("KWD", "1.234", 1234)]
)
def test_a_cost_is_kept_in_the_currency_of_the_company_and_read_back_the_same(
    signed_in, business, database, currency, typed_cost, minor
):
    with business.work() as work:
        work.session.get_one(Entity, business.entity).currency = currency
    owner = signed_in("process_owner")
    owner.get("/register/ask?point=partial_shipment")
    owner.post("/register/ask?point=partial_shipment", typed(business, cost=typed_cost, draft="1"))
    here = owner.path
    with reading(database) as session:
        assert session.execute(select(Variant.cost_minor, Variant.cost_currency)).one() == (minor, currency)
    assert Decimal(owner.get(f"{here}/write").value("cost")) == Decimal(typed_cost)


def test_a_cost_below_the_smallest_coin_is_refused_at_its_field(signed_in, business, database):
    owner = signed_in("process_owner")
    owner.get("/register/ask?point=partial_shipment")
    page = owner.post("/register/ask?point=partial_shipment", typed(business, cost="1.005"), status=422)
    assert "Amounts in EUR have at most 2 decimal places" in page.text
    assert stored(database) == []


def test_what_nobody_is_asked_about_says_so_and_is_put_to_decision_again(signed_in, business, database, judge):
    """As what was asked for before there were requests for approval."""
    owner = signed_in("process_owner")
    owner.get("/register/ask?point=partial_shipment")
    owner.post("/register/ask?point=partial_shipment", typed(business))
    here = owner.path
    with business.work() as work:
        (request,) = work.session.scalars(select(ApprovalRequest))
        outdate(work, "variant", [request.subject_id], reason="as of old")
    page = owner.get(here)
    assert "Nobody is asked about it as it is now." in page.text
    assert "Put to decision again" in page.text
    owner.post(here, {"move": "again", "reason": "nobody was asked", "version": page.value("version")})
    page = judge.get(here)
    judge.post(here, {"move": "approve", "reason": "agreed", "version": page.value("version")})
    assert stored(database)[0].state == "approved"


@pytest.mark.parametrize(
    ("point", "changes", "said"),
    [
        ("partial_shipment", {"site": 0}, "Name for whom it departs"),
        ("partial_shipment", {"value": ""}, "Choose one"),
        ("partial_shipment", {"until_on": "2026-03-02"}, "Choose a later end"),
        ("partial_shipment", {"until_on": ""}, "Every variant ends"),
        ("partial_shipment", {"until_on": "2036-03-02"}, "at most 1098 days"),
        ("partial_shipment", {"from_on": "2026-03-01"}, "documents under way keep their rules"),
        ("partial_shipment", {"reason": ""}, "Say why"),
        ("partial_shipment", {"rationale": ""}, "the rationale is not said"),
        ("partial_shipment", {"review_months": "40"}, "1 to 36 months"),
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
    owner.get(f"/register/ask?point={point}")
    page = owner.post(f"/register/ask?point={point}", typed(business, **changes), status=422)
    assert said in page.text
    assert stored(database) == []


def test_an_overlap_is_refused_naming_the_other_variant_and_what_was_typed_stays(signed_in, business, database):
    approve(business, "partial_shipment", False)
    owner = signed_in("process_owner")
    owner.get("/register/ask?point=partial_shipment")
    page = owner.post("/register/ask?point=partial_shipment", typed(business), status=422)
    assert "Variant V-1 (no) holds for the same scope" in page.text
    assert "the branch waits for whole orders" in page.text
    assert len(stored(database)) == 1


def test_a_form_sent_twice_asks_once(signed_in, business, database):
    owner = signed_in("process_owner")
    owner.get("/register/ask?point=partial_shipment")
    owner.post("/register/ask?point=partial_shipment", typed(business))
    first = owner.path
    owner.get("/register/ask?point=partial_shipment")
    owner.post("/register/ask?point=partial_shipment", typed(business))
    assert owner.path == first
    assert len(stored(database)) == 1


def test_a_variant_is_revoked_at_once_and_the_standard_runs_again(signed_in, business, database, judge):
    value = approve(business, "partial_shipment", False)
    here = f"/register/variants/{value}"
    version = judge.get(here).value("version")
    page = judge.post(here, {"move": "revoke", "reason": "the hall stands", "version": version})
    assert "The standard holds again from now on." in page.text
    assert (
        f"All {len(POLICY_POINTS)} points are at the standard" in judge.get(f"/policies/here?site={business.site}").text
    )
    assert stored(database) == [("revoked", "false", business.site, 4)]


def test_a_longer_time_goes_back_to_those_who_decide(signed_in, business, database, judge):
    value = approve(business, "partial_shipment", False, days=30)
    owner, here = signed_in("process_owner"), f"/register/variants/{value}"
    owner.get(here)
    page = owner.post(
        here, {"move": "review", "reason": "sooner", "until_on": "2026-03-10", "version": "3"}, status=422
    )
    assert "Ask for a later end" in page.text
    owner.post(here, {"move": "review", "reason": "the hall is late", "until_on": "2026-06-30", "version": "3"})
    assert stored(database)[0].state == "under_review"
    judge.get(here)
    judge.post(here, {"move": "approve", "reason": "once more", "version": "4"})
    assert stored(database)[0].state == "approved"
    assert "Tue 30 Jun 2026" in judge.get(here).text


def test_who_may_not_ask_is_refused_and_a_locked_point_has_no_form_to_send(signed_in, business, database):
    value = ask_for(business, "partial_shipment", False)
    desk = signed_in("customer_service", site=business.site)
    desk.get("/register/ask?point=partial_shipment", status=403)
    owner = signed_in("process_owner")
    assert "The point is locked" in owner.get("/register/ask?point=negative_stock").text
    owner.get("/register/ask?point=nothing", status=404)
    owner.get("/register/variants/99", status=404)
    owner.get(f"/policies/values/{value}")
    assert owner.path == f"/register/variants/{value}"
    assert stored(database)[0].state == "submitted"


def test_somebody_of_one_site_asks_for_that_site_alone_and_sees_no_other(signed_in, business, database):
    elsewhere = a_closed_site(business)
    value = approve(business, "count_tolerance_permille", 10, site=elsewhere)
    lead = signed_in("site_lead", site=business.site)
    assert "Bremen" not in lead.get("/register").text
    lead.get(f"/register/variants/{value}", status=404)
    point = "/register/ask?point=count_tolerance_permille"
    lead.get(point)
    lead.post(point, typed(business, value="1", site=0, entity=business.entity), status=403)
    lead.get(point)
    lead.post(point, typed(business, value="1", site=elsewhere), status=422)
    assert len(stored(database)) == 1
    lead.get(point)
    page = lead.post(point, typed(business, value="1"))
    assert "process owner" in page.text.lower()
    assert stored(database)[1] == ("submitted", "10", business.site, 2)


def test_orders_under_way_are_put_under_the_rules_of_now_by_choice_alone(signed_in, business, database):
    with business.work() as work:
        first, second = capture_orders(work, [business.order(), business.order()], rules=RegisterRules(), cells=OPEN)
    value = approve(business, "partial_shipment", False)
    owner = signed_in("process_owner")
    here = f"/register/variants/{value}/orders"
    page = owner.get(here)
    assert first.number in page.text
    assert "Choose at least one order" in owner.post(here, {"reason": "as agreed", "version": "3"}, status=422).text
    owner.get(here)
    page = owner.post(here, {"order": str(first.id), "reason": "as agreed", "version": "3"})
    assert "1 order runs by the rules of now." in page.text
    with reading(database) as session:
        kept = dict(session.execute(select(SalesOrder.id, SalesOrder.variants)).all())
        assert kept == {first.id: str(value), second.id: ""}
        assert session.scalar(select(func.count()).select_from(SalesOrder)) == 2
    page = owner.get(f"/orders/{first.id}")
    assert "Order: put under the rules of now" in page.text


def test_what_ended_says_so_and_another_day_shows_what_will_run_then(signed_in, business):
    approve(business, "partial_shipment", False, starts=business.clock.now() + timedelta(days=10), days=5)
    page = signed_in("auditor").get("/register")
    assert "Begins later" in page.text
    business.clock.set(business.clock.now() + timedelta(days=16))
    page = signed_in("auditor").get("/register?expired=1")
    assert "Expired" in page.text
