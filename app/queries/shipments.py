"""One shipment on one page: what is in it, in which cartons, with whom it travels, what went wrong, who took it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.queries.addresses import AddressFact, address_fact
from app.queries.listing import SqlList
from app.queries.order_detail import steps_of
from app.queries.order_facts import Step
from erpcore.fulfilment.carriers.models import Carriage, Carrier, CarrierRule, CarrierService, DeliveryProof, Trouble
from erpcore.fulfilment.models import Shipment, ShipmentLine
from erpcore.fulfilment.packing.models import Carton, CartonLine, CartonState, CartonType
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.addresses import CustomerAddress
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.orders.models import OrderLine, SalesOrder


@dataclass(frozen=True, kw_only=True)
class ShippedLine:
    """One line of a shipment; ``packed`` lies in cartons that count."""

    order_line_id: int
    line_no: int
    item_id: int
    code: str
    name: str
    unit: str
    kind: str
    ordered: Decimal
    quantity: Decimal
    damaged: Decimal
    packed: Decimal

    @property
    def has_stock(self) -> bool:
        return self.kind in ("stock", "free")

    @property
    def left(self) -> Decimal:
        return self.quantity - self.packed if self.has_stock else Decimal(0)


@dataclass(frozen=True, kw_only=True)
class CartonFact:
    """A carton with what lies in it: (line number, code, name, quantity, unit)."""

    id: int
    position: int
    number: str
    kind: str
    size: str
    tare_kg: Decimal
    state: str
    weight_kg: Decimal | None
    closed_at: datetime | None
    contents: list[tuple[int, str, str, Decimal, str]]


@dataclass(frozen=True, kw_only=True)
class CarriageFact:
    """How it travels. ``tracking_url`` leads to the carrier's own page."""

    service_id: int | None
    service: str
    label_format: str
    transit_days: int | None
    rule_reason: str
    tracking_number: str
    tracking_url: str
    weight_kg: Decimal | None
    freight_estimate_minor: int | None
    freight_actual_minor: int | None
    premium_reason: str
    collected_on: date | None
    missed_cut_off: bool
    packed_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class TroubleFact:
    """A report of the carrier; open until it is settled."""

    id: int
    kind: str
    reason: str
    expected_on: date | None
    owner_id: int | None
    opened_at: datetime
    due_at: datetime
    resolved_at: datetime | None
    resolution: str


@dataclass(frozen=True, kw_only=True)
class ShipmentPage:
    """Everything about one shipment."""

    id: int
    number: str
    state: str
    version: int
    realm: str
    entity_id: int
    entity: str
    site_id: int
    site: str
    time_zone: str
    order_id: int
    order: str
    reference: str
    customer: str
    customer_code: str
    ship_country: str
    ship_to: AddressFact | None
    currency: str
    picked_at: datetime
    confirmed_at: datetime | None
    delivered_at: datetime | None
    promised_due_at: datetime | None
    carriage: CarriageFact
    lines: list[ShippedLine]
    cartons: list[CartonFact]
    troubles: list[TroubleFact]
    received_by: str
    proof_note: str
    steps: list[Step]

    @property
    def open_carton(self) -> CartonFact | None:
        return next((carton for carton in self.cartons if carton.state == CartonState.OPEN), None)

    @property
    def closed_cartons(self) -> list[CartonFact]:
        return [carton for carton in self.cartons if carton.state == CartonState.CLOSED]

    @property
    def left(self) -> list[ShippedLine]:
        return [line for line in self.lines if line.left > 0]

    @property
    def is_packed(self) -> bool:
        return self.carriage.packed_at is not None


def shipment_page(session: Session, actor: Actor, shipment_id: int) -> ShipmentPage:
    """One shipment, in about nine queries; raises ``NotFound`` for an unknown one and for another site's."""
    head = session.execute(
        select(Shipment, SalesOrder, Customer, Site, Entity, CustomerAddress)
        .join(SalesOrder, SalesOrder.id == Shipment.order_id)
        .join(CustomerAddress, CustomerAddress.id == Shipment.ship_to_id, isouter=True)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Site, Site.id == Shipment.site_id)
        .join(Entity, Entity.id == Shipment.entity_id)
        .where(Shipment.id == shipment_id)
    ).one_or_none()
    if head is None or (actor.sites is not None and head.Shipment.site_id not in actor.sites):
        raise NotFound("shipment_unknown", shipment=shipment_id)
    row, order = head.Shipment, head.SalesOrder
    cartons, packed = _cartons(session, shipment_id)
    proof = session.get(DeliveryProof, shipment_id)
    lines, due = _lines(session, shipment_id, packed)
    return ShipmentPage(
        id=row.id, number=row.number, state=row.state, version=row.version, realm=head.Entity.realm,
        entity_id=row.entity_id, entity=head.Entity.name, site_id=row.site_id, site=head.Site.name,
        time_zone=head.Site.time_zone, order_id=order.id, order=order.number, reference=order.customer_reference or "",
        customer=head.Customer.name, customer_code=head.Customer.code,
        ship_country=order.ship_country, ship_to=address_fact(head.CustomerAddress) if head.CustomerAddress else None,
        currency=order.currency, picked_at=row.picked_at, confirmed_at=row.confirmed_at, delivered_at=row.delivered_at,
        promised_due_at=due, carriage=_carriage(session, shipment_id), lines=lines, cartons=cartons,
        troubles=_troubles(session, shipment_id), received_by=proof.received_by if proof else "",
        proof_note=(proof.note or "") if proof else "", steps=steps_of(session, {"shipment": [shipment_id]}),
    )  # fmt: skip


def _lines(session: Session, shipment: int, packed: dict[int, Decimal]) -> tuple[list[ShippedLine], datetime | None]:
    rows = session.execute(
        select(ShipmentLine, OrderLine, Item)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(Item, Item.id == OrderLine.item_id)
        .where(ShipmentLine.shipment_id == shipment)
        .order_by(OrderLine.line_no)
    ).all()
    lines = [
        ShippedLine(
            order_line_id=row.OrderLine.id, line_no=row.OrderLine.line_no, item_id=row.Item.id, code=row.Item.code,
            name=row.Item.name, unit=row.Item.unit, kind=row.OrderLine.kind, ordered=row.OrderLine.quantity,
            quantity=row.ShipmentLine.quantity, damaged=row.ShipmentLine.damaged,
            packed=packed.get(row.OrderLine.id, Decimal(0)),
        )
        for row in rows
    ]  # fmt: skip
    return lines, min((row.OrderLine.promised_due_at for row in rows), default=None)


def _cartons(session: Session, shipment: int) -> tuple[list[CartonFact], dict[int, Decimal]]:
    rows = session.execute(
        select(Carton, CartonType)
        .join(CartonType, CartonType.id == Carton.carton_type_id)
        .where(Carton.shipment_id == shipment)
        .order_by(Carton.position)
    ).all()
    inside: dict[int, list[tuple[int, str, str, Decimal, str]]] = {row.Carton.id: [] for row in rows}
    counts = {row.Carton.id for row in rows if row.Carton.state != CartonState.VOID}
    packed: dict[int, Decimal] = {}
    if inside:
        contents = session.execute(
            select(CartonLine, OrderLine.line_no, Item.code, Item.name, Item.unit)
            .join(OrderLine, OrderLine.id == CartonLine.order_line_id)
            .join(Item, Item.id == OrderLine.item_id)
            .where(CartonLine.carton_id.in_(inside))
            .order_by(OrderLine.line_no)
        )
        for row in contents:
            line = row.CartonLine
            inside[line.carton_id].append((row.line_no, row.code, row.name, line.quantity, row.unit))
            if line.carton_id in counts:
                packed[line.order_line_id] = packed.get(line.order_line_id, Decimal(0)) + line.quantity
    found = [
        CartonFact(
            id=row.Carton.id, position=row.Carton.position, number=row.Carton.number, kind=row.CartonType.name,
            size=f"{row.CartonType.length_mm} × {row.CartonType.width_mm} × {row.CartonType.height_mm} mm",
            tare_kg=row.CartonType.tare_kg, state=row.Carton.state, weight_kg=row.Carton.weight_kg,
            closed_at=row.Carton.closed_at, contents=inside[row.Carton.id],
        )
        for row in rows
    ]  # fmt: skip
    return found, packed


def _carriage(session: Session, shipment: int) -> CarriageFact:
    row = session.execute(
        select(Carriage, CarrierService, Carrier, CarrierRule.reason)
        .join(CarrierService, CarrierService.id == Carriage.service_id, isouter=True)
        .join(Carrier, Carrier.id == CarrierService.carrier_id, isouter=True)
        .join(CarrierRule, CarrierRule.id == Carriage.rule_id, isouter=True)
        .where(Carriage.shipment_id == shipment)
    ).one_or_none()
    one: Carriage | None = row.Carriage if row else None
    service, carrier = (row.CarrierService, row.Carrier) if row else (None, None)
    title = f"{carrier.name} {service.name}" if service and carrier else ""
    number = (one.tracking_number or "") if one else ""
    address = carrier.tracking_address if carrier else None
    return CarriageFact(
        service_id=one.service_id if one else None, service=title, label_format=service.label_format if service else "", transit_days=service.transit_days if service else None,
        rule_reason=(row.reason or "") if row else "", tracking_number=number,
        tracking_url=address.replace("{number}", number) if address and number.isalnum() else "",
        weight_kg=one.weight_kg if one else None, freight_estimate_minor=one.freight_estimate_minor if one else None,
        freight_actual_minor=one.freight_actual_minor if one else None, premium_reason=(one.premium_reason or "") if one else "", collected_on=one.collected_on if one else None,
        missed_cut_off=bool(one and one.missed_cut_off), packed_at=one.packed_at if one else None, settled_at=one.settled_at if one else None,
    )  # fmt: skip


def _troubles(session: Session, shipment: int) -> list[TroubleFact]:
    rows = session.scalars(select(Trouble).where(Trouble.shipment_id == shipment).order_by(Trouble.id.desc()))
    return [
        TroubleFact(
            id=row.id, kind=row.kind, reason=row.reason, expected_on=row.expected_on, owner_id=row.owner_id,
            opened_at=row.opened_at, due_at=row.due_at, resolved_at=row.resolved_at, resolution=row.resolution or "",
        )
        for row in rows
    ]  # fmt: skip


def trouble_place(session: Session, actor: Actor, trouble: int) -> tuple[int, str]:
    """The shipment of an exception and its realm; raises ``NotFound`` for an unknown one and for another site's."""
    row = session.execute(
        select(Trouble.shipment_id, Trouble.site_id, Entity.realm)
        .join(Shipment, Shipment.id == Trouble.shipment_id)
        .join(Entity, Entity.id == Shipment.entity_id)
        .where(Trouble.id == trouble)
    ).one_or_none()
    if row is None or (actor.sites is not None and row.site_id not in actor.sites):
        raise NotFound("trouble_unknown", trouble=trouble)
    return row.shipment_id, row.realm


@dataclass(frozen=True, kw_only=True)
class ShipmentRow:
    """One shipment of the list."""

    id: int
    number: str
    state: str
    site: str
    order_id: int
    order: str
    customer: str
    service: str
    tracking_number: str
    picked_at: datetime
    confirmed_at: datetime | None
    delivered_at: datetime | None
    packed_at: datetime | None
    missed_cut_off: bool
    trouble: str


STATES = ("picked", "confirmed", "delivered", "taken_back")

#: The first kind of exception that is open on a shipment.
_OPEN_TROUBLE = (
    select(Trouble.shipment_id, func.min(Trouble.kind).label("kind"))
    .where(Trouble.resolved_at.is_(None))
    .group_by(Trouble.shipment_id)
    .subquery()
)


def _shipments() -> Any:
    return (
        select(
            Shipment, SalesOrder.number.label("order"), Customer.name.label("customer"), Carriage,
            _OPEN_TROUBLE.c.kind.label("trouble"), Site.name.label("site"), CarrierService.name.label("service"),
            Carrier.name.label("carrier"),
        )
        .select_from(Shipment)
        .join(SalesOrder, SalesOrder.id == Shipment.order_id, isouter=True)
        .join(Customer, Customer.id == SalesOrder.customer_id, isouter=True)
        .join(Site, Site.id == Shipment.site_id, isouter=True)
        .join(Carriage, Carriage.shipment_id == Shipment.id, isouter=True)
        .join(CarrierService, CarrierService.id == Carriage.service_id, isouter=True)
        .join(Carrier, Carrier.id == CarrierService.carrier_id, isouter=True)
        .join(_OPEN_TROUBLE, _OPEN_TROUBLE.c.shipment_id == Shipment.id, isouter=True)
    )  # fmt: skip


def _shipment_row(row: Any) -> ShipmentRow:
    shipment, carriage = row.Shipment, row.Carriage
    return ShipmentRow(
        id=shipment.id, number=shipment.number, state=shipment.state, site=row.site, order_id=shipment.order_id,
        order=row.order, customer=row.customer, service=f"{row.carrier} {row.service}" if row.service else "",
        tracking_number=(carriage.tracking_number or "") if carriage else "", picked_at=shipment.picked_at,
        confirmed_at=shipment.confirmed_at, delivered_at=shipment.delivered_at,
        packed_at=carriage.packed_at if carriage else None, missed_cut_off=bool(carriage and carriage.missed_cut_off),
        trouble=row.trouble or "",
    )  # fmt: skip


#: From the few that are open or were missed, which have indices of their own, to their shipments.
_IN_TROUBLE = select(Trouble.shipment_id).where(Trouble.resolved_at.is_(None))
_MISSED = select(Carriage.shipment_id).where(Carriage.missed_cut_off.is_(True))

#: The list of shipments. ``trouble``: those with an open exception.
SHIPMENTS: SqlList[ShipmentRow] = SqlList(
    select=_shipments, row=_shipment_row, tie=(Shipment.id,), usual="-picked", site=Shipment.site_id, company=Shipment.entity_id,
    by=("state", Shipment.state), words=STATES, flags=("trouble", "missed"),
    text=(Shipment.number, SalesOrder.number, Customer.name, Carriage.tracking_number),
    sorts={
        "number": Shipment.number, "picked": Shipment.picked_at, "packed": Carriage.packed_at,
        "confirmed": Shipment.confirmed_at, "delivered": Shipment.delivered_at, "customer": Customer.name,
    },
    wanted={
        "state": lambda value, _: Shipment.state == value,
        "trouble": lambda _value, _: Shipment.id.in_(_IN_TROUBLE),
        "missed": lambda _value, _: Shipment.id.in_(_MISSED),
    },
)  # fmt: skip
