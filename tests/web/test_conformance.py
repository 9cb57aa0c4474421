"""Conformance as people read it: each process, where it leaves its standard, the departures as a list, one journey step by step."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.coverage import read_coverage
from app.composition.subscriptions import CONSUMERS
from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.orders.holds import HoldKind, HoldOrder, ReleaseHold, hold_orders, release_holds
from erpcore.orders.models import OrderHold
from readiness.conformance.consumer import ConformanceConsumer
from readiness.conformance.proof import compare_with_rebuild
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.queries import MOST, queries
from tests.support.steps import allocated, captured, paid
from tests.support.web import a_token


class Dealt:
    """A site at which one order was paid, one was picked short and shipped, and one was let go on under a hold."""

    def __init__(self, database, clock):
        business = a_business(database, at=clock.now() - timedelta(days=3))
        business.clock = clock
        self.database, self.business, self.clock, now = database, business, clock, clock.now()
        open_cells(business)
        clock.set(now - timedelta(days=2))
        self.smooth, _ = paid(business, ((0, 5),))
        self.short = allocated(business, ((1, 4),))
        with business.work() as work:
            line = self.short.lines[0].id
            shipments = pick_orders(work, [PickOrder(order=self.short.id, short={line: 1000})], cells=OPEN)
        with business.work() as work:
            confirm_shipments(work, [one.id for one in shipments], rules=RULES, cells=OPEN)
        self.held = captured(business, ((2, 1),))
        with business.work() as work:
            hold_orders(work, [HoldOrder(order=self.held.id, kind=HoldKind.ADDRESS, reason="no house number")])
        with business.work() as work:
            (hold,) = work.session.query(OrderHold.id).filter_by(order_id=self.held.id).one()
            release_holds(work, [ReleaseHold(hold=hold, reason="the driver knows the way")])
        clock.set(now)
        self.consume()

    def consume(self):
        for consumer in CONSUMERS[:2]:
            ConsumerRunner(self.database, consumer, clock=self.clock).run_to_head()


@pytest.fixture
def dealt(sqlite_database, clock):
    return Dealt(sqlite_database, clock)


def test_each_process_says_its_share_its_classes_and_where_it_leaves_the_path(signed_in, dealt):
    reader = signed_in("auditor")
    with queries(dealt.database) as ran:
        page = reader.get("/conformance")
    assert len(ran) <= MOST
    for words in (
        "Order to cash",
        "100 %",
        "1 of 1",
        "Returns to credit",
        "Picked short",
        "Hold lifted by hand",
        "Duisburg",
    ):
        assert words in page.text, words
    assert f"/conformance/journeys/{dealt.short.id}" in page.links()
    with queries(dealt.database) as ran:
        page = reader.get("/conformance/order_to_cash?window=7")
    assert len(ran) <= MOST
    assert page.heading == "Order to cash"
    for words in (
        "from step to step",
        "What the standard demands",
        "released_under_override",
        "An order is captured once.",
    ):
        assert words in page.text, words
    reader.get("/conformance/nonsense", status=404)
    reader.get("/conformance/journeys/999", status=404)
    reader.get("/conformance?site=1&channel=x&window=9999&realm=nowhere")
    assert "Nothing was done" in reader.get("/conformance?realm=rehearsal").text


def test_one_journey_shows_each_step_and_what_departs(signed_in, dealt):
    page = signed_in("auditor").get(f"/conformance/journeys/{dealt.short.id}")
    assert "Less was found at the place than the book says" in page.text
    assert "uncovered" in page.text
    assert f"/journeys/{dealt.short.id}" in page.links()
    smooth = signed_in("auditor").get(f"/conformance/journeys/{dealt.smooth.id}")
    assert "conforming" in smooth.text
    assert "uncovered" not in smooth.text


def test_what_covered_a_departure_is_named_by_its_code_and_leads_to_the_register(signed_in, dealt):
    variant = approve(dealt.business, "partial_shipment", False)
    with dealt.business.work() as work:
        covered = "UPDATE conformance_deviation SET covered_by = :variant WHERE root_id = :root"
        work.session.execute(text(covered), {"variant": variant, "root": dealt.short.id})
        ran_under = "UPDATE conformance_journey SET variants = :variants WHERE root_id = :root"
        work.session.execute(text(ran_under), {"variants": str(variant), "root": dealt.short.id})
    reader = signed_in("auditor")
    with queries(dealt.database) as ran:
        page = reader.get(f"/conformance/journeys/{dealt.short.id}")
    assert len(ran) <= MOST
    assert "covered by V-1" in page.text
    assert [one.text for one in page.root.find("a", href=f"/register/variants/{variant}")] == ["V-1", "V-1"]


def test_departures_are_a_list_with_files_and_filters(signed_in, dealt):
    reader = signed_in("auditor")
    page = reader.get("/conformance/departures")
    assert "Picked short" in page.text
    assert "Hold lifted by hand" in page.text
    page = reader.get("/conformance/departures?code=picked_short")
    assert f"/conformance/journeys/{dealt.held.id}" not in page.links()
    answer = reader.client.get("/conformance/departures.csv?word=uncovered")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert sorted(row["Departure"] for row in rows) == ["picked_short", "released_under_override"]
    assert {row["Site"] for row in rows} == {"Duisburg"}
    assert reader.client.get("/conformance/departures.xlsx").status_code == 200
    assert "No departure fits" in reader.get("/conformance/departures?word=covered").text


def test_what_is_due_departs_on_the_list_only_once_it_is_past_due(signed_in, dealt):
    business = dealt.business
    waiting = allocated(business, ((0, 2),))
    with business.work() as work:
        pick_orders(work, [PickOrder(order=waiting.id)], cells=OPEN)
    dealt.consume()
    reader = signed_in("auditor")
    where = "/conformance/departures?code=shipment_left_standing"
    assert "No departure fits" in reader.get(where).text
    page = reader.get(f"/conformance/journeys/{waiting.id}")
    assert "due then, and may still come" in page.text
    dealt.clock.advance(timedelta(days=1, minutes=1))
    assert f"/conformance/journeys/{waiting.id}" in signed_in("auditor").get(where).links()


def test_a_site_sees_its_own_journeys_alone(signed_in, dealt):
    from tests.support.warehouse import second_site

    elsewhere = second_site(dealt.business)
    stranger = signed_in("site_lead", site=elsewhere)
    page = stranger.get("/conformance")
    assert "Duisburg" not in page.text
    assert "Picked short" not in page.text
    stranger.get(f"/conformance/journeys/{dealt.short.id}", status=404)
    assert "No departure fits" in stranger.get("/conformance/departures").text


def test_the_figures_behind_the_pages_are_readings_with_journeys_behind_them(signed_in, dealt):
    reader = signed_in("auditor")
    for key in ("conformance", "unregistered_deviation_share", "off_standard_share", "variant_expired_in_use"):
        page = reader.get(f"/measures/{key}")
        assert page.heading
    page = reader.get("/measures/unregistered_deviation_share")
    assert "picked short" in page.text
    assert "1 departure" in page.text
    with reading(dealt.database, snapshot=True) as session:
        assert compare_with_rebuild(session, read_coverage(session.connection())).agrees


def test_the_register_of_today_covers_nothing_that_it_does_not_name(dealt):
    with reading(dealt.database) as session:
        rows = session.execute(
            text("SELECT code, covered_by FROM conformance_deviation WHERE NOT is_due ORDER BY code")
        ).all()
        assert [tuple(row) for row in rows] == [("picked_short", None), ("released_under_override", None)]
        register = read_coverage(session.connection())
        assert register.in_force(4711, dealt.clock.now()) is False
        with pytest.raises(LookupError, match="ruleset ffffffffffff is not stored"):
            register.points("f" * 64)


@pytest.fixture
def call(site, dealt, clock, signed_in):
    who = signed_in("auditor").who
    secret = a_token(dealt.database, who, "auditor", clock=clock)

    def get(path):
        return site.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"})

    return get


def test_programs_read_the_rules_the_processes_and_the_journeys(call, dealt):
    rules = call("/conformance/rules").json
    assert rules["version"] == 1
    assert {"code": "picked_short", "process": "order_to_cash", "step": "warehouse.pick"}.items() <= next(
        one for one in rules["items"] if one["code"] == "picked_short"
    ).items()
    answer = call("/conformance").json
    (orders,) = [one for one in answer["items"] if one["process"] == "order_to_cash"]
    assert orders["classes"] == {"conforming": 1, "covered": 0, "uncovered": 0, "overdue": 0}
    assert Decimal(orders["reading"]["value"]) == 1
    assert {one["code"]: one["uncovered"] for one in orders["departures"]} == {
        "picked_short": 1, "released_under_override": 1,
    }  # fmt: skip
    found = call("/conformance/journeys?code=released_under_override").json
    assert [one["id"] for one in found["items"]] == [dealt.held.id]
    assert found["items"][0]["departures"][0]["covered_by"] is None
    first = call("/conformance/journeys?limit=1").json
    then = call(f"/conformance/journeys?limit=1&cursor={first['next']}").json
    ids = [one["id"] for page in (first, then) for one in page["items"]]
    assert sorted(ids) == sorted([dealt.short.id, dealt.held.id])
    assert call("/conformance/journeys?covered=true").json["items"] == []
    one = call(f"/conformance/journeys/{dealt.short.id}").json
    assert (one["standing"], [s["activity"] for s in one["steps"] if s["departs"]]) == ("uncovered", ["picked short"])
    assert call("/conformance/journeys/999").status_code == 404


def test_a_consumer_that_is_wired_is_the_one_that_readings_ask(dealt):
    assert isinstance(CONSUMERS[1], ConformanceConsumer)
