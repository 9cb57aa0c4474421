"""Each control point counts who stands beyond its limit in the site's working hours, and nobody else."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from app.composition.uow import reading, unit_of_work
from app.jobs.consumers import ConsumerRunner
from erpcore import published as p
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from erpcore.published.stock import StockTransferReceived, StockTransferShipped
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.drilldown import journeys_behind
from readiness.measures.plans import Asked
from readiness.measures.ports import SiteCalendar
from readiness.measures.proof import compare_up_to_cursor, compare_with_rebuild
from readiness.measures.queries import Scope, read_measure, read_trend
from readiness.measures.reading import Stale, rounded
from readiness.measures.samples import SampledSite, sample_day_end, sample_hour, thin_hourly
from tests.support.events import MONDAY, AnOrder, Said, a_line, elsewhere, publish

SCOPE = Scope(sites=frozenset({11}), name="Duisburg")
#: The order's day is wished for Monday 2 March 2026, 09:00 UTC is 10:00 at the site.


class Hours:
    """Open from seven to six, Berlin time."""

    def of_sites(self, sites):
        return {site: SiteCalendar("Europe/Berlin", time(7), time(18)) for site in sites}


class Worth:
    def __init__(self, value, unvalued=0):
        self.value, self.unvalued = value, unvalued

    def stock_value(self, site):
        return self.value, self.unvalued


def seen(database, now, key="silent_failures", **options):
    ConsumerRunner(database, JourneyConsumer(), clock=SetClock(now)).run_to_head()
    with reading(database) as session:
        return read_measure(session, key, SCOPE, as_of=now, calendars=Hours(), **options)


def order_held():
    return (
        AnOrder(id=1000)
        .captured()
        .say(p.OrderHeld(hold=5, kind="credit", due=MONDAY + timedelta(hours=6)), "order_to_cash.release")
    )


def a_return(*steps):
    back = AnOrder(id=1000)
    for event, step in steps:
        back.say(event, f"returns_to_credit.{step}", subject=("return", 1000))
    return back


REQUESTED = (p.ReturnRequested(reason="x"), "request")
H = timedelta(hours=1)


@pytest.mark.parametrize(
    ("point", "journey", "last_good"),
    [
        # Captured Monday 10:00 local; four hours later.
        ("order release", AnOrder(id=1000).captured(), MONDAY + 4 * H),
        # Captured Monday 17:00 local: one hour on Monday, three on Tuesday from 07:00.
        ("order release", AnOrder(id=1000, at=MONDAY + 7 * H).captured(), MONDAY + 24 * H),
        # Captured Friday 17:00 local: the weekend does not count.
        ("order release", AnOrder(id=1000, at=MONDAY + timedelta(days=4) + 7 * H).captured(), MONDAY + timedelta(days=7)),
        ("order release", order_held(), MONDAY + 6 * H),
        ("allocation", AnOrder(id=1000).captured().released(), MONDAY + 2 * H),
        # Wished for Wednesday: it is due from Wednesday, 07:00 local.
        (
            "allocation",
            AnOrder(id=1000, lines=[a_line(day=date(2026, 3, 4))]).captured().released(),
            MONDAY + timedelta(days=2) - 2 * H,
        ),
        ("picking", AnOrder(id=1000).captured().released().allocated(), MONDAY.replace(hour=22, minute=59, second=59)),
        ("shipment confirmation", AnOrder(id=1000).captured().released().allocated().picked(2000), MONDAY + 7 * H),
        (
            "invoice generation",
            AnOrder(id=1000).captured().released().allocated().picked(2000).shipped(2000).triggered(2001),
            # Triggered 14:00 UTC, 15:00 local: three hours on Monday, five on Tuesday.
            MONDAY.replace(day=3, hour=11),
        ),
        # Requested 10:00 local: eight hours on Monday, eight on Tuesday from 07:00.
        ("return authorisation", a_return(REQUESTED), MONDAY.replace(day=3, hour=14)),
        (
            "credit memo",
            a_return(REQUESTED, (p.ReturnAuthorised(), "authorise"), (p.ReturnReceived(), "receive")),
            # Received 12:00 local: six hours on Monday, ten on Tuesday.
            MONDAY.replace(day=3, hour=16),
        ),
        (
            "cash application",
            AnOrder(id=1000).say(p.CashReceived(amount=500), "order_to_cash.cash", subject=("receipt", 1000)).posted(1000, "receipt"),
            # Eight hours are over when the site closes; the ninth begins on Tuesday.
            MONDAY.replace(day=3, hour=6),
        ),
    ],
)  # fmt: skip
def test_a_document_fails_silently_once_its_limit_has_passed(sqlite_database, point, journey, last_good):
    publish(sqlite_database, journey.said)
    before = seen(sqlite_database, last_good, dimension=point)
    after = seen(sqlite_database, last_good + timedelta(seconds=1), dimension=point)
    assert (before.value, after.value) == (Decimal(0), Decimal(1))


class Collected(Hours):
    """A carrier collects on Mondays and Tuesdays at three."""

    def of_sites(self, sites):
        return {
            site: one._replace(collections={0: time(15), 1: time(15)}) for site, one in super().of_sites(sites).items()
        }


@pytest.mark.parametrize(
    ("allocated", "day", "last_good"),
    [
        # Allocated at noon local: by three of the same day.
        (MONDAY + 2 * H, date(2026, 3, 2), MONDAY.replace(hour=14)),
        # After the last collection of the day: by the next one.
        (MONDAY + 6 * H, date(2026, 3, 2), MONDAY.replace(day=3, hour=14)),
        # Due on a day on which nobody collects: by the next Monday's.
        (MONDAY + 2 * H, date(2026, 3, 4), MONDAY.replace(day=9, hour=14)),
    ],
)
def test_picking_ends_with_the_last_collection_that_the_goods_can_go_with(sqlite_database, allocated, day, last_good):
    order = AnOrder(id=1000, lines=[a_line(day=day)]).captured().released().allocated(at=allocated)
    publish(sqlite_database, order.said)
    ConsumerRunner(sqlite_database, JourneyConsumer(), clock=SetClock(last_good)).run_to_head()
    values = []
    with reading(sqlite_database) as session:
        for now in (last_good, last_good + timedelta(seconds=1)):
            one = read_measure(session, "silent_failures", SCOPE, as_of=now, calendars=Collected(), dimension="picking")
            values.append(one.value)
        behind = journeys_behind(
            session, "silent_failures", SCOPE, as_of=last_good + H, calendars=Collected(), dimension="picking"
        )
    assert values == [Decimal(0), Decimal(1)]
    assert [(one.id, one.where) for one in behind] == [(1000, "picking")]


def a_transfer(*received, arrives=date(2026, 3, 3)):
    """Sent on Monday by another site to this one, and what this one said of it."""
    subject = ("transfer", 1000)
    sent = AnOrder(id=1000, place=elsewhere(site=12, channel=None))
    sent.say(
        StockTransferShipped(to_site=11, arrives_on=arrives, lines=1, value=900), "warehouse.transfer", subject=subject
    )
    here = AnOrder(id=1000, at=MONDAY + timedelta(days=2), place=elsewhere(channel=None))
    for settled in received:
        here.say(StockTransferReceived(from_site=12, settled=settled), "warehouse.transfer", subject=subject)
    return sent.said + here.said


def test_a_transfer_not_received_a_working_day_after_its_transit_fails_at_the_site_that_waits(database):
    publish(database, a_transfer())
    # It should come on Tuesday; eight hours from Wednesday 07:00 local.
    last_good = MONDAY.replace(day=4, hour=14)
    for now, late in ((last_good, 0), (last_good + timedelta(seconds=1), 1)):
        assert seen(database, now, dimension="goods receipt").value == late
    assert seen(database, last_good + H, key="silent_failures_value", dimension="goods receipt").value == Decimal(9)
    rate = seen(database, last_good + H, key="silent_failures_per_1000", dimension="goods receipt")
    assert (rate.numerator, rate.denominator) == (1, 1)
    with reading(database) as session:
        (one,) = journeys_behind(
            session, "silent_failures", SCOPE, as_of=last_good + H, calendars=Hours(), dimension="goods receipt"
        )
    assert (one.id, one.kind, one.site, one.value, one.where) == (1000, "transfer", 11, 900, "goods receipt")


@pytest.mark.parametrize(("received", "late"), [((False,), 1), ((False, True), 0), ((True,), 0)])
def test_a_transfer_waits_until_nothing_of_it_is_on_its_way(database, received, late):
    publish(database, a_transfer(*received))
    assert seen(database, MONDAY + timedelta(days=10), dimension="goods receipt").value == late
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
        assert all(total.difference == 0 for total in compare_up_to_cursor(session))


def test_a_document_that_must_post_and_has_no_entry_fails_after_an_hour_by_the_clock(database):
    order = AnOrder(id=1000, at=MONDAY + timedelta(days=5)).captured().released().allocated().picked(2000)
    publish(database, order.shipped(2000, must_post=True).said)
    saturday = MONDAY + timedelta(days=5) + 4 * H
    assert seen(database, saturday + H, dimension="ledger posting").value == 0
    assert seen(database, saturday + 2 * H, dimension="ledger posting").value == 1
    order.said.clear()
    publish(database, order.posted(2000, "shipment").said)
    assert seen(database, saturday + 9 * H, dimension="ledger posting").value == 0


def test_an_entry_posted_before_its_document_is_told_matches_it_all_the_same(database):
    order = AnOrder(id=1000).captured()
    publish(database, order.posted(2000, "shipment").said)
    seen(database, MONDAY)
    order.said.clear()
    publish(database, order.shipped(2000, must_post=True).said)
    assert seen(database, MONDAY + 40 * H, dimension="ledger posting").value == 0


def test_the_figure_is_a_count_a_value_and_a_rate_over_what_was_handled(database):
    orders = [AnOrder(id=1000 + 10 * n).captured() for n in range(4)]
    for order in orders[:3]:
        order.released().allocated().picked(order.id + 1).shipped(order.id + 1).closed()
    publish(database, [said for order in orders for said in order.said])
    later = MONDAY + timedelta(days=1)
    one = seen(database, later, dimension="order release")
    assert (one.value, one.count, one.interval) == (Decimal(1), 4, None)
    rate = seen(database, later, key="silent_failures_per_1000", dimension="order release")
    assert (rate.numerator, rate.denominator, rate.value) == (1, 4, Decimal("0.25"))
    assert seen(database, later, key="silent_failures_value", dimension="order release").value == Decimal(25)


def test_without_any_document_there_is_no_figure_to_pass_on(database):
    publish(database, AnOrder(id=1000, place=elsewhere(site=12)).captured().said)
    for key in ("silent_failures", "silent_failures_per_1000", "backlog_age.p90"):
        assert seen(database, MONDAY + timedelta(days=2), key=key).value is None


def test_the_backlog_ages_from_the_end_of_the_day_wished_for(database):
    late = AnOrder(id=1000).captured()
    young = AnOrder(id=2000, lines=[a_line(day=date(2026, 3, 20))]).captured()
    gone = AnOrder(id=3000).captured().released().allocated().picked(3001).shipped(3001)
    publish(database, late.said + young.said + gone.said)
    end_of_monday = MONDAY.replace(hour=23, minute=0, second=0)
    assert seen(database, end_of_monday - H, key="backlog_age.p90").value == 0
    one = seen(database, end_of_monday + 10 * H, key="backlog_age.p90")
    assert round(one.value) == 10 * 3600
    assert one.count == 3


def short(identity, lacking, *, at=MONDAY, **options):
    """An order of ten pieces at 2.50 of which so many thousandths are backordered, five hours after it was captured."""
    rest = [p.LineQuantity(line=1, quantity=10_000 - lacking)]
    waits = [p.LineQuantity(line=1, quantity=lacking)]
    order = AnOrder(id=identity, at=at, **options).captured().released().allocated(rest)
    return order.say(p.OrderBackordered(lines=waits), "order_to_cash.allocate", at=at + 5 * H)


def test_a_backorder_ages_from_the_first_time_it_was_short_weighed_by_what_it_lacks(database):
    again = [p.LinePromise(line=1, day=date(2026, 3, 30), basis="ship", reason="receipt")]
    old = short(1000, 4_000).say(p.OrderRepromised(lines=again), "order_to_cash.promise")
    # Short once more a week later: that makes it no younger.
    old.say(
        p.OrderBackordered(lines=[p.LineQuantity(line=1, quantity=1_000)]),
        "order_to_cash.allocate",
        at=MONDAY + 170 * H,
    )
    young = short(2000, 6_000, at=MONDAY + 10 * H)
    covered = short(3000, 6_000).allocated([p.LineQuantity(line=1, quantity=6_000)])
    cancelled = short(4000, 6_000)
    gone = [p.LineQuantity(line=1, quantity=6_000)]
    cancelled.say(p.OrderCancelled(by_customer=False, reason="waited", lines=gone), "order_to_cash.capture")
    publish(database, [*old.said, *young.said, *covered.said, *cancelled.said])
    first, now = MONDAY + 5 * H, MONDAY + 7 * 24 * H + 6 * H
    ages = [(now - first).total_seconds(), (now - first - 10 * H).total_seconds()]
    # 10.00 has waited for seven days and an hour, 15.00 for ten hours less.
    assert float(seen(database, now, key="backorder_age.p50").value) == ages[1]
    assert float(seen(database, now, key="backorder_age.p90").value) == ages[0]
    week = seen(database, now, key="backorder_over_7d")
    assert (week.value, week.numerator, week.denominator, week.count) == (Decimal("0.4"), 1_000, 2_500, 4)
    assert seen(database, first + timedelta(days=7), key="backorder_over_7d").value == 0
    assert seen(database, now, key="backorder_over_30d").value == 0
    assert seen(database, now + timedelta(days=30), key="backorder_over_30d").value == 1
    with reading(database, snapshot=True) as session:
        behind = journeys_behind(session, "backorder_age.p90", SCOPE, as_of=now, calendars=Hours())
        assert [(one.id, one.weight, one.where) for one in behind] == [
            (1000, ages[0], "backorder"), (2000, ages[1], "backorder"),
        ]  # fmt: skip
        late = journeys_behind(session, "backorder_over_7d", SCOPE, as_of=now, calendars=Hours())
        assert [one.id for one in late] == [1000]
        assert compare_with_rebuild(session).agrees


def test_where_nothing_is_backordered_the_age_is_nil_and_a_share_has_nothing_to_divide_by(database):
    publish(database, AnOrder(id=1000).captured().released().allocated().said)
    assert seen(database, MONDAY + H, key="backorder_age.p90").value == 0
    one = seen(database, MONDAY + H, key="backorder_over_7d")
    assert (one.value, one.numerator, one.denominator, one.count) == (None, 0, 0, 1)


def test_values_of_two_currencies_are_not_weighed_against_each_other(database):
    publish(database, [*short(1000, 4_000).said, *short(2000, 4_000, place=elsewhere(currency="CHF")).said])
    for key in ("backorder_age.p90", "backorder_over_7d"):
        one = seen(database, MONDAY + 10 * H, key=key)
        assert (one.value, one.stale, one.stale_detail) == (
            None, Stale.SOURCE_UNREADABLE, "amounts in CHF, EUR cannot be added",
        )  # fmt: skip


def test_a_window_of_backorders_is_the_old_value_of_its_samples_by_all_of_it(database):
    # Sampled while one waits, then both, then once the first is a week old.
    for day, at, comes in (
        (2, MONDAY + 10 * H, short(1000, 4_000)),
        (4, MONDAY + 60 * H, short(2000, 6_000, at=MONDAY + 48 * H)),
        (9, MONDAY + 7 * 24 * H + 6 * H, None),
    ):
        publish(database, comes.said if comes else [])
        seen(database, at)
        assert sample(database, date(2026, 3, day), at) == 1
    now = MONDAY + 8 * 24 * H
    week = seen(database, now, key="backorder_over_7d", window=10)
    assert (week.value, week.count) == (rounded(Fraction(1_000, 6_000)), 3)
    oldest = (7 * 24 + 1) * 3600
    age = seen(database, now, key="backorder_age.p90", window=10)
    assert float(age.value) == pytest.approx(oldest, rel=0.0101)
    middle = seen(database, now, key="backorder_age.p50", window=10)
    assert float(middle.value) == pytest.approx(55 * 3600, rel=0.0101)
    assert seen(database, now, key="backorder_over_30d", window=10).value == 0
    assert seen(database, now, key="backorder_over_7d", window=1).value == Decimal("0.4")


def control(difference, tolerance, name="stock = moves", at=MONDAY):
    event = p.ControlCompared(
        control=name,
        unit="minor",
        left=100,
        right=100 - difference,
        difference=difference,
        tolerance=tolerance,
        read_to=1,
    )
    return Said(
        event=event, step="record_to_report.post", subject=("control", 1), journey=1, at=at, place=elsewhere(site=None)
    )


def test_a_control_counts_when_its_last_comparison_is_beyond_its_own_tolerance(database):
    def now(at):
        ConsumerRunner(database, JourneyConsumer(), clock=SetClock(at)).run_to_head()
        with reading(database) as session:
            return read_measure(session, "control_difference", Scope(entities=frozenset({1})), as_of=at)

    publish(database, [control(0, 0, "a"), control(5, 5, "b"), control(-6, 5, "c")])
    one = now(MONDAY)
    assert (one.value, one.count) == (Decimal(1), 3)
    publish(database, [control(0, 5, "c", at=MONDAY + H)])
    assert now(MONDAY + H).value == 0
    old = now(MONDAY + 30 * H)
    assert (old.value, old.stale) == (None, Stale.SAMPLE_MISSING)


def test_a_control_never_compared_is_no_evidence(database):
    publish(database, AnOrder(id=1000).captured().said)
    one = seen(database, MONDAY, key="control_difference")
    assert (one.value, one.stale) == (None, Stale.SOURCE_MISSING)


SITE = SampledSite(11, "live", 1, "EUR")


def sample(database, day, now, **options):
    with unit_of_work(database, actor=Actor.system("test"), clock=SetClock(now)) as work:
        return sample_day_end(work, [SITE], day, calendars=Hours(), **options)


def test_a_window_of_a_state_is_the_mean_of_its_samples_and_a_missing_one_is_a_gap(database):
    publish(database, AnOrder(id=1000).captured().said)
    tuesday = MONDAY.replace(day=3, hour=23)
    seen(database, tuesday)
    assert sample(database, date(2026, 3, 1), MONDAY) == 1  # Monday morning: nobody is late yet
    assert sample(database, date(2026, 3, 3), tuesday) == 1  # one order stands unreleased
    assert sample(database, date(2026, 3, 3), tuesday) == 0
    one = seen(database, tuesday + 2 * H, window=5)
    assert (one.value, one.count, one.days) == (Decimal("0.5"), 2, 2)
    with reading(database) as session:
        trend = read_trend(
            session, Asked(key="silent_failures", scope=SCOPE), days=4, as_of=tuesday + 2 * H, calendars=Hours()
        )
    assert [(point.day.day, point.value) for point in trend] == [
        (28, None), (1, Decimal(0)), (2, None), (3, Decimal(1)),
    ]  # fmt: skip


def test_a_window_of_a_state_is_read_for_a_channel_alone(database):
    late = AnOrder(id=1000, place=elsewhere(channel=31)).captured()
    fine = AnOrder(id=2000, place=elsewhere(channel=32)).captured().released()
    fine.allocated().picked(2001).shipped(2001)
    publish(database, [*late.said, *fine.said])
    tuesday = MONDAY.replace(day=3, hour=23)
    seen(database, tuesday)
    assert sample(database, date(2026, 3, 1), MONDAY) == 1  # Monday morning: nobody is late yet
    assert sample(database, date(2026, 3, 3), tuesday) == 1  # one order stands unreleased

    def window(key="silent_failures", **of):
        with reading(database) as session:
            scope = Scope(sites=frozenset({11}), **of)
            return read_measure(session, key, scope, as_of=tuesday + 2 * H, calendars=Hours(), window=5)

    for of in (
        {"channels": frozenset({31})},
        {"cells": frozenset({(11, 31)}), "channels": frozenset({31})},
    ):
        one = window(**of)
        assert (one.value, one.count, one.days, one.stale) == (Decimal("0.5"), 2, 2, None), of
        assert window("silent_failures_value", **of).value == Decimal("12.50")
    for of in ({"channels": frozenset({32})},):
        one = window(**of)
        assert (one.value, one.count, one.days, one.stale) == (Decimal(0), 2, 2, None), of
    # Both channels are both, and each sample counts once.
    both = window(channels=frozenset({31, 32}))
    assert (both.value, both.count) == (Decimal("0.5"), 2)
    # Where nobody ever ordered there is nothing to judge, however often it was looked at.
    never = window(channels=frozenset({99}))
    assert (never.value, never.stale) == (None, Stale.SAMPLE_MISSING)


def test_no_sample_in_the_window_is_no_evidence(database):
    publish(database, AnOrder(id=1000).captured().said)
    one = seen(database, MONDAY + timedelta(days=2), window=7)
    assert (one.value, one.stale) == (None, Stale.SAMPLE_MISSING)


def test_nothing_valued_leaves_no_sample_of_the_stock(database):
    publish(
        database,
        AnOrder(id=1000, place=elsewhere(channel=None)).say(
            p.StockAdjusted(item=1, quantity=-1, reason="broken", value=-500), "warehouse.adjust", subject=("stock_move", 1000)
        ).said,
    )  # fmt: skip
    wednesday = MONDAY.replace(day=4, hour=1)
    seen(database, wednesday)
    sample(database, date(2026, 3, 2), wednesday, stock=Worth(None, 9))
    assert seen(database, wednesday, key="inventory_adjustment_rate").stale is Stale.SAMPLE_MISSING
    sample(database, date(2026, 3, 3), wednesday, stock=Worth(100_000))
    one = seen(database, wednesday, key="inventory_adjustment_rate")
    assert (one.numerator, one.denominator, one.value) == (500, Decimal(100_000), Decimal("0.005"))
    part = seen(database, wednesday, key="inventory_adjustment_rate", dimension="broken")
    assert part.value == Decimal("0.005")


def test_hourly_samples_are_thinned_after_five_weeks(database):
    publish(database, AnOrder(id=1000).captured().said)
    seen(database, MONDAY)

    def at(now, task):
        with unit_of_work(database, actor=Actor.system("test"), clock=SetClock(now)) as work:
            return task(work)

    assert at(MONDAY, lambda work: sample_hour(work, [SITE], calendars=Hours())) == 1
    assert at(MONDAY, lambda work: sample_hour(work, [SITE], calendars=Hours())) == 0
    assert at(MONDAY + timedelta(days=34), thin_hourly) == 0
    assert at(MONDAY + timedelta(days=36), thin_hourly) > 0
