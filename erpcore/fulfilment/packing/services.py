"""Packing a picked shipment: open a carton, put goods in as they are scanned, close it with its weight.

Nothing is packed that was not picked, nothing twice. When the last piece lies in a closed carton the shipment is packed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from erpcore.fulfilment.carriers.offers import estimate, offers, rule_for
from erpcore.fulfilment.carriers.records import CarriageRow, lock_carriages, save_carriages
from erpcore.fulfilment.floor.models import TaskState
from erpcore.fulfilment.floor.records import TaskRow, save_tasks
from erpcore.fulfilment.floor.tasks import drop, start_held, step, take, tell
from erpcore.fulfilment.packing.flow import CARTON
from erpcore.fulfilment.packing.models import CartonState, CartonType
from erpcore.fulfilment.packing.records import (
    CartonRow,
    cartons_of,
    insert_carton,
    put_contents,
    save_cartons,
    shipment_of,
)
from erpcore.fulfilment.packing.tasks import pack_tasks
from erpcore.fulfilment.records import ShipmentRow, lock_shipments, orders_of, require_picked
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import scaled_int
from erpcore.kernel.quantity import ABSURD, as_units
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items
from erpcore.masterdata.units import require_countable
from erpcore.orders.documents import Order
from erpcore.orders.records import lock_orders
from erpcore.published.floor import ShipmentPacked, TaskFinished

PACK, CHANGE = "warehouse:shipment:pack", "warehouse:carrier:change"
MOST_CARTONS = 999


@dataclass(frozen=True, kw_only=True)
class NewCartonType:
    """A kind of box; weights in kilograms, measures in millimetres."""

    entity: int
    code: str
    name: str
    length_mm: int
    width_mm: int
    height_mm: int
    tare_kg: Decimal
    most_kg: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PackCarton:
    """A whole carton at once: ``contents`` maps order lines to thousandths; ``None`` takes all that is not packed yet."""

    shipment: int
    carton_type: int
    weight_kg: Decimal
    contents: Mapping[int, int] | None = None


class _Packing(NamedTuple):
    """A shipment being packed, with everything it needs in hand and locked."""

    order: Order
    shipment: ShipmentRow
    carriage: CarriageRow
    cartons: list[CartonRow]

    @property
    def packed(self) -> dict[int, int]:
        """Thousandths by order line in cartons that count."""
        out: dict[int, int] = {}
        for carton in self.cartons:
            if carton.state != CartonState.VOID:
                for line, quantity in carton.contents.items():
                    out[line] = out.get(line, 0) + quantity
        return out

    @property
    def left(self) -> dict[int, int]:
        """Thousandths by order line that lie in no carton; what has no stock needs none."""
        stock = {line.id for line in self.order.lines if line.has_stock}
        packed = self.packed
        return {
            line: quantity - packed.get(line, 0)
            for line, quantity in self.shipment.lines
            if line in stock and quantity > packed.get(line, 0)
        }

    @property
    def open(self) -> CartonRow | None:
        return next((carton for carton in self.cartons if carton.state == CartonState.OPEN), None)


def add_carton_type(work: UnitOfWork, command: NewCartonType) -> CartonType:
    """A new kind of box; raises ``Conflict`` for a code in use."""
    work.actor.require(CHANGE)
    taken = select(CartonType.id).where(CartonType.entity_id == command.entity, CartonType.code == command.code)
    if work.session.execute(taken).first():
        raise Conflict("code_in_use", field="code", code=command.code)
    for field, size in (
        ("length_mm", command.length_mm),
        ("width_mm", command.width_mm),
        ("height_mm", command.height_mm),
    ):
        if not 1 <= size <= 20_000:
            raise RuleBroken("size_absurd", field=field)
    if command.tare_kg < 0 or (command.most_kg is not None and command.most_kg <= command.tare_kg):
        raise RuleBroken("carton_carries_nothing", field="most_kg")
    row = CartonType(
        id=work.ids.one(), entity_id=command.entity, code=command.code, name=command.name, length_mm=command.length_mm,
        width_mm=command.width_mm, height_mm=command.height_mm, tare_kg=command.tare_kg, most_kg=command.most_kg,
        is_active=True,
    )  # fmt: skip
    work.session.add(row)
    work.audit(
        "carton_type.added", "carton_type", row.id, entity=command.entity, code=command.code, tare_kg=command.tare_kg,
        size_mm=[command.length_mm, command.width_mm, command.height_mm], most_kg=command.most_kg,
    )  # fmt: skip
    return row


def open_carton(work: UnitOfWork, shipment: int, carton_type: int) -> CartonRow:
    """The next carton of a shipment, empty; raises ``RuleBroken("carton_open")`` while another is open."""
    packing = _packing(work, shipment)
    begin(work, packing)
    return _open(work, packing, carton_type)


def put_in_carton(
    work: UnitOfWork, shipment: int, scanned: str, quantity: int, *, before: int | None = None
) -> CartonRow:
    """Put so much of the scanned item into the shipment's open carton; lines of the item are filled in their order.

    ``before``: how much of the item the screen said was packed. Raises ``RuleBroken("scan_not_in_shipment")`` for an item that is
    not in the shipment, ``"pack_too_much"`` beyond what was picked, ``"no_carton_open"``, ``Conflict`` when somebody packed meanwhile.
    """
    packing = _packing(work, shipment)
    begin(work, packing)
    carton = packing.open
    if carton is None:
        raise RuleBroken("no_carton_open", document=packing.shipment.number)
    known = items(work, {line.item_id for line in packing.order.lines})
    code = scanned.strip().casefold()
    lines = [line.id for line in packing.order.lines if known[line.item_id].code.casefold() == code]
    here = [line for line in lines if line in dict(packing.shipment.lines)]
    if not here:
        raise RuleBroken(
            "scan_not_in_shipment", field="scanned", scanned=scanned[:60], document=packing.shipment.number
        )
    packed = packing.packed
    if before is not None and before != sum(packed.get(line, 0) for line in here):
        raise Conflict("packed_meanwhile", document=packing.shipment.number)
    if quantity <= 0:
        raise RuleBroken("quantity_negative", field="quantity")
    left, more, wanted = packing.left, {}, quantity
    for line in here:
        take = min(left.get(line, 0), wanted)
        if take:
            more[line] = take
            wanted -= take
    if wanted:
        raise RuleBroken("pack_too_much", field="quantity", most=as_units(quantity - wanted), item=scanned[:60])
    by_id = {line.id: line.item_id for line in packing.order.lines}
    require_countable(work, [(by_id[line], part) for line, part in more.items()])
    put_contents(work, carton, more)
    return carton


def close_carton(work: UnitOfWork, carton_id: int, weight_kg: Decimal) -> CartonRow:
    """The carton is full and weighed. With the last goods the shipment is packed.

    Raises ``RuleBroken("carton_empty")``, ``"weight_below_tare"`` and ``"weight_over_most"`` by its type.
    """
    packing = _packing(work, shipment_of(work, carton_id))
    carton = _carton(packing, carton_id)
    _close(work, packing, carton, weight_kg)
    _packed_if_all(work, packing)
    return carton


def void_carton(work: UnitOfWork, carton_id: int, reason: str) -> CartonRow:
    """Unpack a carton again, before it leaves: its goods can be packed anew, its number is never used again."""
    packing = _packing(work, shipment_of(work, carton_id))
    carton = _carton(packing, carton_id)
    _move(work, carton, "void", reason)
    save_cartons(work, [carton])
    if packing.carriage.packed_at is not None:
        packing.carriage.packed_at = None
        save_carriages(work, [packing.carriage])
    return carton


def pack_cartons(work: UnitOfWork, commands: Sequence[PackCarton]) -> list[CartonRow]:
    """Cartons packed, weighed and closed in one go, as a table with a scale does it."""
    made = []
    for command in commands:
        packing = _packing(work, command.shipment)
        begin(work, packing)
        carton = _open(work, packing, command.carton_type)
        left = packing.left
        contents = dict(left) if command.contents is None else {k: q for k, q in command.contents.items() if q}
        for line, quantity in contents.items():
            if quantity < 0 or quantity > left.get(line, 0):
                number = next((one.line_no for one in packing.order.lines if one.id == line), None)
                item = f"Line {number}" if number else "What is not in the shipment"
                raise RuleBroken("pack_too_much", field="contents", most=as_units(left.get(line, 0)), item=item)
        by_id = {line.id: line.item_id for line in packing.order.lines}
        require_countable(work, [(by_id[line], part) for line, part in contents.items()], field="contents")
        put_contents(work, carton, contents)
        _close(work, packing, carton, command.weight_kg)
        _packed_if_all(work, packing)
        made.append(carton)
    return made


def begin(work: UnitOfWork, packing: _Packing) -> None:
    """Whoever packs takes the shipment's pack task, where it has one; refused while somebody else packs it."""
    for task in pack_tasks(work, [packing.shipment.id]):
        take(work, task, None)
        if task.state == TaskState.CLAIMED:
            start_held(work, task)
        save_tasks(work, [task])


def _packing(work: UnitOfWork, shipment_id: int) -> _Packing:
    """The shipment, its order, carriage and cartons, locked. Raises ``RuleBroken("shipment_gone")`` once it has left."""
    (order,) = lock_orders(work, orders_of(work, [shipment_id])) or (None,)
    if order is None:
        raise NotFound("shipment_unknown", shipment=shipment_id)
    (shipment,) = lock_shipments(work, [shipment_id])
    work.actor.require(PACK, site=shipment.site_id)
    require_picked(shipment)
    carriage = lock_carriages(work, [shipment])[shipment_id]
    return _Packing(order, shipment, carriage, cartons_of(work, [shipment_id])[shipment_id])


def _open(work: UnitOfWork, packing: _Packing, carton_type: int) -> CartonRow:
    kind = work.session.get(CartonType, carton_type)
    if kind is None or kind.entity_id != packing.shipment.entity_id:
        raise NotFound("carton_type_unknown", carton_type=carton_type)
    if packing.open is not None:
        raise RuleBroken("carton_open", carton=packing.open.number)
    if not packing.left:
        raise RuleBroken("nothing_to_pack", document=packing.shipment.number)
    if len(packing.cartons) >= MOST_CARTONS:
        raise RuleBroken("cartons_absurd", document=packing.shipment.number)
    key = work.ids.one()
    carton = CartonRow(
        id=key, shipment_id=packing.shipment.id, position=len(packing.cartons) + 1, number=f"CT-{key}",
        carton_type_id=carton_type, state=CARTON.initial, weight_kg=None, opened_at=work.now, closed_at=None, version=1,
    )  # fmt: skip
    insert_carton(work, carton)
    record_move(work, "carton", key, "open", None, carton.state, facts={"shipment": packing.shipment.id})
    return carton


def _carton(packing: _Packing, carton_id: int) -> CartonRow:
    return next(carton for carton in packing.cartons if carton.id == carton_id)


def _move(work: UnitOfWork, carton: CartonRow, move: str, reason: str | None = None) -> None:
    was = carton.state
    carton.state = CARTON.target(move, was, reason=reason)
    record_move(work, "carton", carton.id, move, was, carton.state, reason=reason)


def _close(work: UnitOfWork, packing: _Packing, carton: CartonRow, weight_kg: Decimal) -> None:
    if not carton.contents:
        raise RuleBroken("carton_empty", carton=carton.number)
    if not 0 < weight_kg < ABSURD:
        raise RuleBroken("weight_not_positive", field="weight_kg")
    kind = work.session.get(CartonType, carton.carton_type_id)
    assert kind is not None  # noqa: S101 - the carton refers to it
    if weight_kg <= kind.tare_kg:
        raise RuleBroken("weight_below_tare", field="weight_kg", tare=kind.tare_kg, carton=kind.name)
    if kind.most_kg is not None and weight_kg > kind.most_kg:
        raise RuleBroken("weight_over_most", field="weight_kg", most=kind.most_kg, carton=kind.name)
    _move(work, carton, "close")
    carton.weight_kg, carton.closed_at = scaled_int(weight_kg, 3), work.now
    save_cartons(work, [carton])


def _packed_if_all(work: UnitOfWork, packing: _Packing) -> None:
    if packing.left or packing.open is not None:
        return
    closed = [carton for carton in packing.cartons if carton.state == CartonState.CLOSED]
    carriage, order = packing.carriage, packing.order
    carriage.packed_at = work.now
    carriage.weight_kg = sum(carton.weight_kg or 0 for carton in closed)
    propose_service(work, order, packing.shipment, carriage)
    save_carriages(work, [carriage])
    record_move(work, "shipment", packing.shipment.id, "pack", packing.shipment.state, packing.shipment.state,
                facts={"cartons": len(closed), "weight_kg": carriage.weight_kg})  # fmt: skip
    work.publish(
        ShipmentPacked(cartons=len(closed), weight=carriage.weight_kg),
        order.place(work), step="order_to_cash.ship", subject=("shipment", packing.shipment.id, packing.shipment.version),
        journey=order.id,
    )  # fmt: skip
    for task in pack_tasks(work, [packing.shipment.id]):
        _finish(work, task)


def propose_service(work: UnitOfWork, order: Order, shipment: ShipmentRow, carriage: CarriageRow) -> None:
    """Service by rule, unless a person chose one; freight estimated anew from the weight."""
    rule = rule_for(work, order, shipment.site_id, carriage.weight_kg)
    if carriage.premium_reason is None and (carriage.service_id is None or carriage.rule_id is not None):
        carriage.service_id = None if rule is None else rule.service_id
        carriage.rule_id = None if rule is None else rule.id
    if carriage.service_id is not None:
        service = offers(work, order.entity_id).services[carriage.service_id]
        carriage.freight_estimate_minor = estimate(service, carriage.weight_kg, carriage.currency)


def _finish(work: UnitOfWork, task: TaskRow) -> None:
    if task.state != TaskState.STARTED:
        step(work, task, "cancel", reason="packed without the task")
        drop(task)
    else:
        step(work, task, "finish")
        task.claimed_until, task.finished_at = None, work.now
        tell(work, task, TaskFinished(kind=task.kind, lines=0))
    save_tasks(work, [task])
