"""Who does what next: tasks are made, taken, given back, handed to somebody, moved up and taken off the queue.

Two people never hold one task: it is locked, its state looked at, and written back on the condition that nobody else has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, or_, select

from erpcore.fulfilment.floor.flow import TASK
from erpcore.fulfilment.floor.models import TaskKind, TaskState, WarehouseTask
from erpcore.fulfilment.floor.records import TaskRow, insert_tasks, lock_tasks, place_of, save_tasks
from erpcore.fulfilment.floor.rules import (
    CLAIM_HOLDS,
    HIGHEST,
    LOWEST,
    STANDARD_PRIORITY,
    is_lapsed,
    may_take,
)
from erpcore.inventory.holds import free_rest
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.published.floor import TaskCreated, TaskReprioritised, TaskStarted

WORK, ASSIGN, PLAN = "warehouse:task:work", "warehouse:task:assign", "warehouse:pick_wave:plan"
#: How many of the most urgent tasks somebody who asks for work is offered before the queue counts as taken.
CANDIDATES = 20
MOST_DEVICE = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTask:
    """A task about a document: a shipment to pack, a receipt to put away, a place to count."""

    site: int
    kind: TaskKind
    document_type: str
    document_id: int
    due_at: datetime
    priority: int = STANDARD_PRIORITY
    wave: int | None = None
    zone: str | None = None


def new_row(work: UnitOfWork, key: int, site: int, kind: TaskKind, state: TaskState, due_at: datetime) -> TaskRow:
    """A task that nobody holds, with standard priority."""
    return TaskRow(
        id=key, entity_id=site_facts(work, site).entity.id, site_id=site, kind=kind, state=state,
        priority=STANDARD_PRIORITY, due_at=due_at, wave_id=None, zone=None, document_type=None, document_id=None,
        owner_id=None, device=None, claimed_until=None, created_at=work.now, started_at=None, finished_at=None, version=1,
    )  # fmt: skip


def add_tasks(work: UnitOfWork, commands: Sequence[NewTask]) -> list[TaskRow]:
    """Put tasks about documents on the queue, to be taken at once."""
    ids = work.ids.reserve(len(commands))
    tasks = []
    for command in commands:
        task = new_row(work, next(ids), command.site, command.kind, TaskState.OPEN, command.due_at)
        task.priority, task.wave_id, task.zone = command.priority, command.wave, command.zone
        task.document_type, task.document_id = command.document_type, command.document_id
        tasks.append(task)
    insert_tasks(work, tasks)
    for task in tasks:
        report_created(work, task)
    return tasks


def report_created(work: UnitOfWork, task: TaskRow) -> None:
    """The task's first line of history, and its event."""
    record_move(work, "task", task.id, "create", None, task.state)
    tell(work, task, TaskCreated(kind=task.kind, lines=len(task.lines), priority=task.priority, due=task.due_at), 1)


def tell(work: UnitOfWork, task: TaskRow, event: Any, version: int | None = None) -> None:
    """Tell of a task under the version that this change gives it. Its journey is its order's, when it has only one."""
    orders = task.orders
    work.publish(
        event, place_of(work, task.site_id), step="warehouse.task",
        subject=("task", task.id, version or task.version + 1), journey=orders[0] if len(orders) == 1 else task.id,
        refs=[("order", order, 1_000_000 // len(orders)) for order in orders] if len(orders) > 1 else (),
    )  # fmt: skip


def step(work: UnitOfWork, task: TaskRow, move: str, *, reason: str | None = None, left_by: int | None = None) -> None:
    """Move a task by its flow, with history; ``left_by``: whom it was taken from. The caller saves it."""
    was = task.state
    task.state = TASK.target(move, was, reason=reason)
    facts = None if left_by is None else {"left_by": left_by}
    record_move(work, "task", task.id, move, was, task.state, reason=reason, facts=facts)


def hold(work: UnitOfWork, task: TaskRow, device: str | None = None) -> None:
    """The task is this person's from now on, until they are silent for too long."""
    task.owner_id, task.claimed_until = work.actor.id, work.now + CLAIM_HOLDS
    task.device = (device or task.device or "")[:MOST_DEVICE] or None


def drop(task: TaskRow) -> None:
    """Nobody holds the task any more."""
    task.owner_id, task.device, task.claimed_until = None, None, None


def claim_task(work: UnitOfWork, task_id: int, *, device: str | None = None) -> TaskRow:
    """Take a task. What its last holder had done of it stays done.

    Raises ``RuleBroken("task_taken")`` when somebody else holds it, ``"task_given"`` when it was handed to somebody else, and
    ``"task_not_there"`` when it waits or has ended.
    """
    (task,) = lock_tasks(work, [task_id])
    work.actor.require(WORK, site=task.site_id)
    take(work, task, device)
    save_tasks(work, [task])
    return task


def take(work: UnitOfWork, task: TaskRow, device: str | None) -> None:
    """As ``claim_task`` for a task that is locked."""
    if not may_take(task.state, task.owner_id, task.claimed_until, work.actor.id, work.now):
        if task.state in (TaskState.CLAIMED, TaskState.STARTED):
            raise RuleBroken("task_taken", task=task.id, until=task.claimed_until)
        raise RuleBroken(
            "task_given" if task.state == TaskState.OPEN else "task_not_there", task=task.id, state=task.state
        )
    if task.state != TaskState.OPEN and task.owner_id == work.actor.id:
        hold(work, task, device)
        return
    left_by = task.owner_id if is_lapsed(task.state, task.claimed_until, work.now) else None
    step(work, task, "claim", left_by=left_by)
    hold(work, task, device)


def next_task(
    work: UnitOfWork, site: int, *, kinds: Sequence[str] = (), zone: str | None = None, device: str | None = None
) -> TaskRow | None:
    """Take the most urgent task there is for this person at a site; ``None`` when the queue is empty.

    What the person holds already comes first, then what was handed to them, then by priority and due moment.
    """
    work.actor.require(WORK, site=site)
    site_facts(work, site)
    table = WarehouseTask.__table__.c
    lapsed = table.state.in_((TaskState.CLAIMED, TaskState.STARTED)) & (
        (table.owner_id == work.actor.id) | (table.claimed_until <= work.now)
    )
    free = (table.state == TaskState.OPEN) & or_(table.owner_id.is_(None), table.owner_id == work.actor.id)
    query = select(table.id).where(table.site_id == site, or_(free, lapsed))
    if kinds:
        query = query.where(table.kind.in_(list(kinds)))
    if zone is not None:
        query = query.where(table.zone == zone)
    mine = case((table.owner_id == work.actor.id, 0), else_=1)
    rows = work.session.execute(query.order_by(mine, table.priority, table.due_at, table.id).limit(CANDIDATES))
    for (key,) in rows.all():
        (task,) = lock_tasks(work, [key])
        if may_take(task.state, task.owner_id, task.claimed_until, work.actor.id, work.now):
            take(work, task, device)
            save_tasks(work, [task])
            return task
    return None


def mine(work: UnitOfWork, task_id: int, *, started: bool = True, seen: int | None = None) -> TaskRow:
    """A task that this person holds, locked; each touch is a sign of life.

    Raises ``RuleBroken("task_interrupted")`` when its pick wave was interrupted, ``"task_not_yours"`` when somebody took it over
    or it was given back, ``"task_not_started"`` before its start.
    """
    (task,) = lock_tasks(work, [task_id], seen=None if seen is None else {task_id: seen})
    work.actor.require(WORK, site=task.site_id)
    if task.state == TaskState.WAITING:
        raise RuleBroken("task_interrupted", task=task.id)
    if task.state in (TaskState.DONE, TaskState.CANCELLED):
        raise RuleBroken("task_not_there", task=task.id, state=task.state)
    if task.owner_id != work.actor.id or task.state == TaskState.OPEN:
        raise RuleBroken("task_not_yours", task=task.id)
    if started and task.state != TaskState.STARTED:
        raise RuleBroken("task_not_started", task=task.id)
    hold(work, task)
    return task


def start_held(work: UnitOfWork, task: TaskRow) -> None:
    """Begin a task that this person holds; a task taken over goes on where it was."""
    step(work, task, "start")
    first = task.started_at is None
    task.started_at = task.started_at or work.now
    if first:
        tell(work, task, TaskStarted(kind=task.kind))


def give_back(work: UnitOfWork, task_id: int) -> TaskRow:
    """Put a task back on the queue, with what was done of it."""
    task = mine(work, task_id, started=False)
    step(work, task, "give_back")
    drop(task)
    save_tasks(work, [task])
    return task


def assign_task(work: UnitOfWork, task_id: int, person: int | None) -> TaskRow:
    """Hand a task to somebody, or to whoever comes next (``None``). Taken from its holder with what they did of it."""
    (task,) = lock_tasks(work, [task_id])
    work.actor.require(ASSIGN, site=task.site_id)
    was = task.state
    if was in (TaskState.CLAIMED, TaskState.STARTED):
        step(work, task, "give_back", left_by=task.owner_id)
    elif was not in (TaskState.OPEN, TaskState.WAITING):
        raise RuleBroken("task_not_there", task=task.id, state=task.state)
    drop(task)
    task.owner_id = person
    record_move(work, "task", task.id, "assign", task.state, task.state, facts={"owner": person})
    save_tasks(work, [task])
    return task


def reprioritise_task(work: UnitOfWork, task_id: int, priority: int, reason: str) -> TaskRow:
    """Let a task go before or after its turn. By hand only with a reason, which counts in the share of such acts."""
    (task,) = lock_tasks(work, [task_id])
    work.actor.require(ASSIGN, site=task.site_id)
    if not HIGHEST <= priority <= LOWEST:
        raise RuleBroken("priority_unknown", field="priority", lowest=LOWEST, highest=HIGHEST)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="task", move="reprioritise")
    if task.state in (TaskState.DONE, TaskState.CANCELLED):
        raise RuleBroken("task_not_there", task=task.id, state=task.state)
    if priority == task.priority:
        raise RuleBroken("priority_same", field="priority", priority=priority)
    was, task.priority = task.priority, priority
    record_move(
        work,
        "task",
        task.id,
        "reprioritise",
        task.state,
        task.state,
        reason=reason,
        facts={"from": was, "to": priority},
    )
    tell(work, task, TaskReprioritised(old=was, new=priority, reason=reason))
    save_tasks(work, [task])
    return task


def cancel_task(work: UnitOfWork, task_id: int, reason: str) -> TaskRow:
    """Take a task off the queue; what it was to pick may be planned anew. Refused while something picked lies in a tote."""
    (task,) = lock_tasks(work, [task_id])
    work.actor.require(PLAN, site=task.site_id)
    if any(line.picked or line.damaged for line in task.lines):
        raise RuleBroken("task_has_goods", task=task.id)
    call_off(work, task, reason)
    save_tasks(work, [task])
    return task


def call_off(work: UnitOfWork, task: TaskRow, reason: str) -> None:
    """Cancel a locked task and free the places held for it; the caller saves it."""
    step(work, task, "cancel", reason=reason)
    drop(task)
    free_rest(work, [line.hold_id for line in task.lines if line.hold_id is not None])
