"""Which locations does a site have, for the labels that are stuck on them?"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.security.scopes import check_site
from erpcore.inventory.models import Location, Zone
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Site

#: Labels of one file; a site with more prints them zone by zone.
MOST_LABELS = 500


@dataclass(frozen=True, kw_only=True)
class LocationFact:
    """A location as its label names it."""

    id: int
    code: str
    zone: str
    site: str
    site_code: str


def locations_of(
    session: Session, actor: Actor, site: int, *, zone: str | None = None, code: str | None = None
) -> list[LocationFact]:
    """The locations of a site along the way people walk, at most ``MOST_LABELS``; raises ``NotFound`` for another's site."""
    check_site(actor, site)
    query = (
        select(
            Location.id, Location.code, Zone.name.label("zone"), Site.name.label("site"), Site.code.label("site_code")
        )
        .join(Site, Site.id == Location.site_id)
        .join(Zone, Zone.id == Location.zone_id, isouter=True)
        .where(Location.site_id == site)
        .order_by(Location.walk, Location.code)
        .limit(MOST_LABELS)
    )
    if zone:
        query = query.where(Zone.code == zone)
    if code:
        query = query.where(Location.code == code)
    return [
        LocationFact(id=row.id, code=row.code, zone=row.zone or "", site=row.site, site_code=row.site_code)
        for row in session.execute(query)
    ]
