"""Picking a task: line by line as the scanner goes, then at once, through the one service that counts as picked.

A line said to be picked is kept with the task at once, so a device that dies loses nothing. It counts for the order when the
task is finished, in one unit of work with everything that follows from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import select

from erpcore.fulfilment.floor.extra import check_extra, give_up, take_more
from erpcore.fulfilment.floor.models import TaskKind, TaskLine, TaskState, WarehouseTask
from erpcore.fulfilment.floor.planning import shrink
from erpcore.fulfilment.floor.records import TaskLineRow, TaskRow, WaveRow, lock_waves, save_task_lines, save_tasks
from erpcore.fulfilment.floor.rules import is_tolerated
from erpcore.fulfilment.floor.shelf import DAMAGED, set_apart
from erpcore.fulfilment.floor.tasks import (
    NewTask,
    add_tasks,
    claim_task,
    mine,
    start_held,
    step,
    tell,
)
from erpcore.fulfilment.floor.waves import complete_if_done
from erpcore.fulfilment.models import Shipment, ShipmentState
from erpcore.fulfilment.records import ShipmentRow
from erpcore.fulfilment.rules import goes_along
from erpcore.fulfilment.services import PickOrder, pick_orders
from erpcore.inventory.bins import locations
from erpcore.inventory.holds import free_rest, pick_bins, unpick_bins
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.quantity import as_units
from erpcore.kernel.rows import raw
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.charges import charge_leaves
from erpcore.masterdata.models import ItemUnit
from erpcore.masterdata.queries import items
from erpcore.masterdata.units import require_countable
from erpcore.orders.addressing import shipped_to
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.documents import Order
from erpcore.orders.records import lock_orders
from erpcore.ports import CellStates, ProcessRules
from erpcore.published.floor import TaskFinished

TOLERATED = "within the under-ship tolerance"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmPick:
    """What was done of one line: so much taken, so much found damaged, the rest short for a reason (or still to come).

    ``scanned``: the item's code as the scanner read it. ``before``: how much the screen said was picked.
    """

    task: int
    line: int
    quantity: int
    scanned: str | None = None
    scanned_location: str | None = None
    damaged: int = 0
    short_reason: str | None = None
    before: int | None = None
    device: str | None = None


class Finished(NamedTuple):
    """A finished task, and the shipments its goods went into."""

    task: TaskRow
    shipments: list[ShipmentRow]


@dataclass(slots=True)
class _Sum:
    """What one order got out of a task: thousandths by order line, what came short by reason and line, what was damaged."""

    taken: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    short: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))


def start_task(work: UnitOfWork, task_id: int, *, device: str | None = None) -> TaskRow:
    """Take a task, if it is not this person's yet, and begin it. What its orders no longer want is taken off it first.

    Raises ``RuleBroken("task_not_wanted")`` when nothing of it is left; cancel it then.
    """
    orders = _orders(work, task_id)
    task = claim_task(work, task_id, device=device)
    if task.state == TaskState.CLAIMED:
        start_held(work, task)
        save_tasks(work, [task])
    if task.kind == TaskKind.PICK:
        save_task_lines(work, shrink(work, task, orders))
        if not any(line.quantity for line in task.lines):
            raise RuleBroken("task_not_wanted", task=task.id)
    return task


def confirm_pick(work: UnitOfWork, command: ConfirmPick, *, rules: ProcessRules | None = None) -> TaskLineRow:
    """Say what was done of a line; what is said is added to what was said before.

    With ``rules`` a little more than the line asks for may be taken, within their tolerance. Raises
    ``RuleBroken("scan_wrong_item")``, ``"scan_wrong_location"``, ``"pick_over_line"`` beyond what the line asks for (or the rules
    tolerate), ``"pick_nothing"`` for nothing at all, ``Conflict`` when the line has moved on since the screen showed it.
    """
    # Orders are locked before tasks: whether more is taken than asked for is looked at first, and again below.
    orders = _orders(work, command.task) if rules is not None and _is_more(work, command) else {}
    task = mine(work, command.task)
    line = _line(task, command.line)
    if command.before is not None and command.before != line.picked:
        raise Conflict("line_moved_on", line=line.line_no)
    _check_scan(work, line, command)
    if command.quantity < 0 or command.damaged < 0:
        raise RuleBroken("quantity_negative", field="quantity")
    reason = (command.short_reason or "").strip()
    more = max(0, command.quantity - line.left) if not command.damaged and not line.damaged and not reason else 0
    said = command.quantity + command.damaged - more
    if said > line.left or (more and rules is None):
        raise RuleBroken("pick_over_line", field="quantity", most=as_units(line.left), item=_code(work, line))
    if not said and not more and not reason:
        raise RuleBroken("pick_nothing", field="quantity")
    if more and rules is not None:
        if line.order_id not in orders:
            raise Conflict("line_moved_on", line=line.line_no)
        take_more(work, task, line, orders[line.order_id], more, rules=rules)
    require_countable(work, [(line.item_id, command.quantity), (line.item_id, command.damaged)])
    line.picked += command.quantity - more
    line.damaged += command.damaged
    if line.hold_id is not None and said:
        # A count there will not find it any more.
        pick_bins(work, {line.hold_id: command.quantity - more})
    if reason and line.left:
        line.short, line.short_reason = line.short + line.left, reason
    save_task_lines(work, [line])
    save_tasks(work, [task])
    return line


def put_back(work: UnitOfWork, task_id: int, line_no: int, *, quantity: int) -> TaskLineRow:
    """Goods in the tote go back on the shelf, or what was said of a line was a mistake: so much of it is open again."""
    task = mine(work, task_id)
    line = _line(task, line_no)
    if not 0 < quantity <= line.picked + line.extra:
        raise RuleBroken("put_back_too_much", field="quantity", most=as_units(line.picked + line.extra))
    require_countable(work, [(line.item_id, quantity)])
    rest = give_up(work, line, quantity)
    line.picked -= rest
    if line.hold_id is not None and rest:
        unpick_bins(work, {line.hold_id: rest})
    save_task_lines(work, [line])
    save_tasks(work, [task])
    return line


def finish_pick(work: UnitOfWork, task_id: int, *, rules: ProcessRules, cells: CellStates) -> Finished:
    """The round is done: what was taken counts as picked, what came short is free again, and a shipment can be packed.

    Damaged goods are not to be sold from now on, and the places where something was missing are to be counted.

    Goods of an order at this site join its shipment that is still being picked. Raises ``RuleBroken("task_unfinished")`` while a
    line has nothing said about it, and ``"pick_no_longer_wanted"`` when an order was cut meanwhile: put that much back first.
    """
    orders = _orders(work, task_id)
    waves = _wave_of(work, task_id)
    task = mine(work, task_id)
    changed = shrink(work, task, orders)
    left = [line for line in task.lines if line.left]
    if left:
        raise RuleBroken("task_unfinished", lines=len(left), item=_code(work, left[0]))
    sums = _sums(work, task, orders)
    check_extra(work, task, orders, rules)
    shipments: list[ShipmentRow] = []
    for key in task.orders:
        made = _pick(work, task, orders[key], sums[key], cells, rules)
        shipments += made
        for shipment in made:
            inside = {line for line, _ in shipment.lines}
            for line in task.lines:
                if line.order_id == key and line.picked and line.order_line_id in inside:
                    line.shipment_id = shipment.id
    free_rest(work, [line.hold_id for line in task.lines if line.hold_id is not None])
    set_apart(work, task)
    save_task_lines(work, list({id(one): one for one in [*changed, *task.lines]}.values()))
    step(work, task, "finish")
    task.claimed_until, task.finished_at = None, work.now
    tell(work, task, TaskFinished(kind=task.kind, lines=len(task.lines), short=sum(bool(o.short) for o in task.lines)))
    save_tasks(work, [task])
    _ask_to_pack(work, task, shipments)
    for wave in waves:
        complete_if_done(work, wave)
    _drop_little(work, [orders[key] for key in task.orders], sums, rules)
    return Finished(task, shipments)


def _orders(work: UnitOfWork, task_id: int) -> dict[int, Order]:
    """The orders of a task, locked; which they are never changes, so they are looked up before the task is locked."""
    keys = work.session.scalars(select(TaskLine.order_id).where(TaskLine.task_id == task_id).distinct())
    return {order.id: order for order in lock_orders(work, keys.all())}


def _is_more(work: UnitOfWork, command: ConfirmPick) -> bool:
    """Whether more is said than the line asked for a moment ago."""
    line = TaskLine.__table__.c
    query = select(raw(line.quantity), raw(line.picked), raw(line.damaged), raw(line.short)).where(
        line.task_id == command.task, line.line_no == command.line
    )
    row = work.session.execute(query).one_or_none()
    return row is not None and command.quantity > row[0] - row[1] - row[2] - row[3]


def _wave_of(work: UnitOfWork, task_id: int) -> list[WaveRow]:
    """The pick wave of a task, locked before the task; a task never changes its wave."""
    keys = work.session.scalars(select(WarehouseTask.wave_id).where(WarehouseTask.id == task_id)).all()
    return lock_waves(work, [key for key in keys if key is not None])


def _line(task: TaskRow, line_no: int) -> TaskLineRow:
    found = next((line for line in task.lines if line.line_no == line_no), None)
    if found is None:
        raise RuleBroken("task_line_unknown", line=line_no)
    return found


def _code(work: UnitOfWork, line: TaskLineRow) -> str:
    return items(work, {line.item_id})[line.item_id].code


def _check_scan(work: UnitOfWork, line: TaskLineRow, command: ConfirmPick) -> None:
    scanned = (command.scanned or "").strip()
    expected = _code(work, line)
    if scanned and not is_item(work, line.item_id, scanned):
        raise RuleBroken("scan_wrong_item", field="scanned", scanned=scanned[:60], expected=expected)
    where = (command.scanned_location or "").strip()
    if where and line.location_id is not None:
        there = locations(work, {line.location_id})[line.location_id].code
        if where.casefold() != there.casefold():
            raise RuleBroken("scan_wrong_location", field="scanned_location", scanned=where[:60], expected=there)


def is_item(work: UnitOfWork, item: int, scanned: str) -> bool:
    """Whether a scan is the item's code or the barcode on one of its packs."""
    if scanned.casefold() == items(work, {item})[item].code.casefold():
        return True
    packs = work.session.execute(
        select(ItemUnit.id).where(ItemUnit.item_id == item, ItemUnit.barcode == scanned).limit(1)
    )
    return packs.first() is not None


def _sums(work: UnitOfWork, task: TaskRow, orders: dict[int, Order]) -> dict[int, _Sum]:
    """What each order gets; refused where it no longer wants what lies in its tote."""
    lines = {line.id: line for order in orders.values() for line in order.lines}
    sums: dict[int, _Sum] = defaultdict(_Sum)
    allocated = {one.order_line_id: lines[one.order_line_id].allocated for one in task.lines}
    for one in task.lines:
        mine_ = sums[one.order_id]
        if one.picked > allocated[one.order_line_id]:
            raise RuleBroken(
                "pick_no_longer_wanted", document=orders[one.order_id].number, item=_code(work, one),
                quantity=as_units(one.picked + one.extra - allocated[one.order_line_id]), line=one.line_no,
            )  # fmt: skip
        allocated[one.order_line_id] -= one.picked
        mine_.taken[one.order_line_id] += one.picked + one.extra
    for one in task.lines:
        for missing, reason in ((one.damaged, DAMAGED), (one.short, one.short_reason or "not found")):
            # What the order gave up meanwhile is free already.
            counts = min(missing, allocated[one.order_line_id])
            if counts:
                allocated[one.order_line_id] -= counts
                sums[one.order_id].short[reason][one.order_line_id] += counts
    return sums


def _pick(
    work: UnitOfWork, task: TaskRow, order: Order, mine_: _Sum, cells: CellStates, rules: ProcessRules
) -> list[ShipmentRow]:
    """Let the order's goods count as picked: a command per address with what was taken, one per reason for what was not."""
    there = shipped_to(work, order, order.lines)
    taken: dict[int | None, dict[int, int]] = defaultdict(dict)
    for key, quantity in mine_.taken.items():
        if quantity:
            taken[there[key]][key] = quantity
    if taken:
        next(iter(taken.values())).update(_along(work, order, task.site_id, mine_.taken))
    commands = [
        PickOrder(order=order.id, lines=lines, into=_open_shipment(work, order.id, task.site_id, to))
        for to, lines in taken.items()
    ]
    commands += [
        PickOrder(order=order.id, lines={}, short=dict(lines), short_reason=why)
        for why, lines in sorted(mine_.short.items())
    ]
    return pick_orders(work, commands, cells=cells, rules=rules) if commands else []


def _along(work: UnitOfWork, order: Order, site: int, taken: Mapping[int, int]) -> dict[int, int]:
    """Charges and services that go with these goods of their order, from the site that sells it or from where there are goods."""
    waiting = [line for line in order.lines if not line.is_goods and line.open > line.picked]
    if not waiting:
        return {}
    sites = {line.site_id for line in order.lines if line.has_stock and line.open}
    if site != order.site_id and order.site_id in sites:
        return {}
    leaves = charge_leaves(work, {line.item_id for line in waiting})
    return {line.id: line.open - line.picked for line in waiting if goes_along(order.lines, line, taken, leaves)}


def _open_shipment(work: UnitOfWork, order: int, site: int, ship_to: int | None) -> int | None:
    """The order's shipment from this site to this address that earlier tasks began and nobody has begun to pack; its order is locked."""
    keys = work.session.scalars(
        select(Shipment.id)
        .join(TaskLine, TaskLine.shipment_id == Shipment.id)
        .join(WarehouseTask, (WarehouseTask.document_id == Shipment.id) & (WarehouseTask.kind == TaskKind.PACK))
        .where(
            Shipment.order_id == order, Shipment.site_id == site, Shipment.ship_to_id == ship_to, Shipment.state == ShipmentState.PICKED,
            WarehouseTask.document_type == "shipment", WarehouseTask.state == TaskState.OPEN,
        )
        .order_by(Shipment.id.desc())
        .limit(1)
    ).all()  # fmt: skip
    return keys[0] if keys else None


def _ask_to_pack(work: UnitOfWork, task: TaskRow, shipments: Sequence[ShipmentRow]) -> None:
    """A task to pack each shipment that has none yet, as urgent as its pick was."""
    table = WarehouseTask.__table__.c
    known = work.session.scalars(
        select(table.document_id).where(
            table.kind == TaskKind.PACK, table.document_type == "shipment",
            table.document_id.in_([one.id for one in shipments]),
        )
    ).all()  # fmt: skip
    add_tasks(
        work,
        [
            NewTask(
                site=task.site_id, kind=TaskKind.PACK, document_type="shipment", document_id=one.id, due_at=task.due_at,
                priority=task.priority, wave=task.wave_id,
            )
            for one in shipments
            if one.id not in known
        ],
    )  # fmt: skip


def _drop_little(work: UnitOfWork, orders: Sequence[Order], sums: dict[int, _Sum], rules: ProcessRules) -> None:
    """Where so little is missing that the order's rules let it go, the rest is cancelled by us instead of waiting for stock."""
    commands = []
    for order in orders:
        permille = rules.stored(work, order.ruleset)["under_ship_tolerance_permille"]
        missed = {key for lines in sums[order.id].short.values() for key in lines}
        little = {
            line.id: line.open - line.picked
            for line in order.lines
            if line.id in missed and is_tolerated(line.open - line.picked, line.quantity, permille)
        }
        if little:
            commands.append(CancelLines(order=order.id, reason=TOLERATED, by_customer=False, lines=little))
    if commands:
        cancel_lines(work, commands, by_rule=True)
