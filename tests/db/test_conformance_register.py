"""What the register allowed then is what covers a departure, whatever has become of it since; and new rules judge everything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.composition.coverage import read_coverage
from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner
from app.jobs.judging import judge_by_todays_rules
from governance.processes.bundled import bundled_processes
from governance.variants.register import Scope
from governance.variants.writing import DraftVariant, request_variant
from readiness.conformance import catalogue, journeys, proof
from readiness.conformance.activities import ACTIVITIES
from readiness.conformance.catalogue import RULES
from readiness.conformance.consumer import ConformanceConsumer
from readiness.conformance.ports import Where
from readiness.conformance.proof import compare_sums
from tests.support.core import a_business
from tests.support.events import MONDAY, a_smooth_order, publish
from tests.support.policies import ASKS, decide, said


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    return made


def a_variant(business, *deviations, scope, days=90):
    """One that is asked for and approved now."""
    with business.work(ASKS) as work:
        asked = request_variant(
            work,
            DraftVariant(
                scope=scope, deviations=deviations, valid_until=business.clock.now() + timedelta(days=days),
                content=said(title="By hand here"),
            ),
        ).id  # fmt: skip
    decide(business, asked)
    return asked


def covers(business, at, *, site=None, code="picked_short"):
    where = Where("live", business.entity, business.site if site is None else site, business.channel, None)
    with reading(business.database) as session:
        return read_coverage(session.connection()).covering(code, where, at)


def test_a_variant_covers_from_its_approval_until_it_is_revoked_and_that_stays_so(business):
    clock, moment = business.clock, timedelta(microseconds=1)
    begun = clock.now()
    variant = a_variant(business, "picked_short", scope=Scope(site=business.site))
    clock.advance(timedelta(days=5))
    assert covers(business, begun) == variant
    assert covers(business, begun - moment) is None
    assert covers(business, clock.now(), site=business.site + 1) is None
    assert covers(business, clock.now(), code="price_overridden") is None
    assert covers(business, begun + timedelta(days=90)) is None
    revoked = clock.now()
    decide(business, variant, "revoke")
    clock.advance(timedelta(days=1))
    assert covers(business, revoked) is None
    assert covers(business, revoked - moment) == variant
    with reading(business.database) as session:
        register = read_coverage(session.connection())
        assert [register.in_force(variant, at) for at in (begun, revoked - moment, revoked)] == [True, True, False]


def test_of_two_variants_the_more_specific_one_covers(business):
    wide = a_variant(business, "picked_short", scope=Scope(entity=business.entity))
    narrow = a_variant(business, "picked_short", scope=Scope(site=business.site))
    assert covers(business, business.clock.now()) == narrow
    assert covers(business, business.clock.now(), site=business.site + 1) == wide


def test_every_step_that_a_rule_or_an_activity_names_is_one_of_the_bundled_processes():
    steps = {f"{one.code}.{step.code}" for one in bundled_processes() for step in one.content.steps}
    assert {rule.step for rule in RULES.values()} <= steps
    assert {one.step for one in ACTIVITIES.values()} <= steps


def test_a_worker_judges_anew_only_where_rules_have_changed(database, monkeypatch):
    publish(database, a_smooth_order(10_000))
    ConsumerRunner(database, ConformanceConsumer(read_coverage)).run_to_head()
    with reading(database) as session:
        assert [(one.name, one.projected, one.counted) for one in compare_sums(session)] == [
            ("journeys in conformance", 1, 1), ("journeys on the path", 1, 1), ("steps executed", 11, 11),
            ("steps off the path", 0, 0),
        ]  # fmt: skip
    assert judge_by_todays_rules(database) == 0
    for module in (journeys, proof):
        monkeypatch.setattr(module, "VERSION", catalogue.VERSION + 1)
    assert judge_by_todays_rules(database) == 1
    assert judge_by_todays_rules(database) == 0
    with reading(database) as session:
        assert session.execute(text("SELECT version FROM conformance_journey")).scalars().all() == [2]
        assert MONDAY.date().isoformat() in str(
            session.execute(text("SELECT ended_on FROM conformance_journey")).scalar()
        )
