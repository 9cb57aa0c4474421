"""Where does a profile's business stand in the core? Made on first use, with its grant; found again afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from app.composition.imports import ImportProfile
from app.importers.profiles import Profile
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.services import open_chart
from erpcore.masterdata.models import Customer, Entity, Site
from erpcore.masterdata.services import (
    NewCustomer,
    NewEntity,
    NewSite,
    add_commitment,
    add_customers,
    add_entity,
    add_site,
    add_tax_rate,
    ensure_channel,
)
from erpcore.ports import Process
from readiness.waves.grants import RecordAlreadyLive, record_already_live

#: Terms of an import hold for whatever its files bring.
_SINCE = date(1990, 1, 1)


@dataclass(frozen=True)
class Place:
    """The ids that a profile's documents are posted to."""

    profile: int
    entity: int
    site: int
    channel: int
    unknown_customer: int


def settle_place(work: UnitOfWork, profile: Profile) -> Place:
    """The profile's business, made when it is not there. A site that is made here is recorded as already live.

    A site that exists keeps its gates: nothing is opened for it, and a closed cell refuses the import.
    """
    known = work.session.execute(
        select(ImportProfile).where(ImportProfile.name == profile.name).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if known is None:
        known = _make(work, profile)
    elif known.digest != profile.digest:
        _require_same_business(work, known, profile)
        known.digest, known.title, known.totals = profile.digest, profile.title, profile.totals
    return Place(known.id, known.entity_id, known.site_id, known.channel_id, known.unknown_customer_id)


def _require_same_business(work: UnitOfWork, known: ImportProfile, profile: Profile) -> None:
    """A profile that is changed may read its files otherwise; it never moves to another company, site or currency."""
    entity, site = work.session.get_one(Entity, known.entity_id), work.session.get_one(Site, known.site_id)
    if (entity.code, entity.currency, site.code) != (profile.entity.code, profile.entity.currency, profile.site.code):
        raise RuleBroken(
            "import_other_business", field="profile", profile=profile.name, entity=entity.code, site=site.code,
            currency=entity.currency,
        )  # fmt: skip


def _make(work: UnitOfWork, profile: Profile) -> ImportProfile:
    entity = work.session.execute(select(Entity).where(Entity.code == profile.entity.code)).scalar_one_or_none()
    if entity is None:
        e = profile.entity
        entity = add_entity(
            work, NewEntity(code=e.code, name=e.name, country=e.country, currency=e.currency, time_zone=e.time_zone)
        )
        open_chart(work, entity.id)
        add_tax_rate(work, entity=entity.id, country="*", rate=Decimal(profile.terms.tax_rate), valid_from=_SINCE)
    elif (entity.realm, entity.currency) != ("live", profile.entity.currency):
        raise RuleBroken(
            "import_other_entity", field="profile", profile=profile.name, entity=entity.code, currency=entity.currency
        )
    channel = ensure_channel(work, profile.channel.code, profile.channel.name)
    site = work.session.execute(
        select(Site).where(Site.entity_id == entity.id, Site.code == profile.site.code)
    ).scalar_one_or_none()
    if site is None:
        site = _site(work, profile, entity, channel.id)
    unknown = work.session.execute(
        select(Customer.id).where(Customer.entity_id == entity.id, Customer.code == profile.unknown_customer.code)
    ).scalar_one_or_none()
    if unknown is None:
        (made,) = add_customers(
            work,
            [
                NewCustomer(
                    entity=entity.id, code=profile.unknown_customer.code, name=profile.unknown_customer.name,
                    country=entity.country, currency=entity.currency, payment_days=profile.terms.payment_days,
                    is_unknown=True,
                )
            ],
        )  # fmt: skip
        unknown = made.id
    row = ImportProfile(
        id=work.ids.one(), name=profile.name, title=profile.title, totals=profile.totals, digest=profile.digest,
        entity_id=entity.id, site_id=site.id, channel_id=channel.id, unknown_customer_id=unknown, revision=0,
        first_used_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    return row


def _site(work: UnitOfWork, profile: Profile, entity: Entity, channel: int) -> Site:
    site = add_site(
        work,
        NewSite(
            entity=entity.id, code=profile.site.code, name=profile.site.name, kind=profile.site.kind,
            country=profile.entity.country, time_zone=profile.entity.time_zone,
        ),
    )  # fmt: skip
    add_commitment(
        work,
        site=site.id,
        channel=channel,
        lead_days=profile.terms.lead_days,
        valid_from=_SINCE,
        basis=profile.terms.basis,
    )
    processes = (Process.ORDER_TO_CASH, Process.RETURNS_TO_CREDIT, Process.WAREHOUSE)
    record_already_live(
        work, RecordAlreadyLive(cells=((site.id, channel),), processes=processes, reason=profile.live.reason)
    )
    return site
