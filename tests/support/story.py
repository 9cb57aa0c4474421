"""How a story ended: everything the books say of one order, as figures that a test states whole."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.orders.allocation import allocate_orders
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.proof import compare_with_rebuild
from readiness.measures.queries import Scope, read_measure
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES
from tests.support.rows import rows as stored
from tests.support.warehouse import TODAY

BOTH: dict[str, Any] = {"rules": RULES, "cells": OPEN}
#: What is told of an order as (good ones, those that count), and the key under which the catalogue knows it.
FIGURES = {
    "filled": "fill_rate_lines", "on time in full": "otif_lines", "promise kept": "promise_accuracy",
    "perfect": "perfect_order_rate", "touchless": "touchless_rate", "exception": "order_exception_rate",
}  # fmt: skip


def rows(business: Any, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    return stored(business.database, sql, **values)


def came(business: Any, quantity: int, item: int = 0) -> None:
    """A delivery that nobody expected."""
    with business.work() as work:
        change = ChangeStock(site=business.site, item=business.items[item], quantity=Decimal(quantity), note="delivery")
        receive_stock(work, [change], **BOTH)


def allocate(business: Any, *orders: Any) -> None:
    with business.work() as work:
        allocate_orders(work, [order.id for order in orders], **BOTH)


def pick(business: Any, order: Any, **changes: Any) -> list[Any]:
    """What is allocated of the order, taken from the shelf."""
    with business.work() as work:
        return pick_orders(work, [PickOrder(order=order.id, **changes)], cells=OPEN)


def send(business: Any, order: Any, **changes: Any) -> list[int]:
    """Pick what is allocated and send it; the shipments."""
    ids = [one.id for one in pick(business, order, **changes)]
    leave(business, ids)
    return ids


def on_its_day(business: Any) -> None:
    """Wednesday, on which the goods shall leave by the standard of the tests' business."""
    business.clock.advance(timedelta(days=2))


def leave(business: Any, ids: list[int]) -> None:
    with business.work() as work:
        confirm_shipments(work, ids, **BOTH)


def arrive(business: Any, ids: list[int], *, days: int = 1, **damaged: Any) -> None:
    """The shipments arrive so many days later and are billed."""
    business.clock.advance(timedelta(days=days))
    with business.work() as work:
        deliver_shipments(work, [DeliverShipment(shipment=one, **damaged) for one in ids], **BOTH)
    bill(business, ids)


def bill(business: Any, ids: list[int]) -> None:
    with business.work() as work:
        drafts = draft_invoices(work, ids, cells=OPEN)
        post_invoices(work, [one.id for one in drafts], cells=OPEN)


def told(business: Any, order: Any) -> list[str]:
    """What happened to the order, in the words of its events."""
    sql = "SELECT type FROM event_log WHERE journey = :o ORDER BY seq"
    return [name for (name,) in rows(business, sql, o=order.id)]


def ending(business: Any, order: Any) -> dict[str, Any]:
    """State, lines as (ordered, allocated, picked, shipped, cancelled) and days as (requested, committed, first, now) counted
    from the Monday, stock as (on hand, reserved, blocked), exposure as (owed, shipped, released), ledger and figures.

    The books agree and the journeys are those of a rebuild, or the test fails here.
    """
    assert_books_agree(business.database)
    ConsumerRunner(business.database, JourneyConsumer(), clock=business.clock).run_to_head()
    lines = rows(
        business,
        "SELECT line_no, quantity, allocated, picked, shipped, cancelled, requested_on, committed_on, first_promised_on, "
        "promised_on FROM order_line WHERE order_id = :o ORDER BY line_no",
        o=order.id,
    )
    return {
        "state": rows(business, "SELECT state FROM sales_order WHERE id = :o", o=order.id)[0][0],
        "lines": {line[0]: tuple(int(value) // 1000 for value in line[1:6]) for line in lines},
        "days": {line[0]: tuple(_days(value) for value in line[6:]) for line in lines},
        "stock": stock(business, order.site_id),
        "exposure": rows(
            business, "SELECT receivable_minor, shipped_minor, released_minor FROM credit_exposure ORDER BY customer_id"
        )[0],
        "ledger": ledger(business),
        "figures": figures(business, order.site_id),
    }


def stock(business: Any, site: int | None = None) -> list[tuple[int, ...]]:
    """(on hand, reserved, blocked) of each item at a site."""
    sql = "SELECT on_hand, reserved, blocked FROM stock_balance WHERE site_id = :s ORDER BY item_id"
    return [tuple(int(value) // 1000 for value in row) for row in rows(business, sql, s=site or business.site)]


def _days(value: Any) -> int | None:
    if value is None:
        return None
    return ((value if isinstance(value, date) else date.fromisoformat(value)) - TODAY).days


def ledger(business: Any) -> dict[str, int]:
    """Debits less credits of each account that has any, by its role, without the opening of the stock."""
    found = rows(
        business,
        "SELECT a.role, SUM(l.debit_minor - l.credit_minor) FROM journal_line l JOIN ledger_account a ON a.id = l.account_id "
        "GROUP BY a.role ORDER BY a.role",
    )
    return {role: int(amount) for role, amount in found if amount}


def figures(business: Any, site: int) -> dict[str, tuple[int, int]]:
    """The measures of the site over all that is finished; the journeys are the same when built anew."""
    scope, as_of = Scope(sites=frozenset({site})), business.clock.now() + timedelta(days=400)
    with reading(business.database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
        found = {name: read_measure(session, key, scope, as_of=as_of, window=800) for name, key in FIGURES.items()}
    return {name: (one.numerator, one.denominator) for name, one in found.items()}
