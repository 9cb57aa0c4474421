"""How does what people write become an entry of the RAID register? What it names is looked up where it is kept, and the figures
that may trigger entries are read here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.approving import AROUND
from app.composition.calendars import SiteCalendars
from app.composition.process_desk import check_person
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity, Realm, Site
from erpcore.ports import POLICY_POINTS
from governance.processes.models import BusinessProcess
from governance.processes.queries import step_exists
from governance.programme.kinds import BodyKind
from governance.programme.models import Body
from governance.risks import actions, services
from governance.risks.content import Said
from governance.risks.flow import LinkKind, Side
from governance.risks.models import RaidAction, RaidEntry
from governance.risks.queries import entry
from governance.risks.rules import is_beyond
from readiness.measures.catalogue import find_figure
from readiness.measures.plans import Asked
from readiness.measures.queries import read_many
from readiness.measures.reading import Reading
from readiness.measures.scopes import Scope
from readiness.waves.models import Wave, WaveScope


def put_entry(work: UnitOfWork, command: services.RaiseEntry) -> RaidEntry:
    """Raise an entry. Raises ``RuleBroken`` for a person, body, wave, site, process, step, point or figure that is not there."""
    _check(work, command.said)
    return services.raise_entry(work, command)


def write_entry(work: UnitOfWork, command: services.ChangeEntry) -> RaidEntry:
    """Change an entry; what it names must be there, but whoever owned it before may have left."""
    row = entry(work.session, command.entry)
    _check(work, command.said, keeps=row.owner_id)
    return services.change_entry(work, command)


def turn_entry(work: UnitOfWork, command: services.TurnEntry) -> RaidEntry:
    """Let an entry become another one."""
    _check(work, command.said)
    return services.turn_entry(work, command)


def move_entry(work: UnitOfWork, command: services.MoveEntry) -> RaidEntry:
    """Move an entry on. Raises ``RuleBroken`` for standing one down whose figure is still beyond its limit, or cannot be read."""
    if command.move == "stand_down":
        row = entry(work.session, command.entry)
        if row.figure is not None:
            watch = watched(work.session, [row], work.now).get(row.id)
            if watch is None or watch.is_beyond is None:
                raise RuleBroken("risk_unread", entry=row.code)
            if watch.is_beyond:
                raise RuleBroken("risk_figure_over", entry=row.code)
    return services.move_entry(work, command)


def add_action(work: UnitOfWork, command: actions.AddAction) -> RaidAction:
    """An action of somebody who is here."""
    check_person(work, command.owner, field="owner")
    return actions.add_action(work, command)


def _check(work: UnitOfWork, said: Said, *, keeps: int | None = None) -> None:
    if said.owner != keeps:
        check_person(work, said.owner, field="owner")
    if work.session.get(Body, said.body) is None:
        raise RuleBroken("risk_body", field="body", body=said.body)
    if said.wave is not None and work.session.get(Wave, said.wave) is None:
        raise RuleBroken("risk_wave", field="wave", wave=said.wave)
    if said.site is not None:
        realm = work.session.scalar(
            select(Entity.realm).join(Site, Site.entity_id == Entity.id).where(Site.id == said.site)
        )
        if realm != Realm.LIVE:
            raise RuleBroken("site_unknown", field="site", site=said.site)
    if said.process is not None:
        known = work.session.scalar(select(BusinessProcess.id).where(BusinessProcess.code == said.process))
        if known is None:
            raise RuleBroken("question_process", field="process", process=said.process)
    _check_links(work, said)
    if said.watched is not None and not is_figure(said.watched.figure):
        raise RuleBroken("measure_unknown", field="figure", measure=said.watched.figure[:80])


def is_figure(key: str) -> bool:
    """Whether the catalogue has this figure, still."""
    try:
        find_figure(key)
    except NotFound:
        return False
    return True


def _check_links(work: UnitOfWork, said: Said) -> None:
    for kind, target in said.links:
        if kind is LinkKind.STEP and not step_exists(work.session, target):
            raise RuleBroken("question_step", field="steps", step=target[:81])
        if kind is LinkKind.POINT and target not in POLICY_POINTS:
            raise RuleBroken("policy_point_unknown", field="points", point=target[:48])


@dataclass(frozen=True, kw_only=True)
class Watch:
    """The reading that an entry stands under. ``is_beyond`` ``None``: nothing was measured, or it cannot be believed; that is
    neither within the limit nor beyond it.
    """

    reading: Reading
    is_beyond: bool | None


def watched(session: Session, entries: Sequence[RaidEntry], now: datetime) -> Mapping[int, Watch]:
    """The live figures of those entries that name one which the catalogue still has: of its site, else of the sites of its wave, else
    of all. All read together.
    """
    found = [one for one in entries if one.figure is not None and is_figure(one.figure)]
    if not found:
        return {}
    sites = _sites_of_waves(session, {one.wave_id for one in found if one.wave_id is not None and one.site_id is None})
    asked = [Asked(key=str(one.figure), scope=_scope(one, sites)) for one in found]
    readings = read_many(session, asked, as_of=now, calendars=SiteCalendars(session))
    return {one.id: _watch(one, reading) for one, reading in zip(found, readings, strict=True)}


def _sites_of_waves(session: Session, waves: Collection[int]) -> Mapping[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    if waves:
        query = select(WaveScope.wave_id, WaveScope.site_id).where(WaveScope.wave_id.in_(sorted(waves))).distinct()
        for row in session.execute(query):
            found.setdefault(row.wave_id, set()).add(row.site_id)
    return {wave: frozenset(sites) for wave, sites in found.items()}


def _scope(one: RaidEntry, sites: Mapping[int, frozenset[int]]) -> Scope:
    everywhere = Scope(realm="live", name="all live sites")
    if one.site_id is not None:
        return replace(everywhere, sites=frozenset({one.site_id}), name="its site")
    if one.wave_id is not None:
        # A wave without sites reads as one that has nothing: an empty scope would mean all sites.
        return replace(everywhere, sites=sites.get(one.wave_id) or frozenset({-1}), name="the sites of its wave")
    return everywhere


def _watch(one: RaidEntry, reading: Reading) -> Watch:
    if (
        reading.stale is not None
        or reading.nothing_measured
        or not reading.reached
        or one.figure_limit is None
        or one.side is None
    ):
        return Watch(reading=reading, is_beyond=None)
    return Watch(reading=reading, is_beyond=is_beyond(reading.exact(), Side(one.side), one.figure_limit))


def ladders(session: Session, wanted: Collection[int]) -> Mapping[int, tuple[int, ...]]:
    """Who hears of an entry one after the other, by its body: the body itself, then the steering committee of its programme."""
    rows = session.execute(select(Body.id, Body.programme_id, Body.kind).order_by(Body.id)).all()
    steering: dict[int, int] = {}
    for row in rows:
        if row.kind == BodyKind.STEERING:
            steering.setdefault(row.programme_id, row.id)
    out = {}
    for row in rows:
        if row.id in wanted:
            above = steering.get(row.programme_id)
            out[row.id] = (row.id,) if above in (None, row.id) else (row.id, above)
    return out


def term_ends(session: Session, site: int | None, since: datetime, hours: int) -> datetime:
    """When so many working hours have passed: in the site's opening hours, else Monday to Friday, as for approvals."""
    return AROUND.due(session, site, None, since, {hours})[hours]


def days_at(session: Session, sites: Collection[int], now: datetime) -> Mapping[int, date]:
    """What day it is at each of these sites."""
    calendars = SiteCalendars(session).of_sites(sorted(sites)) if sites else {}
    return {site: local_day(now, calendar.time_zone) for site, calendar in calendars.items()}
