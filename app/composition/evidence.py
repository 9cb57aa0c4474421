"""Where gates get their evidence: figures of cells and of their twins in other realms, read at one moment and then kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.composition.golive import lock_standing_on, outdate_standing_on
from app.composition.uow import Database, reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import Conflict
from erpcore.masterdata.models import Entity, Realm, Site
from readiness.gates.evaluation import evaluate_gate, store_evaluation
from readiness.gates.ports import ReadingRequest, Readings, Readout
from readiness.gates.queries import SnapshotView, open_gates, view_of
from readiness.measures.health import consumer_health
from readiness.measures.queries import Asked, Scope, read_many


class MeasuredReadings(Readings):
    """Figures out of buckets and open documents, in the days and working hours of each site."""

    def read_many(self, session: Session, requests: Sequence[ReadingRequest], *, now: datetime) -> Readout:
        """All figures together. A cell without a twin in the realm asked for has no figure and is left out."""
        twins = _twins(session, requests)
        asked = [(request, _asked(request, twins)) for request in requests]
        known = [(request, one) for request, one in asked if one is not None]
        health = consumer_health(session.connection(), now)
        found = (
            read_many(session, [one for _, one in known], as_of=now, calendars=SiteCalendars(session), health=health)
            if known
            else []
        )
        return Readout(
            readings={request: figure for (request, _), figure in zip(known, found, strict=True)},
            read_to=health.read_to,
            behind_seconds=int(health.lag.total_seconds()),
        )


def asked_for(session: Session, requests: Sequence[ReadingRequest]) -> dict[ReadingRequest, Asked]:
    """The same questions as the measures take them, for who follows a figure to its documents. One query.

    A request of which a cell has nothing to read in its realm is left out.
    """
    twins = _twins(session, requests)
    asked = {request: _asked(request, twins) for request in requests}
    return {request: one for request, one in asked.items() if one is not None}


def _twins(session: Session, requests: Sequence[ReadingRequest]) -> Mapping[tuple[str, int], list[int]]:
    """The sites that stand for a live site, by realm and live site."""
    sites = {site for request in requests if request.realm != Realm.LIVE for site, _ in request.cells}
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    if sites:
        rows = session.execute(
            select(Site.id, Site.twin_id, Entity.realm)
            .join(Entity, Entity.id == Site.entity_id)
            .where(Site.twin_id.in_(sites))
            .order_by(Site.id)
        )
        for row in rows:
            if row.twin_id is not None:
                found[row.realm, row.twin_id].append(row.id)
    return found


def _asked(request: ReadingRequest, twins: Mapping[tuple[str, int], list[int]]) -> Asked | None:
    """The question as the measures take it; ``None`` when one of the cells has nothing to read in this realm."""
    cells: set[tuple[int, int | None]] = set()
    for site, channel in request.cells:
        here = [site] if request.realm == Realm.LIVE else twins.get((request.realm, site), [])
        if not here:
            return None
        cells |= {(one, channel) for one in here}
    if not cells:
        return None  # an empty scope would mean all sites
    channels = frozenset(channel for _, channel in cells if channel is not None)
    sites = frozenset(site for site, _ in cells)
    whole = {(site, channel) for site in sites for channel in channels or {None}}
    scope = Scope(
        realm=request.realm,
        sites=sites,
        channels=channels,
        cells=frozenset() if cells == whole else frozenset(cells),
        customer_group=request.customer_group,
        name=request.scope,
    )
    key = f"{request.measure}.{request.statistic}" if request.statistic else request.measure
    return Asked(key=key, scope=scope, window_days=request.window_days, dimension=request.dimension)


def evaluate_and_store(
    database: Database, gate_id: int, *, readings: Readings, actor: Actor, clock: Clock
) -> SnapshotView:
    """Evaluate a gate at one moment, keep the snapshot, and mark what it outdates.

    Reading takes no lock; keeping is short. When criteria change in between it is read once more.
    """
    for _ in range(2):
        with reading(database, snapshot=True) as session:
            found = evaluate_gate(session, gate_id, readings=readings, now=clock.now())
        try:
            with unit_of_work(database, actor=actor, clock=clock) as work:
                lock_standing_on(work, gate_id)
                snapshot = store_evaluation(work, found)
                outdate_standing_on(work, gate_id)
            return view_of(snapshot)
        except Conflict as conflict:
            why = conflict
    raise why


def evaluate_open_gates(database: Database, *, readings: Readings, clock: Clock) -> list[SnapshotView]:
    """Evaluate every frozen gate, each in a transaction of its own."""
    with reading(database) as session:
        ids = open_gates(session)
    actor = Actor.system("gates")
    return [evaluate_and_store(database, gate_id, readings=readings, actor=actor, clock=clock) for gate_id in ids]
