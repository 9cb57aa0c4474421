"""Tasks and pick waves as services hold them: rows read once, locked until the unit of work ends, changed on condition.

Locks are taken in this order: orders, pick waves, tasks, shipments, stock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import select, update

from erpcore.fulfilment.floor.models import PickWave, TaskLine, WarehouseTask
from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.events import Place
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts


@dataclass(slots=True)
class TaskLineRow:
    """A line of a task as stored; quantities in thousandths."""

    task_id: int
    line_no: int
    order_id: int
    order_line_id: int
    item_id: int
    location_id: int | None
    lot_id: int | None
    hold_id: int | None
    tote: int
    quantity: int
    picked: int = 0
    damaged: int = 0
    short: int = 0
    short_reason: str | None = None
    shipment_id: int | None = None
    extra: int = 0

    @property
    def left(self) -> int:
        """What nobody has said anything about yet."""
        return self.quantity - self.picked - self.damaged - self.short


@dataclass(slots=True)
class TaskRow:
    """A task as stored, with its lines."""

    id: int
    entity_id: int
    site_id: int
    kind: str
    state: str
    priority: int
    due_at: datetime
    wave_id: int | None
    zone: str | None
    document_type: str | None
    document_id: int | None
    owner_id: int | None
    device: str | None
    claimed_until: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    version: int
    lines: list[TaskLineRow] = field(default_factory=list)

    @property
    def orders(self) -> list[int]:
        return sorted({line.order_id for line in self.lines})


@dataclass(slots=True)
class WaveRow:
    """A pick wave as stored."""

    id: int
    entity_id: int
    site_id: int
    number: str
    state: str
    method: str
    service_id: int | None
    zone: str | None
    cut_off_at: datetime | None
    capacity: int
    planned_at: datetime
    released_at: datetime | None
    completed_at: datetime | None
    interrupt_reason: str | None
    version: int


TASK_COLUMNS = tuple(f.name for f in fields(TaskRow) if f.name != "lines")
LINE_COLUMNS = tuple(f.name for f in fields(TaskLineRow))
WAVE_COLUMNS = tuple(f.name for f in fields(WaveRow))
_task_values, _line_values, _wave_values = (
    attrgetter(*TASK_COLUMNS),
    attrgetter(*LINE_COLUMNS),
    attrgetter(*WAVE_COLUMNS),
)
_TASK_CHANGED = ("state", "priority", "due_at", "owner_id", "device", "claimed_until", "started_at", "finished_at")
_LINE_CHANGED = ("quantity", "picked", "damaged", "short", "short_reason", "shipment_id", "extra")
_WAVE_CHANGED = ("state", "released_at", "completed_at", "interrupt_reason")


def _save_task() -> Any:
    table = WarehouseTask.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _TASK_CHANGED})
    )


def _save_line() -> Any:
    table = TaskLine.__table__
    return (
        update(table)
        .where(table.c.task_id == param("task", table.c.task_id), table.c.line_no == param("line", table.c.line_no))
        .values(**{name: param(f"new_{name}", table.c[name]) for name in _LINE_CHANGED})
    )


def _save_wave() -> Any:
    table = PickWave.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _WAVE_CHANGED})
    )


SAVE_TASK, SAVE_LINE, SAVE_WAVE = Change(_save_task), Change(_save_line), Change(_save_wave)


def insert_tasks(work: UnitOfWork, tasks: Sequence[TaskRow]) -> None:
    """Write new tasks with their lines, and keep them in hand."""
    write_rows(work, WarehouseTask.__table__, TASK_COLUMNS, [_task_values(task) for task in tasks])
    lines = [_line_values(line) for task in tasks for line in task.lines]
    write_rows(work, TaskLine.__table__, LINE_COLUMNS, lines)
    work.memo.setdefault("tasks", {}).update((task.id, task) for task in tasks)


def insert_wave(work: UnitOfWork, wave: WaveRow) -> None:
    """Write a new pick wave, and keep it in hand."""
    write_rows(work, PickWave.__table__, WAVE_COLUMNS, [_wave_values(wave)])
    work.memo.setdefault("pick_waves", {})[wave.id] = wave


def lock_tasks(work: UnitOfWork, ids: Iterable[int], *, seen: dict[int, int] | None = None) -> list[TaskRow]:
    """Tasks with their lines, locked, in the order of their ids; ``seen`` are the versions that the person saw.

    Raises ``NotFound`` for an unknown task and for one of a site outside the actor's scope, ``Conflict`` when it changed since.
    """
    held: dict[int, TaskRow] = work.memo.setdefault("tasks", {})
    wanted = sorted(set(ids))
    unread = [key for key in wanted if key not in held]
    if unread:
        for row in read_rows(work, WarehouseTask, TASK_COLUMNS, "id", unread, lock=True):
            held[row.id] = TaskRow(*row)
        for row in read_rows(work, TaskLine, LINE_COLUMNS, "task_id", [key for key in unread if key in held]):
            held[row.task_id].lines.append(TaskLineRow(*row))
        for key in unread:
            if key in held:
                held[key].lines.sort(key=lambda line: line.line_no)
    for key in wanted:
        if key not in held or (work.actor.sites is not None and held[key].site_id not in work.actor.sites):
            raise NotFound("task_unknown", task=key)
        # Refuses a task of another realm.
        site_facts(work, held[key].site_id)
        if seen and key in seen and seen[key] != held[key].version:
            raise Conflict("changed_meanwhile", document=f"task {key}")
    return [held[key] for key in wanted]


def save_tasks(work: UnitOfWork, tasks: Sequence[TaskRow]) -> None:
    """Write back changed tasks, each one version on. Raises ``Conflict`` when another worker was faster."""
    SAVE_TASK.run(
        work,
        [{"of": t.id, "was": t.version, **{f"new_{name}": getattr(t, name) for name in _TASK_CHANGED}} for t in tasks],
    )
    for task in tasks:
        task.version += 1


def save_task_lines(work: UnitOfWork, lines: Sequence[TaskLineRow]) -> None:
    """Write back changed lines; their tasks must be locked."""
    SAVE_LINE.run(
        work,
        [
            {"task": one.task_id, "line": one.line_no, **{f"new_{name}": getattr(one, name) for name in _LINE_CHANGED}}
            for one in lines
        ],
    )


def lock_waves(work: UnitOfWork, ids: Iterable[int]) -> list[WaveRow]:
    """Pick waves, locked, in the order of their ids; raises ``NotFound`` for an unknown one and for another site's."""
    held: dict[int, WaveRow] = work.memo.setdefault("pick_waves", {})
    wanted = sorted(set(ids))
    for row in read_rows(work, PickWave, WAVE_COLUMNS, "id", [key for key in wanted if key not in held], lock=True):
        held[row.id] = WaveRow(*row)
    for key in wanted:
        if key not in held or (work.actor.sites is not None and held[key].site_id not in work.actor.sites):
            raise NotFound("pick_wave_unknown", wave=key)
        site_facts(work, held[key].site_id)
    return [held[key] for key in wanted]


def save_waves(work: UnitOfWork, waves: Sequence[WaveRow]) -> None:
    """Write back changed pick waves, each one version on."""
    SAVE_WAVE.run(
        work,
        [{"of": w.id, "was": w.version, **{f"new_{name}": getattr(w, name) for name in _WAVE_CHANGED}} for w in waves],
    )
    for wave in waves:
        wave.version += 1


def place_of(work: UnitOfWork, site: int) -> Place:
    """The dimensions of events of the floor: a site's, whatever the orders'."""
    facts = site_facts(work, site)
    return Place(
        realm=facts.entity.realm, entity=facts.entity.id, site=facts.id, currency=facts.entity.currency,
        time_zone=facts.time_zone,
    )  # fmt: skip


def held_for(work: UnitOfWork, shipment: int) -> frozenset[int]:
    """The bins held that a shipment was picked from."""
    held = work.session.scalars(select(TaskLine.hold_id).where(TaskLine.shipment_id == shipment))
    return frozenset(key for key in held if key)
