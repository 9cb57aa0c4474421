"""Readings: windows, maturity, scopes, twins, currencies, and how little they read."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import event, text

from app.composition.uow import reading, unit_of_work
from app.jobs.consumers import ConsumerRunner
from erpcore import published as p
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from erpcore.kernel.errors import NotFound
from readiness.conformance.consumer import ConformanceConsumer
from readiness.measures.catalogue import MEASURES, figures, find_figure
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.drilldown import journeys_behind
from readiness.measures.health import consumer_healths
from readiness.measures.queries import Asked, Scope, read_many, read_measure, read_previous, read_trend
from readiness.measures.reading import Form, Stale, Window, WindowUnit
from tests.support.conforming import Register
from tests.support.events import MONDAY, PERSON, AnOrder, a_line, a_smooth_order, elsewhere, publish

HERE_ONLY = Scope(sites=frozenset({11}))
DAY = timedelta(days=1)


def consumed(database, *journeys):
    publish(database, [said for journey in journeys for said in getattr(journey, "said", journey)])
    ConsumerRunner(database, JourneyConsumer()).run_to_head()


def read(database, key, as_of, scope=HERE_ONLY, **options):
    with reading(database) as session:
        return read_measure(session, key, scope, as_of=as_of, **options)


def a_shipped(identity, **changes):
    order = AnOrder(id=identity, **changes)
    return order.captured().promised().released().allocated().picked(identity + 1).shipped(identity + 1)


def test_a_due_line_counts_as_missed_until_it_is_met(database):
    order = AnOrder(id=1000).captured()
    consumed(database, order)
    assert read(database, "otif_lines", MONDAY + DAY).exact() == 0
    order.said.clear()
    consumed(database, order.released().allocated().picked(1001).shipped(1001))
    one = read(database, "otif_lines", MONDAY + DAY)
    assert (one.numerator, one.denominator, one.count, one.days) == (1, 1, 1, 1)


def test_an_order_that_is_due_today_does_not_count_before_the_day_is_over(database):
    consumed(database, a_shipped(1000))
    assert read(database, "otif_lines", MONDAY + timedelta(hours=12)).value is None
    assert read(database, "otif_lines", MONDAY + DAY).window == Window(
        WindowUnit.DAY, date(2026, 2, 17), date(2026, 3, 3)
    )


def test_what_the_customer_takes_back_leaves_and_what_we_cancel_stays_a_miss(database):
    lines = [a_line(1), a_line(2), a_line(3)]
    order = AnOrder(id=1000, lines=lines).captured()
    gone = [p.LineQuantity(line=1, quantity=10_000)]
    ours = [p.LineQuantity(line=2, quantity=10_000)]
    order.say(p.OrderCancelled(by_customer=True, reason="wish", lines=gone), "order_to_cash.capture")
    order.say(p.OrderCancelled(by_customer=False, reason="discontinued", lines=ours), "order_to_cash.capture")
    rest = [p.LineQuantity(line=3, quantity=10_000)]
    consumed(database, order.released().allocated(rest).picked(1001, rest).shipped(1001, rest))
    for key in ("fill_rate_lines", "otif_lines"):
        one = read(database, key, MONDAY + DAY)
        assert (one.numerator, one.denominator) == (1, 2), key


def test_our_own_amendment_does_not_change_what_was_asked_for(database):
    order = AnOrder(id=1000).captured()
    less = a_line(1, quantity=4_000, day=date(2026, 3, 9))
    order.say(p.OrderAmended(by_customer=False, reason="short", lines=[less]), "order_to_cash.capture")
    part = [p.LineQuantity(line=1, quantity=4_000)]
    consumed(database, order.released().allocated(part).picked(1001, part).shipped(1001, part))
    one = read(database, "fill_rate_lines", MONDAY + DAY)
    assert (one.numerator, one.denominator) == (0, 1)
    value = read(database, "fill_rate_value", MONDAY + DAY)
    assert (value.numerator, value.denominator) == (1_000, 2_500)


def test_lines_that_are_not_own_stock_are_kept_apart(database):
    kinds = ("stock", "drop_ship", "free", "service", "charge")
    order = AnOrder(id=1000, lines=[a_line(n, kind=kind) for n, kind in enumerate(kinds, 1)]).captured()
    consumed(database, order)
    assert read(database, "otif_lines", MONDAY + DAY).denominator == 1
    for dimension, lines in (("drop_ship/ship", 1), ("free/ship", 1), ("service/ship", 0), ("charge/ship", 0)):
        assert (read(database, "otif_lines", MONDAY + DAY, dimension=dimension).denominator or 0) == lines


def test_a_delivery_day_is_held_against_proof_of_delivery_alone(database):
    order = a_shipped(1000, lines=[a_line(1, basis="delivery")])
    consumed(database, order)
    assert read(database, "otif_lines", MONDAY + DAY).numerator == 0
    order.said.clear()
    consumed(database, order.delivered(1001, at=MONDAY + timedelta(hours=9)))
    assert read(database, "otif_lines", MONDAY + DAY).numerator == 1


def test_the_customers_amendment_starts_a_new_first_promise_and_a_repromise_does_not(database):
    order = AnOrder(id=1000).captured().promised(date(2026, 3, 2))
    again = [p.LinePromise(line=1, day=date(2026, 3, 6), basis="ship", reason="stock")]
    order.say(p.OrderRepromised(lines=again), "order_to_cash.promise")
    consumed(database, order)
    assert read(database, "promise_accuracy", MONDAY + DAY).denominator == 1
    order.said.clear()
    order.say(
        p.OrderAmended(by_customer=True, reason="later", lines=[a_line(1, day=date(2026, 3, 6))]),
        "order_to_cash.capture",
    )
    order.say(p.OrderPromised(lines=again), "order_to_cash.promise")
    consumed(database, order)
    assert read(database, "promise_accuracy", MONDAY + DAY).value is None
    assert read(database, "promise_accuracy", MONDAY + 5 * DAY).denominator == 1


def test_a_correction_changes_the_period_of_the_invoice_not_todays(database):
    order = a_shipped(1000).triggered(1002).invoiced(1002)
    consumed(database, order)
    as_of = MONDAY + timedelta(days=45)
    before = read(database, "invoice_accuracy_value", as_of)
    assert (before.numerator, before.denominator, before.provisional) == (11_900, 11_900, True)
    order.said.clear()
    consumed(database, order.corrected(1002, "undecided", at=as_of - DAY))
    with reading(database) as session:
        days = read_trend(session, Asked(key="invoice_accuracy_value", scope=HERE_ONLY), days=45, as_of=as_of)
    assert [(point.day, point.value) for point in days if point.value is not None] == [(date(2026, 3, 2), Decimal(0))]
    behind = read(database, "perfect_order_documents", as_of)
    assert (behind.numerator, behind.denominator) == (0, 1)


def test_a_correction_by_the_customers_fault_is_no_fault_of_the_invoice(database):
    consumed(database, a_shipped(1000).triggered(1002).invoiced(1002).corrected(1002, "customer"))
    one = read(database, "invoice_accuracy", MONDAY + timedelta(days=45))
    assert (one.numerator, one.denominator) == (1, 1)


def test_a_correction_of_a_consolidated_invoice_spoils_every_order_it_belongs_to(database):
    first, second = a_shipped(1000).triggered(1002).invoiced(1002), a_shipped(2000)
    event = p.InvoiceCorrected(credit_memo=9, fault="ours", reason="price", gross=1)
    first.say(
        event,
        "order_to_cash.invoice",
        subject=("invoice", 1002),
        refs=[("order", 1000, 500_000), ("order", 2000, 500_000)],
    )
    consumed(database, second, first)
    one = read(database, "perfect_order_documents", MONDAY + timedelta(days=45))
    assert (one.numerator, one.denominator) == (0, 2)


def test_a_young_figure_is_provisional_until_a_full_window_lies_before_its_maturity(database):
    consumed(database, AnOrder(id=1000).captured())
    young = read(database, "order_exception_rate", MONDAY + 2 * DAY)
    assert (young.provisional, young.denominator) == (True, 1)
    # 7 days of maturity and 14 of window: from the 22nd day on the first is old enough.
    last = read(database, "order_exception_rate", MONDAY + 20 * DAY)
    assert last.provisional
    ripe = read(database, "order_exception_rate", MONDAY + 21 * DAY)
    assert (ripe.provisional, ripe.denominator) == (False, 1)
    assert (ripe.window.start, ripe.window.end) == (date(2026, 3, 2), date(2026, 3, 16))


def test_exceptions_by_kind_are_parts_of_all_orders(database):
    held = AnOrder(id=1000).captured()
    held.say(p.OrderHeld(hold=5, kind="credit", due=MONDAY), "order_to_cash.release")
    short = AnOrder(id=2000).captured().released()
    short.say(p.OrderBackordered(lines=short.all_of()), "order_to_cash.allocate")
    both = AnOrder(id=3000).captured()
    both.say(p.OrderHeld(hold=6, kind="credit", due=MONDAY), "order_to_cash.release")
    both.say(p.OrderBackordered(lines=both.all_of()), "order_to_cash.allocate")
    consumed(database, held, short, both, a_smooth_order(4000))
    as_of = MONDAY + timedelta(days=21)
    found = {}
    for dimension in (None, "held", "short", "damaged"):
        one = read(database, "order_exception_rate", as_of, dimension=dimension)
        found[dimension] = (one.numerator, one.denominator)
    assert found == {None: (3, 4), "held": (2, 4), "short": (2, 4), "damaged": (0, 4)}


def test_a_person_who_edits_touches_an_order_and_a_job_does_not(database):
    amended = p.OrderAmended(by_customer=True, reason="wish", lines=[a_line()])
    by_person = AnOrder(id=1000).captured().say(amended, "order_to_cash.capture", actor=PERSON)
    by_job = AnOrder(id=2000).captured().say(amended, "order_to_cash.capture")
    for order in (by_person, by_job):
        order.released().allocated().picked(order.id + 1).shipped(order.id + 1)
    consumed(database, by_person, by_job)
    one = read(database, "touchless_rate", MONDAY + DAY)
    assert (one.numerator, one.denominator, one.actors) == (1, 2, 1)


def test_open_orders_lengthen_the_cycle_time_and_a_percentile_beyond_the_oldest_is_not_reached(database):
    consumed(database, a_shipped(1000), AnOrder(id=2000).captured(), AnOrder(id=3000).captured())
    one = read(database, "order_cycle_time.p90", MONDAY + DAY)
    assert (one.count, one.reached) == (3, False)
    assert float(one.value) == pytest.approx(24 * 3600, rel=0.01)
    assert read(database, "order_cycle_time.p50", MONDAY + DAY).reached is False


def test_a_start_that_is_a_later_day_carries_the_order_into_that_day(database):
    # Midnight of Thursday in Berlin is 23:00 UTC of Wednesday.
    thursday = MONDAY.replace(day=4, hour=23)
    order = a_shipped(1000, start=thursday, lines=[a_line(day=date(2026, 3, 5))])
    order.said[-1].at = thursday + timedelta(hours=8)
    consumed(database, order)
    assert read(database, "order_cycle_time.p50", MONDAY + 3 * DAY, window=1).value is None
    one = read(database, "order_cycle_time.p50", MONDAY + 4 * DAY, window=1)
    assert (one.window.start, one.count) == (date(2026, 3, 5), 1)
    assert float(one.value) == pytest.approx(8 * 3600, rel=0.01)


def test_a_figure_of_a_cell_counts_its_pairs_of_site_and_channel(database):
    places = [elsewhere(site=site, channel=channel) for site in (1, 2) for channel in (5, 6)]
    consumed(database, *(a_shipped(1000 * n, place=place) for n, place in enumerate(places, 1)))
    rectangle = Scope(sites=frozenset({1, 2}), channels=frozenset({5, 6}))
    assert read(database, "otif_lines", MONDAY + DAY, rectangle).denominator == 4
    cells = Scope(sites=frozenset({1, 2}), channels=frozenset({5, 6}), cells=frozenset({(1, 5), (2, 6)}))
    assert read(database, "otif_lines", MONDAY + DAY, cells).denominator == 2
    with reading(database) as session:
        assert journeys_behind(session, "otif_lines", cells, as_of=MONDAY + DAY) == []


def test_rehearsals_never_show_in_live_figures_and_can_be_read_by_themselves(database):
    live, practice = a_shipped(1000), AnOrder(id=2000, place=elsewhere(realm="rehearsal", entity=9, site=19)).captured()
    consumed(database, live, practice)
    assert read(database, "otif_lines", MONDAY + DAY, Scope()).denominator == 1
    own = read(database, "otif_lines", MONDAY + DAY, Scope(realm="rehearsal", sites=frozenset({19})))
    assert (own.numerator, own.denominator, own.realm) == (0, 1, "rehearsal")


def test_classes_of_rulesets_grants_and_groups_can_be_told_apart(database):
    variant = elsewhere(variants="7,9", ruleset="b" * 64, grant=42, customer_group=None)
    consumed(database, a_shipped(1000), AnOrder(id=2000, place=variant).captured())
    for scope, expected in (
        (Scope(variants=""), (1, 1)),
        (Scope(variants="7,9"), (0, 1)),
        (Scope(grant=42), (0, 1)),
        (Scope(customer_group=31), (1, 1)),
    ):
        one = read(database, "otif_lines", MONDAY + DAY, scope)
        assert (one.numerator, one.denominator) == expected


def test_an_order_moves_to_the_class_of_its_ruleset_when_it_is_stamped(database):
    order = AnOrder(id=1000, place=elsewhere(ruleset=None)).captured()
    consumed(database, order)
    assert read(database, "otif_lines", MONDAY + DAY, Scope(variants="")).denominator == 1
    order.said.clear()
    order.place = elsewhere(ruleset="b" * 64, variants="7")
    consumed(database, order.promised())
    assert (read(database, "otif_lines", MONDAY + DAY, Scope(variants="")).denominator or 0) == 0
    assert read(database, "otif_lines", MONDAY + DAY, Scope(variants="7")).denominator == 1


def test_a_measure_that_is_not_kept_by_customer_group_says_so_instead_of_answering_for_all(database):
    consumed(database, a_shipped(1000))
    one = read(database, "touchless_rate", MONDAY + DAY, Scope(customer_group=31))
    assert (one.value, one.stale) == (None, Stale.SOURCE_MISSING)
    assert one.stale_detail == "touchless_rate is not kept by customer group"


def test_amounts_in_two_currencies_are_not_added(database):
    consumed(database, a_shipped(1000), a_shipped(2000, place=elsewhere(currency="GBP")))
    one = read(database, "fill_rate_value", MONDAY + DAY)
    assert (one.value, one.stale, one.stale_detail) == (
        None, Stale.SOURCE_UNREADABLE, "amounts in EUR, GBP cannot be added",
    )  # fmt: skip
    assert read(database, "fill_rate_lines", MONDAY + DAY).denominator == 2


def test_the_window_before_is_read_by_the_same_rules(database):
    early = AnOrder(id=1000, at=MONDAY - timedelta(days=15), lines=[a_line(day=date(2026, 2, 15))]).captured()
    consumed(database, early, a_shipped(2000))
    asked = [Asked(key="otif_lines", scope=HERE_ONLY)]
    with reading(database) as session:
        now = read_many(session, asked, as_of=MONDAY + DAY)[0]
        before = read_previous(session, asked, as_of=MONDAY + DAY)[0]
    assert (now.numerator, now.denominator) == (1, 1)
    assert (before.numerator, before.denominator, before.window.end) == (0, 1, now.window.start)


def test_squares_of_large_amounts_fit_and_give_the_interval_of_cents(database):
    million = [a_line(n, value=100_000_000_00) for n in range(1, 4)]
    consumed(
        database, *(a_shipped(1000 * n, lines=million) for n in range(1, 6)), AnOrder(id=9000, lines=million).captured()
    )
    one = read(database, "fill_rate_value", MONDAY + DAY)
    assert one.exact() == Fraction(5, 6)
    interval = one.interval
    # Wilson of 5 in 6 on n_eff = R(1−R) ÷ V, which for six equal documents is n − 1 = 5.
    assert (interval.low, interval.high) == (Decimal("0.403339"), Decimal("0.973673"))


def test_twenty_readings_send_hardly_more_statements_than_one_and_read_no_event(database):
    consumed(database, *(a_smooth_order(1000 * n) for n in range(1, 4)))
    ConsumerRunner(database, ConformanceConsumer(Register())).run_to_head()
    sent = []

    def note(_connection, _cursor, statement, *_):
        sent.append(statement)

    event.listen(database.read_engine, "before_cursor_execute", note)
    try:
        with reading(database) as session:
            keys = [figure.key for figure in figures()]
            read_many(session, [Asked(key=key, scope=HERE_ONLY) for key in keys], as_of=MONDAY + DAY)
    finally:
        event.remove(database.read_engine, "before_cursor_execute", note)
    assert len(keys) == 53
    assert len(sent) <= 26
    # How late the two consumers are is asked once, by the row of the first event that each has not read; no figure reads an event.
    late, _ = how_late_is_asked(database)
    assert [statement for statement in sent if "event_log" in statement] == [late]


def how_late_is_asked(database):
    """The one statement with its values."""
    sent = []

    def note(_connection, _cursor, statement, values, *_):
        if statement != "BEGIN":
            sent.append((statement, values))

    event.listen(database.read_engine, "before_cursor_execute", note)
    try:
        with reading(database) as session:
            consumer_healths(session.connection(), MONDAY, ["conformance", "journeys"])
    finally:
        event.remove(database.read_engine, "before_cursor_execute", note)
    (late,) = sent
    return late


def test_how_late_a_consumer_is_takes_one_event_of_each_by_its_key_and_scans_none(sqlite_database):
    consumed(sqlite_database, a_smooth_order(1000))
    late, values = how_late_is_asked(sqlite_database)
    with reading(sqlite_database) as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {late}", values)
        steps = [row[-1] for row in plan if "event_log" in row[-1]]
    assert steps == ["SEARCH event_log USING INTEGER PRIMARY KEY (rowid>?)"] * 2


def test_every_figure_answers_on_an_empty_database_without_inventing_anything(database):
    with unit_of_work(database, actor=Actor.system("test"), clock=SetClock(MONDAY)) as work:
        work.session.execute(text("SELECT 1"))
    with reading(database) as session:
        for one in read_many(session, [Asked(key=f.key, scope=Scope()) for f in figures()], as_of=MONDAY):
            assert one.nothing_measured
            assert one.stale is Stale.SOURCE_MISSING


@pytest.mark.parametrize("key", ["nothing", "order_cycle_time", "order_cycle_time.p99", "otif_lines.p90"])
def test_a_figure_that_is_not_in_the_catalogue_is_refused_by_name(key):
    with pytest.raises(NotFound) as refused:
        find_figure(key)
    assert refused.value.facts == {"measure": key}


def test_the_catalogue_is_whole():
    assert len({measure.id for measure in MEASURES.values()}) == len(MEASURES) == 45
    for measure in MEASURES.values():
        assert measure.formula.endswith(".")
        assert measure.title
        assert measure.owner
        assert (measure.form is Form.PERCENTILE) <= bool(measure.statistics)
