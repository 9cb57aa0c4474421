"""What does the invoice run cost over 20,000 shipments of five lines, beside the rows that it leaves written by plain SQL?

Orders are captured, allocated and shipped by the services, a copy of that database is kept, and the run bills it all. The floor makes
of the copy what the database became. Then a run
in a process of its own is killed in the middle and started again: each shipment must have one invoice and each number must be there once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import text

from app.composition.policies import RegisterRules
from app.composition.uow import Database, connect, reading
from app.jobs.billing import bill_due_shipments
from benchmarks.added_rows import seconds_to_become
from benchmarks.registry import Bench, Figure
from benchmarks.site import a_live_business
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.kernel.clock import SystemClock
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.duplicates import DUPLICATE
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from tests.support.core import OPEN

_SHIPMENTS, _LINES, _ITEMS, _CUSTOMERS, _AT_ONCE = 20_000, 5, 200, 50, 250
LIMITS = {"sqlite": 6.0, "postgresql": 4.0}
#: The run of a worker that is killed.
_RUN = """
import sys
from app.composition.uow import connect
from app.jobs.billing import bill_due_shipments
from erpcore.kernel.clock import SystemClock
bill_due_shipments(connect(sys.argv[1]), clock=SystemClock())
"""


def shipped_orders(database: Database, count: int) -> None:
    """So many orders of five lines, shipped and due for their invoice."""
    business, customers = a_live_business(database, items=_ITEMS, stock=10_000_000, customers=_CUSTOMERS)
    rules = RegisterRules()
    for start in range(0, count, _AT_ONCE):
        commands = [
            CaptureOrder(
                site=business.site, channel=business.channel, customer=customers[number % _CUSTOMERS],
                lines=[
                    NewLine(item=business.items[(number * _LINES + n) % _ITEMS], quantity=Decimal(1 + (number + n) % 9))
                    for n in range(_LINES)
                ],
                accepted={DUPLICATE: "ordered twice by chance"},
            )
            for number in range(start, min(start + _AT_ONCE, count))
        ]  # fmt: skip
        with business.work() as work:
            keys = [order.id for order in capture_orders(work, commands, rules=rules, cells=OPEN)]
            release_orders(work, keys, rules=rules, cells=OPEN)
            allocate_orders(work, keys, rules=rules, cells=OPEN)
            shipments = pick_orders(work, [PickOrder(order=key) for key in keys], cells=OPEN)
            confirm_shipments(work, [one.id for one in shipments], rules=rules, cells=OPEN)


def measure(bench: Bench) -> Iterator[Figure]:
    """Seconds of the run beside its floor's, and what a killed run left wrong."""
    count = 500 if bench.quick else _SHIPMENTS
    for kind in bench.databases:
        url = bench.new_database(kind)
        database = connect(url)
        shipped_orders(database, count)
        database.dispose()
        before, killed = bench.copied(url), bench.copied(url)
        database = connect(url)
        begin = time.perf_counter()
        billed = bill_due_shipments(database, clock=SystemClock())
        taken = time.perf_counter() - begin
        database.dispose()
        if billed != count:
            raise RuntimeError(f"{billed} of {count} shipments were billed")
        floor, rows = seconds_to_become(url, before, commits=-(-count // _AT_ONCE))
        print(f"  {kind}: {count:,} invoices in {taken:.1f} s, {rows:,} rows again in {floor:.1f} s")
        yield Figure(f"invoice run over {count:,} shipments", kind, taken, "s", floor=floor, limit=LIMITS[kind])
        yield from _killed(killed, kind, after=taken / 3, count=count)


def _killed(url: str, kind: str, *, after: float, count: int) -> Iterator[Figure]:
    with subprocess.Popen([sys.executable, "-c", _RUN, url], env=dict(os.environ)) as worker:  # noqa: S603 - our own program
        database = connect(url)
        while worker.poll() is None and not _count(database, "SELECT COUNT(*) FROM invoice"):
            time.sleep(0.05)
        time.sleep(after)
        worker.send_signal(signal.SIGKILL)
    half = _count(database, "SELECT COUNT(*) FROM invoice")
    print(f"  {kind}: killed when {half:,} of {count:,} were billed")
    bill_due_shipments(database, clock=SystemClock())
    yield Figure("billed when the run was killed", kind, float(half), "n")
    posted = _count(database, "SELECT COUNT(DISTINCT number) FROM invoice WHERE state = 'posted'")
    doubled = _count(database, "SELECT COUNT(*) - COUNT(DISTINCT shipment_id) FROM invoice")
    last = _count(database, "SELECT MAX(CAST(SUBSTR(number, 10) AS INTEGER)) FROM invoice")
    yield Figure("invoices missing after it ran again", kind, float(count - posted), "n", limit=0)
    yield Figure("shipments billed twice", kind, float(doubled), "n", limit=0)
    yield Figure("gaps in the numbers", kind, float(last - posted), "n", limit=0)
    database.dispose()


def _count(database: Database, query: str) -> int:
    with reading(database) as session:
        return int(session.scalar(text(query)) or 0)
