"""What does an order cost from capture to paid, typed one at a time with a commit for each of its five steps, and in batches?

The same cycle as the raw floor's: an order of five lines is captured, allocated, shipped, invoiced and paid, each step in a unit
of work of its own, through the services that screens and API call. The floor writes the rows of such an order by plain SQL.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from app.composition.uow import connect
from benchmarks.raw_floor import (
    BATCH,
    Order,
    PostgresStore,
    SqliteStore,
    Store,
    build,
    orders,
    write_by_step,
    write_in_batches,
)
from benchmarks.registry import Bench, Figure
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from tests.support.core import OPEN, RULES, Business, a_business

ITEMS = 200
LINES = 5


def cycle(business: Business, numbers: Sequence[int]) -> None:
    """These orders from capture to paid: each step of all of them is one unit of work."""
    commands = [
        CaptureOrder(
            site=business.site, channel=business.channel, customer=business.customer,
            lines=[
                NewLine(item=business.items[(number * LINES + n) % ITEMS], quantity=Decimal(1 + (number + n) % 9))
                for n in range(LINES)
            ],
        )
        for number in numbers
    ]  # fmt: skip
    with business.work() as work:
        taken = [order.id for order in capture_orders(work, commands, rules=RULES, cells=OPEN)]
    with business.work() as work:
        release_orders(work, taken, rules=RULES, cells=OPEN)
        allocate_orders(work, taken, rules=RULES, cells=OPEN)
    with business.work() as work:
        sent = [one.id for one in pick_orders(work, [PickOrder(order=key) for key in taken], cells=OPEN)]
        confirm_shipments(work, sent, rules=RULES, cells=OPEN)
        deliver_shipments(work, [DeliverShipment(shipment=key) for key in sent], rules=RULES, cells=OPEN)
    with business.work() as work:
        invoices = draft_invoices(work, sent, cells=OPEN, rules=RULES)
        post_invoices(work, [one.id for one in invoices], cells=OPEN)
    with business.work() as work:
        receipts = receive_cash(
            work,
            [
                ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=one.gross_minor)
                for one in invoices
            ],
        )
        apply_cash(
            work,
            [
                ApplyCash(receipt=receipt, invoice=one.id, amount_minor=one.gross_minor)
                for receipt, one in zip(receipts, invoices, strict=True)
            ],
        )


def measure(bench: Bench) -> Iterator[Figure]:
    """Milliseconds per order, one at a time and in batches, beside the floor's."""
    for kind in bench.databases:
        database = connect(bench.new_database(kind))
        business = a_business(database, items=ITEMS, stock=10_000_000)
        cycle(business, range(10))
        one, many = (30 if bench.quick else 200), BATCH * (1 if bench.quick else 4)
        mine, base = _compared(bench, kind, business, write_by_step, one, 1)
        yield Figure("typed order, five commits", kind, mine, "ms/order", floor=base, limit=8)
        mine, base = _compared(bench, kind, business, write_in_batches, many, BATCH)
        yield Figure(f"order in batches of {BATCH}", kind, mine, "ms/order", floor=base)
        database.dispose()


def _compared(
    bench: Bench,
    kind: str,
    business: Business,
    write: Callable[[Store, Sequence[Order]], float],
    count: int,
    at_once: int,
) -> tuple[float, float]:
    """Milliseconds per order: ours, so many at once, and the floor's."""
    store = SqliteStore(bench.new_file()) if kind == "sqlite" else PostgresStore(bench.new_postgres())
    build(store)
    prepared = orders(count * (bench.repeat + 1))
    given = iter([prepared[first : first + count] for first in range(0, len(prepared), count)])

    def ours() -> float:
        begin = time.perf_counter()
        for first in range(0, count, at_once):
            cycle(business, range(first, first + at_once))
        return (time.perf_counter() - begin) / count * 1000

    found = bench.alternate(ours, lambda: write(store, next(given)) / count * 1000)
    store.close()
    return found
