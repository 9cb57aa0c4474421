"""Journeys are judged as the log says: whatever the batches, also after late, broken and corrected events and under new rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from app.composition.uow import connect, reading, unit_of_work
from app.jobs.consumers import ConsumerRunner, replay_parked
from erpcore import published as p
from erpcore.kernel.actor import Actor
from readiness.conformance import activities as a
from readiness.conformance import catalogue, journeys, proof
from readiness.conformance.checker import Plan
from readiness.conformance.consumer import ConformanceConsumer
from readiness.conformance.drilldown import journeys_behind
from readiness.conformance.proof import compare_with_rebuild, is_outdated, judge_all_anew, rebuild
from readiness.conformance.templates import Absence
from readiness.measures import health
from readiness.measures import proof as of_measures
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.plans import Asked
from readiness.measures.queries import Scope, read_between, read_many, read_measure
from readiness.measures.reading import Stale
from tests.support import conforming as plain
from tests.support.conforming import ALWAYS, Register
from tests.support.events import HERE, MONDAY, PERSON, AnOrder, a_smooth_order, changed, publish
from tests.support.trade import some_trade

AS_OF = MONDAY + timedelta(days=200)
SOME = Register(
    (7, "shipment_left_standing", 12, MONDAY + timedelta(days=8), MONDAY + timedelta(days=15)),
    (9, "released_under_override", None, *ALWAYS), expired=frozenset({9}),
)  # fmt: skip


def consume(database, register=SOME, *, batch=10_000):
    runner = ConsumerRunner(database, ConformanceConsumer(register), bulk=False, batch=batch)
    while not (done := runner.run_once()).is_at_head:
        runner.batch = batch
    return done


def agree(database, register=SOME):
    with reading(database, snapshot=True) as session:
        result = compare_with_rebuild(session, register)
    assert result.agrees, result


def read(session, key, site=None, dimension=None):
    """The figure over everything."""
    scope = Scope(sites=frozenset() if site is None else frozenset({site}))
    return read_measure(session, key, scope, as_of=AS_OF + timedelta(days=60), window=600, dimension=dimension)


@pytest.mark.parametrize("seed", [1, 2])
def test_each_figure_is_what_the_log_says(database, seed):
    publish(database, some_trade(Random(seed), 120))
    consume(database, batch=97)
    found = plain.checked(database, SOME)
    assert {one.standing for one in found} == {"conforming", "covered", "uncovered"}
    with reading(database) as session:
        for site in (11, 12):
            mine = [one for one in found if one.site == site]
            one = read(session, "conformance", site)
            assert (one.numerator, one.denominator) == (sum(x.is_on_path for x in mine), len(mine))
            for word in ("conforming", "covered", "uncovered"):
                said = sum(x.standing == word for x in mine if x.ended_on is not None)
                assert read(session, "conformance", site, word).numerator == said
            overdue = sum(x.ended_on is None for x in mine)
            assert read(session, "conformance", site, "overdue").numerator == overdue > 0
            share = read(session, "unregistered_deviation_share", site)
            assert (share.numerator, share.denominator) == (
                sum(len(x.off()) for x in mine), sum(len(x.steps) for x in mine),
            )  # fmt: skip
            for code in ("shipment_left_standing", "received_without_authorisation", "picked_short"):
                part = read(session, "unregistered_deviation_share", site, code)
                assert part.numerator == sum(len(x.off(code)) for x in mine)
            stamped = [x for x in mine if x.variants is not None]
            varied = read(session, "off_standard_share", site)
            assert (varied.numerator, varied.denominator) == (sum(bool(x.variants) for x in stamped), len(stamped))
            assert read(session, "off_standard_share", site, "pricing.floor").numerator == varied.numerator
            used = read(session, "variant_expired_in_use", site)
            assert (used.value, used.count) == (sum("9" in x.variants.split(",") for x in stamped), len(stamped))
        assert read(session, "variant_expired_in_use", 12).value > 0


def test_each_day_of_a_figure_is_what_its_journeys_say(database):
    publish(database, some_trade(Random(5), 100))
    consume(database)
    found = plain.checked(database, SOME)
    seen = 0
    with reading(database) as session:
        for offset in range(0, 90, 3):
            day = MONDAY.date() + timedelta(days=offset)
            at = MONDAY + timedelta(days=offset + 1)
            one = read_measure(session, "conformance", Scope(), as_of=at, window=1)
            mine = [x for x in found if x.day == day]
            assert (one.numerator, one.denominator) == (sum(x.is_on_path for x in mine), len(mine)), day
            share = read_measure(session, "unregistered_deviation_share", Scope(), as_of=at, window=1)
            steps = [(x, step) for x in found for step in x.steps if step[4] == day]
            assert (share.numerator, share.denominator) == (sum(s[1] in x.off() for x, s in steps), len(steps)), day
            seen += len(mine)
    assert seen > 20


def test_the_journeys_behind_are_those_that_count_the_worst_first(database):
    publish(database, some_trade(Random(6), 150))
    consume(database)
    found = {one.root: one for one in plain.checked(database, SOME)}
    with reading(database) as session:
        behind = journeys_behind(session, "conformance", Scope(), as_of=AS_OF, window=600, limit=500)
        assert {one.id for one in behind} == {root for root, one in found.items() if not one.is_on_path}
        bare = [sum(by is None for *_, by in found[one.id].departures) for one in behind]
        assert bare == sorted(bare, reverse=True)
        for one in behind:
            assert one.unit == "seconds" if one.is_open and not bare[behind.index(one)] else "departures"
        covered = journeys_behind(
            session, "conformance", Scope(), as_of=AS_OF, window=600, dimension="covered", limit=500
        )
        assert {one.id for one in covered} == {
            root for root, one in found.items() if one.standing == "covered" and one.ended_on is not None
        }
        short = journeys_behind(
            session, "unregistered_deviation_share", Scope(sites=frozenset({11})), as_of=AS_OF, window=600,
            dimension="picked_short", limit=500,
        )  # fmt: skip
        assert {one.id for one in short} == {
            root for root, x in found.items() if x.site == 11 and x.off("picked_short")
        }
        assert short
        varied = journeys_behind(session, "off_standard_share", Scope(), as_of=AS_OF, window=600, limit=500)
        assert {one.id for one in varied} == {root for root, one in found.items() if one.variants}
        point = journeys_behind(
            session, "off_standard_share", Scope(), as_of=AS_OF, window=600, dimension="pricing.floor", limit=500
        )
        assert [one.id for one in point] == [one.id for one in varied]
        other = journeys_behind(session, "off_standard_share", Scope(), as_of=AS_OF, window=600, dimension="pricing")
        assert other == []
        expired = journeys_behind(session, "variant_expired_in_use", Scope(), as_of=AS_OF, window=600, limit=500)
        assert {one.id for one in expired} == {
            root for root, x in found.items() if "9" in (x.variants or "").split(",")
        }


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), batch=st.integers(1, 60), journeys=st.integers(1, 12))
def test_batches_of_any_size_leave_the_same_rows_as_a_rebuild(fresh_database, seed, batch, journeys):
    database = connect(fresh_database("sqlite"))
    try:
        publish(database, some_trade(Random(seed), journeys), per_commit=7)
        consume(database, batch=batch)
        agree(database)
    finally:
        database.dispose()


def test_a_rebuild_finds_what_was_tampered_with_and_puts_it_right(database):
    publish(database, some_trade(Random(8), 80))
    consume(database, batch=31)
    ConsumerRunner(database, JourneyConsumer()).run_to_head()
    agree(database)
    with unit_of_work(database, actor=Actor.system("test")) as work:
        work.connection.exec_driver_sql("UPDATE measure_bucket SET x = x + 1 WHERE measure_id = 60")
        work.connection.exec_driver_sql("DELETE FROM conformance_deviation")
    with reading(database, snapshot=True) as session:
        result = compare_with_rebuild(session, SOME)
        assert {one.table for one in result.tables if one.differing} == {"conformance_deviation", "measure_bucket"}
        # Journeys of the other figures are another consumer's, and whole.
        assert of_measures.compare_with_rebuild(session).agrees
    with unit_of_work(database, actor=Actor.system("test")) as work:
        rebuild(work, SOME)
    agree(database)
    # And theirs, built anew, leaves ours alone.
    with unit_of_work(database, actor=Actor.system("test")) as work:
        of_measures.rebuild(work)
    agree(database)


def a_late_one():
    """An order whose shipment was reported as picked only after it had left, by who says when it was picked."""
    said = a_smooth_order(10_000, lines=1)
    picked = said.pop(4)
    return [*said, changed(picked, source="back-entry")]


def test_a_step_that_is_reported_late_takes_its_departure_back(database):
    said = a_late_one()
    publish(database, said[:-1])
    consume(database)
    with reading(database) as session:
        assert read(session, "conformance").numerator == 0
        (behind,) = journeys_behind(session, "conformance", Scope(), as_of=AS_OF, window=600)
        assert (behind.id, behind.flags, behind.weight) == (10_000, ("shipped without a pick",), 1)
    publish(database, said[-1:])
    consume(database)
    with reading(database) as session:
        one = read(session, "conformance")
        assert (one.numerator, one.denominator) == (1, 1)
        assert read(session, "unregistered_deviation_share").numerator == 0
        assert journeys_behind(session, "conformance", Scope(), as_of=AS_OF, window=600) == []
    agree(database)


def an_overridden(identity, *, days=0):
    """An order that somebody let go on though its hold was not cured, so many days later than Monday."""
    order = AnOrder(id=identity, at=MONDAY + timedelta(days=days))
    order.captured().promised().say(p.OrderHeld(hold=3, kind="credit", due=order.at), "order_to_cash.release")
    order.say(p.OrderHoldReleased(hold=3, kind="credit", cured=False), "order_to_cash.release", actor=PERSON)
    order.released().allocated().picked(identity + 1).shipped(identity + 1).invoiced(identity + 2).closed()
    return order.said


def test_a_variant_covers_what_is_done_while_it_holds_and_not_before_or_after(database):
    done = [one for number, days in enumerate((0, 1, 2)) for one in an_overridden(10_000 + 100 * number, days=days)]
    overrides = [one.at for one in done if isinstance(one.event, p.OrderHoldReleased)]
    # From the very moment of the second until before that of the third.
    register = Register((77, "released_under_override", 11, overrides[1], overrides[2]))
    publish(database, done)
    consume(database, register)
    with reading(database) as session:
        rows = session.execute(text("SELECT root_id, covered_by FROM conformance_deviation ORDER BY root_id")).all()
        assert [tuple(row) for row in rows] == [(10_000, None), (10_100, 77), (10_200, None)]
        words = ("conforming", "covered", "uncovered")
        assert [read(session, "conformance", None, word).numerator for word in words] == [0, 1, 2]
    asked = register.asked
    publish(database, [AnOrder(id=10_100, at=MONDAY + timedelta(days=5)).delivered(10_101).said[0]])
    consume(database, register)
    # What was answered once is not asked again.
    assert register.asked == asked
    agree(database, register)


class Refusing(Register):
    """A register that cannot be read."""

    def covering(self, deviation, where, at):
        raise LookupError("the register cannot be read")


def test_a_register_that_cannot_be_read_covers_nothing_and_no_figure_is_believed(database):
    publish(database, [*a_smooth_order(20_000), *an_overridden(10_000)])
    consume(database, Refusing())
    with reading(database) as session:
        one = read(session, "conformance")
        assert (one.stale, one.stale_detail) == (Stale.PARKED_EVENT, "parked events at site 11")
        # The other journey went on.
        assert (one.numerator, one.denominator) == (1, 2)
        waiting = session.execute(
            text("SELECT COUNT(*), MIN(error) FROM parked_event WHERE waits_behind IS NULL")
        ).one()
        assert tuple(waiting) == (1, "LookupError: the register cannot be read")
    assert replay_parked(database, ConformanceConsumer(SOME)) == (7, 0)
    with reading(database) as session:
        one = read(session, "conformance")
        assert (one.stale, one.numerator, one.denominator) == (None, 2, 2)
    agree(database)


def test_without_a_consumer_or_behind_it_there_is_no_evidence(database):
    publish(database, a_smooth_order(20_000))
    ConsumerRunner(database, JourneyConsumer()).run_to_head()
    with reading(database) as session:
        asked = [Asked(key=key, scope=Scope()) for key in ("conformance", "fill_rate_lines")]
        ours, theirs = read_many(session, asked, as_of=MONDAY + timedelta(days=1))
        assert (ours.value, ours.stale, ours.stale_detail) == (
            None, Stale.SOURCE_MISSING, "the conformance consumer never ran",
        )  # fmt: skip
        assert theirs.stale is None
    consume(database)
    publish(database, a_smooth_order(30_000, at=MONDAY + timedelta(days=2)))
    with reading(database) as session:
        one = read(session, "variant_expired_in_use")
        assert one.stale is Stale.CONSUMER_BEHIND


def test_a_past_period_of_conformance_is_not_believed_while_its_own_consumer_is_behind(database):
    publish(database, a_smooth_order(20_000))
    consume(database)
    publish(database, a_smooth_order(30_000, at=MONDAY + timedelta(days=2)))
    ConsumerRunner(database, JourneyConsumer()).run_to_head()
    period = {"start": MONDAY.date(), "end": MONDAY.date() + timedelta(days=30), "as_of": AS_OF}
    with reading(database) as session:
        assert read_between(session, Asked(key="conformance", scope=Scope()), **period).stale is Stale.CONSUMER_BEHIND
        assert read_between(session, Asked(key="fill_rate_lines", scope=Scope()), **period).stale is None


def test_how_late_a_consumer_is_is_asked_before_its_figures_are_read(database):
    publish(database, a_smooth_order(20_000))
    consume(database)
    ConsumerRunner(database, JourneyConsumer()).run_to_head()
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    event.listen(database.read_engine, "before_cursor_execute", note)
    try:
        with reading(database) as session:
            asked = [Asked(key=key, scope=Scope()) for key in ("fill_rate_lines", "conformance")]
            read_many(session, asked, as_of=AS_OF)
    finally:
        event.remove(database.read_engine, "before_cursor_execute", note)
    lateness = [at for at, statement in enumerate(sent) if "consumer_cursor" in statement]
    figures = [at for at, statement in enumerate(sent) if "measure_bucket" in statement]
    assert len(lateness) == 1, "of both consumers at once"
    assert max(lateness) < min(figures)


def test_nothing_stamped_is_no_evidence_that_no_variant_expired(database):
    publish(database, [])
    consume(database)
    with reading(database) as session:
        for key in ("conformance", "unregistered_deviation_share", "off_standard_share", "variant_expired_in_use"):
            one = read(session, key)
            assert (one.value, one.count, one.nothing_measured) == (None, 0, True)


def test_an_unknown_version_waits_with_what_comes_behind_it(database):

    class Newer(ConformanceConsumer):
        def take(self, work, events, prepared=None):
            super().take(work, [one._replace(version=2) if one.type == "order.released" else one for one in events])

    publish(database, an_overridden(10_000))
    runner = ConsumerRunner(database, Newer(SOME), batch=100)
    runner.run_once()
    with reading(database) as session:
        rows = session.execute(text("SELECT error FROM parked_event WHERE waits_behind IS NULL")).scalars().all()
        assert rows == ["UnknownVersion: order.released version 2 is unknown here"]


def strict(monkeypatch):
    """The rules of another version: a price may be overridden, a promise made anew may not."""
    process = catalogue.ORDER_TO_CASH
    rules = [rule for rule in process.rules if rule.code != "price_overridden"]
    bar = replace(process.rules[1], code="promised_anew", template=Absence(step=frozenset({a.ORDER_REPROMISED})))
    changed_process = replace(process, rules=(*rules, bar))
    monkeypatch.setattr(journeys, "PLANS", {**journeys.PLANS, process.key: Plan(changed_process)})
    for module in (journeys, proof):
        monkeypatch.setattr(module, "VERSION", catalogue.VERSION + 1)
    monkeypatch.setattr(health, "RULES_VERSION", catalogue.VERSION + 1)


def dump(database):
    with reading(database) as session:
        tables = [
            session.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2, 3")).all()
            for name in ("conformance_journey", "conformance_deviation")
        ]
        buckets = session.execute(
            text(
                "SELECT * FROM measure_bucket WHERE measure_id BETWEEN 60 AND 63 AND documents <> 0 ORDER BY 1, 2, 3, 4, 5"
            )
        ).all()
    return [sorted(map(repr, table)) for table in [*tables, buckets]]


def test_rules_that_changed_judge_everything_anew_from_its_steps(database, monkeypatch):
    publish(database, some_trade(Random(12), 90))
    consume(database, batch=41)
    before = dump(database)
    with unit_of_work(database, actor=Actor.system("test")) as work:
        judged = judge_all_anew(work, SOME)
        assert judged == len(before[0])
    assert dump(database) == before
    strict(monkeypatch)
    with reading(database) as session:
        assert is_outdated(session)
    with unit_of_work(database, actor=Actor.system("test")) as work:
        judge_all_anew(work, SOME)
    with reading(database) as session:
        assert not is_outdated(session)
        codes = set(session.execute(text("SELECT DISTINCT code FROM conformance_deviation")).scalars())
    assert "price_overridden" not in codes
    assert "promised_anew" in codes
    # What comes afterwards goes on from there, as if it had always been judged so.
    publish(database, a_smooth_order(9_000_000))
    consume(database)
    agree(database)


def test_judging_everything_waits_longer_than_a_transaction_that_was_left_alone(database):
    publish(database, a_smooth_order(20_000))
    consume(database)
    with unit_of_work(database, actor=Actor.system("test")) as work:
        judge_all_anew(work, SOME)
        if work.dialect.name == "postgresql":
            assert work.session.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "10min"
    with unit_of_work(database, actor=Actor.system("test")) as work:
        if work.dialect.name == "postgresql":  # everything else has no such patience
            assert work.session.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "30s"


def test_figures_of_earlier_rules_are_not_believed_until_all_is_judged_anew(database, monkeypatch):
    publish(database, a_smooth_order(20_000))
    consume(database)
    ConsumerRunner(database, JourneyConsumer()).run_to_head()
    period = {"start": MONDAY.date(), "end": MONDAY.date() + timedelta(days=30), "as_of": AS_OF}
    with reading(database) as session:
        assert read(session, "conformance").stale is None
    strict(monkeypatch)
    # One that was judged by the rules of today already makes the others no better.
    publish(database, a_smooth_order(30_000))
    consume(database)
    ConsumerRunner(database, JourneyConsumer()).run_to_head()
    with reading(database) as session:
        one = read(session, "conformance")
        assert (one.stale, one.stale_detail) == (
            Stale.EARLIER_RULES, "the rules changed, and not every journey is judged by those of today yet",
        )  # fmt: skip
        past = read_between(session, Asked(key="unregistered_deviation_share", scope=Scope()), **period)
        assert past.stale is Stale.EARLIER_RULES
        assert read(session, "fill_rate_lines").stale is None
    with unit_of_work(database, actor=Actor.system("test")) as work:
        judge_all_anew(work, SOME)
        with reading(database) as session:  # others see what was committed
            assert read(session, "conformance").stale is Stale.EARLIER_RULES
    with reading(database) as session:
        assert read(session, "conformance").stale is None


def test_an_order_that_is_taken_back_whole_has_ended(database):
    order = AnOrder(id=10_000).captured().promised()
    lines = order.all_of()
    half = [p.LineQuantity(line=one.line, quantity=one.quantity // 2) for one in lines]
    order.say(p.OrderCancelled(by_customer=True, reason="wish", lines=half), "order_to_cash.capture")
    publish(database, order.said)
    consume(database)
    with reading(database) as session:
        assert read(session, "conformance", None, "overdue").numerator == 1
    again = AnOrder(id=10_000, at=MONDAY + timedelta(days=1))
    again.say(p.OrderCancelled(by_customer=False, reason="none left", lines=half), "order_to_cash.capture")
    publish(database, again.said)
    consume(database)
    with reading(database) as session:
        one = read(session, "conformance")
        assert (one.numerator, one.denominator) == (1, 1)
        row = session.execute(text("SELECT ended_on, due_on FROM conformance_journey")).one()
        assert str(row.ended_on) == "2026-03-03"
        assert str(row.due_on) == str(date(2026, 3, 2) + timedelta(days=60))
    agree(database)


def test_where_a_journey_runs_is_what_its_events_say(database):
    publish(database, a_smooth_order(10_000, place=HERE._replace(realm="rehearsal", site=77)))
    consume(database)
    with reading(database) as session:
        one = read_measure(session, "conformance", Scope(realm="rehearsal"), as_of=AS_OF, window=600)
        assert (one.numerator, one.denominator) == (1, 1)
        assert read(session, "conformance").denominator == 0
        other = read_measure(
            session, "conformance", Scope(realm="rehearsal", process="returns_to_credit"), as_of=AS_OF, window=600
        )
        assert other.denominator == 0
