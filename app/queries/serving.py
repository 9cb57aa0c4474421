"""What do sites promise their customers, and what does it take to serve a country from them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Channel, CustomerGroup, Entity, ServiceCommitment, Site, SourcingLane

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, kw_only=True)
class CommitmentRow:
    """What a site promises in a channel. ``group`` ``None``: all customers without a commitment of their group."""

    id: int
    site_id: int
    site: str
    realm: str
    channel_id: int
    channel: str
    group_id: int | None
    group: str | None
    basis: str
    lead_days: int
    transit_days: int
    cut_off: time | None
    early_days: int
    late_days: int
    weekdays: int | None
    fill_target_permille: int | None
    valid_from: date
    valid_until: date | None

    @property
    def served(self) -> str:
        """The days on which it is shipped or delivered."""
        bits = self.weekdays
        if not bits:
            return "any working day"
        return ", ".join(name for number, name in enumerate(DAYS) if bits & 1 << number)


@dataclass(frozen=True, kw_only=True)
class LaneRow:
    id: int
    site_id: int
    site: str
    realm: str
    country: str
    transit_days: int
    cost_minor: int
    currency: str


def commitments(session: Session, actor: Actor, *, realm: str | None = None) -> list[CommitmentRow]:
    """The commitments of the sites one sees: by site and channel, the standard one before those of groups, newest first."""
    query: Any = (
        select(
            ServiceCommitment, Site.name.label("site"), Entity.realm, Channel.name.label("channel"),
            CustomerGroup.name.label("group"),
        )
        .join(Site, Site.id == ServiceCommitment.site_id)
        .join(Entity, Entity.id == Site.entity_id)
        .join(Channel, Channel.id == ServiceCommitment.channel_id)
        .outerjoin(CustomerGroup, CustomerGroup.id == ServiceCommitment.customer_group_id)
        .order_by(
            Site.name, Site.id, Channel.name, CustomerGroup.name.is_not(None), CustomerGroup.name,
            ServiceCommitment.valid_from.desc(),
        )
    )  # fmt: skip
    if realm is not None:
        query = query.where(Entity.realm == realm)
    query = within_sites(query, actor, ServiceCommitment.site_id)
    return [
        CommitmentRow(
            id=one.id, site_id=one.site_id, site=row.site, realm=row.realm, channel_id=one.channel_id, channel=row.channel,
            group_id=one.customer_group_id, group=row.group, basis=one.basis, lead_days=one.lead_days,
            transit_days=one.transit_days, cut_off=one.cut_off, early_days=one.early_days, late_days=one.late_days,
            weekdays=one.weekdays, fill_target_permille=one.fill_target_permille, valid_from=one.valid_from,
            valid_until=one.valid_until,
        )
        for row in session.execute(query)
        for one in [row.ServiceCommitment]
    ]  # fmt: skip


def one_commitment(session: Session, actor: Actor, commitment: int) -> CommitmentRow:
    """One commitment; raises ``NotFound`` for an unknown one and another site's."""
    found = next((row for row in commitments(session, actor) if row.id == commitment), None)
    if found is None:
        raise NotFound("commitment_unknown", commitment=commitment)
    return found


def lanes(session: Session, actor: Actor, *, realm: str | None = None) -> list[LaneRow]:
    """The lanes from the sites one sees, by site and country."""
    query: Any = (
        select(SourcingLane, Site.name.label("site"), Entity.realm, Entity.currency)
        .join(Site, Site.id == SourcingLane.site_id)
        .join(Entity, Entity.id == Site.entity_id)
        .order_by(Site.name, Site.id, SourcingLane.country)
    )
    if realm is not None:
        query = query.where(Entity.realm == realm)
    query = within_sites(query, actor, SourcingLane.site_id)
    return [
        LaneRow(
            id=row.SourcingLane.id, site_id=row.SourcingLane.site_id, site=row.site, realm=row.realm,
            country=row.SourcingLane.country, transit_days=row.SourcingLane.transit_days,
            cost_minor=row.SourcingLane.cost_minor, currency=row.currency,
        )
        for row in session.execute(query)
    ]  # fmt: skip


def groups(session: Session) -> list[tuple[int, str]]:
    """Every customer group, by name."""
    rows = session.execute(select(CustomerGroup.id, CustomerGroup.name).order_by(CustomerGroup.name))
    return [(row.id, row.name) for row in rows]
