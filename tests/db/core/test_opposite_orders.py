"""Two who do the same with many documents, one from the front and one from the back: one does it, the other is told, nobody is stuck.

From twenty rows on PostgreSQL changes them in one statement, in an order of its own: every service locks them before, sorted.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from sqlalchemy import text

from app.composition.uow import reading
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.services import (
    DeliverShipment,
    PickOrder,
    confirm_shipments,
    deliver_shipments,
    pick_orders,
)
from erpcore.kernel.errors import DomainError
from erpcore.kernel.rows import ARRAYS_FROM
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.holds import HoldOrder, ReleaseHold, hold_orders, release_holds
from erpcore.orders.models import HoldKind
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business

MANY = ARRAYS_FROM + 5
SAME = {"rules": RULES, "cells": OPEN}


def from_both_ends(business, act, keys):
    """``act`` with the keys in order and in reverse at the same time; how each ended."""
    start = threading.Barrier(2)

    def one(mine):
        start.wait()
        try:
            with business.work() as work:
                act(work, mine)
        except DomainError as refusal:
            return type(refusal).__name__
        return "done"

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(one, (list(keys), list(reversed(keys)))))


def ids(business, statement):
    with reading(business.database) as session:
        return list(session.scalars(text(statement)))


def test_two_who_move_the_same_documents_from_opposite_ends_never_wait_for_each_other(database):
    business = a_business(database, items=3, stock=1_000, limit=900_000_000)
    lines = [NewLine(item=item, quantity=Decimal(2)) for item in business.items]
    commands = [
        CaptureOrder(
            site=business.site, channel=business.channel, customer=business.customer, lines=lines[number % 3 :] + lines[: number % 3],
            customer_reference=f"no. {number}",
        )
        for number in range(MANY)
    ]  # fmt: skip
    with business.work() as work:
        orders = [order.id for order in capture_orders(work, commands, **SAME)]
    ends = {}

    def both(name, act, keys):
        ends[name] = from_both_ends(business, act, keys)

    both(
        "hold",
        lambda work, keys: hold_orders(
            work, [HoldOrder(order=key, kind=HoldKind.MANUAL, reason="look") for key in keys]
        ),
        orders,
    )
    holds = ids(business, "SELECT id FROM order_hold WHERE released_at IS NULL ORDER BY id")
    both(
        "end holds",
        lambda work, keys: release_holds(work, [ReleaseHold(hold=key, reason="seen") for key in keys]),
        holds,
    )
    both("release", lambda work, keys: release_orders(work, keys, **SAME), orders)
    both("allocate", lambda work, keys: allocate_orders(work, keys, **SAME), orders)
    both("pick", lambda work, keys: pick_orders(work, [PickOrder(order=key) for key in keys], cells=OPEN), orders)
    shipments = ids(business, "SELECT id FROM shipment ORDER BY id")
    both("ship", lambda work, keys: confirm_shipments(work, keys, **SAME), shipments)
    both(
        "deliver",
        lambda work, keys: deliver_shipments(work, [DeliverShipment(shipment=key) for key in keys], **SAME),
        shipments,
    )
    both("draft", lambda work, keys: draft_invoices(work, keys, cells=OPEN), shipments)
    invoices = ids(business, "SELECT id FROM invoice ORDER BY id")
    both("post", lambda work, keys: post_invoices(work, keys, cells=OPEN), invoices)
    with reading(database) as session:
        owed = {row.id: row.gross_minor for row in session.execute(text("SELECT id, gross_minor FROM invoice"))}
    with business.work() as work:
        takes = [
            ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=owed[key]) for key in invoices
        ]
        receipt = dict(zip(invoices, receive_cash(work, takes), strict=True))
    both(
        "apply",
        lambda work, keys: apply_cash(
            work, [ApplyCash(receipt=receipt[key], invoice=key, amount_minor=owed[key]) for key in keys]
        ),
        invoices,
    )
    assert {name: end[-1] for name, end in ends.items()} == dict.fromkeys(ends, "done")
    # Who was second was told so, or found nothing left to do; nobody waited until it was too late.
    assert {end[0] for end in ends.values()} <= {"Conflict", "RuleBroken", "IllegalMove", "done"}
    assert (len(shipments), len(invoices)) == (MANY, MANY)
    assert ids(business, "SELECT DISTINCT state FROM sales_order") == ["closed"]
    assert_books_agree(database)
