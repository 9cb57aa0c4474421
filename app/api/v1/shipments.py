"""Shipments for programs: packing, carriers, freight, what goes wrong on the way, proof of delivery, papers."""

from __future__ import annotations

from app.api.framework import operation
from app.api.lists import listed
from app.api.v1.numbers import as_amount, as_minor, fresh, pointing, thousandths
from app.api.v1.shipment_models import (
    CarriageAnswer,
    CarriageBody,
    CartonAnswer,
    CartonContent,
    FreightBody,
    OpenBody,
    OutcomeBody,
    OwnerBody,
    PackBody,
    ProofBody,
    PutBody,
    ShipmentDetail,
    ShipmentLineAnswer,
    ShipmentListed,
    ShipmentQuery,
    TakeBackBody,
    TroubleAnswer,
    TroubleBody,
    VoidBody,
    WeightBody,
)
from app.api.values import Page
from app.composition.request import reader
from app.composition.trading import cells, rules, trouble_kind
from app.queries.shipments import SHIPMENTS, ShipmentPage, shipment_page, trouble_place
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.fulfilment.carriers.troubles import (
    Report,
    keep_proof,
    report_trouble,
    resolve_trouble,
    settle_freight,
    take_trouble,
)
from erpcore.fulfilment.packing.services import (
    PackCarton,
    close_carton,
    open_carton,
    pack_cartons,
    put_in_carton,
    void_carton,
)
from erpcore.fulfilment.services import DeliverShipment, deliver_shipments
from erpcore.fulfilment.shipping import ShipShipment, choose_carriage, ship_shipments
from erpcore.fulfilment.taking_back import take_back_shipment
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork

TAG = "Shipments"


def _detail(page: ShipmentPage) -> ShipmentDetail:
    carriage = page.carriage
    money = [
        None if minor is None else as_amount(minor, page.currency)
        for minor in (carriage.freight_estimate_minor, carriage.freight_actual_minor)
    ]
    return ShipmentDetail(
        id=page.id, number=page.number, state=page.state, order_id=page.order_id, order=page.order, site_id=page.site_id,
        picked_at=page.picked_at, confirmed_at=page.confirmed_at, delivered_at=page.delivered_at,
        received_by=page.received_by, version=page.version,
        carriage=CarriageAnswer(
            service_id=carriage.service_id, service=carriage.service, rule=carriage.rule_reason,
            tracking_number=carriage.tracking_number, weight_kg=carriage.weight_kg, freight_estimate=money[0],
            freight_actual=money[1], premium_reason=carriage.premium_reason, collected_on=carriage.collected_on,
            missed_cut_off=carriage.missed_cut_off, packed_at=carriage.packed_at, settled_at=carriage.settled_at,
        ),
        lines=[
            ShipmentLineAnswer(
                line=line.order_line_id, line_no=line.line_no, item=line.code, quantity=line.quantity, packed=line.packed,
                damaged=line.damaged,
            )
            for line in page.lines
        ],
        cartons=[
            CartonAnswer(
                id=one.id, number=one.number, position=one.position, kind=one.kind, state=one.state,
                weight_kg=one.weight_kg,
                contents=[CartonContent(line_no=no, item=code, quantity=q) for no, code, _, q, _ in one.contents],
            )
            for one in page.cartons
        ],
        exceptions=[TroubleAnswer.model_validate(one) for one in page.troubles],
    )  # fmt: skip


def _seen(work: UnitOfWork, shipment: int) -> ShipmentPage:
    page = shipment_page(work.session, work.actor, shipment)
    work.realm = page.realm
    return page


def _own_carton(work: UnitOfWork, shipment: int, carton: int) -> None:
    if carton not in {one.id for one in _seen(work, shipment).cartons}:
        raise NotFound("carton_unknown", carton=carton)


def _read(work: UnitOfWork, shipment: int) -> ShipmentDetail:
    return _detail(shipment_page(fresh(work), work.actor, shipment))


@operation(
    "GET", "/shipments", permission=Permission.SHIPMENT_READ, summary="List shipments", tag=TAG, query=ShipmentQuery,
    answer=Page[ShipmentListed],
)  # fmt: skip
def list_shipments(query: ShipmentQuery) -> Page[ShipmentListed]:
    return listed(SHIPMENTS, query, ShipmentListed.model_validate)


@operation(
    "GET", "/shipments/{shipment_id}", permission=Permission.SHIPMENT_READ, summary="One shipment", tag=TAG,
    answer=ShipmentDetail,
)  # fmt: skip
def show_shipment(shipment_id: int) -> ShipmentDetail:
    return _detail(shipment_page(reader(), actor(), shipment_id))


@operation(
    "POST", "/shipments/{shipment_id}/cartons", permission=Permission.SHIPMENT_PACK, summary="Pack and close a carton", tag=TAG,
    body=PackBody, answer=ShipmentDetail, status=201, example={"carton_type": 1007, "weight_kg": "8.2"},
)  # fmt: skip
def pack_carton(work: UnitOfWork, shipment_id: int, body: PackBody) -> ShipmentDetail:
    _seen(work, shipment_id)
    contents = None if body.contents is None else {one.line: thousandths(one.quantity) for one in body.contents}
    with pointing():
        pack_cartons(
            work,
            [
                PackCarton(
                    shipment=shipment_id, carton_type=body.carton_type, weight_kg=body.weight_kg, contents=contents
                )
            ],
        )
    return _read(work, shipment_id)


@operation(
    "POST", "/shipments/{shipment_id}/cartons/open", permission=Permission.SHIPMENT_PACK, summary="Open a carton", tag=TAG,
    body=OpenBody, answer=ShipmentDetail, status=201, example={"carton_type": 1007},
)  # fmt: skip
def begin_carton(work: UnitOfWork, shipment_id: int, body: OpenBody) -> ShipmentDetail:
    _seen(work, shipment_id)
    open_carton(work, shipment_id, body.carton_type)
    return _read(work, shipment_id)


@operation(
    "POST", "/shipments/{shipment_id}/cartons/put", permission=Permission.SHIPMENT_PACK, summary="Put scanned goods into the open carton",
    tag=TAG, body=PutBody, answer=ShipmentDetail, example={"scanned": "40-1", "quantity": "2"},
)  # fmt: skip
def put_goods(work: UnitOfWork, shipment_id: int, body: PutBody) -> ShipmentDetail:
    _seen(work, shipment_id)
    before = None if body.before is None else thousandths(body.before)
    with pointing():
        put_in_carton(work, shipment_id, body.scanned, thousandths(body.quantity), before=before)
    return _read(work, shipment_id)


@operation(
    "POST", "/shipments/{shipment_id}/cartons/{carton_id}/close", permission=Permission.SHIPMENT_PACK, summary="Close a carton with its weight",
    tag=TAG, body=WeightBody, answer=ShipmentDetail, example={"weight_kg": "8.2"},
)  # fmt: skip
def end_carton(work: UnitOfWork, shipment_id: int, carton_id: int, body: WeightBody) -> ShipmentDetail:
    _own_carton(work, shipment_id, carton_id)
    with pointing():
        close_carton(work, carton_id, body.weight_kg)
    return _read(work, shipment_id)


@operation(
    "POST", "/shipments/{shipment_id}/cartons/{carton_id}/void", permission=Permission.SHIPMENT_PACK, summary="Unpack a carton",
    tag=TAG, body=VoidBody, answer=ShipmentDetail, example={"reason": "box torn"},
)  # fmt: skip
def undo_carton(work: UnitOfWork, shipment_id: int, carton_id: int, body: VoidBody) -> ShipmentDetail:
    _own_carton(work, shipment_id, carton_id)
    void_carton(work, carton_id, body.reason)
    return _read(work, shipment_id)


@operation(
    "POST", "/shipments/{shipment_id}/take-back", permission=Permission.SHIPMENT_PICK, summary="Put a picked shipment back",
    tag=TAG, body=TakeBackBody, answer=ShipmentDetail, example={"reason": "the lot expired overnight"},
)  # fmt: skip
def take_back(work: UnitOfWork, shipment_id: int, body: TakeBackBody) -> ShipmentDetail:
    _seen(work, shipment_id)
    take_back_shipment(work, shipment_id, body.reason, cells=cells())
    return _read(work, shipment_id)


def _ship(shipment: int, body: CarriageBody) -> ShipShipment:
    return ShipShipment(
        shipment=shipment, service=body.service, tracking_number=body.tracking_number, weight_kg=body.weight_kg,
        premium_reason=body.premium_reason,
    )  # fmt: skip


@operation(
    "POST", "/shipments/{shipment_id}/carriage", permission=Permission.SHIPMENT_CONFIRM, summary="Choose service, tracking number, weight",
    tag=TAG, body=CarriageBody, answer=ShipmentDetail, example={"tracking_number": "00340434161094042557"},
)  # fmt: skip
def book_carriage(work: UnitOfWork, shipment_id: int, body: CarriageBody) -> ShipmentDetail:
    _seen(work, shipment_id)
    with pointing():
        choose_carriage(work, _ship(shipment_id, body))
    return _read(work, shipment_id)


@operation(
    "POST", "/shipments/{shipment_id}/ship", permission=Permission.SHIPMENT_CONFIRM, summary="The goods leave with their carrier",
    tag=TAG, body=CarriageBody, answer=ShipmentDetail, example={"tracking_number": "00340434161094042557"},
)  # fmt: skip
def ship_shipment(work: UnitOfWork, shipment_id: int, body: CarriageBody) -> ShipmentDetail:
    _seen(work, shipment_id)
    with pointing():
        ship_shipments(work, [_ship(shipment_id, body)], rules=rules(), cells=cells())
    return _read(work, shipment_id)


@operation(
    "POST", "/shipments/{shipment_id}/freight", permission=Permission.SHIPMENT_TRACK, summary="Settle what the carrier charged",
    tag=TAG, body=FreightBody, answer=ShipmentDetail, example={"amount": "7.42"},
)  # fmt: skip
def settle(work: UnitOfWork, shipment_id: int, body: FreightBody) -> ShipmentDetail:
    page = _seen(work, shipment_id)
    settle_freight(work, shipment_id, as_minor(body.amount, page.currency, "amount"))
    return _read(work, shipment_id)


@operation(
    "POST", "/shipments/{shipment_id}/exceptions", permission=Permission.SHIPMENT_TRACK, summary="Report a shipment delayed, refused or lost",
    tag=TAG, body=TroubleBody, answer=ShipmentDetail, status=201, example={"kind": "delayed", "reason": "motorway closed"},
)  # fmt: skip
def report_exception(work: UnitOfWork, shipment_id: int, body: TroubleBody) -> ShipmentDetail:
    _seen(work, shipment_id)
    report = Report(
        shipment=shipment_id, kind=trouble_kind(body.kind), reason=body.reason, expected_on=body.expected_on,
        owner=body.owner,
    )  # fmt: skip
    report_trouble(work, [report])
    return _read(work, shipment_id)


@operation(
    "POST", "/shipment-exceptions/{trouble_id}/owner", permission=Permission.SHIPMENT_TRACK, summary="Give an exception to somebody",
    tag=TAG, body=OwnerBody, answer=ShipmentDetail, example={"owner": None},
)  # fmt: skip
def give_exception(work: UnitOfWork, trouble_id: int, body: OwnerBody) -> ShipmentDetail:
    shipment, work.realm = trouble_place(work.session, work.actor, trouble_id)
    take_trouble(work, trouble_id, body.owner)
    return _read(work, shipment)


@operation(
    "POST", "/shipment-exceptions/{trouble_id}/resolve", permission=Permission.SHIPMENT_TRACK, summary="Settle an exception",
    tag=TAG, body=OutcomeBody, answer=ShipmentDetail, example={"resolution": "delivered to the neighbour"},
)  # fmt: skip
def settle_exception(work: UnitOfWork, trouble_id: int, body: OutcomeBody) -> ShipmentDetail:
    shipment, work.realm = trouble_place(work.session, work.actor, trouble_id)
    resolve_trouble(work, trouble_id, body.resolution)
    return _read(work, shipment)


@operation(
    "POST", "/shipments/{shipment_id}/proof", permission=Permission.SHIPMENT_DELIVER, summary="Record the delivery with its proof",
    tag=TAG, body=ProofBody, answer=ShipmentDetail, example={"received_by": "M. Weber", "note": "at the ramp"},
)  # fmt: skip
def prove_delivery(work: UnitOfWork, shipment_id: int, body: ProofBody) -> ShipmentDetail:
    _seen(work, shipment_id)
    damaged = {one.line: thousandths(one.quantity) for one in body.damaged}
    command = DeliverShipment(shipment=shipment_id, damaged=damaged, damage_reason=body.damage_reason)
    deliver_shipments(work, [command], rules=rules(), cells=cells())
    keep_proof(work, shipment_id, body.received_by, body.note)
    return _read(work, shipment_id)
