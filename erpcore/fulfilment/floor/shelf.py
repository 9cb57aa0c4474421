"""What a picker found at the shelf: damaged goods are set apart, and a place where something was missing is to be counted."""

from __future__ import annotations

from erpcore.fulfilment.floor.records import TaskLineRow, TaskRow
from erpcore.inventory.balances import lock_balances
from erpcore.inventory.bins import Slot
from erpcore.inventory.count_plan import request_counts
from erpcore.inventory.models import MoveReason, StockStatus
from erpcore.inventory.shifting import Shift, shift_stock
from erpcore.kernel.work import UnitOfWork

DAMAGED = "damaged at pick"
SHORT = "short_pick"


def _slot(task: TaskRow, line: TaskLineRow) -> Slot:
    return Slot(task.site_id, line.item_id, line.location_id, line.lot_id)


def set_apart(work: UnitOfWork, task: TaskRow) -> None:
    """Damaged goods change their status where they lie; what came short has its place counted.

    What is damaged and promised to somebody else already stays as it is: the count of its place settles it. The holds of the
    task's lines must be freed before.
    """
    damaged: list[Shift] = []
    doubtful = [_slot(task, line) for line in task.lines if line.short]
    held = lock_balances(work, {(task.site_id, line.item_id) for line in task.lines if line.damaged})
    free = {place: figures[0] - figures[1] - figures[2] for place, figures in held.items()}
    for line in task.lines:
        slot, place = _slot(task, line), (task.site_id, line.item_id)
        apart = min(line.damaged, max(free.get(place, 0), 0))
        if apart < line.damaged:
            doubtful.append(slot)
        if apart:
            free[place] -= apart
            damaged.append(
                Shift(
                    source=slot, target=slot._replace(status=StockStatus.DAMAGED), quantity=apart, reason=MoveReason.STATUS,
                    document_type="task", document_id=task.id, note=DAMAGED,
                )
            )  # fmt: skip
    if damaged:
        shift_stock(work, damaged, order_names=lambda _work, _lines: [])
    if doubtful:
        request_counts(work, doubtful, SHORT)
