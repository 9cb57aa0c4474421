"""Which zones and locations does a site have, and what lies at each?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.queries.listing import MOST_ROWS, PAGE, like
from app.security.scopes import check_site, within_sites
from erpcore.inventory.models import Location, LocationKind, StockBin, Zone
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Site

KINDS = tuple(kind.value for kind in LocationKind)


@dataclass(frozen=True, kw_only=True)
class LocationFilter:
    """What the address asks for. ``empty``: nothing lies there."""

    site: int = -1
    text: str = ""
    kind: str = ""
    zone: int | None = None
    blocked: bool = False
    empty: bool = False
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class LocationRow:
    """A location and how many bins of how many items lie there."""

    id: int
    site_id: int
    site: str
    realm: str
    code: str
    kind: str
    zone: str
    walk: int
    is_blocked: bool
    bins: int
    items: int


@dataclass(frozen=True, kw_only=True)
class ZoneRow:
    """A zone and how many locations it has."""

    id: int
    code: str
    name: str
    locations: int


def zones_of(session: Session, site: int) -> list[ZoneRow]:
    """The zones of a site, by code."""
    rows = session.execute(
        select(Zone.id, Zone.code, Zone.name, func.count(Location.id).label("locations"))
        .outerjoin(Location, Location.zone_id == Zone.id)
        .where(Zone.site_id == site)
        .group_by(Zone.id, Zone.code, Zone.name)
        .order_by(Zone.code)
    )
    return [ZoneRow(id=row.id, code=row.code, name=row.name, locations=row.locations) for row in rows]


def _query(actor: Actor) -> tuple[Any, Any]:
    filled = (
        select(
            StockBin.location_id, func.count().label("bins"), func.count(func.distinct(StockBin.item_id)).label("items")
        )
        .where(StockBin.quantity > 0)
        .group_by(StockBin.location_id)
        .subquery()
    )
    query = (
        select(Location, Zone.code.label("zone"), Site.name.label("site"), Entity.realm, filled.c.bins, filled.c["items"].label("items"))
        .join(Site, Site.id == Location.site_id)
        .join(Entity, Entity.id == Site.entity_id)
        .outerjoin(Zone, Zone.id == Location.zone_id)
        .outerjoin(filled, filled.c.location_id == Location.id)
    )  # fmt: skip
    return within_sites(query, actor, Location.site_id), filled


def _narrowed(query: Any, filled: Any, asked: LocationFilter) -> Any:
    query = query.where(Location.site_id == asked.site)
    if asked.text:
        query = query.where(Location.code.ilike(like(asked.text), escape="\\"))
    if asked.kind:
        query = query.where(Location.kind == asked.kind)
    if asked.zone is not None:
        query = query.where(Location.zone_id == asked.zone)
    if asked.blocked:
        query = query.where(Location.is_blocked.is_(True))
    if asked.empty:
        query = query.where(filled.c.bins.is_(None))
    return query


def list_locations(session: Session, actor: Actor, asked: LocationFilter) -> tuple[list[LocationRow], int]:
    """A page of a site's locations along the way people walk, and how many there are."""
    query = _narrowed(*_query(actor), asked)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = min(max(asked.page, 1), max(1, -(-total // PAGE)))
    rows = session.execute(query.order_by(Location.walk, Location.code).limit(PAGE).offset((page - 1) * PAGE))
    return [_row(row) for row in rows], total


def every_location(session: Session, actor: Actor, asked: LocationFilter) -> list[LocationRow]:
    """All locations that fit the filter, for a file."""
    query = _narrowed(*_query(actor), asked).order_by(Location.walk, Location.code).limit(MOST_ROWS)
    return [_row(row) for row in session.execute(query)]


def one_location(session: Session, actor: Actor, location: int) -> LocationRow:
    """A location of a site that one sees; raises ``NotFound``."""
    query, _ = _query(actor)
    row = session.execute(query.where(Location.id == location)).one_or_none()
    if row is None:
        raise NotFound("location_unknown", id=location)
    check_site(actor, row.Location.site_id)
    return _row(row)


def _row(row: Any) -> LocationRow:
    one: Location = row.Location
    return LocationRow(
        id=one.id, site_id=one.site_id, site=row.site, realm=row.realm, code=one.code, kind=one.kind, zone=row.zone or "",
        walk=one.walk, is_blocked=one.is_blocked, bins=row.bins or 0, items=row.items or 0,
    )  # fmt: skip
