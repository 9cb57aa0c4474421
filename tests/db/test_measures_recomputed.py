"""Every measure equals a plain recomputation from the documents' events, and a rebuild, whatever the order and the batches."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.composition import schema
from app.composition.uow import connect, reading, unit_of_work
from app.jobs.consumers import ConsumerRunner, replay_parked
from erpcore.kernel.actor import Actor
from erpcore.published.sites import SiteCalendarSet
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.drilldown import journeys_behind
from readiness.measures.proof import compare_up_to_cursor, compare_with_rebuild, rebuild
from readiness.measures.queries import Asked, Scope, read_many, read_measure
from readiness.measures.reading import Stale
from readiness.measures.sketch import bin_of, value_of
from tests.support import recomputation as plain
from tests.support.events import MONDAY, AnOrder, a_smooth_order, publish
from tests.support.trade import a_calendar, some_calendars, some_trade, with_calendars

#: Far enough after the trading for every window and maturity.
AS_OF = MONDAY + timedelta(days=120)
START, END = date(2026, 2, 1), date(2026, 7, 1)
DAYS = (END - START).days
SITES = (11, 12)


def consume(database, *, batch=10_000):
    runner = ConsumerRunner(database, JourneyConsumer(), bulk=False, batch=batch)
    while not (done := runner.run_once()).is_at_head:
        runner.batch = batch
    return done


def read(session, key, site, dimension=None):
    """The figure over all of the trading: a window so long that it holds every cohort day."""
    asked = Asked(key=key, scope=Scope(sites=frozenset({site})), window_days=600, dimension=dimension)
    return read_many(session, [asked], as_of=AS_OF + timedelta(days=60))[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_each_rate_is_what_the_documents_say(database, seed):
    publish(database, some_trade(Random(seed), 120))
    consume(database, batch=97)
    log = plain.told(database)
    with reading(database) as session:
        for site in SITES:
            found = plain.orders(log, site)
            for key, recomputed in plain.RATES.items():
                one = read(session, key, site)
                assert (one.numerator, one.denominator) == recomputed(found, START, END), (key, site)
                assert one.denominator > 0
            for key in ("invoice_right_at_posting", "invoice_accuracy", "invoice_accuracy_value"):
                one = read(session, key, site)
                assert (one.numerator, one.denominator) == plain.invoices(log, key, START, END, site), (key, site)


def test_each_day_of_a_rate_is_what_the_documents_of_that_day_say(database):
    publish(database, some_trade(Random(5), 100))
    consume(database)
    found = plain.orders(plain.told(database), 11)
    scope = Scope(sites=frozenset({11}))
    with reading(database) as session:
        for key in ("fill_rate_lines", "otif_lines", "promise_accuracy", "touchless_rate"):
            for offset in range(25):
                day = MONDAY.date() + timedelta(days=offset)
                one = read_measure(session, key, scope, as_of=MONDAY + timedelta(days=offset + 1), window=1)
                assert (one.window.start, one.window.end) == (day, day + timedelta(days=1))
                expected = plain.RATES[key](found, day, day + timedelta(days=1))
                assert (one.numerator, one.denominator) == expected, (key, day)


@pytest.mark.parametrize("key", ["order_cycle_time", "billing_cycle_time", "return_credit_time"])
def test_each_time_counts_finished_and_open_documents(database, key):
    publish(database, some_trade(Random(3), 150))
    consume(database, batch=61)
    log = plain.told(database)
    as_of = AS_OF + timedelta(days=60)
    with reading(database) as session:
        for site in SITES if key != "return_credit_time" else (11,):
            expected = plain.times(log, key, START, END, as_of, site)
            one = read(session, f"{key}.p50", site)
            assert one.count == len(expected)
            assert one.sample is not None
            finished = sorted(bin_of(seconds) for seconds, done in expected if done)
            ages = sorted(bin_of(seconds) for seconds, done in expected if not done)
            assert sorted(n for n, done, _ in one.sample.bins for _ in range(done)) == finished
            assert sorted(n for n, _, waiting in one.sample.bins for _ in range(waiting)) == ages
            assert finished
            if not ages:
                assert float(one.value) == pytest.approx(value_of(finished[(len(finished) + 1) // 2 - 1]))


def sampled(one):
    """The bins of finished and of open documents."""
    finished = sorted(n for n, done, _ in one.sample.bins for _ in range(done))
    return finished, sorted(n for n, _, waiting in one.sample.bins for _ in range(waiting))


def test_working_hours_count_by_the_calendars_told_before_the_last_shipment(database):
    publish(database, with_calendars(Random(11), some_trade(Random(3), 90)))
    consume(database, batch=37)
    log = plain.told(database)
    as_of = MONDAY + timedelta(days=30)
    seen = 0
    with reading(database) as session:
        for site in SITES:
            expected = plain.worked(log, START, END, as_of, site)
            asked = Asked(key="order_cycle_time.work.p90", scope=Scope(sites=frozenset({site})), window_days=600)
            one = read_many(session, [asked], as_of=as_of)[0]
            assert one.count == len(expected) > 0
            bins = [
                sorted(bin_of(seconds) for seconds, done in expected if done is finished) for finished in (True, False)
            ]
            assert sampled(one) == tuple(bins)
            behind = journeys_behind(session, asked.key, asked.scope, as_of=as_of, window=600, limit=500)
            assert sorted(round(seconds) for seconds, _ in expected) == sorted(one.weight for one in behind)
            seen += len(bins[0])
    assert seen > 10
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
    with unit_of_work(database, actor=Actor.system("test")) as work:
        rebuild(work)
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees


def work_bins(database, as_of):
    with reading(database) as session:
        return sampled(read_measure(session, "order_cycle_time.work.p90", Scope(), as_of=as_of))


def test_a_calendar_told_later_changes_no_finished_time_and_ages_what_is_open_anew(database):
    done, waiting = a_smooth_order(10_000), AnOrder(id=20_000).captured().released().said
    publish(database, [*some_calendars(Random(1))[:1], *done, *waiting])
    consume(database)
    as_of = MONDAY + timedelta(days=4)
    before = work_bins(database, as_of)
    assert before == ([bin_of(5 * 3600)], [bin_of(7 * 3600 + 3 * 9 * 3600 + 2 * 3600)])
    always = SiteCalendarSet(valid_from=date(2026, 1, 1), time_zone="Europe/Berlin", week=[(0, 0)] * 7)
    publish(database, [replace(some_calendars(Random(1))[0], event=always)])
    consume(database)
    assert work_bins(database, as_of) == (before[0], [bin_of(96 * 3600)])
    with reading(database, snapshot=True) as session:
        behind = journeys_behind(session, "order_cycle_time.work.p90", Scope(), as_of=as_of)
        assert [(one.id, one.weight, one.unit, one.is_open) for one in behind] == [
            (20_000, 96 * 3600, "working seconds", True), (10_000, 5 * 3600, "working seconds", False),
        ]  # fmt: skip
        assert compare_with_rebuild(session).agrees


def test_without_a_calendar_working_hours_have_no_evidence(database):
    publish(database, a_smooth_order(10_000))
    # A calendar that begins after the order says nothing about its days.
    publish(database, [a_calendar(11, MONDAY.date() + timedelta(days=1))])
    publish(database, a_smooth_order(20_000))
    consume(database)
    with reading(database) as session:
        one = read_measure(session, "order_cycle_time.work.p90", Scope(), as_of=MONDAY + timedelta(days=4))
        assert (one.value, one.sample, one.stale) == (None, None, Stale.SOURCE_MISSING)
        assert one.stale_detail == "of 2 orders, 2 ran where no site calendar was known"
        assert read_measure(session, "order_cycle_time.p90", Scope(), as_of=MONDAY + timedelta(days=4)).count == 2


class WithoutCalendars(JourneyConsumer):
    """Cannot take calendars."""

    def take(self, work, events, prepared=None):
        if any(event.type == "site.calendar_set" for event in events):
            raise ValueError("this one does not go down")
        super().take(work, events, prepared)


def test_a_calendar_that_was_parked_counts_anew_what_came_after_it(database):
    publish(database, [*some_calendars(Random(1))[:1], *a_smooth_order(10_000)])
    ConsumerRunner(database, WithoutCalendars(), batch=100).run_once()
    as_of = MONDAY + timedelta(days=4)
    with reading(database) as session:
        assert compare_with_rebuild(session).tables[0].differing == 0
        one = read_measure(session, "order_cycle_time.work.p90", Scope(), as_of=as_of)
        assert (one.value, one.sample) == (None, None)
    assert replay_parked(database, JourneyConsumer()) == (1, 0)
    assert work_bins(database, as_of) == ([bin_of(5 * 3600)], [])
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees


def test_adjustments_count_by_reason_without_reversed_pairs(database):
    publish(database, some_trade(Random(4), 200))
    consume(database)
    log = plain.told(database)
    with database.read_engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT dimension, SUM(x) FROM measure_bucket WHERE measure_id = 19 GROUP BY dimension"
        )
        found = {row[0]: int(row[1]) for row in rows}
    assert found[""] == plain.adjusted(log, START, END, 11) > 0
    for reason in ("damage", "found"):
        assert found[reason] == plain.adjusted(log, START, END, 11, reason)


def test_a_rebuild_gives_the_same_rows_and_finds_what_was_tampered_with(database):
    publish(database, some_trade(Random(6), 80))
    consume(database, batch=43)
    with reading(database, snapshot=True) as session:
        result = compare_with_rebuild(session)
        assert result.agrees, result
        assert all(total.difference == 0 for total in compare_up_to_cursor(session))
    with unit_of_work(database, actor=Actor.system("test")) as work:
        work.connection.exec_driver_sql("UPDATE measure_bucket SET x = x + 1 WHERE measure_id = 3")
        work.connection.exec_driver_sql("DELETE FROM journey WHERE kind = 'return'")
    with reading(database, snapshot=True) as session:
        result = compare_with_rebuild(session)
        assert not result.agrees
        assert {table.table for table in result.tables if table.differing} == {"measure_bucket", "journey"}
        returns = {total.name: total.difference for total in compare_up_to_cursor(session)}["returns requested"]
        assert returns < 0
    with unit_of_work(database, actor=Actor.system("test")) as work:
        rebuild(work)
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), batch=st.integers(1, 60), journeys=st.integers(1, 12))
def test_batches_of_any_size_leave_the_same_rows_as_a_rebuild(fresh_database, seed, batch, journeys):
    database = connect(fresh_database("sqlite"))
    try:
        publish(database, with_calendars(Random(seed), some_trade(Random(seed), journeys)), per_commit=7)
        consume(database, batch=batch)
        with reading(database, snapshot=True) as session:
            result = compare_with_rebuild(session)
            assert result.agrees, result
            found = plain.orders(plain.told(database))
            scope = Scope()
            for key, recomputed in plain.RATES.items():
                one = read_measure(session, key, scope, as_of=AS_OF + timedelta(days=60), window=600)
                assert (one.numerator, one.denominator) == recomputed(found, START, END), key
                if one.denominator:
                    assert one.exact() == Fraction(one.numerator, one.denominator)
    finally:
        database.dispose()


def plain_percentile(aged, share):
    """Minor unit by minor unit would be the obvious way; line by line comes to the same."""
    whole, so_far = sum(value for _, value in aged), 0
    for seconds, value in sorted(aged):
        so_far += value
        if value and so_far >= share * whole:
            return seconds
    return None


def backordered(database, site, as_of):
    """The three figures of what waits now, as (p50, p90, over 7 days, over 30 days)."""
    scope = Scope(sites=frozenset({site}))
    keys = ("backorder_age.p50", "backorder_age.p90", "backorder_over_7d", "backorder_over_30d")
    with reading(database) as session:
        return [read_measure(session, key, scope, as_of=as_of) for key in keys]


@pytest.mark.parametrize("seed", [1, 8])
def test_backorders_are_as_old_and_as_much_worth_as_the_documents_say(database, seed):
    publish(database, some_trade(Random(seed), 200))
    consume(database, batch=83)
    log = plain.told(database)
    for site in SITES:
        for days in (36, 45, 55):
            as_of = MONDAY + timedelta(days=days)
            aged = plain.backorders(plain.orders(log, site), as_of)
            p50, p90, week, month = backordered(database, site, as_of)
            whole = sum(value for _, value in aged)
            assert whole > 0
            assert float(p50.value) == pytest.approx(plain_percentile(aged, 0.5))
            assert float(p90.value) == pytest.approx(plain_percentile(aged, 0.9))
            for one, limit in ((week, 7), (month, 30)):
                old = sum(value for seconds, value in aged if seconds > limit * 86_400)
                assert (one.numerator, one.denominator) == (old, whole)
                assert one.exact() == Fraction(old, whole)


def test_what_substitutes_met_is_split_by_reason(database):
    publish(database, some_trade(Random(2), 200))
    consume(database, batch=71)
    log = plain.told(database)
    with reading(database) as session:
        for site in SITES:
            found = plain.orders(log, site)
            whole = read(session, "substitute_share", site)
            parts = [read(session, "substitute_share", site, reason) for reason in ("none left", "withdrawn")]
            for one, reason in zip(parts, ("none left", "withdrawn"), strict=True):
                assert (one.numerator, one.denominator) == plain.substitute_share(found, START, END, reason)
            assert 0 < whole.numerator == sum(part.numerator for part in parts) < whole.denominator
            behind = journeys_behind(
                session, "substitute_share", Scope(sites=frozenset({site})), as_of=AS_OF, window=600, limit=500
            )
            met = [order.first.subject for order in found if plain.substitute_share([order], START, END)[0]]
            assert sorted(one.id for one in behind) == sorted(met)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_upgrade_makes_anew_what_was_counted_before_lines_knew_since_when_they_wait(fresh_database, kind):
    url = fresh_database(kind)
    (known,) = {one.stem for one in (schema.MIGRATIONS / "versions").glob("*_waiting_lines.py")}
    database = connect(url)
    publish(database, some_trade(Random(9), 40))
    consume(database)
    database.dispose()
    schema.downgrade(url, f"{int(known[:4]) - 1:04}")
    schema.upgrade(url)
    database = connect(url)
    try:
        with reading(database) as session:
            one = read_measure(session, "fill_rate_lines", Scope(), as_of=AS_OF, window=600)
            assert (one.value, one.stale) == (None, Stale.CONSUMER_BEHIND)
        consume(database)
        with reading(database, snapshot=True) as session:
            assert compare_with_rebuild(session).agrees
            found = plain.orders(plain.told(database))
            for key in ("fill_rate_lines", "substitute_share"):
                one = read_measure(session, key, Scope(), as_of=AS_OF, window=600)
                assert (one.numerator, one.denominator) == plain.RATES[key](found, START, END)
                assert one.denominator > 0
    finally:
        database.dispose()
