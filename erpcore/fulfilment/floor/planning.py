"""What is there to pick? Allocated order lines that no task covers yet, put into tasks by method and urgency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select

from erpcore.fulfilment.carriers.offers import offers, rule_for
from erpcore.fulfilment.floor.models import PickMethod, TaskKind, TaskLine, TaskState, WarehouseTask
from erpcore.fulfilment.floor.records import TaskLineRow, TaskRow, WaveRow, insert_tasks
from erpcore.fulfilment.floor.rules import MOST_TOTES, Wanted, rounds, urgency
from erpcore.fulfilment.floor.tasks import PLAN, new_row, report_created
from erpcore.inventory.holds import PickDemand, choose_bins, free_bins
from erpcore.inventory.models import Location, Zone
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.rows import chunks, raw
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import commitment, site_facts
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import OrderState
from erpcore.orders.moving import admit_order
from erpcore.orders.records import lock_orders
from erpcore.ports import CellStates, ProcessRules

_ENDED = (TaskState.DONE, TaskState.CANCELLED)


def under_way(work: UnitOfWork, order_lines: Iterable[int], *, without: int | None = None) -> dict[int, int]:
    """Thousandths of order lines that tasks not ended yet will pick; ``without`` leaves one task out of it."""
    found: dict[int, int] = defaultdict(int)
    line, task = TaskLine.__table__.c, WarehouseTask.__table__.c
    for part in chunks(sorted(set(order_lines))):
        query = (
            select(line.order_line_id, func.sum(raw(line.quantity)))
            .join(WarehouseTask, task.id == line.task_id)
            .where(line.order_line_id.in_(part), task.state.not_in(_ENDED))
            .group_by(line.order_line_id)
        )
        if without is not None:
            query = query.where(task.id != without)
        for key, quantity in work.session.execute(query):
            found[key] = int(quantity)
    return found


def create_picks(
    work: UnitOfWork,
    site: int,
    order_ids: Sequence[int],
    *,
    rules: ProcessRules,
    cells: CellStates,
    method: PickMethod = PickMethod.ORDER,
    wave: WaveRow | None = None,
    zone: str | None = None,
    most_lines: int | None = None,
    totes: int = MOST_TOTES,
) -> list[TaskRow]:
    """Tasks for what these orders have allocated at a site and no task covers yet, at most ``most_lines`` lines of whole orders.

    In a pick wave they wait for its release. Orders that are not released, or have nothing to pick here, are passed over.
    """
    work.actor.require(PLAN, site=site)
    orders = [order for order in lock_orders(work, order_ids) if order.state == OrderState.RELEASED]
    for order in orders:
        admit_order(work, cells, order, site=site)
    by_id = {order.id: order for order in orders}
    ranked = [by_id[key] for key in dict.fromkeys(order_ids) if key in by_id]
    wanted = _wanted(work, site, ranked, rules, zone=zone, most_lines=most_lines)
    facts = site_facts(work, site)
    here = rules.resolve(work, entity=facts.entity.live_id, site=facts.live_id, channel=None, customer_group=None)
    ids = iter(work.ids.reserve(len(wanted)))
    tasks: list[TaskRow] = []
    for lines in rounds(wanted, method, totes=totes):
        state = TaskState.OPEN if wave is None else TaskState.WAITING
        priority, due_at = urgency(here["task_priority_rule"], [one for _, one in lines])
        task = new_row(work, next(ids), site, TaskKind.PICK, state, due_at)
        task.priority, task.wave_id = priority, None if wave is None else wave.id
        zones = {one.zone for _, one in lines}
        task.zone = zones.pop() if len(zones) == 1 else None
        task.lines = [
            TaskLineRow(
                task_id=task.id, line_no=number, order_id=one.order, order_line_id=one.order_line, item_id=one.item,
                location_id=one.location, lot_id=one.lot, hold_id=one.hold, tote=tote, quantity=one.quantity,
            )
            for number, (tote, one) in enumerate(lines, start=1)
        ]  # fmt: skip
        tasks.append(task)
    insert_tasks(work, tasks)
    for task in tasks:
        report_created(work, task)
    return tasks


def pick_now(
    work: UnitOfWork, orders: Sequence[int], *, site: int, rules: ProcessRules, cells: CellStates
) -> list[TaskRow]:
    """Tasks outside any wave for urgent orders, one per order; raises ``RuleBroken("nothing_to_plan")`` without any."""
    tasks = create_picks(work, site, orders, rules=rules, cells=cells)
    if not tasks:
        raise RuleBroken("nothing_to_plan")
    return tasks


def _wanted(
    work: UnitOfWork,
    site: int,
    orders: Sequence[Order],
    rules: ProcessRules,
    *,
    zone: str | None,
    most_lines: int | None,
) -> list[Wanted]:
    """What is allocated and in no task, with its places held, order by order; an order is taken whole or not at all.

    What may not be picked now (expired, blocked, being counted) is left for another time.
    """
    lines = _uncovered(work, site, orders, most_lines)
    places = choose_bins(
        work, [PickDemand(line.id, site, line.item_id, quantity) for _, line, quantity in lines], rules
    )
    where = _places(work, {part.location for parts in places for part in parts if part.location is not None})
    out: list[Wanted] = []
    elsewhere: list[int] = []
    for (order, line, _), parts in zip(lines, places, strict=True):
        usual = _as_wanted(work, order, line, site)
        for part in parts:
            its_zone, walk = where[part.location] if part.location is not None else (None, 0)
            if zone is not None and its_zone != zone:
                elsewhere += [part.hold] if part.hold else []
                continue
            out.append(
                usual._replace(
                    quantity=part.quantity, zone=its_zone, walk=walk, location=part.location, lot=part.lot,
                    hold=part.hold or None,
                )
            )  # fmt: skip
    if elsewhere:
        free_bins(work, elsewhere)
    return out


def _uncovered(
    work: UnitOfWork, site: int, orders: Sequence[Order], most_lines: int | None
) -> list[tuple[Order, Line, int]]:
    """Lines with the thousandths that are allocated here and in no task, of whole orders, until ``most_lines``."""
    mine = {order.id: [line for line in order.lines if line.has_stock and line.site_id == site] for order in orders}
    covered = under_way(work, [line.id for lines in mine.values() for line in lines])
    out: list[tuple[Order, Line, int]] = []
    for order in orders:
        lines = [
            (order, line, line.allocated - covered.get(line.id, 0))
            for line in mine[order.id]
            if line.allocated > covered.get(line.id, 0)
        ]
        if most_lines is None or not out or len(out) + len(lines) <= most_lines:
            out += lines
    return out


def _places(work: UnitOfWork, ids: set[int]) -> dict[int, tuple[str | None, int]]:
    """Zone and place on the way of each location."""
    rows = work.session.execute(
        select(Location.id, Zone.code, Location.walk)
        .join(Zone, Zone.id == Location.zone_id, isouter=True)
        .where(Location.id.in_(ids))
    )
    return {row.id: (row.code, row.walk) for row in rows}


def _as_wanted(work: UnitOfWork, order: Order, line: Line, site: int) -> Wanted:
    facts = site_facts(work, site)
    terms = commitment(work, site, order.channel_id, order.customer_group, local_day(work.now, facts.time_zone))
    rule = rule_for(work, order, site, None)
    collected = None
    if rule is not None:
        collected = offers(work, order.entity_id).collection(rule.service_id, site, work.now, facts.time_zone)
    return Wanted(
        order=order.id, order_line=line.id, item=line.item_id, quantity=0, promised_due_at=line.promised_due_at,
        lead_days=terms.lead_days, collected_at=collected, is_rush=line.is_rush,
    )  # fmt: skip


def shrink(work: UnitOfWork, task: TaskRow, orders: Mapping[int, Order]) -> list[TaskLineRow]:
    """Take from a task what its orders no longer hold: cancelled, taken back, or picked another way. Returns changed lines.

    What the picker has said already stands; finishing says what is to be put back. The orders must be locked.
    """
    lines = {line.id: line for order in orders.values() for line in order.lines}
    others = under_way(work, {one.order_line_id for one in task.lines}, without=task.id)
    left = {key: max(lines[key].allocated - others.get(key, 0), 0) for key in {one.order_line_id for one in task.lines}}
    changed = []
    for one in task.lines:
        said = one.picked + one.damaged + one.short
        keeps = max(min(one.quantity, left[one.order_line_id]), said)
        left[one.order_line_id] = max(left[one.order_line_id] - keeps, 0)
        if keeps != one.quantity:
            one.quantity = keeps
            changed.append(one)
    return changed
