"""What happens when goods leave a site: the shipment is confirmed, and nobody is asked to pack it any more."""

from __future__ import annotations

from collections.abc import Iterable

from erpcore.fulfilment.floor.records import held_for
from erpcore.fulfilment.packing.tasks import end_pack_tasks
from erpcore.fulfilment.records import ShipmentRow
from erpcore.fulfilment.services import confirm_shipments
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import CellStates, ProcessRules


def send_off(
    work: UnitOfWork, shipments: Iterable[int], *, rules: ProcessRules, cells: CellStates
) -> list[ShipmentRow]:
    """As ``confirm_shipments``, with the tasks to pack these shipments ended where they left unpacked."""
    left = confirm_shipments(work, shipments, rules=rules, cells=cells, held=held_for)
    end_pack_tasks(work, [one.id for one in left])
    return left
