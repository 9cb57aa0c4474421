"""How many orders of five lines does the API take and release in a second, with four workers on PostgreSQL?

The server is ``wavegate serve`` itself; programs call it over kept connections, each with a key per call as careful programs send
it: capture, then release with the version they were given. Every answer is looked at, and what was taken is counted in the
database afterwards. The processor time per order says on whose account it went: it tells a slow program from a busy machine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from random import Random

from sqlalchemy import text

from app.composition.uow import Database, connect, reading
from benchmarks.processor import is_measurable, processor_seconds
from benchmarks.registry import Bench, Figure
from benchmarks.site import Caller, a_live_business, served
from tests.support.web import a_person, a_token

_WORKERS, _CALLERS, _ITEMS, _CUSTOMERS, _LINES = 4, 8, 200, 50, 5
_LEAST_PER_SECOND = 60


class _Caller(threading.Thread):
    """A program that enters orders until it is told to stop."""

    def __init__(self, caller: Caller, orders: Iterator[dict[str, object]], stop: threading.Event, name: str) -> None:
        super().__init__(name=name)
        self._caller, self._orders, self._stopped = caller, orders, stop
        self.taken, self.refused, self.waits = 0, [], []  # type: int, list[object], list[float]

    def run(self) -> None:
        while not self._stopped.is_set():
            begun = time.perf_counter()
            key = f"{self.name}-{self.taken}-{begun}"
            status, order, etag = self._caller.call("POST", "/orders", next(self._orders), Idempotency_Key=key)
            if status == 201:
                path = f"/orders/{order['id']}/release"
                status, order, _ = self._caller.call("POST", path, If_Match=etag, Idempotency_Key=f"{key}-r")
            if status != 200 or order["state"] != "released":
                self.refused.append(order)
            else:
                self.taken += 1
                self.waits.append((time.perf_counter() - begun) * 1000)


def measure(bench: Bench) -> Iterator[Figure]:
    """Orders per second, what an order waits, and processor time per order."""
    if "postgresql" not in bench.databases:
        return
    url = bench.new_database("postgresql")
    database = connect(url)
    business, customers = a_live_business(database, items=_ITEMS, stock=1_000_000, customers=_CUSTOMERS)
    token = a_token(database, a_person(database, "super_user"), "super_user")
    folder = bench.new_folder()

    def orders(seed: int) -> Iterator[dict[str, object]]:
        random = Random(seed)
        while True:
            lines = [
                {"item": item, "quantity": str(random.randint(1, 9))} for item in random.sample(business.items, _LINES)
            ]
            yield {
                "site": business.site, "channel": business.channel, "customer": random.choice(customers), "lines": lines,
            }  # fmt: skip

    with served(url, folder, workers=_WORKERS) as (server, port):
        _run(port, token, orders, 1 if bench.quick else 4, first=1000)
        pids = (server, bench.server_pid()) if is_measurable() else ()
        before = [processor_seconds(pid) for pid in pids]
        seconds = 3 if bench.quick else min(bench.seconds, 30)
        callers, took, own = _run(port, token, orders, seconds, first=0)
        spent = [processor_seconds(pid) - start for pid, start in zip(pids, before, strict=True)]
    taken = sum(caller.taken for caller in callers)
    refused = [answer for caller in callers for answer in caller.refused]
    if refused:
        print(f"  refused: {refused[0]}")
    _check(database, business.site, at_least=taken)
    database.dispose()
    waits = sorted(wait for caller in callers for wait in caller.waits)
    what = f"order entry to release by API, {_LINES} lines, {_WORKERS} workers"
    yield Figure(what, "postgresql", taken / took, "orders/s", limit=_LEAST_PER_SECOND, at_least=True)
    yield Figure("orders refused meanwhile", "postgresql", float(len(refused)), "n", limit=0)
    yield Figure("capture and release, median", "postgresql", bench.median(waits), "ms")
    yield Figure("capture and release, p99", "postgresql", waits[int(len(waits) * 0.99)], "ms")
    for name, seconds_taken in zip(("site", "database"), spent, strict=False):
        yield Figure(f"processor time of the {name}", "postgresql", seconds_taken / taken * 1000, "ms/order")
    yield Figure("processor time of the callers", "postgresql", own / taken * 1000, "ms/order")


def _run(port: int, token: str, orders: object, seconds: float, *, first: int) -> tuple[list[_Caller], float, float]:
    """Let the callers enter orders for so long; returns them, the seconds it took and the processor time of their own."""
    stop = threading.Event()
    callers = [
        _Caller(Caller(port, token), orders(first + n), stop, f"caller-{first + n}")  # type: ignore[operator]  # a function of a seed
        for n in range(_CALLERS)
    ]
    begun, own = time.perf_counter(), time.process_time()
    for caller in callers:
        caller.start()
    stop.wait(seconds)
    stop.set()
    for caller in callers:
        caller.join()
    return callers, time.perf_counter() - begun, time.process_time() - own


def _check(database: Database, site: int, *, at_least: int) -> None:
    """What was answered is in the database: so many released orders, each of all its lines."""
    with reading(database) as session:
        query = text(
            "SELECT COUNT(*), MIN(n) FROM (SELECT COUNT(*) AS n FROM sales_order o JOIN order_line l ON l.order_id = o.id "
            "WHERE o.site_id = :site AND o.state = 'released' GROUP BY o.id) counted"
        )
        found = session.execute(query, {"site": site}).one()
    if found[0] < at_least or found[1] != _LINES:
        raise RuntimeError(f"{at_least} orders were answered as released, {found} are there")
