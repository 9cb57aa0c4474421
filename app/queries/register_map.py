"""Where do variants gather? Sites × processes: how many are in force there, and which share of documents ran under one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.queries.measures_pages import Place, places
from app.queries.variant_terms import UNUSED_AFTER, Term, read_terms
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.masterdata.models import Site
from governance.variants.kinds import Kind
from readiness.measures import catalogue as c
from readiness.measures.health import consumer_health


@dataclass(frozen=True, kw_only=True)
class MapCell:
    """Variants in force that reach the site in this process, and documents stamped there lately, of which so many under one."""

    variants: int = 0
    stamped: int = 0
    under: int = 0


@dataclass(frozen=True, kw_only=True)
class RegisterMap:
    """Every site that the person sees, and every process in which a variant is in force or a document was stamped.

    ``cells`` by site and process. ``doubt``: why the shares cannot be told now; then there are none.
    """

    sites: tuple[Place, ...]
    processes: tuple[str, ...]
    cells: Mapping[tuple[int, str], MapCell]
    totals: Mapping[str, int]
    since: date
    doubt: str = ""


_SHARES = text(
    "SELECT s.site, s.process, SUM(b.x) AS under, SUM(b.y) AS stamped FROM measure_bucket b "
    "JOIN measure_slice s ON s.id = b.slice_id WHERE b.measure_id = :measure AND b.dimension = '' AND b.period >= :first "
    "AND s.realm = 'live' AND s.site IS NOT NULL GROUP BY s.site, s.process"
)


def register_map(session: Session, actor: Actor, now: datetime) -> RegisterMap:
    """The map of what is in force now, with the shares of the last 30 days. Nine queries."""
    sites, _ = places(session, actor, "live")
    entity_of = {row.id: row.entity_id for row in session.execute(select(Site.id, Site.entity_id))}
    terms = [
        one for one in read_terms(session, actor) if one.kind != Kind.STANDARD_CHANGE and one.holds(now)
    ]  # fmt: skip
    since = local_day(now, "UTC") - UNUSED_AFTER
    stale = consumer_health(session.connection(), now, "conformance").stale(actor.sites or frozenset())
    seen = {site.id for site in sites}
    shares: dict[tuple[int, str], tuple[int, int]] = {}
    if stale is None:
        values = {"measure": c.OFF_STANDARD_SHARE, "first": since.toordinal()}
        shares = {
            (row.site, row.process): (int(row.under), int(row.stamped))
            for row in session.execute(_SHARES, values)
            if row.site in seen and row.stamped
        }
    counts: Counter[tuple[int, str]] = Counter()
    for term in terms:
        for site in sites:
            if reaches(term, site.id, entity_of[site.id]):
                counts[site.id, term.process] += 1
    cells = {
        place: MapCell(variants=counts[place], under=shares.get(place, (0, 0))[0], stamped=shares.get(place, (0, 0))[1])
        for place in {*counts, *shares}
    }
    totals = Counter(term.process for term in terms)
    processes = sorted({process for _, process in cells} | set(totals), key=lambda one: (not one, one))
    return RegisterMap(
        sites=tuple(sites), processes=tuple(processes), cells=cells, totals=totals, since=since,
        doubt="" if stale is None else stale[1],
    )  # fmt: skip


def reaches(term: Term, site: int, entity: int) -> bool:
    """Whether some document of the site may run under it: it names the site, or its company, or no place at all."""
    scope = term.scope
    return scope.site in (None, site) and scope.entity in (None, entity)
