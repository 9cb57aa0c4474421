"""The register as a whole on the screen: what could go is proposed with its figures, and each figure leads to what it counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.composition.uow import reading
from erpcore.kernel.history import Transition
from governance.programme.kinds import BodyKind
from governance.variants.models import Variant
from governance.variants.register import Scope
from tests.support.approvals import a_body, acting
from tests.support.core import a_business
from tests.support.operate import a_closed_site, open_cells
from tests.support.queries import MOST, queries
from tests.support.registered import figured, in_force, ordered


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def test_what_nobody_uses_is_proposed_with_the_figures_and_goes_through_its_ordinary_review(
    signed_in, business, database
):
    unused = in_force(business, {"partial_shipment": False}, cost_minor=9_000, cost_currency="EUR")
    business.clock.advance(timedelta(days=40))
    judge = signed_in("design_authority")
    a_body(business, BodyKind.DESIGN_AUTHORITY, [acting(judge.who.id, "design_authority")], quorum=(1, 1))
    figured(business)
    owner = signed_in("process_owner")
    with queries(database) as ran:
        page = owner.get("/register/health")
    assert len(ran) <= MOST
    assert page.heading == "Health of the register"
    for text in (
        "in force for 40 days, and nothing ran under it",
        "90.00 EUR",
        "Of 0 documents that ran under a variant",
    ):
        assert text in page.text, text
    assert f"/register/variants/{unused}?propose=retire#next" in page.links()
    page = owner.get(f"/register/variants/{unused}?propose=retire")
    reason = page.value("reason")
    assert reason == (
        "Proposed for retirement: in force for 40 days, and nothing ran under it. Cost of keeping: 90.00 EUR per month. "
        "Read on 11 April 2026."
    )
    owner.post(f"/register/variants/{unused}", {"move": "review", "reason": reason, "version": page.value("version")})
    with reading(database) as session:
        assert session.get_one(Variant, unused).state == "under_review"
        kept = session.scalars(select(Transition.reason).where(Transition.move == "review")).all()
        assert kept == [reason]
    assert "in force for 40 days, and nothing ran under it" in judge.get("/approvals").text
    assert judge.get(f"/register/variants/{unused}").value("reason") == ""


def test_who_only_looks_is_offered_no_proposal(signed_in, business):
    in_force(business, {"partial_shipment": False})
    business.clock.advance(timedelta(days=40))
    figured(business)
    page = signed_in("auditor").get("/register/health")
    assert "nothing ran under it" in page.text
    assert "Propose to retire" not in page.text


def test_an_empty_register_says_that_everybody_works_by_the_standard(signed_in, business):
    figured(business)
    auditor = signed_in("auditor")
    page = auditor.get("/register/health")
    for text in (
        "Everybody works by the standard.",
        "Nothing to propose",
        "None is idle",
        "None overlap",
        "Nobody said what it costs",
    ):
        assert text in page.text, text
    assert "Duisburg" in auditor.get("/register/map").text or "Nothing to map" in auditor.get("/register/map").text


def test_late_figures_call_nothing_unused_and_say_why(signed_in, business):
    in_force(business, {"partial_shipment": False})
    figured(business)
    business.clock.advance(timedelta(days=40))
    ordered(business)
    business.clock.advance(timedelta(minutes=5))
    auditor = signed_in("auditor")
    page = auditor.get("/register/health")
    assert "What ran under variants cannot be told now" in page.text
    assert "nothing ran under it" not in page.text
    assert "Shares cannot be told now" in auditor.get("/register/map").text


def test_each_cell_of_the_map_leads_to_the_variants_that_it_counts(signed_in, business, database):
    bremen = a_closed_site(business)
    in_force(business, {"partial_shipment": False}, scope=Scope(channel=business.channel))
    in_force(business, {"price_tolerance_permille": 25})
    in_force(business, {"count_freeze": True}, scope=Scope(site=bremen))
    ordered(business, 3)
    figured(business)
    auditor = signed_in("auditor")
    with queries(database) as ran:
        page = auditor.get("/register/map")
    assert len(ran) <= MOST
    assert "100 % of 3 documents" in page.text
    here = f"/register?effective=1&reaches={business.site}&process=order_to_cash"
    assert here in page.links()
    listed = auditor.get(here)
    assert "Reaches the site" in listed.text
    assert "Partial shipment: no" in listed.text
    assert "Price tolerance: 2.5 %" in listed.text
    assert "V-3" not in listed.text
    lead = signed_in("site_lead", site=business.site)
    assert "Bremen" not in lead.get("/register/map").text
    lead.get(f"/register?reaches={bremen}")


def test_where_variants_overlap_it_says_which_one_runs(signed_in, business):
    in_force(business, {"price_tolerance_permille": 25}, scope=Scope(entity=business.entity))
    in_force(business, {"price_tolerance_permille": 50})
    figured(business)
    page = signed_in("auditor").get("/register/health")
    assert "Price tolerance 5 %V-2 for Duisburg 2.5 %V-1 for Nordhaus GmbH" in page.text
