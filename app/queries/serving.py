"""What do sites promise their customers, and what does it take to serve a country from them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.queries.worked_out import MemoryList
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Channel, CustomerGroup, Entity, ServiceCommitment, Site, SourcingLane

#: The country of a lane that stands for all others.
EVERYWHERE = "*"
STANDINGS = ("now", "later", "ended")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, kw_only=True)
class CommitmentRow:
    """What a site promises in a channel. ``group`` ``None``: all customers without a commitment of their group. ``standing``: whether
    it holds ``now``, ``later``, or has ``ended``, by the day of the site.
    """

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
    standing: str

    @property
    def days(self) -> int:
        """From the day of the order to the committed one."""
        return self.lead_days + (self.transit_days if self.basis == "delivery" else 0)

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


def _commitments(actor: Actor) -> Any:
    query: Any = (
        select(
            ServiceCommitment, Site.name.label("site"), Site.time_zone, Entity.realm, Channel.name.label("channel"),
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
    return within_sites(query, actor, ServiceCommitment.site_id)


def _commitment(row: Any, now: datetime) -> CommitmentRow:
    one: ServiceCommitment = row.ServiceCommitment
    today = local_day(now, row.time_zone)
    standing = "later" if one.valid_from > today else "now"
    return CommitmentRow(
        id=one.id, site_id=one.site_id, site=row.site, realm=row.realm, channel_id=one.channel_id, channel=row.channel,
        group_id=one.customer_group_id, group=row.group, basis=one.basis, lead_days=one.lead_days,
        transit_days=one.transit_days, cut_off=one.cut_off, early_days=one.early_days, late_days=one.late_days,
        weekdays=one.weekdays, fill_target_permille=one.fill_target_permille, valid_from=one.valid_from,
        valid_until=one.valid_until,
        standing="ended" if one.valid_until is not None and one.valid_until <= today else standing,
    )  # fmt: skip


def _of_realm(session: Session, actor: Actor, realm: str, now: datetime) -> list[CommitmentRow]:
    return [_commitment(row, now) for row in session.execute(_commitments(actor).where(Entity.realm == realm))]


#: The commitments of the sites one sees: by site and channel, the standard one before those of groups, newest first.
COMMITMENTS: MemoryList[CommitmentRow] = MemoryList(
    rows=lambda session, actor, asked, now: _of_realm(session, actor, asked.realm, now),
    text=lambda row: f"{row.site} {row.channel} {row.group or ''}", by=("standing", lambda row: row.standing),
    sorts={
        "site": lambda row: row.site.lower(), "customers": lambda row: (row.group or "").lower(),
        "committed": lambda row: row.days, "target": lambda row: row.fill_target_permille,
        "from": lambda row: row.valid_from, "until": lambda row: row.valid_until,
    },
    wanted={
        "standing": lambda row, value, _: row.standing == value, "site": lambda row, value, _: row.site_id == value,
        "channel": lambda row, value, _: row.channel_id == value, "basis": lambda row, value, _: row.basis == value,
        "group": lambda row, value, _: (row.group_id or 0) == value,
    },
)  # fmt: skip


def one_commitment(session: Session, actor: Actor, commitment: int, now: datetime) -> CommitmentRow:
    """One commitment; raises ``NotFound`` for an unknown one and another site's."""
    found = session.execute(_commitments(actor).where(ServiceCommitment.id == commitment)).one_or_none()
    if found is None:
        raise NotFound("commitment_unknown", commitment=commitment)
    return _commitment(found, now)


def _lanes() -> Any:
    return (
        select(SourcingLane, Site.name.label("site"), Entity.realm, Entity.currency)
        .select_from(SourcingLane)
        .join(Site, Site.id == SourcingLane.site_id)
        .join(Entity, Entity.id == Site.entity_id)
    )


def _lane(row: Any) -> LaneRow:
    one: SourcingLane = row.SourcingLane
    return LaneRow(
        id=one.id, site_id=one.site_id, site=row.site, realm=row.realm, country=one.country, transit_days=one.transit_days,
        cost_minor=one.cost_minor, currency=row.currency,
    )  # fmt: skip


#: The lanes from the sites one sees, by site and country.
LANES: SqlList[LaneRow] = SqlList(
    select=_lanes, row=_lane, tie=(Site.id, SourcingLane.country, SourcingLane.id), steady=True, usual="from",
    site=SourcingLane.site_id, realm=Entity.realm, text=(SourcingLane.country, Site.name), flags=("others",),
    sorts={
        "from": Site.name, "to": SourcingLane.country, "days": SourcingLane.transit_days, "cost": SourcingLane.cost_minor,
    },
    wanted={"others": lambda _value, _: SourcingLane.country == EVERYWHERE},
)  # fmt: skip


def one_lane(session: Session, actor: Actor, lane: int) -> LaneRow:
    """One lane; raises ``NotFound`` for an unknown one and another site's."""
    found = LANES.one(session, actor, lane)
    if found is None:
        raise NotFound("lane_unknown", lane=lane)
    return found
