"""Which sites, channels and companies can this person choose among?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.security.scopes import check_site, within_companies, within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Entity, Site


@dataclass(frozen=True, kw_only=True)
class SitePick:
    """A site with what its company keeps: currency, time zone, realm."""

    id: int
    code: str
    name: str
    kind: str
    realm: str
    time_zone: str
    entity_id: int
    entity_code: str
    currency: str
    live_id: int

    @property
    def label(self) -> str:
        return self.name if self.realm == "live" else f"{self.name} · {self.realm}"


@dataclass(frozen=True, kw_only=True)
class ChannelPick:
    """A way customers buy."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class EntityPick:
    """A company whose books this person may see."""

    id: int
    code: str
    name: str
    realm: str
    currency: str
    time_zone: str

    @property
    def label(self) -> str:
        return self.name if self.realm == "live" else f"{self.name} · {self.realm}"


def sites_seen(session: Session, actor: Actor, *, realms: Iterable[str] | None = None) -> list[SitePick]:
    """The sites this person sees, live ones first, by name."""
    query: Any = select(Site, Entity).join(Entity, Entity.id == Site.entity_id)
    if realms is not None:
        query = query.where(Entity.realm.in_(list(realms)))
    query = within_sites(query, actor, Site.id)
    found = [
        SitePick(
            id=site.id, code=site.code, name=site.name, kind=site.kind, realm=entity.realm, time_zone=site.time_zone,
            entity_id=entity.id, entity_code=entity.code, currency=entity.currency, live_id=site.twin_id or site.id,
        )
        for site, entity in session.execute(query)
    ]  # fmt: skip
    return sorted(found, key=lambda site: (site.realm != "live", site.realm, site.name))


def sites_of_entity(session: Session, entity: int) -> list[tuple[int, str]]:
    """All sites of a company that hold goods, also those one does not see: goods are sent there."""
    query = select(Site.id, Site.name).where(Site.entity_id == entity, Site.kind != "drop_ship").order_by(Site.name)
    return [(row.id, row.name) for row in session.execute(query)]


def all_channels(session: Session) -> list[ChannelPick]:
    """Every channel, by name."""
    rows = session.execute(select(Channel.id, Channel.code, Channel.name).order_by(Channel.name))
    return [ChannelPick(id=row.id, code=row.code, name=row.name) for row in rows]


def all_groups(session: Session) -> list[tuple[int, str]]:
    """Every group of customers by id and name, by name."""
    rows = session.execute(select(CustomerGroup.id, CustomerGroup.name).order_by(CustomerGroup.name))
    return [(row.id, row.name) for row in rows]


def entities_seen(session: Session, actor: Actor) -> list[EntityPick]:
    """The companies of the sites this person sees, live ones first."""
    query = select(Entity)
    query = within_companies(query, actor, Entity.id)
    found = [
        EntityPick(
            id=entity.id, code=entity.code, name=entity.name, realm=entity.realm, currency=entity.currency,
            time_zone=entity.time_zone,
        )
        for entity in session.scalars(query)
    ]  # fmt: skip
    return sorted(found, key=lambda entity: (entity.realm != "live", entity.realm, entity.name))


def company_seen(session: Session, actor: Actor, entity: int) -> EntityPick:
    """One company; raises ``NotFound`` for an unknown one and for one whose books the person does not see."""
    found = next((one for one in entities_seen(session, actor) if one.id == entity), None)
    if found is None:
        raise NotFound("entity_unknown", field="entity", entity=entity)
    return found


_site, _entity = Site.__table__, Entity.__table__
_REALM = select(_entity.c.realm).join(_site, _site.c.entity_id == _entity.c.id).where(_site.c.id == bindparam("site"))


def realm_of_site(session: Session, actor: Actor, site: int) -> str:
    """The realm of a site that the person sees; raises ``NotFound`` for an unknown one and for another."""
    check_site(actor, site)
    realm = session.scalar(_REALM, {"site": site})
    if realm is None:
        raise NotFound("site_unknown", site=site)
    return realm


def customer_label(session: Session, actor: Actor, customer: int) -> str:
    """The customer's name, when it is one of a company with a site that the person sees; otherwise none of theirs."""
    query = select(Customer.name).where(Customer.id == customer)
    query = within_companies(query, actor, Customer.entity_id)
    return session.scalar(query) or "unknown"
