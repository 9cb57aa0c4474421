"""How long does an allocation run take over 20,000 short lines of 2,000 items: simulated with its explanation, then committed?

The floor writes the same rows in plain SQL: a reservation and a changed line for each winner, a row of explanation for each line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from app.composition.uow import Database, connect
from benchmarks.registry import Bench, Figure
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.releasing import release_orders
from erpcore.orders.runs import SimulateRun, commit_run, simulate_run
from erpcore.orders.services import capture_orders
from tests.support.core import OPEN, RULES, a_business

ITEMS, LINES_OF_AN_ITEM = 2_000, 10
#: Seconds for simulating and committing together.
_LIMIT = 10


def _short_lines(database: Database, items: int) -> Any:
    """Orders of ten lines each, all short, ten lines for an item; then stock comes for half of what waits."""
    business = a_business(database, items=items, stock=0)
    count = items * LINES_OF_AN_ITEM // 10
    for start in range(0, count, 100):
        with business.work() as work:
            commands = [
                business.order([((number * 10 + line * 97) % items, 10) for line in range(10)])
                for number in range(start, min(start + 100, count))
            ]
            keys = [order.id for order in capture_orders(work, commands, rules=RULES, cells=OPEN)]
            release_orders(work, keys, rules=RULES, cells=OPEN)
            allocate_orders(work, keys, rules=RULES, cells=OPEN)
    with business.work() as work:
        changes = [
            ChangeStock(site=business.site, item=item, quantity=Decimal(55), note="delivery") for item in business.items
        ]
        receive_stock(work, changes, rules=RULES, cells=OPEN)
    return business


def _timed(bench: Bench, act: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds on the clock, seconds of processor time, and what came of it."""
    begun, spent = time.perf_counter(), bench.processor_seconds()
    result = act()
    return time.perf_counter() - begun, bench.processor_seconds() - spent, result


def _floor(database: Database, lines: int) -> float:
    """Seconds for the same rows in plain SQL, in one transaction."""
    winners = [{"id": 10**15 + n, "line": n, "q": 10_000} for n in range(lines // 2)]
    explained = [{"run": 1, "line": n, "rank": n, "q": 10_000, "why": "served"} for n in range(lines)]
    with database.write_engine.begin() as connection:
        connection.execute(text("CREATE TABLE bench_held (id BIGINT PRIMARY KEY, line BIGINT, quantity BIGINT)"))
        connection.execute(text("CREATE TABLE bench_line (id BIGINT PRIMARY KEY, allocated BIGINT)"))
        connection.execute(
            text(
                "CREATE TABLE bench_why (run BIGINT, line BIGINT, rank BIGINT, got BIGINT, why TEXT, PRIMARY KEY (run, line))"
            )
        )
        connection.execute(text("INSERT INTO bench_line VALUES (:line, 0)"), [{"line": n} for n in range(lines)])
    begun = time.perf_counter()
    with database.write_engine.begin() as connection:
        connection.execute(text("SELECT id, allocated FROM bench_line")).all()
        connection.execute(text("INSERT INTO bench_why VALUES (:run, :line, :rank, :q, :why)"), explained)
        connection.execute(text("INSERT INTO bench_held VALUES (:id, :line, :q)"), winners)
        connection.execute(text("UPDATE bench_line SET allocated = allocated + :q WHERE id = :line"), winners)
    return time.perf_counter() - begun


def measure(bench: Bench) -> Iterator[Figure]:
    """Simulating, committing and both, on each database."""
    items = 100 if bench.quick else ITEMS
    for kind in bench.databases:
        database = connect(bench.new_database(kind))
        business = _short_lines(database, items)

        def simulate(business: Any = business) -> Any:
            with business.work() as work:
                return simulate_run(work, SimulateRun(site=business.site), rules=RULES, cells=OPEN)

        took, simulating, run = _timed(bench, simulate)

        def commit(business: Any = business, run: Any = run) -> None:
            with business.work() as work:
                commit_run(work, run.id, rules=RULES, cells=OPEN)

        committed, committing, _ = _timed(bench, commit)
        size = f"{run.lines:,} short lines of {run.places:,} items"
        yield Figure(f"allocation run simulated, {size}", kind, took, "s")
        yield Figure(f"allocation run committed, {size}", kind, committed, "s", floor=_floor(database, run.lines))
        yield Figure(f"allocation run in all, {size}", kind, took + committed, "s", limit=_LIMIT)
        yield Figure("processor time of both", kind, simulating + committing, "s")
        database.dispose()
