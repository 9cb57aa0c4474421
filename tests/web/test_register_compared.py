"""A variant against the standard on the screen and for programs: what is proven, what is too little, and the way to the documents."""

from __future__ import annotations

from datetime import timedelta

import pytest

from erpcore.orders.holds import HoldKind, HoldOrder, hold_orders
from tests.support.core import a_business
from tests.support.operate import a_closed_site, open_cells
from tests.support.queries import MOST, queries
from tests.support.registered import figured, in_force, ordered
from tests.support.web import a_token


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


class Told:
    """Duisburg holds 30 of 35 orders under a variant, Bremen one of 35 by the standard; before there was nothing."""

    def __init__(self, business):
        self.bremen = a_closed_site(business)
        self.variant = in_force(business, {"partial_shipment": False}, cost_minor=9_000, cost_currency="EUR")
        self.under, self.elsewhere = ordered(business, 35), ordered(business, 35, site=self.bremen)
        with business.work() as work:
            held = [*self.under[:30], self.elsewhere[0]]
            hold_orders(work, [HoldOrder(order=one.id, kind=HoldKind.ADDRESS, reason="no number") for one in held])
        business.clock.advance(timedelta(days=20))
        figured(business)
        self.here = f"/register/variants/{self.variant}"


def test_a_variant_is_held_against_the_standard_and_each_figure_leads_to_its_documents(signed_in, business, database):
    told = Told(business)
    auditor = signed_in("auditor")
    assert f"{told.here}/compared" in auditor.get(told.here).links()
    with queries(database) as ran:
        page = auditor.get(f"{told.here}/compared")
    assert len(ran) <= MOST
    for text in (
        "Against the standard", "35 documents", "85.71 %", "2.86 %", "Worse", "Too few to tell",
        "30 more orders needed to hold it against", "59.18 EUR", "Margin at order prices", "Orders somebody had to look after",
    ):  # fmt: skip
        assert text in page.text, text
    assert "Better" not in page.text
    behind = f"{told.here}/compared/under/order_exception_rate?dimension=held"
    assert behind in page.links()
    with queries(database) as ran:
        listed = auditor.get(behind)
    assert len(ran) <= MOST
    assert told.under[0].number in listed.text
    assert told.elsewhere[0].number not in listed.text
    assert listed.text.count("Events of") == 0
    listed = auditor.get(f"{told.here}/compared/elsewhere/off_standard_share")
    assert told.elsewhere[34].number in listed.text
    assert told.under[0].number not in listed.text
    auditor.get(f"{told.here}/compared/elsewhere/order_margin")
    auditor.get(f"{told.here}/compared/under/order_case_share")
    auditor.get(f"{told.here}/compared/nowhere/order_margin", status=404)
    auditor.get(f"{told.here}/compared/under/backlog_age", status=404)
    auditor.get("/register/variants/99/compared", status=404)


def test_what_cannot_be_compared_says_so_and_shows_no_figure(signed_in, business):
    variant = in_force(business, deviations=("picked_short",))
    figured(business)
    page = signed_in("auditor").get(f"/register/variants/{variant}/compared")
    assert "It cannot be compared" in page.text
    assert "Conformance counts the steps that it covers" in page.text
    assert "Margin" not in page.text


def test_programs_read_the_same(site, business, database, clock, signed_in):
    told = Told(business)
    who = signed_in("auditor").who
    token = a_token(database, who, "auditor", clock=clock)
    answer = site.test_client().get(
        f"/api/v1/variants/{told.variant}/comparison", headers={"Authorization": f"Bearer {token}"}
    )
    found = answer.get_json()
    assert [(one["side"], one["documents"]) for one in found["sides"]] == [
        ("under", 35),
        ("elsewhere", 35),
        ("before", 0),
    ]
    held = next(one for one in found["figures"] if one["dimension"] == "held")
    assert [one["count"] for one in held["sides"]] == [35, 35, 0]
    assert [(one["against"], one["finding"]) for one in held["findings"]] == [
        ("elsewhere", "worse"),
        ("before", "too few"),
    ]
    assert (found["cost_in_window_minor"], found["cost_per_document_minor"]) == (5918, 169)
