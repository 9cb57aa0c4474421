"""How fast do events become journeys and buckets, and how old is a reading while they keep coming?

Typed: five-line orders that go through up to payment, thirteen events each, two hundred orders under way at a time; one in
twenty is corrected later. Imported: documents of 27 lines as a wholesaler's file has them, five hundred to a batch, all
captured before the first is shipped, so that the events of one lie thousands apart; one in six is returned and corrected two
batches later. Both are published through a real unit of work; only the consumer is timed, once alone with long batches and
once as a worker far behind beside others, whose batches may not keep SQLite's only writer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select

from app.composition.uow import Database, connect
from app.jobs.consumers import ConsumerRunner
from benchmarks.registry import Bench, Figure
from erpcore import published as p
from erpcore.kernel.events import ConsumerCursor, Event
from readiness.measures.consumer import JourneyConsumer
from tests.support.events import MONDAY, AnOrder, Said, a_line, a_smooth_order, interleaved, publish

#: Orders of one measurement: about fifty thousand events.
_ORDERS = 4_000
_UNDER_WAY = 200
_RATE = 500
#: Of an imported file: documents, to a batch, lines of each.
_DOCUMENTS = 3_000
_PER_BATCH, _LINES = 500, 27


def measure(bench: Bench) -> Iterator[Figure]:
    """Events a second on an idle database, and the age of a reading at five hundred events a second."""
    orders = _ORDERS // 20 if bench.quick else _ORDERS
    documents = _DOCUMENTS // 6 if bench.quick else _DOCUMENTS
    for kind in bench.databases:
        promise = 20_000 if kind == "sqlite" else None
        for what, said in (("typed", _trading(orders)), ("imported", _imported(documents))):
            alone = [_caught_up(bench.new_database(kind), said, bulk=True)[0] for _ in range(bench.repeat)]
            yield Figure(
                f"{what} events into journeys, buckets", kind, bench.median(alone), "events/s", limit=promise, at_least=True
            )  # fmt: skip
            beside = [_caught_up(bench.new_database(kind), said, bulk=False) for _ in range(bench.repeat)]
            yield Figure(
                f"{what} events, a worker far behind", kind, bench.median(rate for rate, _ in beside), "events/s"
            )
            if kind == "sqlite":
                held = bench.median(longest for _, longest in beside)
                yield Figure(f"{what}, longest batch far behind", kind, held * 1000, "ms", limit=100)
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


def _caught_up(url: str, said: Sequence[Said], *, bulk: bool) -> tuple[float, float]:
    """Events a second from the first to the head, and the longest that a batch was open."""
    database = connect(url)
    publish(database, said)
    runner = ConsumerRunner(database, JourneyConsumer(), bulk=bulk)
    taken, longest, start = 0, 0.0, time.perf_counter()
    while (done := runner.run_once()) is not None:
        taken, longest = taken + done.events, max(longest, done.held)
        if done.is_at_head:
            break
    rate = taken / (time.perf_counter() - start)
    database.dispose()
    return rate, longest


def _imported(documents: int) -> list[Said]:
    said: list[Said] = []
    sold: list[AnOrder] = []
    for first in range(0, documents, _PER_BATCH):
        at = MONDAY + timedelta(days=first // 100)
        orders = [
            AnOrder(id=10_000_000 + 10 * n, lines=[a_line(k + 1, day=at.date()) for k in range(_LINES)], at=at)
            for n in range(first, min(documents, first + _PER_BATCH))
        ]
        for step in _STEPS:
            for order in orders:
                step(order)
                said += order.said
                order.said.clear()
        for order in sold[-2 * _PER_BATCH : -_PER_BATCH : 6]:
            order.corrected(order.id + 2)
            said += [*_returned(order.id + 5, order.at), *order.said]
        sold += orders
    return said


#: What an import says of a batch of documents, one kind after the other.
_STEPS: tuple[Callable[[AnOrder], object], ...] = (
    lambda order: order.captured().say(p.OrderValidated(), "order_to_cash.validate").promised(),
    lambda order: order.released(),
    lambda order: order.allocated(),
    lambda order: order.picked(order.id + 1),
    lambda order: order.shipped(order.id + 1).triggered(order.id + 2),
    lambda order: order.invoiced(order.id + 2),
    lambda order: order.posted(order.id + 2, "invoice"),
)


def _returned(identity: int, at: datetime) -> list[Said]:
    """A return from request to credit."""
    back = AnOrder(id=identity, at=at)
    steps: tuple[tuple[Event, str], ...] = (
        (p.ReturnRequested(order=identity - 5, reason="unwanted", value=1_000), "request"),
        (p.ReturnAuthorised(), "authorise"),
        (p.ReturnReceived(), "receive"),
        (p.ReturnCredited(credit_memo=identity + 1), "credit"),
    )
    for event, step in steps:
        back.say(event, f"returns_to_credit.{step}", subject=("return", identity))
    return back.said


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
