"""How fast do events become journeys and buckets, and how old is a reading while they keep coming?

The events are those of five-line orders that go through up to payment, thirteen each, two hundred orders under way at a time;
one in twenty is corrected later. They are published through a real unit of work; only the consumer is timed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from random import Random

from sqlalchemy import select

from app.composition.uow import Database, connect
from app.jobs.consumers import ConsumerRunner
from benchmarks.registry import Bench, Figure
from erpcore.kernel.events import ConsumerCursor
from readiness.measures.consumer import JourneyConsumer
from tests.support.events import MONDAY, AnOrder, Said, a_smooth_order, interleaved, publish

#: Orders of one measurement: about fifty thousand events.
_ORDERS = 4_000
_UNDER_WAY = 200
_RATE = 500


def measure(bench: Bench) -> Iterator[Figure]:
    """Events a second on an idle database, and the age of a reading at five hundred events a second."""
    orders = _ORDERS // 20 if bench.quick else _ORDERS
    for kind in bench.databases:
        rates = []
        for _ in range(bench.repeat):
            database = connect(bench.new_database(kind))
            publish(database, _trading(orders))
            runner = ConsumerRunner(database, JourneyConsumer(), bulk=True)
            start = time.perf_counter()
            taken = runner.run_to_head()
            rates.append(taken / (time.perf_counter() - start))
            database.dispose()
        promise = 20_000 if kind == "sqlite" else None
        yield Figure(
            "events into journeys and buckets", kind, bench.median(rates), "events/s", limit=promise, at_least=True
        )
        database = connect(bench.new_database(kind))
        oldest, longest = _live(database, seconds=2 if bench.quick else 10)
        database.dispose()
        yield Figure(f"oldest reading at {_RATE} events/s", kind, oldest, "s", limit=5)
        if kind == "sqlite":
            yield Figure("longest live batch holds the writer", kind, longest * 1000, "ms", limit=100)


def _trading(orders: int) -> list[Said]:
    random = Random(1)
    said: list[Said] = []
    for first in range(0, orders, _UNDER_WAY):
        journeys = []
        for number in range(first, min(orders, first + _UNDER_WAY)):
            at = MONDAY + timedelta(days=number // 100)
            journey = a_smooth_order(10_000 + 10 * number, at=at)
            if number % 20 == 0:
                journey += (
                    AnOrder(id=10_000 + 10 * number, at=at + timedelta(days=5)).corrected(10_002 + 10 * number).said
                )
            journeys.append(journey)
        said += interleaved(journeys, random)
    return said


def _live(database: Database, *, seconds: int) -> tuple[float, float]:
    """Publish steadily beside a live consumer; the greatest time between a commit and its being counted, and the longest batch."""
    runner = ConsumerRunner(database, JourneyConsumer())
    committed: list[tuple[int, float]] = []
    counted: list[tuple[int, float]] = []
    held: list[float] = []
    done = threading.Event()

    def consume() -> None:
        while not (done.is_set() and counted and committed and counted[-1][0] >= committed[-1][0]):
            taken = runner.run_once()
            if taken is not None and taken.events:
                held.append(taken.held)
                counted.append((taken.seq, time.perf_counter()))
            elif taken is None or taken.is_at_head:
                time.sleep(0.1)

    reader = threading.Thread(target=consume)
    reader.start()
    said = _trading(max(1, seconds * _RATE // 13))
    start = time.perf_counter()
    for first in range(0, len(said), _RATE // 10):
        seq = publish(database, said[first : first + _RATE // 10])
        committed.append((seq, time.perf_counter()))
        time.sleep(max(0.0, start + len(committed) / 10 - time.perf_counter()))
    done.set()
    reader.join(60)
    with database.read_engine.connect() as connection:
        read_to = connection.execute(select(ConsumerCursor.seq)).scalar_one()
    if read_to != committed[-1][0]:
        raise RuntimeError(f"the consumer stands at {read_to} of {committed[-1][0]} events")
    ages = []
    for seq, at in committed:
        ages.append(next(when for upto, when in counted if upto >= seq) - at)
    return max(ages), max(held)
