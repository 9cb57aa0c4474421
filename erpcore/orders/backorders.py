"""What becomes of a line that waits: promised anew, by hand or by rule, or cancelled once it has waited too long.

A new promise never makes a backorder younger: its age runs from the first time it was short.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.inventory.models import Reservation
from erpcore.kernel.clock import day_end, local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity
from erpcore.masterdata.queries import site_facts
from erpcore.orders.allocation import publish_promises
from erpcore.orders.availability import PromiseReason, whole
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import OrderLine, OrderState, SalesOrder
from erpcore.orders.promise import Wanted, promised_parts, say_day, set_promise
from erpcore.orders.records import lock_orders, save_orders
from erpcore.ports import ProcessRules

PROMISE = "orders:backorder:promise"
#: The furthest day anybody promises, from today.
_FURTHEST = timedelta(days=730)


class BackorderRule(StrEnum):
    """Keep: wait until stock comes. Cancel: after so many days. Re-promise: when the promised day cannot be kept."""

    KEEP = "keep"
    CANCEL_AFTER_DAYS = "cancel_after_days"
    RE_PROMISE = "re_promise"


@dataclass(frozen=True, kw_only=True, slots=True)
class Repromise:
    """Promise a waiting line anew: for the ``day`` somebody states, or for the day on which what comes covers it."""

    line: int
    reason: str
    day: date | None = None


def repromise_lines(work: UnitOfWork, commands: Sequence[Repromise]) -> list[Line]:
    """Give waiting lines a new promise, each with a reason that stays with its order; returns the lines that got another day.

    Raises ``RuleBroken("not_waiting")`` for a line that lacks nothing, ``promise_past`` for a day before today.
    """
    wanted = {command.line: command for command in commands}
    pairs = _locked(work, wanted)
    for order, line in pairs:
        work.actor.require(PROMISE, site=order.site_id)
        _check(work, order, line, wanted[line.id])
    looked_up = [(order, line) for order, line in pairs if wanted[line.id].day is None]
    before = {line.id: line.promised_on for _, line in pairs}
    _by_timeline(work, looked_up)
    for order, line in pairs:
        day = wanted[line.id].day
        if day is not None:
            say_day(work, line, day, PromiseReason.STATED)
            line.promised_due_at = day_end(day, site_facts(work, order.site_id).time_zone)
    changed = [pair for pair in pairs if pair[1].promised_on != before[pair[1].id]]
    _tell(work, changed, {key: command.reason for key, command in wanted.items()}, before)
    return [line for _, line in changed]


def cancel_waiting(work: UnitOfWork, lines: Iterable[int], reason: str) -> list[Order]:
    """Cancel what these lines wait for once they are locked, and nothing of what they have got meanwhile; the orders.

    Raises ``RuleBroken("not_waiting")`` for a line that lacks nothing any more.
    """
    gone: dict[int, dict[int, int]] = defaultdict(dict)
    for order, line in _locked(work, lines):
        if line.unallocated <= 0:
            raise RuleBroken("not_waiting", document=order.number, line=line.line_no)
        gone[order.id][line.id] = line.unallocated
    commands = [CancelLines(order=key, reason=reason, by_customer=False, lines=gone[key]) for key in sorted(gone)]
    return cancel_lines(work, commands)


def _locked(work: UnitOfWork, lines: Iterable[int]) -> list[tuple[Order, Line]]:
    """The lines with their orders, locked; by id."""
    keys = sorted(set(lines))
    order_of = {row.id: row.order_id for row in read_rows(work, OrderLine, ("id", "order_id"), "id", keys)}
    for key in keys:
        if key not in order_of:
            raise NotFound("line_unknown", line=key)
    orders = lock_orders(work, order_of.values())
    found = {line.id: (order, line) for order in orders for line in order.lines}
    return [found[key] for key in keys]


def _check(work: UnitOfWork, order: Order, line: Line, command: Repromise) -> None:
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document=order.number, move="promise anew")
    if line.backordered_at is None or line.unallocated <= 0 or order.state != OrderState.RELEASED:
        raise RuleBroken("not_waiting", document=order.number, line=line.line_no)
    today = local_day(work.now, site_facts(work, order.site_id).time_zone)
    if command.day is not None and not today <= command.day <= today + _FURTHEST:
        raise RuleBroken("promise_past", field="day", day=command.day)


def _by_timeline(work: UnitOfWork, pairs: Sequence[tuple[Order, Line]]) -> None:
    wanted = [
        Wanted(line.id, line.site_id, line.item_id, line.unallocated, line.backordered_at or work.now)
        for _, line in pairs
    ]
    parts = promised_parts(work, wanted) if wanted else {}
    for order, line in pairs:
        set_promise(work, order, line, whole(parts[line.id]))


def _tell(
    work: UnitOfWork, pairs: Sequence[tuple[Order, Line]], reasons: dict[int, str], before: dict[int, date]
) -> None:
    by_order: dict[int, list[Line]] = defaultdict(list)
    orders = {order.id: order for order, _ in pairs}
    for order, line in pairs:
        by_order[order.id].append(line)
    for order in orders.values():
        lines = by_order[order.id]
        facts = {str(line.line_no): [before[line.id].isoformat(), line.promised_on.isoformat()] for line in lines}
        record_move(
            work, "order", order.id, "repromise", order.state, order.state, reason=reasons[lines[0].id],
            facts={"days": facts},
        )  # fmt: skip
        publish_promises(work, order, lines, work.now)
    if pairs:
        save_orders(work, list(orders.values()), [line for _, line in pairs])


def act_by_rule(work: UnitOfWork, order_ids: Sequence[int], *, rules: ProcessRules) -> int:
    """What the rule of each waiting line says: cancel what waits too long, promise anew what cannot be kept.

    Returns how many lines were touched. A day is moved only when it has passed, or when what is expected will be later: a
    promise by the supplier's lead time would otherwise creep on day by day.
    """
    orders = [order for order in lock_orders(work, order_ids) if order.state == OrderState.RELEASED]
    late: list[tuple[Order, Line]] = []
    cancelled = 0
    for order in orders:
        gone: dict[int, int] = {}
        patience = 0
        for line in order.lines:
            if line.backordered_at is None or line.unallocated <= 0:
                continue
            ruleset = rules.stored(work, line.ruleset or order.ruleset)
            rule, days = ruleset["backorder_rule"], int(ruleset["backorder_cancel_days"])
            if rule == BackorderRule.CANCEL_AFTER_DAYS and work.now - line.backordered_at >= timedelta(days=days):
                gone[line.id], patience = line.unallocated, days
            elif rule == BackorderRule.RE_PROMISE:
                late.append((order, line))
        if gone:
            reason = f"not met within {patience} days"
            cancel_lines(
                work, [CancelLines(order=order.id, reason=reason, by_customer=False, lines=gone)], by_rule=True
            )
            cancelled += len(gone)
    return cancelled + _move_late(work, [pair for pair in late if pair[0].state == OrderState.RELEASED])


def _move_late(work: UnitOfWork, pairs: Sequence[tuple[Order, Line]]) -> int:
    before = {line.id: (line.promised_on, line.promised_due_at, line.promise_reason) for _, line in pairs}
    _by_timeline(work, pairs)
    moved = []
    for order, line in pairs:
        today = local_day(work.now, site_facts(work, order.site_id).time_zone)
        is_sure = line.promise_reason in (PromiseReason.TRANSIT, PromiseReason.RECEIPT)
        if line.promised_on > before[line.id][0] and (is_sure or before[line.id][0] < today):
            moved.append((order, line))
        else:
            line.promised_on, line.promised_due_at, line.promise_reason = before[line.id]
    days = {key: value[0] for key, value in before.items()}
    _tell(work, moved, {line.id: "what comes will be later" for _, line in moved}, days)
    return len(moved)


def orders_that_wait(session: Session) -> list[tuple[str, int]]:
    """Realm and id of every released order with a backordered line, the oldest backorder first."""
    query: Any = (
        select(Entity.realm, SalesOrder.id)
        .join(OrderLine, OrderLine.order_id == SalesOrder.id)
        .join(Reservation, Reservation.order_line_id == OrderLine.id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .where(Reservation.unmet > 0, OrderLine.backordered_at.is_not(None), SalesOrder.state == OrderState.RELEASED)
        .group_by(Entity.realm, SalesOrder.id)
        .order_by(SalesOrder.id)
    )
    return [(row[0], row[1]) for row in session.execute(query)]
