"""What do carriers offer a shipment? Services, rules and collections of an entity, read once per unit of work."""

from __future__ import annotations

from datetime import datetime, time
from typing import NamedTuple

from sqlalchemy import select

from erpcore.fulfilment.carriers.models import Carrier, CarrierCutOff, CarrierRule, CarrierService
from erpcore.fulfilment.carriers.rules import Going, ServiceRule, collection_after, freight_estimate, service_rule
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import raw_columns
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.documents import Order


class Service(NamedTuple):
    """A service as shipments need it; charges in millionths, weights in thousandths of a kilogram."""

    id: int
    carrier_id: int
    code: str
    name: str
    carrier: str
    transit_days: int
    is_premium: bool
    base_charge: int
    per_kg: int
    most_kg: int | None
    is_active: bool

    @property
    def title(self) -> str:
        return f"{self.carrier} {self.name}"


class Offers(NamedTuple):
    """Everything an entity's shipments can choose among."""

    services: dict[int, Service]
    rules: list[ServiceRule]
    #: (service, site) → weekday → cut-off
    cut_offs: dict[tuple[int, int], dict[int, time]]

    def service(self, service: int) -> Service:
        """Raises ``NotFound`` for a service of another company, ``RuleBroken`` for one that is no longer used."""
        found = self.services.get(service)
        if found is None:
            raise NotFound("carrier_service_unknown", service=service)
        if not found.is_active:
            raise RuleBroken("service_not_used", field="service", service=found.title)
        return found

    def collection(self, service: int, site: int, at: datetime, time_zone: str) -> datetime | None:
        """The next collection of a service at a site."""
        return collection_after(self.cut_offs.get((service, site), {}), at, time_zone)


def offers(work: UnitOfWork, entity: int) -> Offers:
    """What the entity's carriers offer."""
    known: dict[int, Offers] = work.memo.setdefault("carrier_offers", {})
    if entity not in known:
        names = (
            "id",
            "carrier_id",
            "code",
            "name",
            "transit_days",
            "is_premium",
            "base_charge",
            "per_kg",
            "most_kg",
            "is_active",
        )
        found = work.session.execute(
            select(*raw_columns(CarrierService, *names), Carrier.name.label("carrier"), Carrier.is_active.label("drives"))
            .join(Carrier, Carrier.id == CarrierService.carrier_id)
            .where(Carrier.entity_id == entity)
        ).all()  # fmt: skip
        services = {
            row.id: Service(
                row.id, row.carrier_id, row.code, row.name, row.carrier, row.transit_days, row.is_premium, row.base_charge,
                row.per_kg, row.most_kg, row.is_active and row.drives,
            )
            for row in found
        }  # fmt: skip
        rules = work.session.execute(
            select(*raw_columns(CarrierRule, *ServiceRule._fields)).where(CarrierRule.entity_id == entity)
        )
        cut_offs: dict[tuple[int, int], dict[int, time]] = {}
        for row in work.session.scalars(select(CarrierCutOff).where(CarrierCutOff.service_id.in_(services))):
            cut_offs.setdefault((row.service_id, row.site_id), {})[row.weekday] = row.cut_off
        known[entity] = Offers(services, [ServiceRule(*row) for row in rules], cut_offs)
    return known[entity]


def rule_for(work: UnitOfWork, order: Order, site: int, weight_kg: int | None) -> ServiceRule | None:
    """The rule that says how goods of this order travel from this site; services no longer used are passed over."""
    offered = offers(work, order.entity_id)
    going = Going(
        site, order.channel_id, order.customer_group, order.ship_country, weight_kg,
        local_day(work.now, site_facts(work, site).time_zone),
    )  # fmt: skip
    usable = [rule for rule in offered.rules if offered.services[rule.service_id].is_active]
    return service_rule(usable, going)


def estimate(service: Service, weight_kg: int | None, currency: str) -> int | None:
    """The freight in minor units; ``None`` while the weight is not known."""
    return None if weight_kg is None else freight_estimate(service.base_charge, service.per_kg, weight_kg, currency)
