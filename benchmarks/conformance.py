"""How fast are journeys judged: a million of them anew after the rules changed, and the events of each day as they come?

The million stands in the database as the consumer leaves it: orders of ten to fifteen steps, one in eight with a departure, over
three months at four sites. They are judged in one transaction as a release with other rules has it. The events are those that
``consumers`` publishes, once beside that million and once in an empty database: what comes costs what it costs itself, however
much there is already. The floor reads the same rows of the log with the driver and writes the same rows of journeys in batches
of the same size, and judges nothing. Seconds are those of the processor, of the PostgreSQL server too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from random import Random
from typing import Any

from app.composition.garbage import no_garbage_collection
from app.composition.uow import Database, connect, unit_of_work
from app.jobs.consumers import ALONE, ConsumerRunner
from benchmarks.consumers import _trading as trading
from benchmarks.registry import Bench, Figure
from erpcore.kernel.actor import Actor
from erpcore.kernel.eventlog import newest_seq, read_events
from readiness.conformance import activities as a
from readiness.conformance.activities import TYPES
from readiness.conformance.consumer import ConformanceConsumer, slice_key
from readiness.conformance.contributions import contribute
from readiness.conformance.journeys import Course, Journey, micros, steps_to_text
from readiness.conformance.ports import Where
from readiness.conformance.proof import judge_all_anew
from readiness.conformance.store import ConformanceStore
from readiness.conformance.templates import DAY, HOUR, Step
from readiness.measures.deltas import Deltas
from tests.support.events import MONDAY, publish

_JOURNEYS = 1_000_000
_ORDERS = 4_000
#: Where the ids of the million begin, beyond those of what comes afterwards.
_FIRST = 10**9
#: So much longer what comes may take beside a million than in an empty database.
_BESIDE = 1.25
_PART = 5_000
_PATH = (
    a.ORDER_CAPTURED, a.ORDER_VALIDATED, a.ORDER_PROMISED, a.ORDER_RELEASED, a.ORDER_ALLOCATED, a.GOODS_PICKED,
    a.GOODS_SHIPPED, a.INVOICE_DUE, a.INVOICE_POSTED, a.GOODS_DELIVERED, a.INVOICE_SETTLED, a.ORDER_CLOSED,
)  # fmt: skip
_PARTS = {a.GOODS_PICKED, a.GOODS_SHIPPED, a.INVOICE_DUE, a.INVOICE_POSTED, a.GOODS_DELIVERED}
_EXTRA = (a.PICKED_SHORT, a.PRICE_OVERRIDDEN, a.HOLD_OVERRIDDEN, a.ALLOCATION_OVERRIDDEN)


class _Half:
    """A register with one variant: what is picked short at every second site is covered."""

    def covering(self, deviation: str, where: Where, at: datetime) -> int | None:
        return 7 if deviation == "picked_short" and where.site in {11, 13} else None

    def in_force(self, variant: int, at: datetime) -> bool:
        return True

    def points(self, ruleset: str) -> Sequence[str]:
        return ()


def measure(bench: Bench) -> Iterator[Figure]:
    """Seconds for a million journeys judged anew, and events a second afterwards beside the raw floor."""
    journeys = _JOURNEYS // 50 if bench.quick else _JOURNEYS
    orders = _ORDERS // 20 if bench.quick else _ORDERS
    for kind in bench.databases:
        database = connect(bench.new_database(kind))
        _fill(database, journeys)
        begun = bench.processor_seconds()
        with no_garbage_collection(), unit_of_work(database, actor=Actor.system("bench")) as work:
            judged = judge_all_anew(work, _Half())
        seconds = bench.processor_seconds() - begun
        beside = _events_a_second(bench, database, orders)
        database.dispose()
        if judged != journeys:
            raise RuntimeError(f"{judged} journeys were judged instead of {journeys}")
        yield Figure(f"{journeys:,} journeys judged anew", kind, seconds, "s", limit=120)
        pairs = [_afterwards(bench, kind, orders) for _ in range(bench.repeat)]
        ours, floor = bench.median(one for one, _ in pairs), bench.median(one for _, one in pairs)
        yield Figure("events judged as they come", kind, ours, "events/s", floor=floor)
        yield Figure(f"the same beside {journeys:,} journeys", kind, beside, "events/s", floor=ours, limit=_BESIDE)


def _fill(database: Database, journeys: int) -> None:
    """The journeys as the consumer would have left them, but for their verdicts."""
    random = Random(4)
    first = micros(MONDAY)
    with unit_of_work(database, actor=Actor.system("bench")) as work:
        store = ConformanceStore(work.driver, is_sqlite=work.dialect.name == "sqlite", new_ids=work.ids.reserve)
        for start in range(0, journeys, _PART):
            courses = [_course(random, number, first) for number in range(start, min(journeys, start + _PART))]
            deltas = Deltas()
            for course in courses:
                contribute(deltas, 1, course, store.slice_id(slice_key(course.journey)))
            store.save_courses(store.course_rows(courses, {}))
            store.add(deltas)


def _course(random: Random, number: int, first: int) -> Course:
    at = first + number % 90 * DAY + random.randrange(DAY // 2)
    path = list(_PATH) if random.random() < 0.8 else list(_PATH[: random.randrange(4, 12)])
    if random.random() < 0.12:
        path.insert(random.randrange(2, 5), random.choice(_EXTRA))
    steps = []
    for nth, activity in enumerate(path):
        at += random.randrange(HOUR // 2)
        steps.append(Step(at, number * 20 + nth, activity, number if activity in _PARTS else 0, _day(at)))
    site = 11 + number % 4
    journey = Journey(
        _FIRST + number,
        "order_to_cash",
        "live",
        1,
        site,
        21,
        31,
        41,
        "EUR",
        "a" * 64,
        "",
        MONDAY,
        MONDAY.date(),
        version=0,
    )
    journey.steps = steps_to_text(steps).decode()
    course = Course(journey)
    course.judge(_Half())
    # As rules that knew no departure left it.
    course.deviations, journey.version, journey.standing, journey.off = [], 0, "conforming", 0
    return course


def _day(at: int) -> int:
    return date(1970, 1, 1).toordinal() + at // DAY


def _afterwards(bench: Bench, kind: str, orders: int) -> tuple[float, float]:
    """Events a second through the consumer, and through the floor."""
    url = bench.new_database(kind)
    database = connect(url)
    events = publish(database, trading(orders))
    again = bench.copied(url) if kind == "sqlite" else None
    ours = _rate(bench, database, events)
    rows = _rows_of(database)
    database.dispose()
    other = connect(again or bench.new_database(kind))
    if again is None:
        publish(other, trading(orders))
    begun = bench.processor_seconds()
    _floor(other, rows)
    floor = events / max(bench.processor_seconds() - begun, 0.001)
    other.dispose()
    return ours, floor


def _events_a_second(bench: Bench, database: Database, orders: int) -> float:
    """What is published now, through the consumer."""
    return _rate(bench, database, publish(database, trading(orders)))


def _rate(bench: Bench, database: Database, events: int) -> float:
    begun = bench.processor_seconds()
    ConsumerRunner(database, ConformanceConsumer(lambda _: _Half()), bulk=True).run_to_head()
    return events / max(bench.processor_seconds() - begun, 0.001)


def _rows_of(database: Database) -> Any:
    """What the consumer has written, in the rows that a store takes."""
    with unit_of_work(database, actor=Actor.system("bench")) as work:
        store = ConformanceStore(work.driver, is_sqlite=work.dialect.name == "sqlite")
        courses = store.courses(store.roots_after(0, 10**9))
        return store.course_rows(courses.values(), {})


def _floor(database: Database, rows: Any) -> None:
    with database.read_engine.connect() as connection:
        newest = newest_seq(connection)
        for after in range(0, newest, ALONE):
            read_events(connection, TYPES, after, min(newest, after + ALONE))
    with unit_of_work(database, actor=Actor.system("bench")) as work:
        store = ConformanceStore(work.driver, is_sqlite=work.dialect.name == "sqlite")
        store.save_courses(rows)
