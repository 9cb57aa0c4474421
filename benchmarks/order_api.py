"""How many orders of five lines does the API take and release in a second, with four workers on PostgreSQL? And from capture to paid?

The server is ``wavegate serve`` itself; programs call it over kept connections, each with a key per call as careful programs send
it: capture, then release with the version they were given; and, measured apart, on through allocation, shipment, invoice and its posting to
the receipt that pays it. Every answer is looked at, and what was taken is counted in the database afterwards. The processor time per order says on whose account it went: it tells a slow program from a busy machine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from zlib import crc32

from sqlalchemy import text

from app.composition.uow import Database, connect, reading
from benchmarks.processor import is_measurable, processor_seconds
from benchmarks.registry import Bench, Figure
from benchmarks.site import Caller, a_live_business, served
from tests.support.web import a_person, a_token

_WORKERS, _CALLERS, _ITEMS, _CUSTOMERS, _LINES = 4, 8, 200, 50, 5
#: What was promised, orders per second.
_LEAST_TAKEN, _LEAST_PAID = 60, 25


#: What a program does with an order: calls the API and returns the answer that refused it, if one did.
Act = Callable[[Caller, dict[str, object], str], object]


class _Caller(threading.Thread):
    """A program that takes orders through until it is told to stop."""

    def __init__(
        self, caller: Caller, act: Act, orders: Iterator[dict[str, object]], stop: threading.Event, name: str
    ) -> None:  # fmt: skip
        super().__init__(name=name)
        self._caller, self._act, self._orders, self._stopped = caller, act, orders, stop
        self.taken, self.refused, self.waits = 0, [], []  # type: int, list[object], list[float]

    def run(self) -> None:
        while not self._stopped.is_set():
            begun = time.perf_counter()
            refused = self._act(self._caller, next(self._orders), f"{self.name}-{self.taken}-{begun}")
            if refused is not None:
                self.refused.append(refused)
            else:
                self.taken += 1
                self.waits.append((time.perf_counter() - begun) * 1000)


def _to_release(caller: Caller, order: dict[str, object], key: str) -> object:
    status, answer, etag = caller.call("POST", "/orders", order, Idempotency_Key=key)
    if status == 201:
        path = f"/orders/{answer['id']}/release"
        status, answer, _ = caller.call("POST", path, If_Match=etag, Idempotency_Key=f"{key}-r")
    return None if status == 200 and answer["state"] == "released" else answer


def _to_cash(entity: int, billing: str, cash: str) -> Act:
    """From capture to paid, the later steps by the tokens of those whose work they are."""

    def act(caller: Caller, order: dict[str, object], key: str) -> object:
        status, answer, etag = caller.call("POST", "/orders", order, Idempotency_Key=key)
        if status != 201:
            return answer
        path = f"/orders/{answer['id']}"
        for move, body in (("release", None), ("allocate", None), ("ship", {})):
            status, answer, etag = caller.call(
                "POST", f"{path}/{move}", body, If_Match=etag, Idempotency_Key=f"{key}-{move}"
            )
            if status != 200:
                return answer
        path, allowed = f"/shipments/{answer['shipments'][0]['id']}/invoice", f"Bearer {billing}"
        status, answer, etag = caller.call("POST", path, Idempotency_Key=f"{key}-i", Authorization=allowed)
        if status != 201:
            return answer
        invoice, gross, path = answer["id"], answer["gross"], f"/invoices/{answer['id']}/post"
        status, answer, _ = caller.call("POST", path, If_Match=etag, Idempotency_Key=f"{key}-p", Authorization=allowed)
        if status != 200:
            return answer
        receipt, allowed = (
            {"entity": entity, "customer": order["customer"], "amount": gross, "reference": f"paid {invoice}"},
            f"Bearer {cash}",
        )
        status, answer, _ = caller.call("POST", "/receipts", receipt, Idempotency_Key=f"{key}-c", Authorization=allowed)
        if status != 201:
            return answer
        path, applied = f"/receipts/{answer['id']}/apply", {"applications": [{"invoice": invoice, "amount": gross}]}
        status, answer, _ = caller.call("POST", path, applied, Idempotency_Key=f"{key}-a", Authorization=allowed)
        return None if status == 200 and answer["left"] == "0.00" else answer

    return act


def measure(bench: Bench) -> Iterator[Figure]:
    """Orders per second, what an order waits, and processor time per order; to the release and to the cash."""
    if "postgresql" not in bench.databases:
        return
    url = bench.new_database("postgresql")
    database = connect(url)
    business, customers = a_live_business(database, items=_ITEMS, stock=1_000_000, customers=_CUSTOMERS)
    tokens = {
        role: a_token(database, a_person(database, role), role) for role in ("super_user", "billing", "collections")
    }

    def orders(seed: int) -> Iterator[dict[str, object]]:
        random = Random(seed)
        while True:
            lines = [
                {"item": item, "quantity": str(random.randint(1, 9))} for item in random.sample(business.items, _LINES)
            ]
            yield {
                "site": business.site, "channel": business.channel, "customer": random.choice(customers), "lines": lines,
            }  # fmt: skip

    to_cash = _to_cash(business.entity, tokens["billing"], tokens["collections"])
    with served(url, bench.new_folder(), workers=_WORKERS) as (server, port):
        site = _Site(port, tokens["super_user"], orders, server, bench)
        yield from site.taking("order entry to release by API", _to_release, "released", least=_LEAST_TAKEN)
        _check(database, business.site, "released", at_least=site.taken)
        yield from site.taking("order to cash by API", to_cash, "paid", least=_LEAST_PAID)
        _check(database, business.site, "closed", at_least=site.taken)
    database.dispose()


@dataclass
class _Site:
    """A site that is served, and programs that call it. ``taken`` is what the last of them got done."""

    port: int
    token: str
    orders: Callable[[int], Iterator[dict[str, object]]]
    server: int
    bench: Bench
    taken: int = 0

    def taking(self, what: str, act: Act, state: str, *, least: float) -> Iterator[Figure]:
        """Figures of one kind of work; the first seconds warm the workers up."""
        bench = self.bench
        self._run(act, 1 if bench.quick else 4, first=f"{state}-warm")
        pids = (self.server, bench.server_pid()) if is_measurable() else ()
        before = [processor_seconds(pid) for pid in pids]
        callers, took, own = self._run(act, 3 if bench.quick else min(bench.seconds, 30), first=state)
        spent = [processor_seconds(pid) - start for pid, start in zip(pids, before, strict=True)]
        self.taken = taken = sum(caller.taken for caller in callers)
        refused = [answer for caller in callers for answer in caller.refused]
        if refused:
            print(f"  refused: {refused[0]}")
        waits = sorted(wait for caller in callers for wait in caller.waits)
        yield Figure(
            f"{what}, {_LINES} lines, {_WORKERS} workers",
            "postgresql",
            taken / took,
            "orders/s",
            limit=least,
            at_least=True,
        )
        yield Figure("orders refused meanwhile", "postgresql", float(len(refused)), "n", limit=0)
        yield Figure(f"until {state}, median", "postgresql", bench.median(waits), "ms")
        yield Figure(f"until {state}, p99", "postgresql", waits[int(len(waits) * 0.99)], "ms")
        for name, seconds in zip(("site", "database"), spent, strict=False):
            yield Figure(f"processor time of the {name}", "postgresql", seconds / taken * 1000, "ms/order")
        yield Figure("processor time of the callers", "postgresql", own / taken * 1000, "ms/order")

    def _run(self, act: Act, seconds: float, *, first: str) -> tuple[list[_Caller], float, float]:
        """Let the callers work for so long; returns them, the seconds it took and the processor time of their own."""
        stop = threading.Event()
        callers = [
            _Caller(
                Caller(self.port, self.token), act, self.orders(crc32(f"{first}{n}".encode())), stop, f"{first}-{n}"
            )
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


def _check(database: Database, site: int, state: str, *, at_least: int) -> None:
    """What was answered is in the database: so many orders in this state, each of all its lines."""
    with reading(database) as session:
        query = text(
            "SELECT COUNT(*), MIN(n) FROM (SELECT COUNT(*) AS n FROM sales_order o JOIN order_line l ON l.order_id = o.id "
            "WHERE o.site_id = :site AND o.state = :state GROUP BY o.id) counted"
        )
        found = session.execute(query, {"site": site, "state": state}).one()
    if found[0] < at_least or found[1] != _LINES:
        raise RuntimeError(f"{at_least} orders were answered as {state}, {found} are there")
