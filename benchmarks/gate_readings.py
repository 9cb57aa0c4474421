# ruff: noqa: S608 - the statements are put together from numbers and names of this module
"""What do twenty readings of a gate cost behind two and twenty million events?

Nobody waits for twenty million events to be played: the buckets are made as such a log would leave them. A year of two
million events is 160,000 orders in 24 cells (six sites, four channels) and two classes of ruleset, which is some 25 bucket
rows and 60 sketch rows per slice and day; twenty million are ten such years. The open documents are two days' orders. The
event log itself stays empty, so a reading that looked at an event would find nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

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
    "perfect_order_on_time", "order_cycle_time.p50", "order_cycle_time.p90", "touchless_rate", "order_exception_rate",
    "backlog_age.p90", "invoice_right_at_posting", "invoice_accuracy", "invoice_accuracy_value", "billing_cycle_time.p90",
    "return_credit_time.p90", "silent_failures", "silent_failures_per_1000", "control_difference",
)  # fmt: skip
#: (measure, its dimensions) of the buckets that one slice gets each day.
_DAILY = (
    (c.FILL_RATE_LINES, ("A", "B", "C")), (c.FILL_RATE_VALUE, ("A", "B", "C")), (c.OTIF_LINES, ("ship", "delivery")),
    (c.PROMISE_ACCURACY, ("ship", "delivery")), *((number, ("",)) for number in range(5, 13)), (c.INVOICE_RIGHT_AT_POSTING, ("",)),
    (c.INVOICE_ACCURACY, ("",)), (c.INVOICE_ACCURACY_VALUE, ("",)), (c.BILLING_CYCLE_TIME, ("shipment_confirmed",)),
    (c.RETURN_CREDIT_TIME, ("",)), (c.HANDLED, ("order release", "invoice generation")),
)  # fmt: skip


def measure(bench: Bench) -> Iterator[Figure]:
    """Milliseconds for twenty readings with their intervals, and statements sent."""
    for kind in bench.databases:
        for millions, limit in ((2, 50), (20, 150)):
            years = max(1, millions // 2)
            database = connect(bench.new_database(kind))
            _fill(database, days=30 if bench.quick else 365 * years)
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
        for measure_id, dimensions in _DAILY:
            for dimension in dimensions:
                connection.exec_driver_sql(
                    "INSERT INTO measure_bucket (measure_id, slice_id, period, dimension, customer_group, documents, x, y, xx, xy, "
                    f"yy, samples) SELECT {measure_id}, slice, day, '{dimension}', 0, 9, 8, 9, 8, 8, 9, 0 "
                    f"FROM {slices} AS s CROSS JOIN {day} AS d"
                )
        bins = _series("bin", 400, 419)
        for measure_id, dimension in (
            (c.ORDER_CYCLE_TIME, ""), (c.BILLING_CYCLE_TIME, "shipment_confirmed"), (c.RETURN_CREDIT_TIME, ""),
        ):  # fmt: skip
            connection.exec_driver_sql(
                "INSERT INTO measure_sketch (measure_id, slice_id, period, dimension, customer_group, bin, count) "
                f"SELECT {measure_id}, slice, day, '{dimension}', 0, bin, 1 FROM {slices} AS s CROSS JOIN {day} AS d "
                f"CROSS JOIN {bins} AS b"
            )
        since = (NOW - timedelta(days=1)).replace(tzinfo=None).isoformat(" ", "microseconds")
        wished = date.fromordinal(last - 1).isoformat()
        for point in (Point.RELEASE, Point.BACKLOG):
            connection.exec_driver_sql(
                "INSERT INTO journey_wait (root_id, id, point, slice_id, dimension, customer_group, since, due_on, deadline_at, "
                f"cohort_at, cohort_on, value) SELECT n, n, '{point.value}', 1 + n - (n / {_SLICES}) * {_SLICES}, '', 0, '{since}', '{wished}', NULL, "
                f"'{since}', '{wished}', 1000 FROM {_series('n', 1, 900)} AS w"
            )
    with database.write_engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def _no(connection: Connection) -> str:
    return "0" if connection.dialect.name == "sqlite" else "false"


def _series(name: str, first: int, last: int) -> str:
    """A sub-select of the whole numbers from ``first`` to ``last``, on both databases."""
    return f"(WITH RECURSIVE r({name}) AS (SELECT {first} UNION ALL SELECT {name} + 1 FROM r WHERE {name} < {last}) SELECT {name} FROM r)"
