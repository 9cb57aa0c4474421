"""Do many writers on the same five items ever promise more than there is, wait long, or stand in each other's way?

Eight processes on PostgreSQL, four on SQLite, take orders of the same five scarce items, promise stock, ship, cancel and receive.
Beside it the same with items spread over the catalogue, which shows what the contention costs; then once more while writers are
killed in the middle (SIGKILL) and others take their place. After each, stock, reservations and moves are recomputed from their
rows, and ``wavegate prove`` compares everything it knows.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import SpawnProcess
from random import Random
from typing import Any

import orjson
from sqlalchemy import text

from app.composition.uow import Database, connect, reading
from app.security.roles import ROLES
from benchmarks.hot_writer import Job, write
from benchmarks.registry import Bench, Figure
from benchmarks.site import a_live_business
from tests.support.web import a_person

WRITERS = {"postgresql": 8, "sqlite": 4}
_HOT, _CATALOGUE, _CUSTOMERS, _STOCK = 5, 1_000, 50, 60
_P99_MS, _TIMES_SLOWER = 1_000, 3
#: Seconds until the writers' processes must have started.
_START = 120
_KILL_EVERY = 1.0

#: Places where what is promised, blocked or gone does not fit what is there, counted from the rows themselves.
_BEYOND = """
SELECT COUNT(*) FROM stock_balance b
LEFT JOIN (SELECT site_id, item_id, SUM(quantity - consumed - freed) AS held FROM reservation GROUP BY site_id, item_id) r
  ON r.site_id = b.site_id AND r.item_id = b.item_id
LEFT JOIN (SELECT site_id, item_id, SUM(quantity) AS there FROM stock_move GROUP BY site_id, item_id) m
  ON m.site_id = b.site_id AND m.item_id = b.item_id
WHERE COALESCE(r.held, 0) > COALESCE(m.there, 0) - b.blocked OR COALESCE(r.held, 0) <> b.reserved
   OR COALESCE(m.there, 0) <> b.on_hand OR b.on_hand < 0
"""


@dataclass
class Outcome:
    """What several writers did together."""

    seconds: float
    orders: int = 0
    shipped: int = 0
    cancelled: int = 0
    killed: int = 0
    waits: dict[str, list[float]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def add(self, told: dict[str, Any]) -> None:
        """What one writer reported."""
        self.orders, self.shipped = self.orders + told["orders"], self.shipped + told["shipped"]
        self.cancelled += told["cancelled"]
        self.refused += told["refused"]
        for name, waits in told["waits"].items():
            self.waits.setdefault(name, []).extend(waits)

    @property
    def rate(self) -> float:
        return self.orders / self.seconds

    def p99(self) -> tuple[str, float]:
        """The step that is slowest by its 99th of a hundred, and that."""
        return max(((name, _p99(found)) for name, found in self.waits.items()), key=lambda one: one[1])

    def __str__(self) -> str:
        parts = [f"{name} {_p99(found):.0f}" for name, found in self.waits.items()]
        return (
            f"{self.orders} orders, {self.shipped} shipped, {self.cancelled} cancelled, {self.killed} writers killed; "
            f"p99 in ms: {', '.join(parts)}"
        )


def _p99(figures: Sequence[float]) -> float:
    ordered = sorted(figures)
    return ordered[max(0, -(-99 * len(ordered) // 100) - 1)]


def measure(bench: Bench) -> Iterator[Figure]:
    """Each database: hot, spread out, hot with killings; what was promised, refused and proven each time."""
    seconds = 4.0 if bench.quick else bench.seconds
    for kind in bench.databases:
        url = bench.new_database(kind)
        database = connect(url)
        business, customers = a_live_business(database, items=_CATALOGUE, stock=_STOCK, customers=_CUSTOMERS)
        # What a killed writer leaves short is somebody's, as at any site with people.
        for role in ROLES:
            a_person(database, role)
        common = {"url": url, "site": business.site, "channel": business.channel, "customers": customers}
        writers = WRITERS[kind]
        hot = run(bench, {**common, "items": business.items[:_HOT]}, writers=writers, seconds=seconds)
        yield from _judged(kind, f"{writers} writers on {_HOT} items", hot, database)
        spread = run(
            bench, {**common, "items": business.items[_HOT:], "fully": False}, writers=writers, seconds=seconds / 2
        )
        what = f"hot items beside spread out, {writers} writers"
        yield Figure(what, kind, hot.rate, "orders/s", floor=spread.rate, limit=_TIMES_SLOWER)
        yield Figure("p99 spread out", kind, spread.p99()[1], "ms")
        killed = run(bench, {**common, "items": business.items[:_HOT]}, writers=writers, seconds=seconds / 2, kill=True)
        yield Figure("writers killed", kind, float(killed.killed), "n", limit=1, at_least=True)
        yield from _judged(kind, "while writers are killed", killed, database, hurried=False)
        database.dispose()


def _judged(kind: str, what: str, found: Outcome, database: Database, *, hurried: bool = True) -> Iterator[Figure]:
    print(f"  {kind}, {what}: {found}")
    for refusal in sorted(set(found.refused)):
        print(f"    refused {found.refused.count(refusal)} times: {refusal}")
    step, p99 = found.p99()
    yield Figure(f"{what}: p99 of the slowest step ({step})", kind, p99, "ms", limit=_P99_MS if hurried else None)
    yield Figure(f"{what}: refused to the user", kind, float(len(found.refused)), "n", limit=0)
    if kind == "postgresql":
        yield Figure(f"{what}: deadlocks", kind, _deadlocks(database), "n", limit=0)
    with reading(database) as session:
        yield Figure(f"{what}: places promised beyond", kind, float(session.scalar(text(_BEYOND)) or 0), "n", limit=0)
    yield Figure(f"{what}: totals that differ", kind, float(_prove(database.url)), "n", limit=0)


def _deadlocks(database: Database) -> float:
    with reading(database) as session:
        return float(
            session.scalar(text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")) or 0
        )


def _prove(url: str) -> int:
    """How many totals differ by ``wavegate prove``."""
    asked = [sys.executable, "-c", "from app.cli import main; main()", "prove", "--json"]
    done = subprocess.run(  # noqa: S603 - our own command
        asked, env={**os.environ, "WAVEGATE_DATABASE_URL": url}, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1) or not done.stdout:
        raise RuntimeError(f"wavegate prove failed:\n{done.stderr[-2000:]}")
    told = orjson.loads(done.stdout)
    wrong = [row for row in told["totals"] if row["difference"]]
    for row in wrong[:5]:
        print(f"    differs: {row['what']}: {row['left']} and {row['right']}, first {row['first']}")
    return len(wrong) + (0 if told["audit"]["broken_at"] is None else 1)


def run(bench: Bench, job: dict[str, Any], *, writers: int, seconds: float, kill: bool = False) -> Outcome:
    """Let so many processes work on one database for so long. With ``kill`` one after the other is killed and replaced."""
    folder = bench.new_folder()
    seeds = iter(range(time.time_ns() % 10**9 * 1000, 10**13))

    def start() -> tuple[SpawnProcess, Job]:
        given = Job(**job, seed=next(seeds), folder=folder)
        process = multiprocessing.get_context("spawn").Process(target=write, args=(given,))
        process.start()
        return process, given

    running = [start() for _ in range(writers)]
    _wait_for(running)
    until = time.time() + seconds
    prepared = folder / "going"
    prepared.write_text(str(until))
    prepared.rename(running[0][1].go)
    killed = _kill_some(running, start, until) if kill else 0
    for process, _ in running:
        process.join(seconds + 120)
        if process.exitcode != 0:
            raise RuntimeError(f"a writer ended with {process.exitcode}")
    found = Outcome(seconds, killed=killed)
    for _, given in running:
        found.add(orjson.loads(given.report.read_bytes()))
    return found


def _wait_for(running: Sequence[tuple[SpawnProcess, Job]]) -> None:
    deadline = time.monotonic() + _START
    while not all(given.ready.exists() for _, given in running):
        if time.monotonic() > deadline or any(process.exitcode is not None for process, _ in running):
            raise RuntimeError("the writers did not start")
        time.sleep(0.05)


def _kill_some(
    running: list[tuple[SpawnProcess, Job]], start: Callable[[], tuple[SpawnProcess, Job]], until: float
) -> int:
    """Kill writers at moments of chance, whatever they are about, until it is nearly over; each is replaced at once."""
    random, count = Random(7), 0
    while time.time() < until - 2 * _KILL_EVERY:
        time.sleep(random.uniform(0, 2 * _KILL_EVERY))
        place = random.randrange(len(running))
        process, given = running[place]
        if process.pid is None or not given.ready.exists():
            continue
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        count += 1
        running[place] = start()
    return count
