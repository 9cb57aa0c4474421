"""The figures of registers on their pages: with owner, mark and baseline, and what stands behind each with the way to it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.support.approvals import a_rule, answered, asked, person, things
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.queries import MOST, queries


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=2)
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def variant(business):
    things()
    a_rule(business)
    request = asked(business, person(business, "pmo"), site=business.site)
    business.clock.advance(timedelta(hours=3))
    answered(business, person(business), request)
    made = approve(business, "partial_shipment", False)
    business.clock.advance(timedelta(days=1))
    return made


def test_they_stand_among_all_measures_and_lead_to_what_is_behind_them(signed_in, business, variant):
    reader = signed_in("auditor")
    page = reader.get("/measures")
    for title in (
        "Variants in force", "Reviews of variants overdue", "Design questions open", "Interim links open", "Approval cycle time, nine of ten",
    ):  # fmt: skip
        assert title in page.text
    with queries(business.database) as ran:
        page = reader.get("/measures/variant_count")
    assert len(ran) <= MOST
    assert "1 variant" in page.text
    assert f"/register/variants/{variant}" in page.links()
    assert "controlled variation" in page.text
    page = reader.get("/measures/approval_cycle_time.p50")
    assert "1 approval" in page.text
    assert "tested thing" in page.text
    assert "no baseline is recorded" in page.text
    assert "Nothing holds it back" in reader.get("/measures/design_questions_open").text


def test_programs_read_them_and_what_is_behind_them(caller, business, variant):
    call = caller("auditor")
    (one,) = call("GET", "/readings?key=variant_count").json["items"]
    assert (Decimal(one["value"]), one["count"]) == (1, 1)
    (none,) = call("GET", "/readings?key=design_questions_open").json["items"]
    assert (none["value"], none["count"]) == (None, 0)
    (behind,) = call("GET", "/journeys?key=variant_count").json["items"]
    assert (behind["kind"], behind["id"], behind["site"], behind["unit"]) == (
        "variant",
        variant,
        business.site,
        "seconds",
    )
    (behind,) = call("GET", "/journeys?key=approval_cycle_time.p90").json["items"]
    assert (behind["kind"], behind["weight"], behind["is_open"]) == ("approval_request", 3 * 3600, False)
    listed = {one["key"]: one["owner"] for one in call("GET", "/measures").json["items"]}
    assert listed["variant_reviews_overdue"] == "design authority"
