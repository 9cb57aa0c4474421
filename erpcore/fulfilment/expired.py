"""A lot is past its last day: what of it may not leave any more, and which promises does the rest no longer cover?

What is left of the lot lies in quarantine from then on. Where more is reserved than may still be picked, reservations are taken
back: first from transfer orders, the youngest first, then from the lines that rank lowest by the rule of the place. Those lines
wait and are promised anew. What a picker has taken already stays with its order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select

from erpcore.fulfilment.branch.models import TransferOrderLine
from erpcore.fulfilment.branch.records import Asked, AskedLine, lock_asked, save_asked
from erpcore.fulfilment.floor.models import TaskLine, TaskState, WarehouseTask
from erpcore.fulfilment.floor.records import TaskRow, lock_tasks, save_task_lines, save_tasks
from erpcore.fulfilment.floor.tasks import call_off
from erpcore.inventory.balances import Place, lock_balances
from erpcore.inventory.bins import Slot, frozen_slots, lock_bins, lots
from erpcore.inventory.holds import free_rest
from erpcore.inventory.models import BinHold, MoveReason, Reservation, StockStatus
from erpcore.inventory.posting import warehouse_place
from erpcore.inventory.services import free_reservations
from erpcore.inventory.shifting import Shift, shift_stock
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import chunks, raw, raw_columns, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import SiteFacts, site_facts
from erpcore.orders.allocation import deallocate, promise_losers
from erpcore.orders.claims import claim_of, protected_by_contract, steps_of
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import OrderLine
from erpcore.orders.ranking import AllocationRule, rule_of, shares
from erpcore.orders.records import lock_orders, save_orders
from erpcore.ports import CellStates, ProcessRules

_ENDED = (TaskState.DONE, TaskState.CANCELLED)


class SetApart(NamedTuple):
    """How many bins were blocked, and of which order lines how much (thousandths) was taken back."""

    bins: int
    lines: Mapping[int, int]


def set_expired_apart(work: UnitOfWork, place: Place, *, rules: ProcessRules, cells: CellStates) -> SetApart:
    """Block what is past its last day at a place where the site stands, and take back what the rest does not cover.

    A bin that is being counted frozen is left for another time. Raises ``Conflict`` when somebody reserved there meanwhile.
    """
    site = site_facts(work, place[0])
    work.actor.require("warehouse:stock:change_status", site=site.id)
    warehouse_place(work, site, rules, cells, begins=False)
    holders = _holders(work, place)
    order_of, asked_of = _owners(work, holders)
    orders = lock_orders(work, order_of.values())
    asked = lock_asked(work, asked_of.values())
    tasks = lock_tasks(work, _tasks_at(work, place))
    lock_balances(work, [place])
    if _holders(work, place) - holders:
        raise Conflict("changed_meanwhile")
    expired = _expired(work, site, place)
    if not expired:
        return SetApart(0, {})
    reason = _why(work, expired)
    _free_picks(work, tasks, expired, place, reason)
    lacking = -_room(work, place) + sum(_there(work, expired, place).values())
    lines = [(order, line) for order in orders for line in order.lines if line.id in holders]
    lacking -= _from_transfers(work, asked, holders, lacking, reason)
    losses = _losses(work, rules, place, lines, tasks, lacking) if lacking > 0 else []
    for order, line, quantity in losses:
        deallocate(work, order, line, quantity, reason)
        facts = {"line": line.id, "quantity": quantity}
        record_move(work, "order", order.id, "lot_expired", order.state, order.state, reason=reason, facts=facts)
    blocked = _block(work, expired, place, reason)
    if losses:
        promise_losers(work, [(order, line) for order, line, _ in losses])
        save_orders(work, list({order.id: order for order, *_ in losses}.values()), [line for _, line, _ in losses])
    return SetApart(blocked, {line.id: quantity for _, line, quantity in losses})


def _why(work: UnitOfWork, expired: Iterable[Slot]) -> str:
    """Which lots are over since when, as the histories of orders and stock say it."""
    facts = lots(work, {slot.lot for slot in expired if slot.lot is not None})
    days = {facts[slot.lot or 0].code: facts[slot.lot or 0].expires_on for slot in expired}
    return ", ".join(f"lot {code} expired on {day:%Y-%m-%d}" for code, day in sorted(days.items()) if day)


def _holders(work: UnitOfWork, place: Place) -> set[int]:
    """The lines of orders and transfer orders that have something reserved at a place."""
    return set(
        work.session.scalars(
            select(Reservation.order_line_id).where(
                Reservation.site_id == place[0], Reservation.item_id == place[1],
                Reservation.consumed + Reservation.freed < Reservation.quantity,
            )
        )
    )  # fmt: skip


def _owners(work: UnitOfWork, lines: Collection[int]) -> tuple[dict[int, int], dict[int, int]]:
    """The order of each of these lines, and the transfer order of the others."""
    of_orders = {row.id: row.order_id for row in read_rows(work, OrderLine, ("id", "order_id"), "id", lines)}
    rest = set(lines) - of_orders.keys()
    return of_orders, {r.id: r.order_id for r in read_rows(work, TransferOrderLine, ("id", "order_id"), "id", rest)}


def _tasks_at(work: UnitOfWork, place: Place) -> list[int]:
    """Tasks under way that fetch something from bins of a place."""
    line, task = TaskLine.__table__.c, WarehouseTask.__table__.c
    query = (
        select(line.task_id)
        .join(WarehouseTask, task.id == line.task_id)
        .where(task.site_id == place[0], line.item_id == place[1], task.state.not_in(_ENDED))
        .distinct()
    )
    return list(work.session.scalars(query))


def _expired(work: UnitOfWork, site: SiteFacts, place: Place) -> list[Slot]:
    """The available bins of lots past their last day, what expired first leading."""
    today, frozen = local_day(work.now, site.time_zone), frozen_slots(work, {place})
    slots = [
        one.slot
        for one in lock_bins(work, {place})[place].values()
        if one.quantity and one.slot.lot is not None and one.slot.status == StockStatus.AVAILABLE
    ]
    facts = lots(work, {slot.lot for slot in slots if slot.lot is not None})
    over = [
        (day, slot.location or 0, slot)
        for slot in slots
        if (day := facts[slot.lot or 0].expires_on) is not None and day < today and slot not in frozen
    ]
    return [slot for *_, slot in sorted(over, key=lambda each: each[:2])]


def _free_picks(work: UnitOfWork, tasks: Sequence[TaskRow], expired: Iterable[Slot], place: Place, reason: str) -> None:
    """Nobody is sent to the expired bins any more: what was not picked there yet leaves its task, and may be planned anew."""
    slots = set(expired)
    query = select(*raw_columns(BinHold)).where(
        BinHold.site_id == place[0], BinHold.item_id == place[1], BinHold.used + BinHold.freed < BinHold.quantity
    )
    holds = {
        row.id
        for row in work.session.execute(query)
        if Slot(row.site_id, row.item_id, row.location_id, row.lot_id) in slots
    }
    if not holds:
        return
    free_rest(work, holds)
    changed = []
    for task in tasks:
        cut = [line for line in task.lines if line.hold_id in holds and line.left]
        for line in cut:
            line.quantity -= line.left
        changed += cut
        if cut and task.state in (TaskState.OPEN, TaskState.WAITING) and not any(one.quantity for one in task.lines):
            call_off(work, task, reason)
            save_tasks(work, [task])
    save_task_lines(work, changed)


def _room(work: UnitOfWork, place: Place) -> int:
    """What is neither reserved nor blocked."""
    on_hand, reserved, blocked = lock_balances(work, [place])[place]
    return on_hand - reserved - blocked


def _there(work: UnitOfWork, expired: Iterable[Slot], place: Place) -> dict[Slot, int]:
    """What of each expired bin no picker has taken yet."""
    bins = lock_bins(work, {place})[place]
    return {slot: bins[slot].quantity - bins[slot].held for slot in expired}


def _from_transfers(
    work: UnitOfWork, asked: Sequence[Asked], holders: Collection[int], wanted: int, reason: str
) -> int:
    """Take back from transfer orders, the youngest first; returns how much. They ship what is free when they leave."""
    lost: list[tuple[Asked, AskedLine, int]] = []
    left = wanted
    for order in sorted(asked, key=lambda one: (one.requested_at, one.id), reverse=True):
        for line in order.lines:
            quantity = min(line.reserved, left) if line.id in holders else 0
            if quantity > 0:
                lost.append((order, line, quantity))
                left -= quantity
    free_reservations(work, {line.id: quantity for _, line, quantity in lost})
    for order, line, quantity in lost:
        line.reserved -= quantity
        facts = {"line": line.id, "quantity": quantity}
        record_move(
            work, "transfer_order", order.id, "lot_expired", order.state, order.state, reason=reason, facts=facts
        )
    save_asked(work, list({order.id: order for order, *_ in lost}.values()))
    return wanted - left


def _losses(
    work: UnitOfWork,
    rules: ProcessRules,
    place: Place,
    lines: Sequence[tuple[Order, Line]],
    tasks: Sequence[TaskRow],
    lacking: int,
) -> list[tuple[Order, Line, int]]:
    """Who loses how much: what is left is shared among those who have it, by the rule of the place, as if it had just come.

    An order that leaves whole keeps its turn: what it has is not given away before the rest of it is there.
    """
    taken = _in_totes(work, [line.id for _, line in lines])
    claims, by_line = [], {}
    for order, line in lines:
        has = line.allocated - taken.get(line.id, 0)
        if has > 0:
            since = line.backordered_at or order.captured_at
            claims.append(claim_of(work, rules, order, line, since=since)._replace(wanted=has, whole=False))
            by_line[line.id] = (order, line)
    has_all = sum(claim.wanted for claim in claims)
    rule, protected = rule_of(claims), {}
    if rule == AllocationRule.CONTRACT_PROTECTION:
        own: dict[int, int] = defaultdict(int)
        for claim in claims:
            own[claim.customer] += claim.wanted
        today = local_day(work.now, site_facts(work, place[0]).time_zone)
        kept = protected_by_contract(work, [place], today).get(place, {})
        protected = {customer: min(kept[customer], most) for customer, most in own.items() if customer in kept}
    found = shares(rule, has_all - lacking, claims, step=steps_of(work, [place])[place], protected=protected)
    kept_of = {share.line: share.got for share in found}
    return [
        (*by_line[claim.line], claim.wanted - kept_of[claim.line])
        for claim in claims
        if claim.wanted > kept_of[claim.line]
    ]


def _in_totes(work: UnitOfWork, order_lines: Collection[int]) -> dict[int, int]:
    """What pickers have taken of order lines in rounds that are not done."""
    line, task = TaskLine.__table__.c, WarehouseTask.__table__.c
    found: dict[int, int] = defaultdict(int)
    for part in chunks(sorted(order_lines)):
        query = (
            select(line.order_line_id, func.sum(raw(line.picked) + raw(line.damaged)))
            .join(WarehouseTask, task.id == line.task_id)
            .where(line.order_line_id.in_(part), task.state.not_in(_ENDED))
            .group_by(line.order_line_id)
        )
        for key, quantity in work.session.execute(query):
            found[key] = int(quantity)
    return found


def _block(work: UnitOfWork, expired: Iterable[Slot], place: Place, reason: str) -> int:
    """Move what is free of the expired bins to quarantine; returns of how many."""
    room, shifts = _room(work, place), []
    key = work.ids.one()
    for slot, there in _there(work, expired, place).items():
        quantity = min(there, room)
        if quantity > 0:
            room -= quantity
            target: Any = slot._replace(status=StockStatus.QUARANTINE)
            shifts.append(
                Shift(
                    source=slot, target=target, quantity=quantity, reason=MoveReason.STATUS, document_type="status",
                    document_id=key, note=reason,
                )
            )  # fmt: skip
    if shifts:
        shift_stock(work, shifts, order_names=lambda _work, _lines: [])
    return len(shifts)
