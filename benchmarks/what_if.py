"""How long does a replay of recent orders under a proposed variant take, of one core?

Orders of three lines of 300 items, a few hundred a day, by 40 customers; a variant that lets a site ship whole orders only. Both
sides, from reading the orders to the record.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.composition.replaying.asking import ask_replay
from app.composition.replaying.runs import run_replays
from app.composition.uow import connect, unit_of_work
from benchmarks.registry import Bench, Figure
from erpcore.masterdata.services import NewCustomer, add_customers
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from governance.replays.services import AskReplay
from tests.support.core import OPEN, RULES, Business, a_business
from tests.support.policies import ASKS, ask_for

#: What was promised: so many orders in less than so many seconds.
PROMISED, SECONDS = 50_000, 120
_DAYS, _ITEMS, _CUSTOMERS, _AT_ONCE = 28, 300, 40, 250
_BEGIN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def orders(business: Business, count: int) -> None:
    """So many orders over the days, each batch at its own instant; captured and no further."""
    with business.work() as work:
        made = add_customers(
            work,
            [
                NewCustomer(
                    entity=business.entity, code=f"C{n}", name=f"Customer {n}", country="Germany", currency="EUR"
                )
                for n in range(_CUSTOMERS)
            ],
        )
        buyers = [one.id for one in made]
    for first in range(0, count, _AT_ONCE):
        business.clock.set(_BEGIN + timedelta(days=_DAYS) * first / count)
        with business.work(source="edi") as work:
            capture_orders(
                work,
                [
                    CaptureOrder(
                        site=business.site, channel=business.channel, customer=buyers[number % _CUSTOMERS], customer_reference=str(number),
                        lines=[
                            NewLine(item=business.items[(number * 3 + n) % _ITEMS], quantity=Decimal(1 + (number + n) % 7))
                            for n in range(3)
                        ],
                    )
                    for number in range(first, min(first + _AT_ONCE, count))
                ],
                rules=RULES, cells=OPEN,
            )  # fmt: skip


def measure(bench: Bench) -> Iterator[Figure]:
    """Processor seconds of a replay of all orders, and what that makes for as many as were promised."""
    count = 1_000 if bench.quick else 10_000
    for kind in bench.databases:
        database = connect(bench.new_database(kind))
        # A quarter of what is ordered is not there.
        business = a_business(database, items=_ITEMS, stock=count * 3 * 4 * 3 // 4 // _ITEMS, at=_BEGIN)
        orders(business, count)
        business.clock.set(_BEGIN + timedelta(days=_DAYS))
        variant = ask_for(business, "partial_shipment", value=False)
        with unit_of_work(database, actor=ASKS, clock=business.clock) as work:
            ask_replay(work, AskReplay(variant=variant, days=_DAYS + 1, most=count))
        begin = time.process_time()
        run_replays(database, clock=business.clock)
        taken = time.process_time() - begin
        database.dispose()
        yield Figure(f"replay of {count} orders", kind, taken, "s of one core")
        yield Figure(f"the same for {PROMISED} orders", kind, taken * PROMISED / count, "s of one core", limit=SECONDS)
