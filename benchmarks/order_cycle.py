"""What does one typed order cost, from capture to paid, with a commit for each of its five steps?

The same cycle as the raw floor's: an order of five lines is captured, allocated, shipped, invoiced and paid, each in a unit of
work of its own, through the services that screens and API call. The floor writes the rows of such an order by plain SQL.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal

from app.composition.uow import connect
from benchmarks.raw_floor import PostgresStore, SqliteStore, build, orders, write_by_step
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


def one_cycle(business: Business, number: int) -> None:
    """An order from capture to paid, in five commits."""
    lines = [
        NewLine(item=business.items[(number * LINES + n) % ITEMS], quantity=Decimal(1 + (number + n) % 9))
        for n in range(LINES)
    ]
    command = CaptureOrder(site=business.site, channel=business.channel, customer=business.customer, lines=lines)
    with business.work() as work:
        (order,) = capture_orders(work, [command], rules=RULES, cells=OPEN)
    with business.work() as work:
        release_orders(work, [order.id], rules=RULES, cells=OPEN)
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
        deliver_shipments(work, [DeliverShipment(shipment=shipment.id)], rules=RULES, cells=OPEN)
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN, rules=RULES)
        post_invoices(work, [invoice.id], cells=OPEN)
    with business.work() as work:
        receipt = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=invoice.gross_minor)
        (taken,) = receive_cash(work, [receipt])
        apply_cash(work, [ApplyCash(receipt=taken, invoice=invoice.id, amount_minor=invoice.gross_minor)])


def measure(bench: Bench) -> Iterator[Figure]:
    """Milliseconds per order, beside the floor's."""
    count = 30 if bench.quick else 200
    for kind in bench.databases:
        database = connect(bench.new_database(kind))
        business = a_business(database, items=ITEMS, stock=10_000_000)
        store = SqliteStore(bench.new_file()) if kind == "sqlite" else PostgresStore(bench.new_postgres())
        build(store)
        prepared = iter([orders(count * (bench.repeat + 1))])
        given = next(prepared)
        taken = [0]

        def floor(store: SqliteStore | PostgresStore = store, given: list = given, taken: list[int] = taken) -> float:  # type: ignore[type-arg]  # a list of prepared orders
            part = given[taken[0] : taken[0] + count]
            taken[0] += count
            return write_by_step(store, part) / count * 1000

        def ours(business: Business = business) -> float:
            begin = time.perf_counter()
            for number in range(count):
                one_cycle(business, number)
            return (time.perf_counter() - begin) / count * 1000

        for number in range(10):
            one_cycle(business, number)
        mine, base = bench.alternate(ours, floor)
        store.close()
        database.dispose()
        yield Figure("typed order, five commits", kind, mine, "ms/order", floor=base, limit=8)
