"""Promising stock to released orders, by the rule of the place, and what happens to a line that stays short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from erpcore.inventory.balances import Place, lock_balances
from erpcore.inventory.services import Demand, free_reservations, reserve
from erpcore.inventory.supply import waited_for, waiting_at
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import IllegalMove
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import channel_priorities, site_facts
from erpcore.orders.availability import whole as whole_part
from erpcore.orders.claims import claim_of, kept_by_contract, protects, steps_of
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import OrderState
from erpcore.orders.moving import admit_order, publish_order
from erpcore.orders.promise import Wanted, promised_parts, set_promise
from erpcore.orders.ranking import AllocationRule, Claim, plan, rule_of
from erpcore.orders.records import lock_orders, save_orders
from erpcore.orders.run_inputs import admitted_claims
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import (
    LinePromise,
    LineQuantity,
    OrderAllocated,
    OrderBackordered,
    OrderDeallocated,
    OrderRepromised,
)


def allocate_orders(
    work: UnitOfWork,
    order_ids: Iterable[int],
    *,
    rules: ProcessRules,
    cells: CellStates,
    at: Mapping[int, datetime] | None = None,
) -> list[Order]:
    """Promise stock to released orders; among themselves in the order given, and after who waits already where the rule of
    the place ranks those first.

    A line that stays short is backordered: it keeps its place in the queue and gets the day on which what comes covers it as
    its new promise. Where partial shipment is not allowed an order that cannot be covered whole gets nothing.
    """
    wanted = list(order_ids)
    ranks = {key: rank for rank, key in enumerate(wanted)}
    orders = sorted(lock_orders(work, wanted), key=lambda order: ranks[order.id])
    lines: list[tuple[Order, Line]] = []
    for order in orders:
        work.actor.require("orders:order:allocate", site=order.site_id)
        if order.state != OrderState.RELEASED:
            raise IllegalMove("order", "allocate", order.state)
        open_lines = [(order, line) for line in order.lines if line.has_stock and line.unallocated > 0]
        for site in {order.site_id} | {line.site_id for _, line in open_lines}:
            admit_order(work, cells, order, site=site)
        lines += open_lines
    got = _shares(work, rules, cells, lines)
    demands = [Demand(line.id, order.entity_id, line.site_id, line.item_id, got[line.id]) for order, line in lines]
    give_stock(work, lines, dict(zip(got, reserve(work, demands, at=work.now), strict=True)), at=at)
    save_orders(work, orders, [line for _, line in lines])
    return orders


def give_stock(
    work: UnitOfWork,
    lines: Sequence[tuple[Order, Line]],
    got: Mapping[int, int],
    *,
    at: Mapping[int, datetime] | None = None,
) -> None:
    """Note what was reserved for each line, tell of it, and promise anew what stays short. The caller saves the orders."""
    taken: dict[int, list[LineQuantity]] = defaultdict(list)
    short: list[tuple[Order, Line]] = []
    orders = {order.id: order for order, _ in lines}
    for order, line in lines:
        line.allocated += got[line.id]
        if got[line.id]:
            taken[order.id].append(LineQuantity(line=line.id, quantity=got[line.id]))
        if line.unallocated > 0:
            short.append((order, line))
    for order in orders.values():
        if taken[order.id]:
            when = (at or {}).get(order.id, work.now)
            publish_order(work, order, OrderAllocated(lines=taken[order.id]), "allocate", when)
    backorder(work, [each for each in short if each[1].backordered_at is None], at=at)


def _shares(
    work: UnitOfWork, rules: ProcessRules, cells: CellStates, lines: Sequence[tuple[Order, Line]]
) -> dict[int, int]:
    """What each line may take, by line in the order given: the balances are locked, so that it is still there when taken."""
    places = {(line.site_id, line.item_id) for _, line in lines}
    # A history says itself who got what.
    stated = work.is_stated
    # What does not change is read before others have to wait for what does.
    steps, _ = steps_of(work, places), channel_priorities(work)
    held = lock_balances(work, places)
    free = {place: held[place][0] - held[place][1] - held[place][2] if place in held else 0 for place in places}
    waited = {} if stated else waited_for(work, places)
    since = {w.line: w.since for w in waiting_at(work, waited)} if waited else {}
    claims: dict[Place, list[Claim]] = defaultdict(list)
    for number, (order, line) in enumerate(lines):
        # In the order given, after all who wait.
        begins = since.get(line.id) if line.backordered_at else None
        claim = claim_of(work, rules, order, line, since=begins or work.now + timedelta(microseconds=number))
        claims[line.site_id, line.item_id].append(claim)
    own = {line.id for _, line in lines}
    for site in {place[0] for place in waited}:
        wanted = [item for other, item in waited if other == site]
        for place, others in admitted_claims(work, rules, cells, site, wanted, but=own).items():
            claims[place] += [claim for claim in others if not claim.whole]
    rule = {place: AllocationRule.FIRST_COME if stated else rule_of(there) for place, there in claims.items()}
    kept: dict[Place, dict[int, int]] = {}
    protecting = protects(rule)
    for site in sorted({place[0] for place in protecting}):
        today = local_day(work.now, site_facts(work, site).time_zone)
        kept |= kept_by_contract(work, [place for place in protecting if place[0] == site], today)
    found = plan(claims, free, rules=rule, steps=steps, protected=kept)
    shares = {share.line: share.got for there in found.values() for share in there}
    return {line.id: shares[line.id] for _, line in lines}


def backorder(
    work: UnitOfWork, lines: Sequence[tuple[Order, Line]], *, at: Mapping[int, datetime] | None = None
) -> None:
    """Report lines that are short for the first time, and promise each the day on which what comes covers it."""
    when = {order.id: (at or {}).get(order.id, work.now) for order, _ in lines}
    by_order: dict[int, list[Line]] = defaultdict(list)
    since = {}
    for number, (order, line) in enumerate(lines):
        by_order[order.id].append(line)
        line.backordered_at = when[order.id]
        since[line.id] = when[order.id] + timedelta(microseconds=number)
    for order in {order.id: order for order, _ in lines}.values():
        unmet = [LineQuantity(line=line.id, quantity=line.unallocated) for line in by_order[order.id]]
        publish_order(work, order, OrderBackordered(lines=unmet), "allocate", when[order.id])
    promise_short(work, lines, since=since, at=when)


def deallocate(work: UnitOfWork, order: Order, line: Line, quantity: int, reason: str) -> None:
    """Take so much back of what is reserved for a line, and tell of it. ``promise_losers`` comes after, then the orders are saved."""
    free_reservations(work, {line.id: quantity})
    line.allocated -= quantity
    event = OrderDeallocated(reason=reason, lines=[LineQuantity(line=line.id, quantity=quantity)])
    publish_order(work, order, event, "allocate", work.now)


def promise_losers(work: UnitOfWork, lost: Sequence[tuple[Order, Line]]) -> None:
    """Lines from which stock was taken back wait, and are promised anew; who was short before lacks more now."""
    pairs = list({line.id: (order, line) for order, line in lost}.values())
    again = {line.id: line.backordered_at for _, line in pairs if line.backordered_at is not None}
    backorder(work, [pair for pair in pairs if pair[1].id not in again])
    promise_short(work, [pair for pair in pairs if pair[1].id in again], since=again)


def promise_short(
    work: UnitOfWork,
    lines: Sequence[tuple[Order, Line]],
    *,
    since: Mapping[int, datetime],
    at: Mapping[int, datetime] | None = None,
) -> None:
    """Promise each of these lines the day on which what comes covers what it lacks; ``since`` when each waits is its turn."""
    if not lines:
        return
    when = {order.id: (at or {}).get(order.id, work.now) for order, _ in lines}
    wanted = [
        Wanted(line.id, line.site_id, line.item_id, line.unallocated, since[line.id])
        for _, line in lines
    ]  # fmt: skip
    parts = promised_parts(work, wanted, at=max(when.values()))
    by_order: dict[int, list[Line]] = defaultdict(list)
    for order, line in lines:
        set_promise(work, order, line, whole_part(parts[line.id]))
        by_order[order.id].append(line)
    for order in {order.id: order for order, _ in lines}.values():
        publish_promises(work, order, by_order[order.id], when[order.id])


def publish_promises(work: UnitOfWork, order: Order, lines: Sequence[Line], at: datetime) -> None:
    """Tell that these lines are promised anew."""
    promises = [
        LinePromise(line=one.id, day=one.promised_on, basis=one.basis, reason=one.promise_reason) for one in lines
    ]
    publish_order(work, order, OrderRepromised(lines=promises), "promise", at)
