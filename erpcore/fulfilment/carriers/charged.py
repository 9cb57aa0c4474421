"""What carriers' bills charge for shipments stands at their carriage, unless a person had settled the freight before."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from erpcore.fulfilment.carriers.records import CarriageRow, lock_carriages, save_carriages
from erpcore.fulfilment.carriers.troubles import tell_shipment
from erpcore.fulfilment.records import ShipmentRow, lock_shipments, orders_of
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.records import lock_orders
from erpcore.published.floor import ShipmentFreightSettled


def charge_freight(work: UnitOfWork, charged: Mapping[int, int], *, billed: Collection[int]) -> set[int]:
    """Add what bills charge for shipments, in minor units; a negative amount gives back. Returns the shipments whose carriage says it
    now: not those that left without a carrier, or that a person settled (``billed``: those that earlier bills did).
    """
    orders = {order.id: order for order in lock_orders(work, orders_of(work, list(charged)))}
    shipments = {one.id: one for one in lock_shipments(work, list(charged))}
    carriages, changed = lock_carriages(work, shipments.values()), []
    for key, minor in charged.items():
        carriage = carriages[key]
        if carriage.service_id is None or (carriage.settled_at is not None and key not in billed):
            continue
        _add(carriage, shipments[key], minor)
        carriage.settled_at = carriage.settled_at or work.now
        changed.append(carriage)
        _note(work, shipments[key], carriage.freight_actual_minor)
        event = ShipmentFreightSettled(
            service=carriage.service_id, actual=carriage.freight_actual_minor or 0, estimate=carriage.freight_estimate_minor,
            premium=carriage.premium_reason,
        )  # fmt: skip
        tell_shipment(work, orders[shipments[key].order_id], shipments[key], event)
    save_carriages(work, changed)
    return {carriage.shipment_id for carriage in changed}


def take_charges_back(work: UnitOfWork, charged: Mapping[int, int], *, still: Collection[int]) -> None:
    """Take what a bill charged out again. What no other bill charges for (``still``: those that one does) is not settled any more."""
    lock_orders(work, orders_of(work, list(charged)))
    shipments = {one.id: one for one in lock_shipments(work, list(charged))}
    carriages = lock_carriages(work, shipments.values())
    for key, minor in charged.items():
        carriage = carriages[key]
        _add(carriage, shipments[key], -minor)
        if key not in still:
            carriage.freight_actual_minor = carriage.settled_at = None
        _note(work, shipments[key], carriage.freight_actual_minor)
    save_carriages(work, list(carriages.values()))


def _add(carriage: CarriageRow, shipment: ShipmentRow, minor: int) -> None:
    carriage.freight_actual_minor = (carriage.freight_actual_minor or 0) + minor
    if carriage.freight_actual_minor < 0:
        raise RuleBroken("freight_below_nothing", document=shipment.number)


def _note(work: UnitOfWork, shipment: ShipmentRow, actual: int | None) -> None:
    record_move(
        work,
        "shipment",
        shipment.id,
        "settle_freight",
        shipment.state,
        shipment.state,
        facts={"actual": actual, "by": "bill"},
    )
