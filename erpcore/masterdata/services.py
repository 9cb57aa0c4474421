"""Setting up who we are, where, and whom we serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import select

from erpcore.kernel.audit import audit_all
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.model import Base
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.calendars import Calendar, calendars_of, tell_calendar
from erpcore.masterdata.customers import check_tier
from erpcore.masterdata.models import (
    Channel,
    Customer,
    CustomerGroup,
    Entity,
    Item,
    ItemGroup,
    ItemKind,
    Realm,
    ServiceCommitment,
    Site,
)
from erpcore.masterdata.search import keep_words
from erpcore.masterdata.tax_models import TaxRate

Row = TypeVar("Row", bound=Base)
Coded = TypeVar("Coded", Channel, CustomerGroup, ItemGroup)


@dataclass(frozen=True, kw_only=True)
class NewEntity:
    """A legal entity, or one that stands for a live one in another realm (``twin``)."""

    code: str
    name: str
    country: str
    currency: str
    time_zone: str
    realm: str = Realm.LIVE
    twin: int | None = None


@dataclass(frozen=True, kw_only=True)
class NewSite:
    """A node that moves goods; ``twin`` is the live site that one of another realm stands for.

    ``calendar`` says when people work there; without it a twin has that of its live site, and others have none yet.
    """

    entity: int
    code: str
    name: str
    kind: str
    country: str
    time_zone: str
    region: str | None = None
    opens_at: time = time(8)
    closes_at: time = time(17)
    twin: int | None = None
    calendar: Calendar | None = None


@dataclass(frozen=True, kw_only=True)
class NewCustomer:
    entity: int
    code: str
    name: str
    country: str
    currency: str
    group: int | None = None
    tax_class: str = "standard"
    payment_days: int = 30
    credit_limit_minor: int | None = None
    is_unknown: bool = False
    tier: int = 2


@dataclass(frozen=True, kw_only=True)
class NewItem:
    entity: int
    code: str
    name: str
    kind: str = ItemKind.STOCK
    unit: str = "pc"
    group: int | None = None
    quantity_places: int = 0
    standard_cost: Decimal | None = None
    tax_class: str = "standard"
    abc: str | None = None
    replenishment_days: int = 7


def add_entity(work: UnitOfWork, command: NewEntity) -> Entity:
    """A new entity; raises ``Conflict`` for a code in use."""
    if (command.realm == Realm.LIVE) != (command.twin is None):
        raise RuleBroken("twin_required", field="twin", entity=command.code, realm=command.realm)
    _free(work, Entity, command.code)
    row = Entity(
        id=work.ids.one(), code=command.code, name=command.name, realm=command.realm, twin_id=command.twin,
        country=command.country, currency=command.currency, time_zone=command.time_zone,
    )  # fmt: skip
    _added(work, row)
    work.audit(
        "entity.added", "entity", row.id, code=row.code, realm=row.realm, twin=row.twin_id, country=row.country,
        currency=row.currency, time_zone=row.time_zone,
    )  # fmt: skip
    return row


def add_site(work: UnitOfWork, command: NewSite) -> Site:
    """A new site of an entity; its calendar is published."""
    row = Site(
        id=work.ids.one(), entity_id=command.entity, twin_id=command.twin, code=command.code, name=command.name,
        kind=command.kind, country=command.country, region=command.region, time_zone=command.time_zone,
        opens_at=command.opens_at, closes_at=command.closes_at,
    )  # fmt: skip
    site = _added(work, row)
    work.audit(
        "site.added", "site", row.id, code=row.code, entity=row.entity_id, twin=row.twin_id, is_a=row.kind, country=row.country,
        time_zone=row.time_zone,
    )  # fmt: skip
    told = [command.calendar] if command.calendar is not None else []
    if not told and command.twin is not None:
        told = [
            Calendar(valid_from=one.valid_from, week=one.week, closed=one.closed)
            for one in calendars_of(work.session, [command.twin])
        ]
    for calendar in told:
        tell_calendar(work, site, calendar, "as the site was set up")
    return site


def ensure_channel(work: UnitOfWork, code: str, name: str) -> Channel:
    """The channel of that code, made when it is not there yet."""
    return _ensure(work, Channel, code, name)


def rank_channel(work: UnitOfWork, channel: int, priority: int) -> None:
    """How a channel ranks for scarce stock: 1 comes first, 9 last. Raises ``NotFound`` for one that is not there."""
    row = work.session.get(Channel, channel, with_for_update={"key_share": True})
    if row is None:
        raise NotFound("channel_unknown", channel=channel)
    if row.priority != priority:
        row.priority = priority
        work.session.flush()
        work.audit("channel.ranked", "channel", channel, priority=priority)


def ensure_customer_group(work: UnitOfWork, code: str, name: str) -> CustomerGroup:
    """The customer group of that code, made when it is not there yet."""
    return _ensure(work, CustomerGroup, code, name)


def ensure_item_group(work: UnitOfWork, code: str, name: str) -> ItemGroup:
    """The item group of that code, made when it is not there yet."""
    return _ensure(work, ItemGroup, code, name)


def add_customers(work: UnitOfWork, commands: Sequence[NewCustomer]) -> list[Customer]:
    """New customers, in the order given. Raises ``RuleBroken`` for a tier that nobody knows."""
    for command in commands:
        check_tier(command.tier)
    ids = work.ids.reserve(len(commands))
    rows = [
        Customer(
            id=next(ids), entity_id=c.entity, group_id=c.group, code=c.code, name=c.name, country=c.country,
            currency=c.currency, tax_class=c.tax_class, payment_days=c.payment_days,
            credit_limit_minor=c.credit_limit_minor, is_unknown=c.is_unknown, tier=c.tier,
        )
        for c in commands
    ]  # fmt: skip
    _added_all(work, rows)
    # By their codes: a name may be that of a person.
    audit_all(work, "customer.added", "customer", {
        row.id: {
            "code": row.code, "entity": row.entity_id, "customer_group": row.group_id, "tax_class": row.tax_class,
            "payment_days": row.payment_days, "limit_minor": row.credit_limit_minor, "tier": row.tier,
        }
        for row in rows
    })  # fmt: skip
    return rows


def add_items(work: UnitOfWork, commands: Sequence[NewItem]) -> list[Item]:
    """New items, in the order given."""
    ids = work.ids.reserve(len(commands))
    rows = [
        Item(
            id=next(ids), entity_id=c.entity, group_id=c.group, code=c.code, name=c.name, kind=c.kind, unit=c.unit,
            quantity_places=c.quantity_places, standard_cost=c.standard_cost, tax_class=c.tax_class, abc=c.abc,
            replenishment_days=c.replenishment_days,
        )
        for c in commands
    ]  # fmt: skip
    made = _added_all(work, rows)
    keep_words(work, made)
    audit_all(work, "item.added", "item", {
        row.id: {
            "code": row.code, "entity": row.entity_id, "item_group": row.group_id, "is_a": row.kind, "unit": row.unit,
            "standard_cost": row.standard_cost, "tax_class": row.tax_class,
        }
        for row in made
    })  # fmt: skip
    return made


def add_tax_rate(
    work: UnitOfWork,
    *,
    entity: int,
    country: str,
    rate: Decimal,
    valid_from: date,
    customer_tax_class: str = "*",
    item_tax_class: str = "*",
    **terms: Any,
) -> TaxRate:
    """A tax rule from a day on; ``*`` stands for every country or class. ``terms``: origin, code, category, sentence, the
    registration and number that it asks for, the day that it ends.
    """
    row = TaxRate(
        id=work.ids.one(), entity_id=entity, country=country, customer_tax_class=customer_tax_class,
        item_tax_class=item_tax_class, rate=rate, valid_from=valid_from, **terms,
    )  # fmt: skip
    _added(work, row)
    work.audit(
        "tax_rate.added", "tax_rate", row.id, entity=entity, country=country, customers=customer_tax_class, items=item_tax_class,
        rate=rate, valid_from=valid_from, **terms,
    )  # fmt: skip
    return row


def add_commitment(
    work: UnitOfWork, *, site: int, channel: int, lead_days: int, valid_from: date, **terms: Any
) -> ServiceCommitment:
    """What a site promises in a channel from a day on. ``terms``: basis, transit, cut-off, early and late days, group."""
    row = ServiceCommitment(
        id=work.ids.one(), site_id=site, channel_id=channel, lead_days=lead_days, valid_from=valid_from,
        **{"basis": "ship", "transit_days": 0, "early_days": 0, "late_days": 0, **terms},
    )  # fmt: skip
    _added(work, row)
    work.audit(
        "commitment.kept",
        "service_commitment",
        row.id,
        site_id=site,
        channel=channel,
        lead_days=lead_days,
        valid_from=valid_from,
    )
    return row


def _free(work: UnitOfWork, table: type[Entity], code: str) -> None:
    if work.session.execute(select(table.id).where(table.code == code)).first():
        raise Conflict("code_in_use", field="code", code=code)


def _ensure(work: UnitOfWork, table: type[Coded], code: str, name: str) -> Coded:
    row = work.session.execute(select(table).where(table.code == code)).scalar_one_or_none()
    if row is None:
        row = _added(work, table(id=work.ids.one(), code=code, name=name))
        work.audit(f"{table.__tablename__}.added", table.__tablename__, row.id, code=code)
    return row


def _added(work: UnitOfWork, row: Row) -> Row:
    return _added_all(work, [row])[0]


def _added_all(work: UnitOfWork, rows: list[Row]) -> list[Row]:
    work.session.add_all(rows)
    # Rows written outside the ORM refer to these, so they must be in the transaction.
    work.session.flush()
    return rows
