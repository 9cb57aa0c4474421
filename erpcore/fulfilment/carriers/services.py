"""Setting up who drives: carriers, what they offer, when they collect, and which shipment takes which service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from sqlalchemy import delete, select

from erpcore.fulfilment.carriers.models import (
    Carrier,
    CarrierCutOff,
    CarrierRule,
    CarrierService,
    LabelFormat,
)
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts

CHANGE = "warehouse:carrier:change"
WEEKDAYS = range(7)


@dataclass(frozen=True, kw_only=True)
class NewCarrier:
    """``tracking_address`` holds ``{number}`` where the tracking number goes."""

    entity: int
    code: str
    name: str
    tracking_address: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewService:
    """Charges in the entity's currency; ``is_premium``: taking it without its rule needs a reason."""

    carrier: int
    code: str
    name: str
    transit_days: int
    label_format: str = LabelFormat.LABEL_100_150
    is_premium: bool = False
    base_charge: Decimal = Decimal(0)
    per_kg: Decimal = Decimal(0)
    most_kg: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class NewCarrierRule:
    """Dimensions that are not named fit all."""

    service: int
    reason: str
    valid_from: date
    valid_until: date | None = None
    site: int | None = None
    channel: int | None = None
    customer_group: int | None = None
    country: str | None = None
    most_kg: Decimal | None = None


def add_carrier(work: UnitOfWork, command: NewCarrier) -> Carrier:
    """A new carrier; raises ``Conflict`` for a code in use, ``RuleBroken`` for an address that is no web address."""
    work.actor.require(CHANGE)
    address = command.tracking_address or None
    if address is not None and (not address.startswith("https://") or address.count("{number}") != 1):
        raise RuleBroken("tracking_address_unusable", field="tracking_address")
    taken = select(Carrier.id).where(Carrier.entity_id == command.entity, Carrier.code == command.code)
    if work.session.execute(taken).first():
        raise Conflict("code_in_use", field="code", code=command.code)
    row = Carrier(
        id=work.ids.one(), entity_id=command.entity, code=command.code, name=command.name, tracking_address=address,
        is_active=True,
    )  # fmt: skip
    work.session.add(row)
    work.audit("carrier.added", "carrier", row.id, entity=command.entity, code=command.code)
    return row


def add_service(work: UnitOfWork, command: NewService) -> CarrierService:
    """A new service of a carrier; raises ``Conflict`` for a code in use."""
    work.actor.require(CHANGE)
    carrier = _carrier(work, command.carrier)
    taken = select(CarrierService.id).where(
        CarrierService.carrier_id == carrier.id, CarrierService.code == command.code
    )
    if work.session.execute(taken).first():
        raise Conflict("code_in_use", field="code", code=command.code)
    if command.label_format not in set(LabelFormat):
        raise RuleBroken("choice_unknown", field="label_format", value=command.label_format)
    for field, value in (("base_charge", command.base_charge), ("per_kg", command.per_kg)):
        if value < 0:
            raise RuleBroken("charge_negative", field=field)
    if not 0 <= command.transit_days <= 99:
        raise RuleBroken("transit_absurd", field="transit_days", days=command.transit_days)
    if command.most_kg is not None and command.most_kg <= 0:
        raise RuleBroken("weight_not_positive", field="most_kg")
    row = CarrierService(
        id=work.ids.one(), carrier_id=carrier.id, code=command.code, name=command.name,
        transit_days=command.transit_days, label_format=command.label_format, is_premium=command.is_premium,
        base_charge=command.base_charge, per_kg=command.per_kg, most_kg=command.most_kg, is_active=True,
    )  # fmt: skip
    work.session.add(row)
    work.audit(
        "carrier.service_added", "carrier_service", row.id, carrier=carrier.id, code=command.code, transit_days=command.transit_days,
        base_charge=command.base_charge, per_kg=command.per_kg, most_kg=command.most_kg,
    )  # fmt: skip
    return row


def set_cut_offs(work: UnitOfWork, service: int, site: int, cut_offs: Mapping[int, time]) -> None:
    """When the service collects at a site, by weekday (0 is Monday), in place of what was said before."""
    work.actor.require(CHANGE, site=site)
    carrier = _carrier(work, _service(work, service).carrier_id)
    if site_facts(work, site).entity.id != carrier.entity_id:
        raise RuleBroken("carrier_foreign", field="site", carrier=carrier.name)
    if set(cut_offs) - set(WEEKDAYS):
        raise RuleBroken("choice_unknown", field="weekday", value=max(cut_offs))
    work.session.flush()
    work.session.execute(
        delete(CarrierCutOff).where(CarrierCutOff.service_id == service, CarrierCutOff.site_id == site)
    )
    ids = work.ids.reserve(len(cut_offs))
    work.session.add_all(
        CarrierCutOff(id=next(ids), service_id=service, site_id=site, weekday=day, cut_off=at)
        for day, at in sorted(cut_offs.items())
    )
    work.audit("carrier.cut_offs", "carrier_service", service, site=site,
               cut_offs={str(day): at.strftime("%H:%M") for day, at in sorted(cut_offs.items())})  # fmt: skip


def add_rule(work: UnitOfWork, command: NewCarrierRule) -> CarrierRule:
    """A new rule. Rules never contradict: the ranking of ``service_rule`` lets exactly one win."""
    work.actor.require(CHANGE, site=command.site)
    service = _service(work, command.service)
    carrier = _carrier(work, service.carrier_id)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="carrier rule", move="add")
    if command.valid_until is not None and command.valid_until <= command.valid_from:
        raise RuleBroken("validity_empty", field="valid_until", since=command.valid_from, until=command.valid_until)
    if command.most_kg is not None and command.most_kg <= 0:
        raise RuleBroken("weight_not_positive", field="most_kg")
    if command.site is not None and site_facts(work, command.site).entity.id != carrier.entity_id:
        raise RuleBroken("carrier_foreign", field="site", carrier=carrier.name)
    row = CarrierRule(
        id=work.ids.one(), entity_id=carrier.entity_id, site_id=command.site, channel_id=command.channel,
        customer_group_id=command.customer_group, country=command.country, most_kg=command.most_kg,
        service_id=service.id, reason=command.reason, valid_from=command.valid_from, valid_until=command.valid_until,
    )  # fmt: skip
    work.session.add(row)
    work.audit("carrier.rule_added", "carrier_rule", row.id, service=service.id, reason=command.reason)
    return row


def end_rule(work: UnitOfWork, rule: int, until: date) -> CarrierRule:
    """The rule holds until that day and no longer; shipments that took it keep its name."""
    row = work.session.get(CarrierRule, rule)
    if row is None:
        raise NotFound("carrier_rule_unknown", rule=rule)
    work.actor.require(CHANGE, site=row.site_id)
    if until <= row.valid_from:
        raise RuleBroken("validity_empty", field="until", since=row.valid_from, until=until)
    row.valid_until = until
    work.audit("carrier.rule_ended", "carrier_rule", row.id, until=until.isoformat())
    return row


def set_active(work: UnitOfWork, service: int, *, is_active: bool) -> CarrierService:
    """Whether shipments may still take the service; those that took it stay."""
    work.actor.require(CHANGE)
    row = _service(work, service)
    row.is_active = is_active
    work.audit("carrier.service_switched", "carrier_service", row.id, is_active=is_active)
    return row


def _carrier(work: UnitOfWork, carrier: int) -> Carrier:
    found = work.session.get(Carrier, carrier)
    if found is None:
        raise NotFound("carrier_unknown", carrier=carrier)
    return found


def _service(work: UnitOfWork, service: int) -> CarrierService:
    found = work.session.get(CarrierService, service)
    if found is None:
        raise NotFound("carrier_service_unknown", service=service)
    return found
