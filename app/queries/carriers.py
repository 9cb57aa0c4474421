"""Which carriers are there, when do they collect, and who goes with which service?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.security.scopes import within_companies
from erpcore.fulfilment.carriers.models import Carrier, CarrierCutOff, CarrierRule, CarrierService
from erpcore.fulfilment.carriers.rules import collection_after
from erpcore.fulfilment.packing.models import CartonType
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Channel, CustomerGroup, Entity, Site

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, kw_only=True)
class ServiceFact:
    """One service of a carrier with its cut-offs by site."""

    id: int
    carrier_id: int
    carrier: str
    code: str
    name: str
    transit_days: int
    label_format: str
    is_premium: bool
    base_charge: Decimal
    per_kg: Decimal
    most_kg: Decimal | None
    is_active: bool
    currency: str
    entity_id: int
    #: site id → weekday → time
    cut_offs: dict[int, dict[int, time]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.carrier} {self.name}"


@dataclass(frozen=True, kw_only=True)
class CarrierFact:
    id: int
    entity_id: int
    entity: str
    code: str
    name: str
    tracking_address: str | None
    is_active: bool
    services: list[ServiceFact]


@dataclass(frozen=True, kw_only=True)
class RuleFact:
    """Which shipments take a service; what is empty fits all."""

    id: int
    service_id: int
    service: str
    site_id: int | None
    site: str
    channel: str
    group: str
    country: str
    most_kg: Decimal | None
    reason: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A carrier's next collection at a site."""

    service_id: int
    service: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class CartonTypeFact:
    id: int
    entity_id: int
    code: str
    name: str
    length_mm: int
    width_mm: int
    height_mm: int
    tare_kg: Decimal
    most_kg: Decimal | None

    @property
    def size(self) -> str:
        return f"{self.length_mm} × {self.width_mm} × {self.height_mm} mm"


def all_carriers(session: Session, actor: Actor, *, realm: str = "live") -> list[CarrierFact]:
    """The carriers of the companies whose sites this person sees, with services and cut-offs."""
    entities = {row.id: row for row in session.scalars(_entities(actor, realm))}
    carriers = session.scalars(select(Carrier).where(Carrier.entity_id.in_(entities)).order_by(Carrier.name)).all()
    services = services_of(session, list(entities))
    return [
        CarrierFact(
            id=one.id, entity_id=one.entity_id, entity=entities[one.entity_id].name, code=one.code, name=one.name,
            tracking_address=one.tracking_address, is_active=one.is_active,
            services=[service for service in services if service.carrier_id == one.id],
        )
        for one in carriers
    ]  # fmt: skip


def _entities(actor: Actor, realm: str) -> Select[Entity]:
    return within_companies(select(Entity).where(Entity.realm == realm), actor, Entity.id)


def services_of(session: Session, entities: list[int]) -> list[ServiceFact]:
    """The services of companies, by carrier and name, with their cut-offs."""
    rows = session.execute(
        select(CarrierService, Carrier.name.label("carrier"), Carrier.entity_id, Entity.currency)
        .join(Carrier, Carrier.id == CarrierService.carrier_id)
        .join(Entity, Entity.id == Carrier.entity_id)
        .where(Carrier.entity_id.in_(entities))
        .order_by(Carrier.name, CarrierService.name)
    ).all()
    cut_offs: dict[int, dict[int, dict[int, time]]] = {}
    wanted = [row.CarrierService.id for row in rows]
    for one in session.scalars(select(CarrierCutOff).where(CarrierCutOff.service_id.in_(wanted))):
        cut_offs.setdefault(one.service_id, {}).setdefault(one.site_id, {})[one.weekday] = one.cut_off
    return [
        ServiceFact(
            id=row.CarrierService.id, carrier_id=row.CarrierService.carrier_id, carrier=row.carrier,
            code=row.CarrierService.code, name=row.CarrierService.name, transit_days=row.CarrierService.transit_days,
            label_format=row.CarrierService.label_format, is_premium=row.CarrierService.is_premium,
            base_charge=row.CarrierService.base_charge, per_kg=row.CarrierService.per_kg,
            most_kg=row.CarrierService.most_kg, is_active=row.CarrierService.is_active, currency=row.currency,
            entity_id=row.entity_id, cut_offs=cut_offs.get(row.CarrierService.id, {}),
        )
        for row in rows
    ]  # fmt: skip


def all_rules(session: Session, entities: list[int]) -> list[RuleFact]:
    """The carrier rules of companies, the newest first."""
    rows = session.execute(
        select(
            CarrierRule, CarrierService.name.label("service"), Carrier.name.label("carrier"), Site.name.label("site"),
            Channel.name.label("channel"), CustomerGroup.name.label("group"),
        )
        .join(CarrierService, CarrierService.id == CarrierRule.service_id)
        .join(Carrier, Carrier.id == CarrierService.carrier_id)
        .join(Site, Site.id == CarrierRule.site_id, isouter=True)
        .join(Channel, Channel.id == CarrierRule.channel_id, isouter=True)
        .join(CustomerGroup, CustomerGroup.id == CarrierRule.customer_group_id, isouter=True)
        .where(CarrierRule.entity_id.in_(entities))
        .order_by(CarrierRule.id.desc())
    )  # fmt: skip
    return [
        RuleFact(
            id=row.CarrierRule.id, service_id=row.CarrierRule.service_id, service=f"{row.carrier} {row.service}",
            site_id=row.CarrierRule.site_id, site=row.site or "", channel=row.channel or "", group=row.group or "",
            country=row.CarrierRule.country or "", most_kg=row.CarrierRule.most_kg, reason=row.CarrierRule.reason,
            valid_from=row.CarrierRule.valid_from, valid_until=row.CarrierRule.valid_until,
        )
        for row in rows
    ]  # fmt: skip


def collections_ahead(session: Session, site: int, now: datetime) -> list[Collection]:
    """The next collection of each service in use at a site, the next first."""
    zone, entity = session.execute(select(Site.time_zone, Site.entity_id).where(Site.id == site)).one()
    found = []
    for service in services_of(session, [entity]):
        at = collection_after(service.cut_offs.get(site, {}), now, zone) if service.is_active else None
        if at is not None:
            found.append(Collection(service_id=service.id, service=service.title, at=at))
    return sorted(found, key=lambda one: (one.at, one.service))


def carton_types(session: Session, entities: list[int]) -> list[CartonTypeFact]:
    """The carton types in use, the smallest first."""
    rows = session.scalars(select(CartonType).where(CartonType.entity_id.in_(entities), CartonType.is_active.is_(True)))
    found = [
        CartonTypeFact(
            id=row.id, entity_id=row.entity_id, code=row.code, name=row.name, length_mm=row.length_mm,
            width_mm=row.width_mm, height_mm=row.height_mm, tare_kg=row.tare_kg, most_kg=row.most_kg,
        )
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.length_mm * one.width_mm * one.height_mm, one.code))
