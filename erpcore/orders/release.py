"""Letting orders go on, or holding them: credit, holds, allocation, cancellation, closing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from erpcore.credit.services import change_exposures, lock_exposures
from erpcore.inventory.services import Demand, free_reservations, reserve
from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.clock import day_end, local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.orders.flow import ORDER
from erpcore.orders.models import HoldKind, OrderHold, OrderState, Progress
from erpcore.orders.records import Line, Order, lock_orders, save_orders
from erpcore.orders.rules import uninvoiced_value
from erpcore.ports import Cell, CellStates, Process, ProcessRules, admit
from erpcore.published import (
    LinePromise,
    LineQuantity,
    OrderAllocated,
    OrderBackordered,
    OrderCancelled,
    OrderClosed,
    OrderHeld,
    OrderHoldReleased,
    OrderReleased,
    OrderRepromised,
)

#: A hold that nobody has looked at by then counts as stuck.
HOLD_DUE = timedelta(hours=8)


@dataclass(frozen=True, kw_only=True)
class HoldOrder:
    """Stop an order, with a reason."""

    order: int
    kind: HoldKind
    reason: str
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class ReleaseHold:
    """End a hold by authority; the order goes on from where it was."""

    hold: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class CancelLines:
    """Cancel what is still open: ``lines`` maps line ids to thousandths of the unit; ``None`` means everything open."""

    order: int
    reason: str
    by_customer: bool
    lines: Mapping[int, int] | None = None
    seen_version: int | None = None


def admit_order(work: UnitOfWork, cells: CellStates, order: Order, *, process: Process = Process.ORDER_TO_CASH) -> None:
    """Raise unless the order's cell still admits what is under way."""
    site = site_facts(work, order.site_id)
    cell = Cell(site.live_id, order.channel_id, process, order.customer_group)
    admit(work, cells, site.entity.realm, cell, begins=False)


def release_orders(
    work: UnitOfWork,
    order_ids: Iterable[int],
    *,
    rules: ProcessRules,
    cells: CellStates,
    seen: dict[int, int] | None = None,
    at: Mapping[int, datetime] | None = None,
) -> list[Order]:
    """Release captured orders to the warehouse; one that takes its customer over the limit is held instead.

    Exposure grows by the order's value. Returns the orders, released or held.
    """
    orders = lock_orders(work, order_ids, seen=seen)
    known = customers(work, {order.customer_id for order in orders})
    accepted = _credit_accepted(work, [order.id for order in orders])
    exposures = lock_exposures(work, {order.customer_id: order.entity_id for order in orders})
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    for order in orders:
        work.actor.require("orders:order:release", site=order.site_id)
        admit_order(work, cells, order)
        was = order.state
        target = ORDER.target("release", was)
        value = sum(uninvoiced_value(line, order.currency) for line in order.lines)
        limit = known[order.customer_id].credit_limit_minor
        owed = exposures[order.customer_id] + deltas[order.customer_id, order.entity_id] + value
        when = (at or {}).get(order.id, work.now)
        checked = rules.stored(work, order.ruleset)["credit_check"]
        if checked and limit is not None and owed > limit and order.id not in accepted:
            facts = {"limit": limit, "exposure": owed, "over": owed - limit}
            _hold(work, order, HoldKind.CREDIT, "credit limit exceeded", facts, when)
            continue
        order.state = target
        deltas[order.customer_id, order.entity_id] += value
        record_move(work, "order", order.id, "release", was, order.state, at=when)
        _publish(work, order, OrderReleased(), "release", when)
    change_exposures(work, deltas)
    save_orders(work, orders)
    return orders


def _credit_accepted(work: UnitOfWork, orders: Sequence[int]) -> set[int]:
    """Orders whose credit hold somebody with authority has released: they are not held for the same again."""
    if work.source == "import":
        return set()
    query = select(OrderHold.order_id).where(
        OrderHold.order_id.in_(orders), OrderHold.kind == HoldKind.CREDIT, OrderHold.released_at.is_not(None)
    )
    return set(work.session.execute(query).scalars())


def _hold(
    work: UnitOfWork, order: Order, kind: HoldKind, reason: str, facts: dict[str, Any], at: datetime
) -> OrderHold:
    was = order.state
    order.state = ORDER.target("hold", was, reason=reason)
    hold = OrderHold(
        id=work.ids.one(), order_id=order.id, kind=kind, facts=canonical_json(facts).decode(), since=at,
        due_at=at + HOLD_DUE, is_cured=False,
    )  # fmt: skip
    work.session.add(hold)
    record_move(work, "order", order.id, "hold", was, order.state, at=at, reason=reason, facts=facts)
    _publish(work, order, OrderHeld(hold=hold.id, kind=kind, due=hold.due_at), "release", at)
    return hold


def hold_orders(work: UnitOfWork, commands: Sequence[HoldOrder]) -> list[Order]:
    """Stop orders by hand. What a released order had reserved stays reserved; its exposure goes until it is released again."""
    seen = {c.order: c.seen_version for c in commands if c.seen_version is not None}
    orders = {order.id: order for order in lock_orders(work, [c.order for c in commands], seen=seen)}
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    for command in commands:
        order = orders[command.order]
        work.actor.require("orders:hold:place", site=order.site_id)
        if order.state == OrderState.RELEASED:
            value = sum(uninvoiced_value(line, order.currency) for line in order.lines)
            deltas[order.customer_id, order.entity_id] -= value
        _hold(work, order, command.kind, command.reason, {"note": command.reason}, work.now)
    change_exposures(work, deltas)
    save_orders(work, list(orders.values()))
    return list(orders.values())


def release_holds(work: UnitOfWork, commands: Sequence[ReleaseHold]) -> list[Order]:
    """End holds by authority; each order is then captured again and may be released."""
    out = []
    for command in commands:
        hold = work.session.get(OrderHold, command.hold, with_for_update={"key_share": True})
        if hold is None:
            raise NotFound("hold_unknown", hold=command.hold)
        if hold.released_at is not None:
            raise RuleBroken("hold_ended", hold=hold.id)
        (order,) = lock_orders(work, [hold.order_id])
        work.actor.require("orders:hold:release", site=order.site_id)
        was = order.state
        order.state = ORDER.target("release_hold", was, reason=command.reason)
        hold.released_at, hold.released_by, hold.release_reason = work.now, work.actor.id, command.reason
        record_move(work, "order", order.id, "release_hold", was, order.state, reason=command.reason)
        _publish(work, order, OrderHoldReleased(hold=hold.id, kind=hold.kind, cured=False), "release", work.now)
        save_orders(work, [order])
        out.append(order)
    return out


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
                demands.append(Demand(line.id, order.entity_id, order.site_id, line.item_id, line.unallocated, whole))
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
            _publish(work, order, OrderAllocated(lines=taken[order.id]), "allocate", when)
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
    _publish(work, order, OrderBackordered(lines=unmet), "allocate", at)
    for line in fresh:
        day = local_day(at, zone_name) + timedelta(days=known[line.item_id].replenishment_days)
        line.promised_on = max(line.promised_on, day)
        line.promised_due_at = day_end(line.promised_on, zone_name)
        line.promise_reason = "backordered"
    promises = [
        LinePromise(line=one.id, day=one.promised_on, basis=one.basis, reason=one.promise_reason) for one in fresh
    ]
    _publish(work, order, OrderRepromised(lines=promises), "promise", at)


def cancel_lines(work: UnitOfWork, commands: Sequence[CancelLines]) -> list[Order]:
    """Cancel what is still open of orders; reserved stock is freed, exposure goes down, an order with nothing left ends."""
    seen = {c.order: c.seen_version for c in commands if c.seen_version is not None}
    orders = {order.id: order for order in lock_orders(work, [c.order for c in commands], seen=seen)}
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    changed: list[Line] = []
    for command in commands:
        order = orders[command.order]
        work.actor.require("orders:order:cancel", site=order.site_id)
        was = order.state
        target = ORDER.target("cancel", was, reason=command.reason)
        counted = was == OrderState.RELEASED
        gone = _cancellable(order, command)
        freed = free_reservations(
            work, {line.id: min(line.allocated, max(0, q - line.unallocated)) for line, q in gone if line.has_stock}
        )
        for line, quantity in gone:
            before = uninvoiced_value(line, order.currency)
            line.allocated -= freed.get(line.id, 0)
            line.cancelled += quantity
            if counted:
                deltas[order.customer_id, order.entity_id] += uninvoiced_value(line, order.currency) - before
            changed.append(line)
        quantities = [LineQuantity(line=line.id, quantity=q) for line, q in gone]
        facts = {"by_customer": command.by_customer, "lines": {str(line.id): q for line, q in gone}}
        move = "cancel_lines"
        if all(line.cancelled == line.quantity for line in order.lines):
            order.state, move = target, "cancel"
        record_move(work, "order", order.id, move, was, order.state, reason=command.reason, facts=facts)
        event = OrderCancelled(by_customer=command.by_customer, reason=command.reason, lines=quantities)
        _publish(work, order, event, "capture", work.now)
    change_exposures(work, deltas)
    save_orders(work, list(orders.values()), changed)
    for order in orders.values():
        close_if_done(work, order)
    return list(orders.values())


def _cancellable(order: Order, command: CancelLines) -> list[tuple[Line, int]]:
    out = []
    asked = command.lines if command.lines is not None else {line.id: line.open - line.picked for line in order.lines}
    for line in order.lines:
        quantity = asked.get(line.id, 0)
        if quantity < 0 or quantity > line.open - line.picked:
            raise RuleBroken("cancel_too_much", field="lines", line=line.line_no, document=order.number)
        if quantity:
            out.append((line, quantity))
    if not out:
        raise RuleBroken("nothing_to_cancel", document=order.number)
    return out


def close_if_done(work: UnitOfWork, order: Order, *, at: datetime | None = None) -> bool:
    """Close an order that is shipped, invoiced and paid in full. True when it was closed now."""
    done = (
        order.state == OrderState.RELEASED
        and order.delivery_status == Progress.DONE
        and order.billing_status == Progress.DONE
        and order.payment_status == Progress.DONE
    )
    if not done:
        return False
    was = order.state
    order.state = ORDER.target("close", was)
    record_move(work, "order", order.id, "close", was, order.state, at=at)
    _publish(work, order, OrderClosed(), "cash", at or work.now)
    save_orders(work, [order])
    return True


def _publish(work: UnitOfWork, order: Order, event: Any, step: str, at: datetime) -> None:
    work.publish(
        event, order.place(work), step=f"order_to_cash.{step}", subject=("order", order.id, order.version + 1),
        journey=order.id, at=at,
    )  # fmt: skip
