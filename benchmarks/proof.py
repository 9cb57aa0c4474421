"""How long does ``wavegate prove`` take over a million order lines, how much memory, and how many events a second does it build anew?

The past is a day of trading repeated by plain SQL, so that the books agree; ``prove`` is the command itself, in a process of its own. What
``--rebuild`` adds is measured where events are whole: orders that the services captured, shipped and billed, read by the consumers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import orjson
from sqlalchemy import text

from app.composition.subscriptions import CONSUMERS
from app.composition.uow import Database, connect, reading
from app.jobs.billing import bill_due_shipments
from app.jobs.consumers import ConsumerRunner
from benchmarks.history import DAY, go_back, trade_a_day
from benchmarks.invoice_run import shipped_orders
from benchmarks.registry import Bench, Figure
from benchmarks.site import a_live_business
from erpcore.kernel.clock import SystemClock

_LINES, _ORDERS = 1_000_000, 5_000
_SECONDS, _MEGABYTES, _EVENTS = 60, 300, 15_000
#: The command, which says on its last line of errors how much memory it took.
_PROVE = """
import atexit, sys
from benchmarks.registry import peak_memory_mb
atexit.register(lambda: print(peak_memory_mb(), file=sys.stderr))
from app.cli import main
main()
"""


def measure(bench: Bench) -> Iterator[Figure]:
    """Seconds and memory of the books, and events a second of the rebuild."""
    lines, orders = (20_000, 300) if bench.quick else (_LINES, _ORDERS)
    for kind in bench.databases:
        url = bench.new_database(kind)
        database = connect(url)
        business, customers = a_live_business(database, items=1_200, stock=1_000_000, customers=50)
        go_back(database, trade_a_day(business, customers), lines // DAY)
        database.dispose()
        seconds, memory = _prove(url)
        yield Figure(f"prove over {lines:,} order lines", kind, seconds, "s", limit=_SECONDS)
        yield Figure("its memory", kind, memory, "MB", limit=_MEGABYTES)
        url = bench.new_database(kind)
        database = connect(url)
        shipped_orders(database, orders)
        bill_due_shipments(database, clock=SystemClock())
        _catch_up(database)
        events = _events(database)
        database.dispose()
        without, with_it = _prove(url)[0], _prove(url, "--rebuild")[0]
        rate = events / max(0.001, with_it - without)
        yield Figure(f"rebuild of {events:,} events", kind, rate, "events/s", limit=_EVENTS, at_least=True)


def _catch_up(database: Database) -> None:
    """Let each consumer read to the last event."""
    for consumer in CONSUMERS:
        runner = ConsumerRunner(database, consumer, bulk=True)
        while (done := runner.run_once()) is not None and not done.is_at_head:
            pass


def _prove(url: str, *options: str) -> tuple[float, float]:
    """Seconds and megabytes of the command; raises where something differs."""
    begin = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", _PROVE, "prove", "--json", *options],
        env={**os.environ, "WAVEGATE_DATABASE_URL": url}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        wrong = (
            [row for row in orjson.loads(done.stdout)["totals"] if row["difference"]] if done.stdout else done.stderr
        )
        raise RuntimeError(f"prove does not agree: {wrong[-2000:]}")
    return seconds, float(done.stderr.strip().rsplit("\n", 1)[-1])


def _events(database: Database) -> int:
    with reading(database) as session:
        return int(session.scalar(text("SELECT COUNT(*) FROM event_log")) or 0)
