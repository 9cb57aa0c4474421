"""What does packing have to say when goods leave: may they go unpacked, and what becomes of the task to pack them?"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from erpcore.fulfilment.carriers.records import lock_carriages
from erpcore.fulfilment.floor.models import TaskKind, TaskState, WarehouseTask
from erpcore.fulfilment.floor.records import TaskRow, lock_tasks, save_tasks
from erpcore.fulfilment.floor.tasks import drop, step
from erpcore.fulfilment.records import ShipmentRow
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.documents import Order
from erpcore.ports import ProcessRules


def check_packed(work: UnitOfWork, order: Order, shipment: ShipmentRow, rules: ProcessRules) -> None:
    """Where the site's rules let nothing leave unpacked; files and back-entries tell of what has left already."""
    if work.source in ("import", "edi", "back-entry") or not any(line.has_stock for line in order.lines):
        return
    site = site_facts(work, shipment.site_id)
    here = rules.resolve(work, entity=site.entity.live_id, site=site.live_id, channel=None, customer_group=None)
    if here["packing_required"] and lock_carriages(work, [shipment])[shipment.id].packed_at is None:
        raise RuleBroken("not_packed", document=shipment.number)


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


def end_pack_tasks(work: UnitOfWork, shipments: Iterable[int]) -> None:
    """What has left is not packed any more: nobody is handed a task that cannot be done."""
    tasks = pack_tasks(work, shipments)
    for task in tasks:
        step(work, task, "cancel", reason="left without being packed")
        drop(task)
    save_tasks(work, tasks)
