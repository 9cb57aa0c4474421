# ruff: noqa: S608 - the statements are put together from numbers and names of this module
"""What do twenty readings of a gate cost behind two and twenty million events?

Nobody waits for twenty million events to be played: the buckets are made as such a log would leave them. A year of two
million events is 160,000 orders in 24 cells (six sites, four channels) and two classes of ruleset: nine orders per slice and
day, in 63 bucket rows, 48 sketch rows and 5 rows of who was behind them; twenty million are ten such years. The open documents
are three days' orders. The event log itself stays empty, so a reading that looked at an event would find nothing.

Held against real logs, per slice and day with orders, by ``compare_with``:

| | demo: 72,743 events, 10 orders | a wholesaler's month: 22,308 events, 78 orders | here: 9 orders |
|---|---|---|---|
| bucket rows | 53.2 | 27.4 | 63 |
| sketch rows | 15.2; 22 with working hours | 3.0 | 48 |
| rows of actors | 4.0 | 0 | 5 |
| customer groups | up to 4 | none | 2 |
| open orders | 3 days' | none | 3 days' |

Kinder than a real log here: states are sampled once a day, while the last 35 days of one hold up to 24 samples; twenty
criteria read what stands now and not its samples.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product

from sqlalchemy import Connection, event

from app.composition.uow import Database, connect, reading
from benchmarks.registry import Bench, Figure
from readiness.measures import catalogue as c
from readiness.measures.queries import Asked, Scope, read_many
from readiness.measures.waits import Point

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_SLICES = 48
#: Twenty criteria as a gate would have them: most of the cell itself, six of a reference cell.
_CRITERIA = (
    "fill_rate_lines", "fill_rate_value", "otif_lines", "promise_accuracy", "perfect_order_rate", "perfect_order_complete",
    "perfect_order_on_time", "order_cycle_time.work.p90", "order_cycle_time.p90", "touchless_rate", "order_exception_rate",
    "backlog_age.p90", "invoice_right_at_posting", "invoice_accuracy", "invoice_accuracy_value", "billing_cycle_time.p90",
    "return_credit_time.p90", "silent_failures", "silent_failures_per_1000", "control_difference",
)  # fmt: skip
_GROUPS = (1, 2)
_ALL = (0,)
#: (measure, its dimensions, its customer groups) of the buckets that one slice gets each day.
_DAILY = (
    (c.FILL_RATE_LINES, ("A", "B", "C"), _GROUPS), (c.FILL_RATE_VALUE, ("A", "B", "C"), _ALL),
    (c.OTIF_LINES, ("ship", "delivery"), _GROUPS), (c.PROMISE_ACCURACY, ("ship", "delivery"), _GROUPS),
    *((number, ("",), _GROUPS) for number in range(c.PERFECT_ORDER_RATE, c.PERFECT_ORDER_DOCUMENTS + 1)),
    (c.ORDER_CYCLE_TIME, ("",), _ALL), (c.TOUCHLESS_RATE, ("",), _ALL),
    (c.ORDER_EXCEPTION_RATE, ("", "held", "short", "split"), _ALL), (c.INVOICE_RIGHT_AT_POSTING, ("",), _ALL),
    (c.INVOICE_ACCURACY, ("",), _GROUPS), (c.INVOICE_ACCURACY_VALUE, ("",), _ALL),
    (c.BILLING_CYCLE_TIME, ("shipment_confirmed",), _ALL), (c.RETURN_CREDIT_TIME, ("",), _ALL),
    (c.INVENTORY_ADJUSTMENT_RATE, ("", "damage"), _ALL),
    (
        c.HANDLED,
        (
            "order release", "allocation", "picking", "shipment confirmation", "invoice generation", "ledger posting",
            "return authorisation", "credit memo", "cash application",
        ),
        _ALL,
    ),
    # Sampled at the end of each day.
    (c.BACKLOG_AGE, ("", "drop_ship/"), _GROUPS), (c.SILENT_FAILURES, ("", "picking"), _GROUPS),
    (c.SILENT_FAILURES_VALUE, ("", "picking"), _GROUPS), (c.STOCK_VALUE, ("",), _ALL),
)  # fmt: skip
_TIMES = (
    (c.ORDER_CYCLE_TIME, ""), (c.ORDER_CYCLE_TIME_WORKED, ""), (c.BILLING_CYCLE_TIME, "shipment_confirmed"),
    (c.RETURN_CREDIT_TIME, ""),
)  # fmt: skip
#: Bins that a day's times fall into; who was behind the documents, of each measure that asks.
_BINS, _PEOPLE = 12, 5
_ACTORS = (c.PERFECT_ORDER_RATE,)
_OPEN = 1_350


def measure(bench: Bench) -> Iterator[Figure]:
    """Milliseconds for twenty readings with their intervals, and statements sent."""
    for kind in bench.databases:
        for millions, limit in ((2, 50), (20, 150)):
            years = max(1, millions // 2)
            database = connect(bench.new_database(kind))
            _fill(database, days=30 if bench.quick else 365 * years)
            print(f"  {_shape(database)}")
            times = [_read(database) for _ in range(bench.repeat + 2)][2:]
            yield Figure(f"20 readings behind {millions} M events", kind, 1000 * bench.median(times), "ms", limit=limit)
            yield Figure(f"statements of 20 readings, {millions} M", kind, float(_statements(database)), "n", limit=20)
            database.dispose()


def _read(database: Database) -> float:
    here = Scope(sites=frozenset({1}), channels=frozenset({1}), name="the cell")
    reference = Scope(sites=frozenset({2}), channels=frozenset({1}), name="the reference")
    asked = [Asked(key=key, scope=reference if n % 3 == 2 else here) for n, key in enumerate(_CRITERIA)]
    with reading(database, snapshot=True) as session:
        start = time.perf_counter()
        found = read_many(session, asked, as_of=NOW)
        for one in found:
            one.facts()
        return time.perf_counter() - start


def _statements(database: Database) -> int:
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(database.read_engine, "before_cursor_execute", note)
    try:
        _read(database)
    finally:
        event.remove(database.read_engine, "before_cursor_execute", note)
    return len(sent)


def _fill(database: Database, *, days: int) -> None:
    last = NOW.date().toordinal()
    with database.write_engine.begin() as connection:
        for number in range(1, _SLICES + 1):
            cell = (number - 1) // 2
            variants = "" if number % 2 else "7"
            connection.exec_driver_sql(
                "INSERT INTO measure_slice (id, realm, entity, site, channel, process, variants, grant_id, currency) VALUES "
                f"({number}, 'live', 1, {cell % 6 + 1}, {cell // 6 + 1}, 'order_to_cash', '{variants}', 1, 'EUR')"
            )
        moved = NOW.replace(tzinfo=None).isoformat(" ", "microseconds")
        connection.exec_driver_sql(
            f"INSERT INTO consumer_cursor (name, seq, moved_at, is_paused) VALUES ('journeys', 0, '{moved}', {_no(connection)})"
        )
        day = _series("day", last - days, last)
        slices = _series("slice", 1, _SLICES)
        for measure_id, dimensions, groups in _DAILY:
            for dimension, group in product(dimensions, groups):
                connection.exec_driver_sql(
                    "INSERT INTO measure_bucket (measure_id, slice_id, period, dimension, customer_group, documents, x, y, xx, xy, "
                    f"yy, samples) SELECT {measure_id}, slice, day, '{dimension}', {group}, 9, 8, 9, 8, 8, 9, {int(measure_id in c.SAMPLED)} "
                    f"FROM {slices} AS s CROSS JOIN {day} AS d"
                )
        bins = _series("bin", 400, 399 + _BINS)
        for measure_id, dimension in _TIMES:
            connection.exec_driver_sql(
                "INSERT INTO measure_sketch (measure_id, slice_id, period, dimension, customer_group, bin, count) "
                f"SELECT {measure_id}, slice, day, '{dimension}', 0, bin, 1 FROM {slices} AS s CROSS JOIN {day} AS d "
                f"CROSS JOIN {bins} AS b"
            )
        for measure_id in _ACTORS:
            connection.exec_driver_sql(
                "INSERT INTO measure_actor (measure_id, slice_id, period, actor, count) "
                f"SELECT {measure_id}, slice, day, actor, 2 FROM {slices} AS s CROSS JOIN {day} AS d "
                f"CROSS JOIN {_series('actor', 101, 100 + _PEOPLE)} AS a"
            )
        for site in range(1, 7):
            connection.exec_driver_sql(
                "INSERT INTO measure_calendar (seq, site, valid_from, time_zone, week, closed) VALUES "
                f"({site}, {site}, '2000-01-01', 'Europe/Berlin', '{_WEEK}', '[]')"
            )
        since = (NOW - timedelta(days=1)).replace(tzinfo=None).isoformat(" ", "microseconds")
        wished = date.fromordinal(last - 1).isoformat()
        for point in (Point.RELEASE, Point.BACKLOG):
            connection.exec_driver_sql(
                "INSERT INTO journey_wait (root_id, id, point, slice_id, dimension, customer_group, since, due_on, deadline_at, "
                f"cohort_at, cohort_on, value) SELECT n, n, '{point.value}', 1 + n - (n / {_SLICES}) * {_SLICES}, '', 0, '{since}', '{wished}', NULL, "
                f"'{since}', '{wished}', 1000 FROM {_series('n', 1, _OPEN)} AS w"
            )
    with database.write_engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


_WEEK = "[" + "[420,1080]," * 5 + "null,null]"


def _shape(database: Database) -> str:
    """What stands behind the readings, and how it lies beside a real log."""
    here = compare_with(database)
    return ", ".join(f"{value:.1f} {name}" for name, value in here.items())


def compare_with(database: Database) -> dict[str, float]:
    """Rows per slice and day on which an order was captured: of this benchmark's database, or of a real one."""
    days = f"SELECT COUNT(*) FROM (SELECT DISTINCT slice_id, period FROM measure_bucket WHERE measure_id = {c.ORDER_EXCEPTION_RATE}) AS d"
    with database.read_engine.connect() as connection:
        with_orders = connection.exec_driver_sql(days).scalar_one()
        return {
            f"{table.removeprefix('measure_')} rows per slice and day": connection.exec_driver_sql(
                f"SELECT COUNT(*) FROM {table}"
            ).scalar_one()
            / with_orders
            for table in ("measure_bucket", "measure_sketch", "measure_actor")
        }


def _no(connection: Connection) -> str:
    return "0" if connection.dialect.name == "sqlite" else "false"


def _series(name: str, first: int, last: int) -> str:
    """A sub-select of the whole numbers from ``first`` to ``last``, on both databases."""
    return f"(WITH RECURSIVE r({name}) AS (SELECT {first} UNION ALL SELECT {name} + 1 FROM r WHERE {name} < {last}) SELECT {name} FROM r)"
