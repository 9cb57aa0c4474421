"""Carriers for programs: who drives, what they offer, when they collect, and which shipment takes which service."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from pydantic import Field

from app.api.companies import in_company
from app.api.framework import operation
from app.api.v1.numbers import Key, pointing
from app.api.v1.warehouse_models import Done, List, Made
from app.api.values import Answer, Body, Quantity, UnitPrice
from app.composition.request import reader
from app.queries.carriers import RuleFact, ServiceFact, all_carriers, all_rules
from app.queries.places import entities_seen, realm_of_site
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.fulfilment.carriers.services import (
    NewCarrier,
    NewCarrierRule,
    NewService,
    add_carrier,
    add_rule,
    add_service,
    end_rule,
    set_active,
    set_cut_offs,
)
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork

TAG = "Carriers"


class CutOffAnswer(Answer):
    """A carrier collects at a site on a weekday (0 is Monday) what is ready by then, in the site's time."""

    site: int
    weekday: int
    cut_off: time


class ServiceAnswer(Answer):
    """What a carrier offers, charges in the company's currency."""

    id: int
    code: str
    name: str
    transit_days: int
    is_premium: bool
    base_charge: UnitPrice
    per_kg: UnitPrice
    most_kg: Quantity | None
    is_active: bool
    currency: str
    cut_offs: list[CutOffAnswer]


class CarrierAnswer(Answer):
    """A carrier with its services."""

    id: int
    entity: int
    code: str
    name: str
    tracking_address: str | None
    services: list[ServiceAnswer]


class CarrierList(List):
    """The carriers of one's companies."""

    items: list[CarrierAnswer]


class CarrierRuleAnswer(Answer):
    """Which shipments take a service; what is empty fits all."""

    id: int
    service: int
    site: int | None
    channel: str
    customer_group: str
    country: str
    most_kg: Quantity | None
    reason: str
    valid_from: date
    valid_until: date | None


class CarrierRuleList(List):
    """The rules of one's companies."""

    items: list[CarrierRuleAnswer]


class CarrierBody(Body):
    """Who drives. `tracking_address` holds `{number}` where the tracking number goes."""

    entity: Key
    code: str = Field(min_length=1, max_length=24)
    name: str = Field(min_length=1, max_length=120)
    tracking_address: str | None = Field(None, max_length=300)


class ServiceBody(Body):
    """What a carrier offers. `is_premium`: taken by hand it needs a reason."""

    code: str = Field(min_length=1, max_length=24)
    name: str = Field(min_length=1, max_length=120)
    transit_days: int = Field(2, ge=0, le=99)
    label_format: str = Field("100x150", max_length=12)
    is_premium: bool = False
    base_charge: UnitPrice = Decimal(0)
    per_kg: UnitPrice = Decimal(0)
    most_kg: Quantity | None = None


class CutOffBody(Body):
    """By weekday (0 is Monday), in the site's time; a day that is left out has no collection."""

    site: Key
    cut_offs: dict[int, time] = Field(max_length=7)


class CarrierRuleBody(Body):
    """Which shipments take a service; what is null fits all."""

    service: Key
    reason: str = Field(min_length=1, max_length=200)
    valid_from: date
    valid_until: date | None = None
    site: Key | None = None
    channel: Key | None = None
    customer_group: Key | None = None
    country: str | None = Field(None, max_length=64)
    most_kg: Quantity | None = None


class EndBody(Body):
    """The first day on which it does not hold."""

    until: date


class ActiveBody(Body):
    """Whether a service is used."""

    is_active: bool


def _service_answer(one: ServiceFact) -> ServiceAnswer:
    cut_offs = [
        CutOffAnswer(site=site, weekday=weekday, cut_off=at)
        for site, days in sorted(one.cut_offs.items())
        for weekday, at in sorted(days.items())
    ]
    return ServiceAnswer(
        id=one.id, code=one.code, name=one.name, transit_days=one.transit_days, is_premium=one.is_premium,
        base_charge=one.base_charge, per_kg=one.per_kg, most_kg=one.most_kg, is_active=one.is_active, currency=one.currency,
        cut_offs=cut_offs,
    )  # fmt: skip


def _rule_answer(one: RuleFact) -> CarrierRuleAnswer:
    return CarrierRuleAnswer(
        id=one.id, service=one.service_id, site=one.site_id, channel=one.channel, customer_group=one.group,
        country=one.country, most_kg=one.most_kg,
        reason=one.reason, valid_from=one.valid_from, valid_until=one.valid_until,
    )  # fmt: skip


@operation(
    "GET", "/carriers", permission=Permission.SHIPMENT_READ, summary="Carriers with services and cut-offs", tag=TAG,
    answer=CarrierList,
)  # fmt: skip
def list_carriers() -> CarrierList:
    found = [
        CarrierAnswer(
            id=one.id, entity=one.entity_id, code=one.code, name=one.name, tracking_address=one.tracking_address,
            services=[_service_answer(service) for service in one.services],
        )
        for one in all_carriers(reader(), actor())
    ]  # fmt: skip
    return CarrierList(count=len(found), items=found)


@operation(
    "GET", "/carrier-rules", permission=Permission.SHIPMENT_READ, summary="Which shipments take which service", tag=TAG,
    answer=CarrierRuleList,
)  # fmt: skip
def list_rules() -> CarrierRuleList:
    entities = [one.id for one in entities_seen(reader(), actor()) if one.realm == "live"]
    found = [_rule_answer(one) for one in all_rules(reader(), entities)]
    return CarrierRuleList(count=len(found), items=found)


@operation(
    "POST", "/carriers", permission=Permission.CARRIER_CHANGE, summary="Add a carrier", tag=TAG, body=CarrierBody, answer=Made,
    status=201, example={"entity": 1000, "code": "DHL", "name": "DHL", "tracking_address": "https://track.example/{number}"},
)  # fmt: skip
def new_carrier(work: UnitOfWork, body: CarrierBody) -> Made:
    # A company that practises ships with the carriers of the live one: nobody would find its own.
    if in_company(work, body.entity).realm != "live":
        raise NotFound("entity_unknown", field="entity", entity=body.entity)
    with pointing():
        return Made(id=add_carrier(work, NewCarrier(**dict(body))).id)


def _carrier(work: UnitOfWork, carrier: int) -> None:
    if carrier not in {one.id for one in all_carriers(work.session, work.actor)}:
        raise NotFound("carrier_unknown", carrier=carrier)


def _service(work: UnitOfWork, service: int) -> None:
    seen = {found.id for one in all_carriers(work.session, work.actor) for found in one.services}
    if service not in seen:
        raise NotFound("carrier_service_unknown", service=service)


@operation(
    "POST", "/carriers/{carrier_id}/services", permission=Permission.CARRIER_CHANGE, summary="Add what a carrier offers", tag=TAG,
    body=ServiceBody, answer=Made, status=201, example={"code": "PARCEL", "name": "Parcel", "base_charge": "4.50", "per_kg": "0.30"},
)  # fmt: skip
def new_service(work: UnitOfWork, carrier_id: int, body: ServiceBody) -> Made:
    _carrier(work, carrier_id)
    with pointing():
        return Made(id=add_service(work, NewService(carrier=carrier_id, **dict(body))).id)


@operation(
    "POST", "/carrier-services/{service_id}/cut-offs", permission=Permission.CARRIER_CHANGE, summary="Say when a carrier collects",
    tag=TAG, body=CutOffBody, answer=Done, example={"site": 1001, "cut_offs": {"0": "16:00:00", "4": "14:00:00"}},
)  # fmt: skip
def change_cut_offs(work: UnitOfWork, service_id: int, body: CutOffBody) -> Done:
    _service(work, service_id)
    work.realm = realm_of_site(work.session, work.actor, body.site)
    with pointing():
        set_cut_offs(work, service_id, body.site, body.cut_offs)
    return Done(state="set")


@operation(
    "POST", "/carrier-services/{service_id}/activity", permission=Permission.CARRIER_CHANGE, summary="Use a service, or no longer",
    tag=TAG, body=ActiveBody, answer=Done, example={"is_active": False},
)  # fmt: skip
def switch_service(work: UnitOfWork, service_id: int, body: ActiveBody) -> Done:
    _service(work, service_id)
    set_active(work, service_id, is_active=body.is_active)
    return Done(state="active" if body.is_active else "rests")


@operation(
    "POST", "/carrier-rules", permission=Permission.CARRIER_CHANGE, summary="Say which shipments take a service", tag=TAG,
    body=CarrierRuleBody, answer=Made, status=201,
    example={"service": 1040, "reason": "parcels by road", "valid_from": "2026-12-01", "site": 1001},
)  # fmt: skip
def new_rule(work: UnitOfWork, body: CarrierRuleBody) -> Made:
    _service(work, body.service)
    with pointing():
        return Made(id=add_rule(work, NewCarrierRule(**dict(body))).id)


@operation(
    "POST", "/carrier-rules/{rule_id}/end", permission=Permission.CARRIER_CHANGE, summary="End a carrier rule", tag=TAG,
    body=EndBody, answer=Done, example={"until": "2026-12-31"},
)  # fmt: skip
def stop_rule(work: UnitOfWork, rule_id: int, body: EndBody) -> Done:
    entities = [one.id for one in entities_seen(work.session, work.actor) if one.realm == "live"]
    if rule_id not in {one.id for one in all_rules(work.session, entities)}:
        raise NotFound("carrier_rule_unknown", rule=rule_id)
    with pointing():
        end_rule(work, rule_id, body.until)
    return Done(state="ends")
