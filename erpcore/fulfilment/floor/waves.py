"""Pick waves: orders picked together for one collection of a carrier; planned, released, interrupted, resumed, completed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from erpcore.fulfilment.carriers.offers import offers, rule_for
from erpcore.fulfilment.floor.flow import TASK, WAVE
from erpcore.fulfilment.floor.models import PickMethod, TaskKind, TaskState, WarehouseTask, WaveState
from erpcore.fulfilment.floor.planning import create_picks, under_way
from erpcore.fulfilment.floor.records import (
    TaskRow,
    WaveRow,
    insert_wave,
    lock_tasks,
    lock_waves,
    place_of,
    save_tasks,
    save_waves,
)
from erpcore.fulfilment.floor.rules import MOST_TOTES
from erpcore.fulfilment.floor.tasks import PLAN, call_off, drop, step
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.models import OrderLine, OrderState, SalesOrder
from erpcore.orders.records import lock_orders
from erpcore.ports import CellStates, ProcessRules
from erpcore.published.floor import (
    PickWaveCompleted,
    PickWaveInterrupted,
    PickWavePlanned,
    PickWaveReleased,
    PickWaveResumed,
)

#: Lines that a pick wave takes when nobody says otherwise, and the most that one may be asked to take.
STANDARD_CAPACITY, MOST_CAPACITY = 200, 5_000
#: Orders looked at for one wave, the earliest promises first.
MOST_ORDERS = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanPickWave:
    """Which orders to pick together: for one carrier service (``None``: any), in one zone (``None``: all), so many lines at most.

    ``orders`` names them; otherwise the earliest promises that are allocated and not planned yet are taken.
    """

    site: int
    method: PickMethod = PickMethod.ORDER
    service: int | None = None
    zone: str | None = None
    capacity: int = STANDARD_CAPACITY
    totes: int = MOST_TOTES
    orders: Sequence[int] | None = None


def pick_method(word: str) -> PickMethod:
    """The method by its word; raises ``RuleBroken`` for one that nobody knows."""
    if word not in set(PickMethod):
        raise RuleBroken("choice_unknown", field="method", value=word)
    return PickMethod(word)


def plan_pick_wave(
    work: UnitOfWork, command: PlanPickWave, *, rules: ProcessRules, cells: CellStates
) -> tuple[WaveRow, list[TaskRow]]:
    """A wave with its tasks, which wait for its release. Raises ``RuleBroken("nothing_to_plan")`` when no line fits."""
    work.actor.require(PLAN, site=command.site)
    facts = site_facts(work, command.site)
    if not 1 <= command.capacity <= MOST_CAPACITY:
        raise RuleBroken("capacity_absurd", field="capacity", most=MOST_CAPACITY)
    if not 1 <= command.totes <= 40:
        raise RuleBroken("totes_absurd", field="totes")
    cut_off = None
    if command.service is not None:
        offered = offers(work, facts.entity.id)
        offered.service(command.service)
        cut_off = offered.collection(command.service, command.site, work.now, facts.time_zone)
    orders = list(command.orders) if command.orders is not None else _candidates(work, command.site)
    if command.service is not None:
        orders = _going_with(work, orders, command.site, command.service)
    key = work.ids.one()
    wave = WaveRow(
        id=key, entity_id=facts.entity.id, site_id=command.site, number=f"PW-{key}", state=WaveState.PLANNED,
        method=command.method, service_id=command.service, zone=command.zone, cut_off_at=cut_off,
        capacity=command.capacity, planned_at=work.now, released_at=None, completed_at=None, interrupt_reason=None, version=1,
    )  # fmt: skip
    insert_wave(work, wave)
    tasks = create_picks(
        work, command.site, orders, rules=rules, cells=cells, method=command.method, wave=wave, zone=command.zone,
        most_lines=command.capacity, totes=command.totes,
    )  # fmt: skip
    if not tasks:
        raise RuleBroken("nothing_to_plan")
    record_move(work, "pick_wave", wave.id, "plan", None, wave.state)
    _tell(work, wave, PickWavePlanned(tasks=len(tasks), lines=sum(len(task.lines) for task in tasks)), version=1)
    return wave, tasks


def _candidates(work: UnitOfWork, site: int) -> list[int]:
    """Released orders with something allocated at the site that no task covers, the earliest promise first."""
    order, line = SalesOrder.__table__.c, OrderLine.__table__.c
    rows = work.session.execute(
        select(line.order_id, line.id, line.allocated)
        .join(SalesOrder, order.id == line.order_id)
        .where(line.site_id == site, order.state == OrderState.RELEASED, line.allocated > 0)
        .order_by(line.promised_due_at, line.order_id)
        .limit(MOST_ORDERS)
    ).all()
    covered = under_way(work, [row.id for row in rows])
    return list(dict.fromkeys(row.order_id for row in rows if int(row.allocated.scaleb(3)) > covered.get(row.id, 0)))


def _going_with(work: UnitOfWork, order_ids: Sequence[int], site: int, service: int) -> list[int]:
    """The orders that the carrier rules give this service, in the sequence given."""
    orders = {order.id: order for order in lock_orders(work, order_ids)}
    chosen = []
    for key in order_ids:
        rule = rule_for(work, orders[key], site, None)
        if rule is not None and rule.service_id == service:
            chosen.append(key)
    return chosen


def release_pick_wave(work: UnitOfWork, wave_id: int) -> WaveRow:
    """Its tasks are on the queue from now on."""
    wave = _moved(work, wave_id, "release")
    wave.released_at = work.now
    _open_tasks(work, wave)
    _tell(work, wave, PickWaveReleased(late=wave.cut_off_at is not None and work.now > wave.cut_off_at))
    save_waves(work, [wave])
    return wave


def interrupt_pick_wave(work: UnitOfWork, wave_id: int, reason: str) -> WaveRow:
    """Something is more urgent: every task of the wave leaves its holder and waits. What lies in totes stays picked."""
    wave = _moved(work, wave_id, "interrupt", reason)
    wave.interrupt_reason = reason
    tasks = _tasks_of(work, wave.id, (TaskState.OPEN, TaskState.CLAIMED, TaskState.STARTED))
    for task in tasks:
        step(work, task, "pause", left_by=task.owner_id)
        drop(task)
    save_tasks(work, tasks)
    _tell(work, wave, PickWaveInterrupted(reason=reason))
    save_waves(work, [wave])
    return wave


def resume_pick_wave(work: UnitOfWork, wave_id: int) -> WaveRow:
    """The tasks of an interrupted wave are on the queue again, where their pickers left them."""
    wave = _moved(work, wave_id, "resume")
    wave.interrupt_reason = None
    _open_tasks(work, wave)
    _tell(work, wave, PickWaveResumed())
    save_waves(work, [wave])
    return wave


def cancel_pick_wave(work: UnitOfWork, wave_id: int, reason: str) -> WaveRow:
    """Its lines can be planned anew. Refused while something of it is picked: that is finished or put back first."""
    wave = _moved(work, wave_id, "cancel", reason)
    tasks = _tasks_of(work, wave.id, (TaskState.WAITING, TaskState.OPEN, TaskState.CLAIMED, TaskState.STARTED))
    for task in tasks:
        if any(line.picked or line.damaged for line in task.lines):
            raise RuleBroken("task_has_goods", task=task.id)
        call_off(work, task, reason)
    save_tasks(work, tasks)
    save_waves(work, [wave])
    return wave


def complete_if_done(work: UnitOfWork, wave: WaveRow) -> bool:
    """Complete a wave whose last pick task has ended. The wave must be locked, so that the last two do not miss each other."""
    if wave.state not in WAVE.moves["complete"].sources:
        return False
    if _unfinished(work, wave.id):
        return False
    was = wave.state
    wave.state = WAVE.target("complete", was)
    wave.completed_at = work.now
    record_move(work, "pick_wave", wave.id, "complete", was, wave.state)
    _tell(work, wave, PickWaveCompleted(late=wave.cut_off_at is not None and work.now > wave.cut_off_at))
    save_waves(work, [wave])
    return True


def _moved(work: UnitOfWork, wave_id: int, move: str, reason: str | None = None) -> WaveRow:
    (wave,) = lock_waves(work, [wave_id])
    work.actor.require(PLAN, site=wave.site_id)
    was = wave.state
    wave.state = WAVE.target(move, was, reason=reason)
    record_move(work, "pick_wave", wave.id, move, was, wave.state, reason=reason)
    return wave


def _open_tasks(work: UnitOfWork, wave: WaveRow) -> None:
    tasks = _tasks_of(work, wave.id, (TaskState.WAITING,))
    for task in tasks:
        step(work, task, "release")
    save_tasks(work, tasks)


def _tasks_of(work: UnitOfWork, wave: int, states: Sequence[str]) -> list[TaskRow]:
    """Pick tasks of a wave in these states, locked, as they are now."""
    table = WarehouseTask.__table__.c
    query = select(table.id).where(table.wave_id == wave, table.kind == TaskKind.PICK, table.state.in_(list(states)))
    keys = [key for (key,) in work.session.execute(query)]
    return [task for task in lock_tasks(work, keys) if task.state in states]


def _unfinished(work: UnitOfWork, wave: int) -> bool:
    table = WarehouseTask.__table__.c
    ended = list(TASK.finals())
    query = (
        select(table.id).where(table.wave_id == wave, table.kind == TaskKind.PICK, table.state.not_in(ended)).limit(1)
    )
    return work.session.execute(query).first() is not None


def _tell(work: UnitOfWork, wave: WaveRow, event: Any, *, version: int | None = None) -> None:
    work.publish(
        event, place_of(work, wave.site_id), step="warehouse.pick_wave",
        subject=("pick_wave", wave.id, version or wave.version + 1), journey=wave.id,
    )  # fmt: skip
