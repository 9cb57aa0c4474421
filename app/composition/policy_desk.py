"""How does what people enter become a request for a policy value: names that exist, days of the right zone, as instants once.

The register holds ids and instants; only here is it known that they are live companies and sites, and which zone they are in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.composition.trading import looking, rules
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import day_start, local_day
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Channel, CustomerGroup, Entity, ItemGroup, Realm, Site
from erpcore.ports import Ruleset
from governance.variants.models import Variant
from governance.variants.permissions import VariantPermission
from governance.variants.register import Scope
from governance.variants.services import MoveVariant, move_variant
from governance.variants.writing import Content, DraftVariant, request_variant

_OTHERS: tuple[tuple[str, Any, str], ...] = (
    ("channel", Channel, "channel_unknown"), ("customer_group", CustomerGroup, "customer_group_unknown"),
    ("item_group", ItemGroup, "item_group_unknown"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AskForValue:
    """A value for a scope, by days: from the first until before the last; ``None`` from now on."""

    point: str
    value: Any
    scope: Scope
    until_on: date
    reason: str
    from_on: date | None = None


def ask_for_value(work: UnitOfWork, command: AskForValue) -> Variant:
    """Ask for it. Days are those of the site named, else of the company, else UTC.

    Raises ``NotFound`` for a scope that is not there or stands for another, ``NotAllowed`` where somebody of one site asks for
    more than their site, ``RuleBroken`` as the register does.
    """
    zone = zone_of(work.session, command.scope)
    within_reach(work.actor, command.scope, VariantPermission.REQUEST)
    starts: datetime | None = None
    today = local_day(work.now, zone)
    if command.from_on is not None and command.from_on != today:
        if command.from_on < today:
            raise RuleBroken("policy_value_starts_past", field="valid_from", day=command.from_on)
        starts = day_start(command.from_on, zone)
    return request_variant(
        work,
        DraftVariant(
            scope=command.scope, values={command.point: command.value}, valid_from=starts,
            valid_until=day_start(command.until_on, zone), zone=zone, content=Content(reason=command.reason),
        ),
    )  # fmt: skip


def decide_on_value(work: UnitOfWork, command: MoveVariant) -> Variant:
    """Approve, decline, withdraw or revoke, within the sites that the person has."""
    row = work.session.get(Variant, command.variant)
    if row is None:
        raise NotFound("variant_unknown", variant=command.variant)
    within_reach(work.actor, Scope(entity=row.entity_id, site=row.site_id), VariantPermission.DECIDE)
    return move_variant(work, command)


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
    return zone


def would_run(session: Session, actor: Actor, now: datetime, scope: Scope, zone: str, on: date | None) -> Ruleset:
    """The rules that a document of this scope would be stamped with: now, or at the first instant of another day of the zone."""
    at = now if on in (None, local_day(now, zone)) else day_start(on or now.date(), zone)
    return rules().in_force(looking(session, actor=actor, now=at, realm="live"), scope)
