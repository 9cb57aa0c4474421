"""What holds at a place: names that exist, the zone in which days begin there, and the rules of a day.

The register holds ids and instants; only here is it known that they are live companies and sites, and which zone they are in.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.trading import looking, rules
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import day_start, local_day
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Entity, Item, ItemGroup, Realm, Site
from erpcore.ports import Ruleset
from governance.variants.register import Scope

_OTHERS: tuple[tuple[str, Any, str], ...] = (
    ("channel", Channel, "channel_unknown"), ("customer_group", CustomerGroup, "customer_group_unknown"),
    ("item_group", ItemGroup, "item_group_unknown"),
)  # fmt: skip
_TABLES: dict[str, Any] = {"customer_group": CustomerGroup, "item_group": ItemGroup}


def within_reach(actor: Actor, scope: Scope, permission: str) -> None:
    """Raise where somebody whose role is for some sites would change what holds elsewhere."""
    if actor.sites is None:
        return
    if scope.site is None:
        raise NotAllowed("policy_scope_not_yours", field="site", permission=permission)
    if scope.site not in actor.sites:
        raise NotFound("not_found")


def zone_of(session: Session, scope: Scope) -> str:
    """The time zone in which the days of this scope begin; raises ``NotFound`` for what is not there, or is not live."""
    zone = "UTC"
    if scope.entity is not None:
        entity = session.get(Entity, scope.entity)
        if entity is None or entity.realm != Realm.LIVE:
            raise NotFound("entity_unknown", field="entity", entity=scope.entity)
        zone = entity.time_zone
    if scope.site is not None:
        site = session.get(Site, scope.site)
        of = session.get(Entity, site.entity_id) if site is not None else None
        if site is None or of is None or of.realm != Realm.LIVE:
            raise NotFound("site_unknown", field="site", site=scope.site)
        if scope.entity not in (None, site.entity_id):
            raise RuleBroken("policy_scope_never", field="site", site=site.name, entity=of.name)
        zone = site.time_zone
    for name, table, code in _OTHERS:
        key = getattr(scope, name)
        if key is not None and session.get(table, key) is None:
            facts = (
                {"item_group": key}
                if name == "item_group"
                else {"group": key}
                if name == "customer_group"
                else {name: key}
            )
            raise NotFound(code, field=name, **facts)
    _refuse_nobody(session, scope)
    return zone


def _refuse_nobody(session: Session, scope: Scope) -> None:
    """Raise for a group that has nobody, or nothing, in it where the scope says: nothing would ever run under it."""
    companies = select(Entity.id).where(Entity.realm == Realm.LIVE)
    if scope.entity is not None:
        companies = companies.where(Entity.id == scope.entity)
    if scope.site is not None:
        companies = companies.where(Entity.id.in_(select(Site.entity_id).where(Site.id == scope.site)))
    for name, group, members in (
        ("customer_group", scope.customer_group, Customer),
        ("item_group", scope.item_group, Item),
    ):
        if group is None:
            continue
        query = select(members.id).where(members.group_id == group, members.entity_id.in_(companies)).limit(1)
        if session.scalar(query) is None:
            raise RuleBroken("policy_scope_nobody", field=name, group=session.get_one(_TABLES[name], group).name)


def would_run(session: Session, actor: Actor, now: datetime, scope: Scope, zone: str, on: date | None) -> Ruleset:
    """The rules that a document of this scope would be stamped with: now, or at the first instant of another day of the zone."""
    at = now if on in (None, local_day(now, zone)) else day_start(on or now.date(), zone)
    return rules().in_force(looking(session, actor=actor, now=at, realm="live"), scope)
