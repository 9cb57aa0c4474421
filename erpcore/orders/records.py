"""Orders as services hold them: rows read once, locked until the unit of work ends, written back by conditional updates.

Quantities are thousandths of the unit, prices and amounts millionths, values minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import update

from erpcore.credit.services import count_at_end
from erpcore.inventory.supply import UNCHANGED, Waiting, keep_waiting
from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers, site_facts
from erpcore.orders.documents import Line, Order
from erpcore.orders.exposure import count_exposure, remember_exposure
from erpcore.orders.models import OrderLine, Progress, SalesOrder

#: Lines that were promised from what comes and no longer are, in this unit of work.
ENDED_WAITS = "ended waits"

#: Since when new lines wait that were part of one that waited before, by line.
WAITS_SINCE = "waits since"

ORDER_COLUMNS = tuple(f.name for f in fields(Order) if f.name not in ("lines", "customer_group"))
LINE_COLUMNS = tuple(f.name for f in fields(Line))
_order_values = attrgetter(*ORDER_COLUMNS)
_line_values = attrgetter(*LINE_COLUMNS)


def insert_orders(work: UnitOfWork, orders: Sequence[Order]) -> None:
    """Write new orders with their lines, and keep them in hand for the rest of the unit of work."""
    write_rows(work, SalesOrder.__table__, ORDER_COLUMNS, [_order_values(order) for order in orders])
    write_rows(
        work,
        OrderLine.__table__,
        LINE_COLUMNS,
        [_line_values(line) for order in orders for line in order.lines],
    )
    work.memo.setdefault("orders", {}).update((order.id, order) for order in orders)
    write_waiting(work, [line for order in orders for line in order.lines])


def insert_lines(work: UnitOfWork, order: Order, lines: Sequence[Line]) -> None:
    """Write lines that are added to an order later, and keep them with it."""
    write_rows(work, OrderLine.__table__, LINE_COLUMNS, [_line_values(line) for line in lines])
    order.lines.extend(lines)
    write_waiting(work, lines)


def lock_orders(work: UnitOfWork, ids: Iterable[int], *, seen: dict[int, int] | None = None) -> list[Order]:
    """The orders, locked, in the order of their ids; ``seen`` are the versions that the person saw.

    Raises ``NotFound`` for an unknown order (or one of a site outside the actor's scope), ``Conflict`` when it changed since.
    """
    held: dict[int, Order] = work.memo.setdefault("orders", {})
    wanted = sorted(set(ids))
    unread = [key for key in wanted if key not in held]
    if unread:
        for row in read_rows(work, SalesOrder, ORDER_COLUMNS, "id", unread, lock=True):
            held[row.id] = Order(*row, lines=[])
        for row in read_rows(work, OrderLine, LINE_COLUMNS, "order_id", unread):
            held[row.order_id].lines.append(Line(*row))
        read = [held[key] for key in unread if key in held]
        known = customers(work, {order.customer_id for order in read})
        for order in read:
            order.lines.sort(key=lambda line: line.line_no)
            order.customer_group = known[order.customer_id].group_id
        remember_exposure(work, read)
    for key in wanted:
        if key not in held or not _in_scope(work, held[key]):
            raise NotFound("order_unknown", order=key)
        order = held[key]
        # Refuses an order of another realm.
        site_facts(work, order.site_id)
        if seen and key in seen and seen[key] != order.version:
            raise Conflict("changed_meanwhile", document=order.number)
    return [held[key] for key in wanted]


def _in_scope(work: UnitOfWork, order: Order) -> bool:
    """An order is seen by the site that sells it and by those that ship of it."""
    sites = work.actor.sites
    return sites is None or order.site_id in sites or any(line.site_id in sites for line in order.lines)


def _save_order() -> Any:
    table = SalesOrder.__table__
    names = ("state", "delivery_status", "billing_status", "payment_status", "value_minor")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in names})
    )


_LINE_PROGRESS = (
    "site_id", "promised_on", "promised_due_at", "promise_reason", "allocated", "picked", "shipped", "delivered", "invoiced",
    "cancelled", "returned", "quantity", "unit_price", "price_source", "amount", "value_minor", "source_reason",
    "backordered_at", "extra",
)  # fmt: skip


def _save_line() -> Any:
    table = OrderLine.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(**{name: param(f"new_{name}", table.c[name]) for name in _LINE_PROGRESS})
    )


SAVE_ORDER = Change(_save_order)
SAVE_LINE = Change(_save_line)
_progress_values = attrgetter(*_LINE_PROGRESS, "id")
_PROGRESS_PARAMS = (*(f"new_{name}" for name in _LINE_PROGRESS), "of")


def save_orders(work: UnitOfWork, orders: Sequence[Order], lines: Sequence[Line] = ()) -> None:
    """Write back the changed orders, each one version on, and the changed lines. The orders must be locked.

    Lines change at several steps of one batch, so they are written once, at the end of the unit of work.
    """
    for order in orders:
        order.delivery_status = _delivery(order)
        order.billing_status = _billing(order)
    SAVE_ORDER.run(
        work,
        [
            {
                "of": order.id, "was": order.version, "new_state": order.state,
                "new_delivery_status": order.delivery_status, "new_billing_status": order.billing_status,
                "new_payment_status": order.payment_status, "new_value_minor": order.value_minor,
            }
            for order in orders
        ],
    )  # fmt: skip
    for order in orders:
        order.version += 1
    count_at_end(work, "orders", count_exposure)
    if lines:
        work.memo.setdefault("changed_lines", {}).update((line.id, line) for line in lines)
        work.before_end("order lines", write_changed_lines)


def write_changed_lines(work: UnitOfWork) -> None:
    """Write the lines that have changed so far. Called at the end, and before anything reads them other than by their order."""
    changed: dict[int, Line] = work.memo.pop("changed_lines", {})
    SAVE_LINE.run_rows(work, _PROGRESS_PARAMS, [_progress_values(line) for line in changed.values()])
    write_waiting(work, changed.values())


def write_waiting(work: UnitOfWork, lines: Iterable[Line]) -> None:
    """Keep what lines wait for as their figures say: the one place where the unmet part of a line is written."""
    orders: dict[int, Order] = work.memo.get("orders", {})
    receipts: dict[int, int | None] = work.memo.get("promised receipts", {})
    ended: set[int] = work.memo.get(ENDED_WAITS, set())
    since: dict[int, datetime] = work.memo.get(WAITS_SINCE, {})
    waits = [
        Waiting(
            line.id, orders[line.order_id].entity_id, line.site_id, line.item_id,
            max(0, line.unallocated) if line.may_wait else 0,
            since.get(line.id) or line.backordered_at or work.now, line.promised_on, receipts.get(line.id, UNCHANGED),
        )
        for line in lines
        if line.has_stock and (line.may_wait or line.id in ended)
    ]  # fmt: skip
    if waits:
        keep_waiting(work, waits)


def _progress(done: Iterable[bool], begun: bool) -> Progress:
    if all(done):
        return Progress.DONE
    return Progress.PARTIAL if begun else Progress.NONE


def _delivery(order: Order) -> str:
    if order.delivery_status == Progress.EXCEPTION:
        return order.delivery_status
    lines = order.lines
    return _progress((line.open == 0 for line in lines), any(line.shipped for line in lines))


def _billing(order: Order) -> str:
    if order.billing_status == Progress.EXCEPTION:
        return order.billing_status
    lines = order.lines
    return _progress(
        (line.open == 0 and line.invoiced == line.shipped for line in lines), any(line.invoiced for line in lines)
    )


def lines_by_id(orders: Iterable[Order]) -> dict[int, Line]:
    """The lines of these orders by their id."""
    return {line.id: line for order in orders for line in order.lines}
