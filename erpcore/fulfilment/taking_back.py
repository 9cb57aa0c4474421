"""A shipment that was picked does not leave after all: its goods go back to their places, and its order waits to be picked again."""

from __future__ import annotations

from collections.abc import Sequence

from erpcore.fulfilment.floor.records import held_for
from erpcore.fulfilment.flow import SHIPMENT
from erpcore.fulfilment.models import ShipmentState
from erpcore.fulfilment.packing.models import CartonState
from erpcore.fulfilment.packing.records import cartons_of
from erpcore.fulfilment.packing.tasks import end_pack_tasks
from erpcore.fulfilment.records import ShipmentRow, lock_shipments, orders_of, save_shipments
from erpcore.inventory.balances import lock_balances
from erpcore.inventory.holds import give_back
from erpcore.inventory.services import free_reservations
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.documents import Line, Order
from erpcore.orders.moving import admit_order
from erpcore.orders.records import lock_orders, save_orders
from erpcore.ports import CellStates
from erpcore.published import LineQuantity, ShipmentTakenBack

PERMISSION = "warehouse:shipment:pick"


def take_back_shipment(work: UnitOfWork, shipment_id: int, reason: str, *, cells: CellStates) -> ShipmentRow:
    """Put what was picked back; what was ordered of it stays allocated, what was taken beyond the order becomes free.

    What turns out to be past its last day is set apart afterwards, as anything that is met on a shelf. Raises ``IllegalMove`` for
    a shipment that has left, ``RuleBroken("reason_required")``, ``"unpack_first"`` while a carton holds some of it.
    """
    (order,) = lock_orders(work, orders_of(work, [shipment_id])) or (None,)
    if order is None:
        raise NotFound("shipment_unknown", shipment=shipment_id)
    (shipment,) = lock_shipments(work, [shipment_id])
    work.actor.require(PERMISSION, site=shipment.site_id)
    admit_order(work, cells, order, site=shipment.site_id)
    was, why = shipment.state, reason.strip()
    shipment.state = ShipmentState(SHIPMENT.target("put_back", was, reason=why))
    for carton in cartons_of(work, [shipment_id])[shipment_id]:
        if carton.state != CartonState.VOID:
            raise RuleBroken("unpack_first", carton=carton.number, document=shipment.number)
    by_id = {line.id: line for line in order.lines}
    lines = [(by_id[key], quantity) for key, quantity in shipment.lines]
    extra = _put_back(work, order, shipment, lines)
    end_pack_tasks(work, [shipment_id], reason="taken back")
    facts = {"lines": {str(key): quantity for key, quantity in shipment.lines}, "extra": extra}
    record_move(work, "shipment", shipment_id, "put_back", was, shipment.state, reason=why, facts=facts)
    work.publish(
        ShipmentTakenBack(reason=why, lines=[LineQuantity(line=key, quantity=q) for key, q in shipment.lines]),
        order.place(work), step="order_to_cash.pick", subject=("shipment", shipment_id, shipment.version + 1),
        journey=order.id,
    )  # fmt: skip
    save_shipments(work, [shipment])
    save_orders(work, [order], [line for line, _ in lines])
    return shipment


def _put_back(
    work: UnitOfWork, order: Order, shipment: ShipmentRow, lines: Sequence[tuple[Line, int]]
) -> dict[str, int]:
    """Back to the shelf, to the order's lines and, what was beyond them, to everybody; returns the last by line."""
    stock = [(line, (shipment.site_id, line.item_id), quantity) for line, quantity in lines if line.has_stock]
    lock_balances(work, {place for _, place, _ in stock})
    give_back(work, [(line.id, place, quantity) for line, place, quantity in stock], held_for(work, shipment.id))
    beyond = {line.id: min(line.extra, quantity) for line, _, quantity in stock if line.extra}
    for line, quantity in lines:
        line.picked -= quantity
        if line.has_stock:
            line.allocated += quantity - beyond.get(line.id, 0)
            line.extra -= beyond.get(line.id, 0)
    extra = {str(key): quantity for key, quantity in beyond.items()}
    if beyond:
        free_reservations(work, beyond)
        record_move(work, "order", order.id, "give_up_extra", order.state, order.state, facts={"lines": extra})
    return extra
