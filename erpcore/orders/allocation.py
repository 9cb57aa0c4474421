"""Promising stock to released orders, and what happens to a line that stays short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from erpcore.inventory.services import Demand, reserve
from erpcore.kernel.clock import day_end, local_day
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items, site_facts
from erpcore.orders.documents import Line, Order
from erpcore.orders.flow import ORDER
from erpcore.orders.models import OrderState
from erpcore.orders.moving import admit_order, publish_order
from erpcore.orders.records import lock_orders, save_orders
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import LinePromise, LineQuantity, OrderAllocated, OrderBackordered, OrderRepromised


def allocate_orders(
    work: UnitOfWork,
    order_ids: Iterable[int],
    *,
    rules: ProcessRules,
    cells: CellStates,
    at: Mapping[int, datetime] | None = None,
) -> list[Order]:
    """Promise stock to released orders, first come first served by the order given.

    A line that stays short is backordered: it gets the day its item can be replenished as its new promise. Where partial
    shipment is not allowed an order that cannot be covered whole gets nothing.
    """
    wanted = list(order_ids)
    ranks = {key: rank for rank, key in enumerate(wanted)}
    orders = sorted(lock_orders(work, wanted), key=lambda order: ranks[order.id])
    demands: list[Demand] = []
    lines: list[tuple[Order, Line]] = []
    for order in orders:
        work.actor.require("orders:order:allocate", site=order.site_id)
        admit_order(work, cells, order)
        if order.state != OrderState.RELEASED:
            ORDER.target("close", order.state)  # names the state in the refusal
        whole = not rules.stored(work, order.ruleset)["partial_shipment"]
        for line in order.lines:
            if line.has_stock and line.unallocated > 0:
                lines.append((order, line))
                demands.append(Demand(line.id, order.entity_id, line.site_id, line.item_id, line.unallocated, whole))
    got = reserve(work, demands, at=work.now)
    taken: dict[int, list[LineQuantity]] = defaultdict(list)
    short: dict[int, list[Line]] = defaultdict(list)
    for (order, line), quantity in zip(lines, got, strict=True):
        line.allocated += quantity
        if quantity:
            taken[order.id].append(LineQuantity(line=line.id, quantity=quantity))
        if line.unallocated > 0:
            short[order.id].append(line)
    changed = [line for _, line in lines]
    for order in orders:
        when = (at or {}).get(order.id, work.now)
        if taken[order.id]:
            publish_order(work, order, OrderAllocated(lines=taken[order.id]), "allocate", when)
        _backorder(work, order, short[order.id], when)
    save_orders(work, orders, changed)
    return orders


def _backorder(work: UnitOfWork, order: Order, short: Sequence[Line], at: datetime) -> None:
    """Report what is short for the first time, and promise the day it can be replenished."""
    fresh = [line for line in short if line.promise_reason != "backordered"]
    if not fresh:
        return
    zone_name = site_facts(work, order.site_id).time_zone
    known = items(work, {line.item_id for line in fresh})
    unmet = [LineQuantity(line=line.id, quantity=line.unallocated) for line in fresh]
    publish_order(work, order, OrderBackordered(lines=unmet), "allocate", at)
    for line in fresh:
        day = local_day(at, zone_name) + timedelta(days=known[line.item_id].replenishment_days)
        line.promised_on = max(line.promised_on, day)
        line.promised_due_at = day_end(line.promised_on, zone_name)
        line.promise_reason = "backordered"
    promises = [
        LinePromise(line=one.id, day=one.promised_on, basis=one.basis, reason=one.promise_reason) for one in fresh
    ]
    publish_order(work, order, OrderRepromised(lines=promises), "promise", at)
