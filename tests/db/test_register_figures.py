"""Figures of registers: variants in force, reviews past due, open design questions and how long approvals take, by scope and exactly."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from app.composition.calendars import SiteCalendars
from app.composition.uow import reading
from erpcore.masterdata.models import Entity, Site
from governance.approvals.models import ApprovalRequest
from governance.questions.models import DesignQuestion
from governance.variants.models import Variant, VariantValue
from readiness.conformance.drilldown import journeys_behind
from readiness.measures.queries import Asked, Scope, read_between, read_many, read_measure, read_with_weeks
from readiness.measures.reading import Stale
from tests.support.approvals import a_rule, answered, asked, person, things
from tests.support.core import a_business
from tests.support.policies import approve, ask_for, decide
from tests.support.queries import queries

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ELSEWHERE = Scope(sites=frozenset({4711}))
KEYS = (
    "variant_count",
    "variant_reviews_overdue",
    "design_questions_open",
    "interim_links_open",
    "approval_cycle_time.p90",
)


@pytest.fixture
def business(database):
    return a_business(database)


def here(business, **more):
    return Scope(sites=frozenset({business.site}), **more)


def read(business, key, scope=None, **more):
    with reading(business.database) as session:
        return read_measure(
            session, key, scope or Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session), **more
        )


def told(business, key, scope=None, **more):
    """How many count, of how many; ``None`` where nothing is there."""
    one = read(business, key, scope, **more)
    return None if one.value is None else int(one.value), one.count


def behind(business, key, scope=None):
    with reading(business.database) as session:
        found = journeys_behind(
            session, key, scope or Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session)
        )
        return [(one.kind, one.id) for one in found]


def a_question(business, **changes):
    with business.work() as work:
        now = work.now
        row = DesignQuestion(
            id=work.ids.one(), title="Who overrides?", question="Desk or lead?", impact="", decider_id=7, due_on=now.date(),
            version=1, asked_by=8, asked_at=now,
            **{"process": "order_to_cash", "state": "open", "site_id": None, "channel_id": None, **changes},
        )  # fmt: skip
        work.session.add(row)
        return row.id


def test_empty_registers_are_no_evidence_of_anything(business):
    for key in KEYS:
        one = read(business, key)
        assert (one.value, one.count, one.stale) == (None, 0, None), key
        assert one.nothing_measured, key


def test_whoever_reads_without_registers_is_told_so_and_gets_no_figure(business):
    approve(business, "partial_shipment", False)
    with reading(business.database) as session:
        for key in KEYS:
            one = read_measure(session, key, Scope(), as_of=business.clock.now())
            assert (one.value, one.stale, one.stale_detail) == (
                None, Stale.SOURCE_MISSING, "no register was asked",
            ), key  # fmt: skip


def test_variants_in_force_are_counted_where_they_hold_and_as_long_as_they_do(business):
    site = approve(business, "partial_shipment", False)
    everywhere = approve(business, "partial_shipment", False, channel=business.channel, days=10)
    ask_for(business, "partial_shipment", False, days=20, entity=business.entity)
    other = Scope(channels=frozenset({business.channel + 1}))
    assert told(business, "variant_count") == (2, 2), "one that is asked for is none"
    assert told(business, "variant_count", here(business)) == (2, 2)
    assert told(business, "variant_count", ELSEWHERE) == (1, 1)
    assert told(business, "variant_count", other) == (1, 1)
    assert told(business, "variant_count", dimension="controlled_variation") == (2, 2)
    assert told(business, "variant_count", dimension="strategic_exception") == (None, 0)
    assert behind(business, "variant_count", ELSEWHERE) == [("variant", everywhere)]
    business.clock.advance(10 * DAY)
    assert told(business, "variant_count") == (1, 2), "the one that is over counts among what was agreed"
    decide(business, site, "revoke")
    assert told(business, "variant_count") == (0, 2)


def test_a_variant_whose_value_the_core_does_not_have_is_not_in_force(business):
    key = approve(business, "partial_shipment", False)
    with business.work() as work:
        work.session.execute(update(VariantValue).where(VariantValue.variant_id == key).values(value='"sometimes"'))
    assert told(business, "variant_count") == (0, 1)


def test_a_review_is_overdue_from_the_day_after_its_own_and_one_without_a_day_never(business):
    first, second = (
        approve(business, "partial_shipment", False),
        approve(business, "partial_shipment", False, channel=business.channel),
    )
    with business.work() as work:
        work.session.execute(update(Variant).values(next_review_on=None))
    assert told(business, "variant_reviews_overdue") == (None, 0)
    with business.work() as work:
        work.session.execute(update(Variant).where(Variant.id == first).values(next_review_on=work.now.date()))
        later = work.now.date() + 5 * DAY
        work.session.execute(update(Variant).where(Variant.id == second).values(next_review_on=later))
    assert told(business, "variant_reviews_overdue") == (0, 2)
    business.clock.advance(DAY)
    assert told(business, "variant_reviews_overdue") == (1, 2)
    assert behind(business, "variant_reviews_overdue") == [("variant", first)]
    assert told(business, "variant_reviews_overdue", ELSEWHERE) == (0, 1)


def test_open_questions_are_counted_where_they_hold_and_decided_ones_are_what_they_are_counted_of(business):
    everywhere, own = a_question(business), a_question(business, site_id=business.site)
    a_question(business, state="withdrawn")
    a_question(business, process="warehouse", channel_id=business.channel)
    assert told(business, "design_questions_open") == (3, 4)
    assert told(business, "design_questions_open", ELSEWHERE) == (2, 3)
    assert told(business, "design_questions_open", Scope(process="order_to_cash")) == (2, 3)
    assert told(business, "design_questions_open", Scope(channels=frozenset({business.channel + 1}))) == (2, 3)
    assert behind(business, "design_questions_open", here(business, process="order_to_cash")) == [
        ("design_question", everywhere), ("design_question", own),
    ]  # fmt: skip


def test_what_a_live_site_is_asked_holds_for_the_site_that_stands_for_it_in_a_rehearsal(business):
    with business.work() as work:
        live = work.session.get_one(Entity, business.entity)
        names = {column.name: getattr(live, column.name) for column in Entity.__table__.columns}
        twin = Entity(**{**names, "id": work.ids.one(), "code": "REH", "realm": "rehearsal", "twin_id": live.id})
        work.session.add(twin)
        work.session.flush()
        site = work.session.get_one(Site, business.site)
        names = {column.name: getattr(site, column.name) for column in Site.__table__.columns}
        stands = Site(**{**names, "id": work.ids.one(), "entity_id": twin.id, "twin_id": site.id})
        work.session.add(stands)
    a_question(business, site_id=business.site)
    approve(business, "partial_shipment", False, entity=business.entity)
    rehearsal = Scope(realm="rehearsal", sites=frozenset({stands.id}))
    assert told(business, "design_questions_open", rehearsal) == (1, 1)
    assert told(business, "variant_count", rehearsal) == (1, 1)


def test_approvals_take_from_the_request_to_the_answer_and_one_that_waits_is_as_old_as_it_is(business):
    made = things()
    made.versions.update(dict.fromkeys(range(1, 6), 1))
    a_rule(business)
    asker, decider = person(business, "pmo"), person(business)
    start = business.clock.now()
    quick, slow, waiting, gone = (
        asked(business, asker, subject=number, site=business.site if number == 1 else None) for number in (1, 2, 3, 4)
    )
    business.clock.set(start + HOUR)
    answered(business, decider, quick)
    with business.work() as work:
        work.session.execute(
            update(ApprovalRequest).where(ApprovalRequest.id == gone).values(state="withdrawn", settled_at=work.now)
        )
    business.clock.set(start + 30 * HOUR)
    answered(business, decider, slow, "reject")
    business.clock.set(start + 2 * DAY)
    median = read(business, "approval_cycle_time.p50")
    assert (median.count, median.days, median.reached) == (3, 1, True)
    assert float(median.value) == pytest.approx(30 * 3600, rel=0.02)
    assert read(business, "approval_cycle_time.p90").reached is False, "the one that waits may be the longest"
    own = read(business, "approval_cycle_time.p50", here(business))
    assert (own.count, float(own.value)) == (1, pytest.approx(3600, rel=0.02))
    assert read(business, "approval_cycle_time.p50", dimension="another_kind").value is None
    assert behind(business, "approval_cycle_time.p90") == [
        ("approval_request", waiting), ("approval_request", slow), ("approval_request", quick),
    ]  # fmt: skip
    business.clock.set(start + 16 * DAY)
    assert read(business, "approval_cycle_time.p50").count == 0, "asked before the window"


def test_a_week_of_approvals_has_a_value_of_its_own_and_what_is_read_now_has_no_weeks(business):
    things()
    a_rule(business)
    request = asked(business, person(business, "pmo"))
    business.clock.advance(2 * HOUR)
    answered(business, person(business), request)
    business.clock.advance(8 * DAY)
    with reading(business.database) as session:
        keys = [Asked(key=key, scope=Scope()) for key in ("approval_cycle_time.p50", "variant_count")]
        (time, weeks), (_, none) = read_with_weeks(
            session, keys, weeks=3, as_of=business.clock.now(), calendars=SiteCalendars(session)
        )
    assert float(time.value) == pytest.approx(7200, rel=0.02)
    assert [one.count for _, one in weeks] == [0, 1, 0]
    assert none == []


def test_what_is_not_kept_by_day_or_by_what_documents_run_under_is_not_made_up(business):
    approve(business, "partial_shipment", False)
    past = read(business, "variant_count", window=14)
    assert (past.value, past.stale) == (None, Stale.SOURCE_MISSING)
    ruled = read(business, "variant_count", Scope(variants="7"))
    assert (ruled.value, ruled.stale) == (None, Stale.SOURCE_MISSING)
    with reading(business.database) as session:
        before = read_between(
            session, Asked(key="variant_count", scope=Scope()), start=date(2026, 1, 1), end=date(2026, 2, 1),
            as_of=business.clock.now(), calendars=SiteCalendars(session),
        )  # fmt: skip
    assert (before.value, before.stale) == (None, Stale.SOURCE_MISSING)


def test_all_registers_together_are_one_statement_and_other_figures_need_none(business):
    a_question(business)
    with queries(business.database) as ran, reading(business.database) as session:
        asked_for = [Asked(key=key, scope=Scope()) for key in KEYS]
        found = read_many(session, asked_for, as_of=business.clock.now(), calendars=SiteCalendars(session))
    assert [one.value for one in found] == [None, None, Decimal(1), None, None]
    assert len([one for one in ran.statements if "design_question" in one]) == 1
    assert len([one for one in ran.statements if "interim_link" in one]) == 1
    with queries(business.database) as ran, reading(business.database) as session:
        read_many(
            session,
            [Asked(key="fill_rate_lines", scope=Scope())],
            as_of=business.clock.now(),
            calendars=SiteCalendars(session),
        )
    assert not [one for one in ran.statements if "design_question" in one]
