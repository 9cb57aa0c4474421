"""Letting orders go on to the warehouse, or holding them: credit, holds and their release."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from erpcore.credit.services import change_exposures, lock_exposures
from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers
from erpcore.orders.flow import ORDER
from erpcore.orders.models import HoldKind, OrderHold, OrderState
from erpcore.orders.moving import admit_order, publish_order
from erpcore.orders.records import Order, lock_orders, save_orders
from erpcore.orders.rules import uninvoiced_value
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import OrderHeld, OrderHoldReleased, OrderReleased

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
        publish_order(work, order, OrderReleased(), "release", when)
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
    publish_order(work, order, OrderHeld(hold=hold.id, kind=kind, due=hold.due_at), "release", at)
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
        publish_order(work, order, OrderHoldReleased(hold=hold.id, kind=hold.kind, cured=False), "release", work.now)
        save_orders(work, [order])
        out.append(order)
    return out
