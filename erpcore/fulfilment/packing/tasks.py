"""Which tasks ask for a shipment to be packed, and what becomes of them when it leaves unpacked?"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from erpcore.fulfilment.floor.models import TaskKind, TaskState, WarehouseTask
from erpcore.fulfilment.floor.records import TaskRow, lock_tasks, save_tasks
from erpcore.fulfilment.floor.tasks import drop, step
from erpcore.kernel.work import UnitOfWork


def pack_tasks(work: UnitOfWork, shipments: Iterable[int]) -> list[TaskRow]:
    """The tasks to pack these shipments that have not ended, locked."""
    table = WarehouseTask.__table__.c
    found = work.session.scalars(
        select(table.id).where(
            table.document_type == "shipment", table.document_id.in_(sorted(shipments)), table.kind == TaskKind.PACK,
            table.state.not_in((TaskState.DONE, TaskState.CANCELLED)),
        )
    )  # fmt: skip
    return lock_tasks(work, list(found))


def end_pack_tasks(work: UnitOfWork, shipments: Iterable[int], *, reason: str = "left without being packed") -> None:
    """What has left, or was taken back, is not packed any more: nobody is handed a task that cannot be done."""
    tasks = pack_tasks(work, shipments)
    for task in tasks:
        step(work, task, "cancel", reason=reason)
        drop(task)
    save_tasks(work, tasks)
