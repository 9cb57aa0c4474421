"""Goods leave with a carrier: which service, with which tracking number, at what freight, with which collection.

The plain confirmation of ``services`` underneath moves the stock; here stands what only a warehouse floor knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from erpcore.fulfilment.carriers.models import TroubleKind
from erpcore.fulfilment.carriers.offers import Service, estimate, offers
from erpcore.fulfilment.carriers.records import CarriageRow, lock_carriages, save_carriages
from erpcore.fulfilment.carriers.troubles import Report, report_trouble
from erpcore.fulfilment.leaving import send_off
from erpcore.fulfilment.packing.services import propose_service
from erpcore.fulfilment.records import ShipmentRow, lock_shipments, orders_of, require_picked
from erpcore.kernel.clock import zone
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import scaled_int
from erpcore.kernel.quantity import ABSURD
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.documents import Order
from erpcore.orders.records import lock_orders
from erpcore.ports import CellStates, ProcessRules

CONFIRM = "warehouse:shipment:confirm"
MISSED = "carrier cut-off missed"


@dataclass(frozen=True, kw_only=True, slots=True)
class ShipShipment:
    """A shipment leaves. ``service`` ``None``: the one its rule gives; ``weight_kg`` is needed where nothing was packed.

    ``premium_reason``: why another service than the rule's, or a premium one, is taken.
    """

    shipment: int
    service: int | None = None
    tracking_number: str | None = None
    weight_kg: Decimal | None = None
    premium_reason: str | None = None


def ship_shipments(
    work: UnitOfWork, commands: Sequence[ShipShipment], *, rules: ProcessRules, cells: CellStates
) -> list[ShipmentRow]:
    """Confirm shipments with their carriage. What misses today's cut-off leaves with the next collection, and says so.

    Raises ``RuleBroken("not_packed")`` where the site's rules demand packing, ``"premium_reason_needed"`` for a dearer service
    without a reason, ``"service_too_light"`` above what the service carries, ``IllegalMove`` for one that has left.
    """
    asked = {command.shipment: command for command in commands}
    orders = {order.id: order for order in lock_orders(work, orders_of(work, asked))}
    shipments = lock_shipments(work, asked)
    carriages = lock_carriages(work, shipments)
    late: list[Report] = []
    for shipment in shipments:
        work.actor.require(CONFIRM, site=shipment.site_id)
        order, carriage = orders[shipment.order_id], carriages[shipment.id]
        book(work, order, shipment, carriage, asked[shipment.id])
        report = _collect(work, order, shipment, carriage)
        if report is not None:
            late.append(report)
    save_carriages(work, list(carriages.values()))
    done = send_off(work, [one.id for one in shipments], rules=rules, cells=cells)
    report_trouble(work, late, by_rule=True)
    return done


def choose_carriage(work: UnitOfWork, command: ShipShipment) -> CarriageRow:
    """Set service, tracking number or weight of a shipment before it leaves."""
    (order,) = lock_orders(work, orders_of(work, [command.shipment]))
    (shipment,) = lock_shipments(work, [command.shipment])
    work.actor.require(CONFIRM, site=shipment.site_id)
    require_picked(shipment)
    carriage = lock_carriages(work, [shipment])[shipment.id]
    book(work, order, shipment, carriage, command)
    record_move(work, "shipment", shipment.id, "book", shipment.state, shipment.state, reason=command.premium_reason,
                facts={"service": carriage.service_id})  # fmt: skip
    save_carriages(work, [carriage])
    return carriage


def book(work: UnitOfWork, order: Order, shipment: ShipmentRow, carriage: CarriageRow, command: ShipShipment) -> None:
    """Put what was asked into the carriage; the rule's service where none was asked."""
    if command.weight_kg is not None:
        if not 0 < command.weight_kg < ABSURD:
            raise RuleBroken("weight_not_positive", field="weight_kg")
        carriage.weight_kg = scaled_int(command.weight_kg, 3)
    if command.tracking_number is not None:
        carriage.tracking_number = command.tracking_number.strip() or None
    proposed = CarriageRow(shipment.id, carriage.currency, weight_kg=carriage.weight_kg)
    propose_service(work, order, shipment, proposed)
    asked = command.service
    if asked is None:
        if carriage.service_id is None or carriage.premium_reason is None:
            carriage.service_id, carriage.rule_id = proposed.service_id, proposed.rule_id
    else:
        _choose(work, order, carriage, proposed, asked, (command.premium_reason or "").strip())
    if carriage.service_id is not None:
        service = offers(work, order.entity_id).service(carriage.service_id)
        _check_weight(service, carriage)
        carriage.freight_estimate_minor = estimate(service, carriage.weight_kg, carriage.currency)


def _choose(
    work: UnitOfWork, order: Order, carriage: CarriageRow, proposed: CarriageRow, asked: int, reason: str
) -> None:
    offered = offers(work, order.entity_id)
    service = offered.service(asked)
    if asked == proposed.service_id:
        carriage.service_id, carriage.rule_id, carriage.premium_reason = asked, proposed.rule_id, None
        return
    usual = None if proposed.service_id is None else offered.services[proposed.service_id]
    if not reason and (service.is_premium or _is_dearer(service, usual, carriage)):
        raise RuleBroken("premium_reason_needed", field="premium_reason", service=service.title,
                         usual=usual.title if usual else "no service by rule")  # fmt: skip
    carriage.service_id, carriage.rule_id = asked, None
    carriage.premium_reason = reason or None


def _is_dearer(service: Service, usual: Service | None, carriage: CarriageRow) -> bool:
    """Whether the service costs more than the usual one; without a weight, by its charges."""
    if usual is None:
        return False
    weight = carriage.weight_kg if carriage.weight_kg is not None else 1000
    ours, theirs = (estimate(one, weight, carriage.currency) or 0 for one in (service, usual))
    return ours > theirs


def _check_weight(service: Service, carriage: CarriageRow) -> None:
    if service.most_kg is not None and carriage.weight_kg is not None and carriage.weight_kg > service.most_kg:
        raise RuleBroken("service_too_light", field="service", service=service.title,
                         most=Decimal(service.most_kg).scaleb(-3), weight=Decimal(carriage.weight_kg).scaleb(-3))  # fmt: skip


def _collect(work: UnitOfWork, order: Order, shipment: ShipmentRow, carriage: CarriageRow) -> Report | None:
    """With which collection it goes; a report when it missed the one of the day its service would have had."""
    if carriage.service_id is None:
        return None
    site = site_facts(work, shipment.site_id)
    offered = offers(work, order.entity_id)
    here = work.now.astimezone(zone(site.time_zone))
    today = offered.cut_offs.get((carriage.service_id, site.id), {}).get(here.date().weekday())
    next_one = offered.collection(carriage.service_id, site.id, work.now, site.time_zone)
    carriage.collected_on = None if next_one is None else next_one.astimezone(zone(site.time_zone)).date()
    carriage.missed_cut_off = today is not None and here.time().replace(tzinfo=None) > today
    own = [line for line in order.lines if line.id in dict(shipment.lines)]
    due = min((line.promised_due_at for line in own), default=None)
    # Missing the van matters when the goods then leave after their promised day.
    if not carriage.missed_cut_off or next_one is None or due is None or next_one <= due:
        return None
    return Report(
        shipment=shipment.id,
        kind=TroubleKind.DELAYED,
        reason=MISSED,
        expected_on=carriage.collected_on,
        owner=work.actor.id,
    )
