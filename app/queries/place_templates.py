"""What do the pages of templates show: all of them, one with its versions, and what was made from it and still lacks people?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.identity.models import RoleGrant
from app.identity.queries import in_force, names_of
from app.queries.listing import Asked
from app.queries.worked_out import MemoryList
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Channel, Entity, Realm, Site
from governance.programme.models import Programme
from governance.templates.content import PlaceKind
from governance.templates.models import PlaceTemplate
from governance.templates.queries import TemplateView, UseView, VersionView, template, templates, uses, versions
from readiness.waves.models import Wave
from readiness.waves.services import REPLANNABLE

_TABLES: dict[PlaceKind, Any] = {PlaceKind.SITE: Site, PlaceKind.ENTITY: Entity, PlaceKind.CHANNEL: Channel}


@dataclass(frozen=True, kw_only=True)
class Seat:
    """People of a role that a new site needs, and how many have it there."""

    role: str
    needed: int
    held: int

    @property
    def missing(self) -> int:
        return max(0, self.needed - self.held)


@dataclass(frozen=True, kw_only=True)
class Use:
    """A place that was made from the template, by its name, with the people that it needs."""

    use: UseView
    name: str
    seats: tuple[Seat, ...]


@dataclass(frozen=True, kw_only=True)
class TemplatePage:
    """A template with its versions, the newest first, and what was made from it. ``sources``: names of what versions were taken from."""

    row: PlaceTemplate
    kind: PlaceKind
    versions: tuple[VersionView, ...]
    uses: tuple[Use, ...]
    sources: dict[int, str]
    people: dict[int, str]


def template_page(session: Session, template_id: int, now: datetime) -> TemplatePage:
    """One template. Raises ``NotFound``. Six queries."""
    row = template(session, template_id)
    kind = PlaceKind(row.kind)
    found, made = versions(session, row), uses(session, row.id)
    names = _names(session, kind, {one.source for one in found if one.source} | {one.place for one in made})
    held = _held(session, [one.place for one in made], now) if kind is PlaceKind.SITE else {}
    people = names_of(session, sorted({one.made_by for one in found} | {one.made_by for one in made}))
    return TemplatePage(
        row=row, kind=kind, versions=tuple(found), sources=names, people=people,
        uses=tuple(
            Use(
                use=one, name=names.get(one.place, "–"),
                seats=tuple(
                    Seat(role=role, needed=needed, held=held.get((one.place, role), 0))
                    for role, needed in sorted(one.made.get("roles", {}).items())
                ),
            )
            for one in made
        ),
    )  # fmt: skip


def _names(session: Session, kind: PlaceKind, places: set[int]) -> dict[int, str]:
    table = _TABLES[kind]
    rows = session.execute(select(table.id, table.code, table.name).where(table.id.in_(sorted(places))))
    return {row.id: f"{row.code} {row.name}" for row in rows}


def _held(session: Session, sites: Sequence[int], now: datetime) -> dict[tuple[int, str], int]:
    rows = session.execute(
        select(RoleGrant.site_id, RoleGrant.role, RoleGrant.account_id)
        .where(RoleGrant.site_id.in_(sites), in_force(now))
        .distinct()
    )
    found: dict[tuple[int, str], int] = defaultdict(int)
    for row in rows:
        found[row.site_id, row.role] += 1
    return found


Picks = list[tuple[int, str]]


def places_to_take(session: Session) -> list[tuple[str, str]]:
    """Every live place that a template can be taken from, as ``site:12`` with its name. Three queries."""
    return [
        *((f"site:{key}", f"Site {name}") for key, name in site_picks(session)),
        *((f"entity:{key}", f"Company {name}") for key, name in entity_picks(session)),
        *((f"channel:{key}", f"Channel {name}") for key, name in channel_picks(session)),
    ]


def site_picks(session: Session) -> Picks:
    """Live sites by name. One query."""
    query = select(Site.id, Site.name).join(Entity, Entity.id == Site.entity_id).where(Entity.realm == Realm.LIVE)
    return [(row.id, row.name) for row in session.execute(query.order_by(Site.name, Site.id))]


def entity_picks(session: Session) -> Picks:
    """Live companies by name. One query."""
    query = select(Entity.id, Entity.name).where(Entity.realm == Realm.LIVE)
    return [(row.id, row.name) for row in session.execute(query.order_by(Entity.name, Entity.id))]


def channel_picks(session: Session) -> Picks:
    """Channels by name. One query."""
    return [
        (row.id, row.name)
        for row in session.execute(select(Channel.id, Channel.name).order_by(Channel.name, Channel.id))
    ]


def programme_picks(session: Session) -> Picks:
    """Programmes by name. One query."""
    return [
        (row.id, row.name) for row in session.execute(select(Programme.id, Programme.name).order_by(Programme.name))
    ]


def wave_picks(session: Session) -> Picks:
    """Waves whose plan may still change, the earliest first. One query."""
    query = select(Wave.id, Wave.code, Wave.name).where(Wave.state.in_(REPLANNABLE))
    return [(row.id, f"{row.code} {row.name}") for row in session.execute(query.order_by(Wave.go_live_on, Wave.id))]


def _rows(session: Session, _actor: Actor, _asked: Asked, _now: datetime) -> Sequence[TemplateView]:
    return templates(session)


PLACE_TEMPLATES: MemoryList[TemplateView] = MemoryList(
    rows=_rows, text=lambda row: f"{row.code} {row.name}", by=("kind", lambda row: row.kind.value), flags=("retired",),
    sorts={"name": lambda row: row.name.lower(), "uses": lambda row: row.uses, "made_at": lambda row: row.made_at},
    wanted={"kind": lambda row, value, _: row.kind == value, "retired": lambda row, _value, _eyes: row.is_retired},
)  # fmt: skip
