"""How long does a replay of recent orders under a proposed variant take, of one core?

Orders of three lines of 300 items over four weeks, by 40 customers; every day goods come, of half of the items too few and of the
others more than a day needs, so that lines wait a day and are served. The variant lets the site ship whole orders only. Both sides,
from reading the orders to the record.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from app.composition.replaying.asking import ask_replay
from app.composition.replaying.runs import run_replays
from app.composition.uow import connect, unit_of_work
from benchmarks.registry import Bench, Figure, peak_memory_mb
from erpcore.inventory.stock import ChangeStock, open_stock
from erpcore.masterdata.addresses import AddressContent, add_address
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
        )  # fmt: skip
        buyers = [one.id for one in made]
        usual = AddressContent(
            code="main", name="Bau", street="Ruhrstraße 4", postal_code="47051", city="Duisburg", country="Germany"
        )
        for buyer in buyers:
            add_address(work, buyer, usual, valid_from=date(2020, 1, 1))
    for first in range(0, count, _AT_ONCE):
        business.clock.set(_BEGIN + timedelta(days=_DAYS) * first / count)
        some = range(first, min(first + _AT_ONCE, count))
        with business.work(source="edi") as work:
            capture_orders(work, [_order(business, buyers, number) for number in some], rules=RULES, cells=OPEN)


def _order(business: Business, buyers: Sequence[int], number: int) -> CaptureOrder:
    lines = [
        NewLine(item=business.items[(number * 3 + n) % _ITEMS], quantity=Decimal(1 + (number + n) % 7))
        for n in range(3)
    ]
    return CaptureOrder(
        site=business.site, channel=business.channel, customer=buyers[number % _CUSTOMERS], lines=lines,
        customer_reference=str(number),
    )  # fmt: skip


def goods(business: Business, count: int) -> None:
    """What comes every day: on average what a day needs."""
    daily = count * 3 * 4 // _DAYS // _ITEMS
    for day in range(1, _DAYS):
        business.clock.set(_BEGIN + timedelta(days=day, hours=1))
        with business.work() as work:
            open_stock(
                work,
                [
                    ChangeStock(
                        site=business.site, item=item, note="came",
                        quantity=Decimal(max(1, daily * (2 if (n + day) % 2 else 6) // 4)),
                    )
                    for n, item in enumerate(business.items)
                ],
                rules=RULES, cells=OPEN,
            )  # fmt: skip


def measure(bench: Bench) -> Iterator[Figure]:
    """Processor seconds of a replay of as many orders as were promised, and the most memory that this process had."""
    count = 1_000 if bench.quick else PROMISED
    for kind in bench.databases:
        database = connect(bench.new_database(kind))
        business = a_business(database, items=_ITEMS, stock=max(1, count * 3 * 4 // _DAYS // _ITEMS), at=_BEGIN)
        orders(business, count)
        goods(business, count)
        business.clock.set(_BEGIN + timedelta(days=_DAYS))
        variant = ask_for(business, "partial_shipment", value=False)
        with unit_of_work(database, actor=ASKS, clock=business.clock) as work:
            ask_replay(work, AskReplay(variant=variant, days=_DAYS + 1, most=count))
        begin = time.process_time()
        run_replays(database, clock=business.clock)
        taken = time.process_time() - begin
        database.dispose()
        limit = SECONDS * count / PROMISED
        yield Figure(f"replay of {count:,} orders", kind, taken, "s of one core", limit=limit)
        yield Figure("peak memory until then", kind, peak_memory_mb(), "MB")
