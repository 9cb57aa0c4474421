"""Which zones and locations does a site have, and what lies at each?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.security.scopes import within_sites
from erpcore.inventory.models import Location, LocationKind, StockBin, Zone
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Site

Kind = LocationKind
KINDS = tuple(kind.value for kind in LocationKind)


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
    bins: int = 0
    items: int = 0


@dataclass(frozen=True, kw_only=True)
class ZoneRow:
    """A zone of a site."""

    id: int
    site_id: int
    site: str
    code: str
    name: str


def zones_seen(session: Session, actor: Actor, *, realm: str = "live", site: int | None = None) -> list[ZoneRow]:
    """The zones of the sites one sees, or of one of them, by site and code."""
    query: Any = (
        select(Zone, Site.name.label("site"))
        .join(Site, Site.id == Zone.site_id)
        .join(Entity, Entity.id == Site.entity_id)
    )
    query = within_sites(query.where(Entity.realm == realm), actor, Zone.site_id)
    if site is not None:
        query = query.where(Zone.site_id == site)
    rows = session.execute(query.order_by(Site.name, Zone.code))
    return [
        ZoneRow(id=row.Zone.id, site_id=row.Zone.site_id, site=row.site, code=row.Zone.code, name=row.Zone.name)
        for row in rows
    ]


def _all() -> Any:
    return (
        select(Location, Zone.code.label("zone"), Site.name.label("site"), Entity.realm)
        .select_from(Location)
        .join(Site, Site.id == Location.site_id)
        .join(Entity, Entity.id == Site.entity_id)
        .outerjoin(Zone, Zone.id == Location.zone_id)
    )


def _row(row: Any) -> LocationRow:
    one: Location = row.Location
    return LocationRow(
        id=one.id, site_id=one.site_id, site=row.site, realm=row.realm, code=one.code, kind=one.kind, zone=row.zone or "",
        walk=one.walk, is_blocked=one.is_blocked,
    )  # fmt: skip


def _filled(session: Session, rows: list[LocationRow]) -> list[LocationRow]:
    """The same with what lies there."""
    found: Any = (
        select(
            StockBin.location_id, func.count().label("bins"), func.count(func.distinct(StockBin.item_id)).label("items")
        )
        .where(StockBin.quantity > 0, StockBin.location_id.in_([row.id for row in rows]))
        .group_by(StockBin.location_id)
    )
    known = {row[0]: (row[1], row[2]) for row in session.execute(found)}
    return [replace(row, bins=known[row.id][0], items=known[row.id][1]) if row.id in known else row for row in rows]


def _is_empty() -> ColumnElement[bool]:
    return ~exists().where(StockBin.location_id == Location.id, StockBin.quantity > 0)


#: The list of locations: site by site along the way people walk.
LOCATIONS: SqlList[LocationRow] = SqlList(
    select=_all, row=_row, tie=(Location.walk, Location.code, Location.id), usual="site", site=Location.site_id,
    realm=Entity.realm, by=("kind", Location.kind), flags=("blocked", "empty"), text=(Location.code,), finish=_filled,
    sorts={"code": Location.code, "site": Site.name, "zone": Zone.code, "walk": Location.walk},
    wanted={
        "kind": lambda value, _: Location.kind == value,
        "zone": lambda value, _: Location.zone_id == value,
        "blocked": lambda _value, _: Location.is_blocked.is_(True),
        "empty": lambda _value, _: _is_empty(),
    },
)  # fmt: skip


def one_location(session: Session, actor: Actor, location: int) -> LocationRow:
    """A location of a site that one sees; raises ``NotFound``."""
    found = LOCATIONS.one(session, actor, location)
    if found is None:
        raise NotFound("location_unknown", id=location)
    return found
