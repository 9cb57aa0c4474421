"""Every measure equals a plain recomputation from the core's own documents, on the demo's world and on the real files.

The real files are not part of the source: WAVEGATE_DATA_DIR names the folder that holds them.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy import text

from app.composition.measuring import SiteRecords
from app.composition.uow import connect, reading
from app.demo.build import build_demo
from app.demo.plan import DemoOptions
from app.jobs.consumers import ConsumerRunner
from erpcore.billing.credits import credit_returns
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returns import request_returns
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.holds import HoldOrder, ReleaseHold, hold_orders, release_holds
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.proof import compare_with_rebuild
from readiness.measures.queries import Asked, Scope, read_many
from readiness.measures.reading import Stale
from tests.db.core.test_order_to_cash import a_return
from tests.support.core import MONDAY, OPEN, RULES, a_business
from tests.support.documents import SHARES, TIMES, Documents, percentile
from tests.support.orderfiles import importer
from tests.support.steps import allocated, invoiced, released, taken_back

UNTIL = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
WHOLE = 600
STATISTICS = {"p50": 0.5, "p90": 0.9}
POINTS = (
    "order release", "allocation", "picking", "shipment confirmation", "invoice generation", "return authorisation",
    "credit memo", "goods receipt",
)  # fmt: skip


@pytest.fixture(scope="module")
def trading(sqlite_template, tmp_path_factory):
    """Six weeks of the demo: six sites, their rehearsals, holds, shortages, cancellations, returns, counts, errors."""
    path = tmp_path_factory.mktemp("documents") / "demo.sqlite3"
    shutil.copyfile(sqlite_template, path)
    database = connect(f"sqlite:///{path}")
    build_demo(database, DemoOptions(until=UNTIL, orders=400, weeks=6), password="harbour-lantern-oak")
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def documents(trading):
    return Documents(trading)


def data(*parts):
    folder = os.environ.get("WAVEGATE_DATA_DIR")
    if not folder:
        pytest.skip("WAVEGATE_DATA_DIR does not name the folder of the real files")
    path = Path(folder).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def sites(database):
    with reading(database) as session:
        query = "SELECT s.id, e.realm FROM site s JOIN entity e ON e.id = s.entity_id ORDER BY s.id"
        return [tuple(row) for row in session.execute(text(query))]


@contextmanager
def figures(database, as_of):
    """Reads one figure of a site."""
    with reading(database) as session:
        calendars = SiteRecords(session)

        def read(key, site, realm="live", *, window=None, dimension=None):
            scope = Scope(realm=realm, sites=frozenset({site}))
            asked = Asked(key=key, scope=scope, window_days=window, dimension=dimension)
            return read_many(session, [asked], as_of=as_of, calendars=calendars)[0]

        yield read


def compare(database, documents, as_of, window, keys=(*SHARES, *TIMES)):
    """Every share and time of every site; returns which shares were above nothing and below everything somewhere."""
    telling = set()
    with figures(database, as_of) as read:
        for site, realm in sites(database):
            for key in keys:
                if key in TIMES:
                    telling |= compare_times(read, documents, key, site, realm, as_of, window)
                    continue
                one = read(key, site, realm, window=window)
                expected = documents.share(key, site, one.window.start, one.window.end)
                assert (one.numerator or 0, one.denominator or 0) == expected, (key, site, realm)
                if 0 < expected[0] < expected[1]:
                    telling.add(key)
    return telling


def compare_times(read, documents, key, site, realm, as_of, window):
    telling = set()
    for statistic, share in STATISTICS.items():
        one = read(f"{key}.{statistic}", site, realm, window=window)
        times = documents.times(key, site, one.window.start, one.window.end, as_of)
        if key.endswith(".work") and times and not documents.sites[site].calendars:
            # Without a calendar nobody guesses when people worked.
            assert (one.value, one.stale) == (None, Stale.SOURCE_MISSING), (site, realm)
            continue
        assert one.count == len(times), (key, site, realm)
        expected = percentile(times, share)
        if expected is None:
            assert one.value is None, (key, site, realm)
            continue
        # A sketch is at most 1 % off any time in it.
        assert float(one.value) == pytest.approx(expected[0], rel=0.0101, abs=1e-6), (key, statistic, site, realm)
        assert one.reached == expected[1], (key, statistic, site, realm)
        telling.add(key)
    return telling


def test_each_flow_of_the_demo_is_what_its_documents_say_over_all_its_weeks(trading, documents):
    # So late that every maturity has passed.
    telling = compare(trading, documents, UNTIL + timedelta(days=60), WHOLE)
    assert telling == {*SHARES, *TIMES}


def test_each_flow_of_the_demo_is_what_its_documents_say_in_the_measures_own_window(trading, documents):
    assert compare(trading, documents, UNTIL, None) == {*SHARES, *TIMES}


def test_each_day_of_the_demo_is_what_its_documents_say(trading, documents):
    keys = ("fill_rate_value", "otif_lines", "promise_accuracy", "order_exception_rate", "invoice_right_at_posting")
    for back in range(0, 14, 3):
        compare(trading, documents, UNTIL - timedelta(days=back), 1, keys)


def test_lines_of_a_drop_ship_supplier_are_kept_apart(trading, documents):
    found = 0
    with figures(trading, UNTIL) as read:
        for site, realm in sites(trading):
            for basis in ("ship", "delivery"):
                one = read("otif_lines", site, realm, window=WHOLE, dimension=f"drop_ship/{basis}")
                lines = [
                    line
                    for order in documents.orders.values()
                    for line in order.lines
                    if order.site == site and line.kind == "drop_ship" and line.basis == basis and line.quantity > 0
                    and one.window.start <= line.requested < one.window.end
                ]  # fmt: skip
                assert one.denominator == len(lines)
                found += len(lines)
    assert found > 0


def test_adjustments_of_the_demo_are_what_its_stock_moves_say(trading, documents):
    reasons = {move.note for move in documents.stock_moves if move.reason in ("adjustment", "count")}
    adjusted = []
    with figures(trading, UNTIL) as read:
        for site, realm in sites(trading):
            one = read("inventory_adjustment_rate", site, realm)
            first, end = one.window.start, one.window.end
            expected = documents.adjusted(site, first, end)
            days = [first + timedelta(days=back) for back in range((end - first).days)]
            worth = [documents.stock_value(site, _taken(day)) for day in days]
            valued = [value for value in worth if value is not None]
            if not valued:
                assert one.value is None
                continue
            assert one.numerator == expected
            mean = Fraction(sum(valued), len(valued))
            assert Fraction(one.denominator) == round(mean, 6)
            if not mean:
                assert one.value is None
                continue
            assert float(one.value) == pytest.approx(float(expected / mean), abs=6e-7)
            parts = {
                reason: read("inventory_adjustment_rate", site, realm, dimension=reason).numerator for reason in reasons
            }
            assert parts == {reason: documents.adjusted(site, first, end, reason) for reason in reasons}
            adjusted.append(expected)
    assert len([value for value in adjusted if value]) >= 4


def _taken(day: date) -> datetime:
    """When the demo keeps a day's closing states: ten past midnight in Berlin."""
    return datetime.combine(day + timedelta(days=1), time(0, 10), ZoneInfo("Europe/Berlin")).astimezone(UTC)


def test_what_stands_now_in_the_demo_is_what_its_documents_say(trading, documents):
    waiting = 0
    points = set()
    # Now, an evening later and a weekend later: limits are working hours, so the same documents pass them one by one.
    for later in (timedelta(0), timedelta(hours=3), timedelta(hours=15), timedelta(days=4)):
        as_of = UNTIL + later
        with figures(trading, as_of) as read:
            for site, realm in sites(trading):
                ages = documents.backlog(site, as_of)
                waiting += len(ages)
                for statistic, share in STATISTICS.items():
                    one = read(f"backlog_age.{statistic}", site, realm)
                    rank = max(1, ceil(Fraction(str(share)) * len(ages)))
                    assert float(one.value or 0) == pytest.approx(ages[rank - 1] if ages else 0), (site, realm)
                silent = documents.silent(site, as_of)
                for point in POINTS:
                    one = read("silent_failures", site, realm, dimension=point)
                    assert int(one.value or 0) == silent.get(point, 0), (point, site, realm, as_of)
                points |= set(silent)
            with reading(trading) as session:
                for realm in ("live", "rehearsal"):
                    asked = Asked(key="silent_failures", scope=Scope(realm=realm), dimension="cash application")
                    one = read_many(session, [asked], as_of=as_of, calendars=SiteRecords(session))[0]
                    assert int(one.value or 0) == documents.waiting_receipts(realm, as_of), (realm, as_of)
    assert waiting > 0
    assert len(points) >= 4, points


def test_backorders_of_the_demo_are_as_old_and_as_much_worth_as_its_lines_say(trading, documents):
    waiting = 0
    for later in (timedelta(0), timedelta(days=9), timedelta(days=40)):
        as_of = UNTIL + later
        with figures(trading, as_of) as read:
            for site, realm in sites(trading):
                aged = documents.backorders(site, as_of)
                whole = sum(value for _, value in aged)
                for statistic, share in STATISTICS.items():
                    one = read(f"backorder_age.{statistic}", site, realm)
                    assert float(one.value or 0) == pytest.approx(weighted(aged, share)), (site, realm)
                for key, limit in (("backorder_over_7d", 7), ("backorder_over_30d", 30)):
                    old = sum(value for seconds, value in aged if seconds > limit * 86_400)
                    one = read(key, site, realm)
                    assert (one.numerator or 0, one.denominator or 0) == (old, whole), (key, site, realm)
                waiting += whole > 0
    assert waiting >= 3


def weighted(aged, share):
    """The age than which at least that share of the value is no older."""
    ages = [seconds for seconds, value in aged for _ in range(value)]
    return ages[ceil(Fraction(str(share)) * len(ages)) - 1] if ages else 0


def test_substitutes_of_the_demo_are_split_by_the_reasons_that_people_gave(trading, documents):
    reasons = {why for order in documents.orders.values() for *_, why in order.substitutes}
    met = 0
    with figures(trading, UNTIL) as read:
        for site, realm in sites(trading):
            for reason in reasons:
                one = read("substitute_share", site, realm, window=WHOLE, dimension=reason[:64])
                found = [order for order in documents.orders.values() if order.site == site]
                expected = sum(order.met(line, reason) for order in found for line in order.own)
                assert (one.numerator or 0) == expected, (site, reason)
                met += expected
    assert met > 0


def test_what_was_held_short_or_cancelled_on_the_way_stands_where_its_documents_say(sqlite_database):
    business = a_business(sqlite_database)
    forgotten, kept_back = released(business, [(0, 4)]), allocated(business, [(1, 4)])
    by_hand = [HoldOrder(order=order.id, kind="manual", reason="call first") for order in (forgotten, kept_back)]
    short, lighter, early = (allocated(business, [(0, 6), (1, 2)]) for _ in range(3))
    with business.work() as work:
        hold_orders(work, by_hand)
        # Two of six were not on the shelf: the rest ships, the two are open again.
        (shipment,) = pick_orders(work, [PickOrder(order=short.id, short={short.lines[0].id: 2000})], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
        gone = {lighter.lines[0].id: 6000}
        cancel_lines(work, [CancelLines(order=lighter.id, reason="less", by_customer=True, lines=gone)])
        # Picked two days before its ship day, and forgotten at the door.
        pick_orders(work, [PickOrder(order=early.id)], cells=OPEN)
    with business.work() as work:
        hold = work.session.execute(
            text("SELECT id FROM order_hold WHERE order_id = :id"), {"id": forgotten.id}
        ).scalar_one()
        release_holds(work, [ReleaseHold(hold=hold, reason="called")])
    ConsumerRunner(sqlite_database, JourneyConsumer(), clock=business.clock).run_to_head()
    documents = Documents(sqlite_database)
    seen = {}
    for hours in (1, 5, 9, 30, 60, 100):
        as_of = MONDAY + timedelta(hours=hours)
        seen[hours] = documents.silent(business.site, as_of)
        with figures(sqlite_database, as_of) as read:
            for point in POINTS:
                one = read("silent_failures", business.site, dimension=point)
                assert int(one.value or 0) == seen[hours].get(point, 0), (point, hours)
    assert seen[1] == {}
    # Four hours for a captured order and for a picked shipment, whenever it is to go; until somebody must have looked, for a hold.
    assert seen[5] == {"order release": 1, "shipment confirmation": 1}
    assert seen[9] == {"order release": 2, "shipment confirmation": 1}
    assert seen[30] == {"order release": 2, "shipment confirmation": 1, "invoice generation": 1}
    # From the ship day on, what was not found is missed; after it, what the customer left of an order. What is held waits once.
    assert seen[60] == {**seen[30], "allocation": 1}
    assert seen[100] == {**seen[60], "picking": 1}
    with reading(sqlite_database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees


def test_a_return_speaks_against_the_invoice_that_was_posted_not_against_a_draft(sqlite_database):
    business = a_business(sqlite_database, stock=6)
    order, _, invoice = invoiced(business, [(0, 10)])
    with business.work() as work:
        more = ChangeStock(site=business.site, item=business.items[0], quantity=Decimal(4), note="from the supplier")
        receive_stock(work, [more], rules=RULES, cells=OPEN)
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
        (rest,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
        confirm_shipments(work, [rest.id], rules=RULES, cells=OPEN)
        (draft,) = draft_invoices(work, [rest.id], cells=OPEN)
    business.clock.advance(timedelta(hours=1))
    with business.work() as work:
        (back,) = request_returns(work, [a_return(business, 2)], rules=RULES, cells=OPEN)
        authorise_returns(work, [back.id])
        taken_back(work, back.id)
        credit_returns(work, [back.id], cells=OPEN)
    business.clock.advance(timedelta(hours=1))
    with business.work() as work:
        post_invoices(work, [draft.id], cells=OPEN)
    ConsumerRunner(sqlite_database, JourneyConsumer(), clock=business.clock).run_to_head()
    documents = Documents(sqlite_database)
    assert documents.wrong == {invoice.id}
    compare(sqlite_database, documents, MONDAY + timedelta(days=60), WHOLE)
    with figures(sqlite_database, MONDAY + timedelta(days=60)) as read:
        one = read("invoice_accuracy_value", business.site, window=WHOLE)
        assert (one.numerator, one.denominator) == (draft.gross_minor, draft.gross_minor + invoice.gross_minor)


def test_a_clock_that_begins_later_counts_on_the_sites_own_day_wherever_it_stands(sqlite_database):
    business = a_business(sqlite_database)
    with business.work() as work:
        # Thirteen hours before Greenwich in March: its midnight is eleven in the morning of the day before.
        work.session.execute(text("UPDATE site SET time_zone = 'Pacific/Auckland'"))
    allocated(business, [(0, 4)], requested_on=date(2026, 3, 20))
    ConsumerRunner(sqlite_database, JourneyConsumer(), clock=business.clock).run_to_head()
    documents = Documents(sqlite_database)
    (order,) = documents.orders.values()
    assert (order.start, order.start_on) == (datetime(2026, 3, 17, 11, 0, tzinfo=UTC), date(2026, 3, 18))
    as_of = datetime(2026, 3, 18, 22, 0, tzinfo=UTC)
    with figures(sqlite_database, as_of) as read:
        one = read("order_cycle_time.p90", business.site, window=1)
        assert (one.window.start, one.count) == (date(2026, 3, 18), 1)
        assert compare_times(read, documents, "order_cycle_time", business.site, "live", as_of, 1) == {
            "order_cycle_time"
        }


def test_the_demo_is_the_same_after_a_rebuild_from_its_events(trading):
    with reading(trading, snapshot=True) as session:
        result = compare_with_rebuild(session)
    assert result.agrees, result
    assert all(table.rows == table.rebuilt for table in result.tables)


def imported(fresh_database, profile, path):
    """A database with the file in it, all events read."""
    database = connect(fresh_database("sqlite"))
    importer(database, profile).run(path)
    ConsumerRunner(database, JourneyConsumer(), bulk=True).run_to_head()
    return database


def test_the_delivery_history_gives_the_punctuality_that_its_publisher_counted(fresh_database):
    path = data("scms_delivery", "scms_delivery_history.csv.gz")
    published = orjson.loads(data("scms_delivery", "expected_totals.json").read_bytes())
    database = imported(fresh_database, "scms", path)
    documents = Documents(database)
    as_of = datetime(2016, 1, 1, tzinfo=UTC)
    (site,) = {order.site for order in documents.orders.values()}
    window = (as_of.date() - date(2006, 1, 1)).days
    kept = due = on_day = 0
    with figures(database, as_of) as read:
        for kind, dimension in (("stock", None), ("drop_ship", "drop_ship/delivery"), ("free", "free/delivery")):
            one = read("promise_accuracy", site, window=window, dimension=dimension)
            start, end = one.window.start, one.window.end
            assert (one.numerator, one.denominator) == documents.share("promise_accuracy", site, start, end, apart=kind)
            kept, due = kept + one.numerator, due + one.denominator
            one = read("otif_lines", site, window=window, dimension=dimension)
            assert (one.numerator, one.denominator) == documents.share("otif_lines", site, start, end, apart=kind)
            on_day += one.numerator
    assert due == published["lines"]
    assert kept == published["delivered_on_day"] + published["delivered_early"]
    assert due - kept == published["delivered_late"]
    assert on_day == published["delivered_on_day"]
    compare(database, documents, as_of, window)
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
    database.dispose()


def test_the_first_month_of_the_wholesaler_measures_what_its_documents_say(fresh_database):
    path = data("online_retail", "subset_2010-12.csv.gz")
    database = imported(fresh_database, "online-retail", path)
    documents = Documents(database)
    # Returns count against the sale they reverse, so some invoices of the month were not right.
    assert documents.wrong
    telling = compare(database, documents, datetime(2011, 3, 1, tzinfo=UTC), WHOLE)
    assert {"invoice_accuracy", "invoice_accuracy_value", "perfect_order_rate", "order_cycle_time"} <= telling
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
    database.dispose()
