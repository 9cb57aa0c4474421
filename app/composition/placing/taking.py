"""What does a place say that a template could be? A snapshot of a site, company or channel as it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.identity.models import RoleGrant
from app.identity.queries import in_force
from erpcore.fulfilment.carriers.models import Carrier, CarrierCutOff, CarrierService
from erpcore.inventory.models import Location, Zone
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.ledger.models import Account
from erpcore.masterdata.calendars import calendar_on, calendars_of, workdays
from erpcore.masterdata.models import (
    Channel,
    CustomerGroup,
    Entity,
    Realm,
    ServiceCommitment,
    Site,
    SourcingLane,
)
from erpcore.masterdata.tax_models import TaxCategory, TaxRate
from governance.templates.content import DAYS, Content, PlaceKind, checked
from governance.variants.flow import AGREED
from governance.variants.models import Variant, VariantValue
from governance.variants.register import Scope, scope_of
from governance.variants.validity import facts_of, is_valid
from readiness.gates.criteria import Phase
from readiness.gates.models import GateTemplate

#: The gate template that a site's wave begins with, where it is kept.
_CRITERIA = "entry"


def taken(session: Session, kind: PlaceKind, place: int, now: datetime) -> Content:
    """The place as a template would say it. Raises ``NotFound`` for one that is not there or stands for another."""
    return {PlaceKind.SITE: _of_site, PlaceKind.ENTITY: _of_entity, PlaceKind.CHANNEL: _of_channel}[kind](
        session, place, now
    )


def _of_site(session: Session, place: int, now: datetime) -> Content:
    site = session.get(Site, place)
    if site is None or site.twin_id is not None:
        raise NotFound("site_unknown", field="source", site=place)
    today = local_day(now, site.time_zone)
    known = select(GateTemplate.code).where(GateTemplate.code == _CRITERIA, GateTemplate.phase == Phase.ENTRY).limit(1)
    facts = {
        "kind": site.kind, "country": site.country, "region": site.region or "", "time_zone": site.time_zone, "criteria": session.scalar(known) or "",
    }  # fmt: skip
    rows = {
        **_calendar(session, site, today), **_places(session, site.id), "collections": _collections(session, site.id),
        "commitments": _commitments(session, today, ServiceCommitment.site_id == site.id), "lanes": _lanes(session, site.id),
        "policies": _policies(session, Scope(site=site.id), now), "roles": _roles(session, site.id, now),
    }  # fmt: skip
    return checked(PlaceKind.SITE, facts, rows)


def _calendar(session: Session, site: Site, today: date) -> dict[str, list[dict[str, str]]]:
    told = calendar_on(calendars_of(session, [site.id]), today)
    week = workdays(site.opens_at, site.closes_at) if told is None else told.week
    return {
        "hours": [
            {"weekday": day, "opens": f"{hours[0]:%H:%M}", "closes": f"{hours[1]:%H:%M}"}
            for day, hours in zip(DAYS, week, strict=True)
            if hours is not None
        ],
        "closed": [{"day": day.isoformat()} for day in (told.closed if told is not None else ()) if day >= today],
    }  # fmt: skip


def _places(session: Session, site: int) -> dict[str, list[dict[str, str]]]:
    zones = session.execute(select(Zone.code, Zone.name).where(Zone.site_id == site).order_by(Zone.code))
    locations = session.execute(
        select(Location.code, Location.kind, Location.walk, Zone.code.label("zone"))
        .outerjoin(Zone, Zone.id == Location.zone_id)
        .where(Location.site_id == site)
        .order_by(Location.walk, Location.code)
    )
    return {
        "zones": [{"code": row.code, "name": row.name} for row in zones],
        "locations": [
            {"code": row.code, "kind": row.kind, "zone": row.zone or "", "walk": str(row.walk)} for row in locations
        ],
    }  # fmt: skip


def _collections(session: Session, site: int) -> list[dict[str, str]]:
    rows = session.execute(
        select(Carrier.code.label("carrier"), CarrierService.code, CarrierCutOff.weekday, CarrierCutOff.cut_off)
        .join(CarrierService, CarrierService.carrier_id == Carrier.id)
        .join(CarrierCutOff, CarrierCutOff.service_id == CarrierService.id)
        .where(CarrierCutOff.site_id == site, Carrier.is_active, CarrierService.is_active)
        .order_by(Carrier.code, CarrierService.code, CarrierCutOff.weekday)
    )
    return [
        {"carrier": row.carrier, "service": row.code, "weekday": DAYS[row.weekday], "cut_off": f"{row.cut_off:%H:%M}"}
        for row in rows
    ]


def _commitments(session: Session, today: date, condition: Any) -> list[dict[str, str]]:
    """What is promised today; of a channel what its first site promises to each group of customers."""
    rows = session.execute(
        select(ServiceCommitment, Channel.code, CustomerGroup.code.label("group"))
        .join(Channel, Channel.id == ServiceCommitment.channel_id)
        .outerjoin(CustomerGroup, CustomerGroup.id == ServiceCommitment.customer_group_id)
        .where(
            condition, ServiceCommitment.valid_from <= today,
            or_(ServiceCommitment.valid_until.is_(None), ServiceCommitment.valid_until > today),
        )
        .order_by(Channel.code, CustomerGroup.code, ServiceCommitment.site_id)
    )  # fmt: skip
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row, channel, group in rows:
        days = [day for number, day in enumerate(DAYS) if (row.weekdays or 0) >> number & 1]
        found.setdefault((channel, group or ""), {
            "channel": channel, "group": group or "", "basis": row.basis, "lead_days": str(row.lead_days),
            "transit_days": str(row.transit_days), "cut_off": f"{row.cut_off:%H:%M}" if row.cut_off else "",
            "early_days": str(row.early_days), "late_days": str(row.late_days), "weekdays": " ".join(days),
            "fill_permille": str(row.fill_target_permille or ""),
        })  # fmt: skip
    return list(found.values())


def _lanes(session: Session, site: int) -> list[dict[str, str]]:
    rows = session.scalars(select(SourcingLane).where(SourcingLane.site_id == site).order_by(SourcingLane.country))
    return [
        {"country": row.country, "transit_days": str(row.transit_days), "cost_minor": str(row.cost_minor)}
        for row in rows
    ]


def _policies(session: Session, scope: Scope, now: datetime) -> list[dict[str, str]]:
    """The values that hold there by variants of exactly this scope."""
    rows = session.execute(
        select(Variant, VariantValue.point, VariantValue.value)
        .join(VariantValue, VariantValue.variant_id == Variant.id)
        .where(
            Variant.state.in_(AGREED),
            Variant.site_id == scope.site,
            Variant.entity_id == scope.entity,
            Variant.channel_id == scope.channel,
        )
        .order_by(VariantValue.point)
    )
    found: dict[str, dict[str, str]] = {}
    for row, point, value in rows:
        if scope_of(row) == scope and is_valid(facts_of(row, is_fit=True), now):
            plain = orjson.loads(value)
            found[point] = {"point": point, "value": plain if isinstance(plain, str) else value}
    return list(found.values())


def _roles(session: Session, site: int, now: datetime) -> list[dict[str, str]]:
    held = session.execute(
        select(RoleGrant.role, RoleGrant.account_id).where(RoleGrant.site_id == site, in_force(now)).distinct()
    )
    counted = Counter(row.role for row in held)
    return [{"role": role, "people": str(people)} for role, people in sorted(counted.items())]


def _of_entity(session: Session, place: int, now: datetime) -> Content:
    entity = session.get(Entity, place)
    if entity is None or entity.realm != Realm.LIVE:
        raise NotFound("entity_unknown", field="source", entity=place)
    accounts = session.scalars(select(Account).where(Account.entity_id == place).order_by(Account.code))
    rows = {
        "accounts": [{"code": one.code, "name": one.name, "kind": one.kind, "role": one.role or ""} for one in accounts],
        "taxes": _taxes(session, place, local_day(now, entity.time_zone)), "services": _services(session, place),
        "policies": _policies(session, Scope(entity=place), now),
    }  # fmt: skip
    facts = {"country": entity.country, "currency": entity.currency, "time_zone": entity.time_zone}
    return checked(PlaceKind.ENTITY, facts, rows)


def _taxes(session: Session, entity: int, today: date) -> list[dict[str, str]]:
    rows: Iterable[TaxRate] = session.scalars(
        select(TaxRate)
        .where(
            TaxRate.entity_id == entity,
            TaxRate.category == TaxCategory.STANDARD,
            TaxRate.valid_from <= today,
            or_(TaxRate.valid_until.is_(None), TaxRate.valid_until > today),
        )
        .order_by(TaxRate.country, TaxRate.customer_tax_class, TaxRate.item_tax_class, TaxRate.valid_from, TaxRate.id)
    )
    found = {
        (row.country, row.customer_tax_class, row.item_tax_class): {
            "country": row.country, "customers": row.customer_tax_class, "items": row.item_tax_class, "rate": format(row.rate, "f"),
        }
        for row in rows
    }  # fmt: skip
    return list(found.values())


def _services(session: Session, entity: int) -> list[dict[str, str]]:
    rows = session.execute(
        select(CarrierService, Carrier.code.label("carrier"), Carrier.name.label("carrier_name"))
        .join(Carrier, Carrier.id == CarrierService.carrier_id)
        .where(Carrier.entity_id == entity, Carrier.is_active, CarrierService.is_active)
        .order_by(Carrier.code, CarrierService.code)
    )
    return [
        {
            "carrier": carrier, "carrier_name": name, "service": row.code, "service_name": row.name,
            "transit_days": str(row.transit_days), "base_charge": format(row.base_charge, "f"), "per_kg": format(row.per_kg, "f"),
        }
        for row, carrier, name in rows
    ]  # fmt: skip


def _of_channel(session: Session, place: int, now: datetime) -> Content:
    channel = session.get(Channel, place)
    if channel is None:
        raise NotFound("channel_unknown", field="source", channel=place)
    live = select(Site.id).join(Entity, Entity.id == Site.entity_id).where(Entity.realm == Realm.LIVE)
    here = (ServiceCommitment.channel_id == place) & ServiceCommitment.site_id.in_(live)
    rows = {
        "commitments": _commitments(session, now.date(), here), "policies": _policies(session, Scope(channel=place), now),
    }  # fmt: skip
    return checked(PlaceKind.CHANNEL, {"priority": str(channel.priority)}, rows)
