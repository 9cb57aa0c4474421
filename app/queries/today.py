"""What does the home page show beside what waits: the calendar of the waves, key figures of my sites, silent failures?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.queries.measures_pages import WEEKS, Line, lines, places, scope_of
from app.queries.measures_pages import Filter as MeasureFilter
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Site
from readiness.gates.models import Gate, GateSnapshot
from readiness.measures.scopes import SiteDays, load_slices
from readiness.measures.states import CONTROL_POINTS, LIMITS, Limits, standing
from readiness.measures.waits import Point
from readiness.waves.flow import WaveState
from readiness.waves.models import BlackoutWindow, Wave, WaveDependency, WaveScope
from readiness.waves.queries import Window

#: The figures that say in a glance how a live site does.
KEY_FIGURES = (
    "otif_lines", "fill_rate_lines", "touchless_rate", "order_cycle_time.p90", "invoice_right_at_posting", "backlog_age.p90",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CalendarGate:
    """A gate on the calendar with the word it said last."""

    id: int
    phase: str
    decides_on: date
    word: str | None


@dataclass(frozen=True, kw_only=True)
class CalendarWave:
    """A wave on the calendar; ``waits_for`` are (code, end of its support, why)."""

    id: int
    code: str
    name: str
    state: str
    sites: tuple[str, ...]
    prepares_from: date | None
    go_live_on: date
    live_on: date | None
    hypercare_until: date
    gates: tuple[CalendarGate, ...]
    waits_for: tuple[tuple[str, date, str], ...]


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """All waves that are not cancelled, with the days on which nothing goes live."""

    waves: tuple[CalendarWave, ...]
    windows: tuple[Window, ...]


def calendar(session: Session) -> Calendar:
    """The waves on one calendar. Six queries."""
    found = session.scalars(select(Wave).where(Wave.state != WaveState.CANCELLED).order_by(Wave.go_live_on, Wave.id)).all()
    sites: dict[int, list[str]] = defaultdict(list)
    for row in session.execute(
        select(WaveScope.wave_id, Site.name).join(Site, Site.id == WaveScope.site_id).distinct().order_by(WaveScope.wave_id, Site.name)
    ):
        sites[row.wave_id].append(row.name)
    prepared = {
        row.document_id: row.at
        for row in session.execute(
            select(Transition.document_id, func.min(Transition.at).label("at"))
            .where(Transition.document_type == "wave", Transition.move == "prepare")
            .group_by(Transition.document_id)
        )
    }
    by_id = {wave.id: wave for wave in found}
    waits: dict[int, list[tuple[str, date, str]]] = defaultdict(list)
    for other in session.scalars(select(WaveDependency)):
        if other.depends_on_id in by_id:
            first = by_id[other.depends_on_id]
            waits[other.wave_id].append((first.code, first.hypercare_until, other.why))
    gates = _gates(session)
    windows = [
        Window(name=row.name, starts_on=row.starts_on, ends_on=row.ends_on, wave_id=row.wave_id)
        for row in session.scalars(select(BlackoutWindow).order_by(BlackoutWindow.starts_on))
    ]
    return Calendar(
        waves=tuple(
            CalendarWave(
                id=wave.id, code=wave.code, name=wave.name, state=wave.state, sites=tuple(sites[wave.id]),
                prepares_from=local_day(prepared[wave.id], wave.time_zone) if wave.id in prepared else None,
                go_live_on=wave.go_live_on, live_on=local_day(wave.live_at, wave.time_zone) if wave.live_at else None,
                hypercare_until=wave.hypercare_until, gates=tuple(gates[wave.id]), waits_for=tuple(waits[wave.id]),
            )
            for wave in found
        ),
        windows=tuple(windows),
    )  # fmt: skip


def _gates(session: Session) -> dict[int, list[CalendarGate]]:
    last = (
        select(GateSnapshot.gate_id, func.max(GateSnapshot.number).label("number")).group_by(GateSnapshot.gate_id).subquery()
    )
    rows = session.execute(
        select(Gate.id, Gate.wave_id, Gate.phase, Gate.decides_on, GateSnapshot.word)
        .outerjoin(last, last.c.gate_id == Gate.id)
        .outerjoin(GateSnapshot, (GateSnapshot.gate_id == Gate.id) & (GateSnapshot.number == last.c.number))
        .order_by(Gate.id)
    )
    found: dict[int, list[CalendarGate]] = defaultdict(list)
    for row in rows:
        found[row.wave_id].append(CalendarGate(id=row.id, phase=row.phase, decides_on=row.decides_on, word=row.word))
    return found


@dataclass(frozen=True, kw_only=True)
class KeyFigures:
    """The figures of the live sites that the person sees."""

    lines: tuple[Line, ...]
    where: str


def key_figures(session: Session, actor: Actor, now: datetime, keys: Sequence[str] = KEY_FIGURES) -> KeyFigures:
    """A handful of figures with their marks and weeks. About thirteen queries."""
    sites, _ = places(session, actor, "live")
    scope = scope_of(MeasureFilter(), sites, actor)
    found = lines(session, keys, scope, now, realm="live", weeks=WEEKS)
    if not scope.sites:
        where = "all live sites"
    else:
        where = sites[0].name if len(sites) == 1 else f"{len(sites)} sites"
    return KeyFigures(lines=tuple(found), where=where)


@dataclass(frozen=True, kw_only=True)
class Silent:
    """A control point with documents beyond its limit. ``limit_hours`` ``None``: until the end of the due day."""

    point: str
    count: int
    oldest_since: datetime
    values: tuple[tuple[str, int], ...]
    sites: tuple[int, ...]
    limit_hours: int | None


@dataclass(frozen=True, kw_only=True)
class SilentFailures:
    """Control points where something stands too long, the fullest first, and those that keep their limit."""

    beyond: tuple[Silent, ...]
    within: tuple[str, ...]
    open_journeys: int
    names: dict[int, str]

    @property
    def total(self) -> int:
        return sum(one.count for one in self.beyond)


def silent_failures(session: Session, actor: Actor, now: datetime) -> SilentFailures:
    """What stands beyond its limit at the live sites that the person sees. Four queries."""
    connection = session.connection()
    slices = [
        one for one in load_slices(connection, {"live"}) if actor.sites is None or (one.site is not None and one.site in actor.sites)
    ]
    places_of = {one.id: one for one in slices}
    days = SiteDays(now, SiteCalendars(session), sorted({one.site for one in slices if one.site is not None}))
    limits = Limits(now, days, slices)
    rows = standing(connection, CONTROL_POINTS, list(places_of)) if slices else []
    found: dict[str, list[tuple[datetime, int, int]]] = defaultdict(list)
    journeys = set()
    for row in rows:
        journeys.add(row.root_id)
        if limits.beyond(row):
            found[row.point].append((row.since, row.value, row.slice_id))
    beyond = [_silent(point, stands, {key: (one.site, one.currency) for key, one in places_of.items()}) for point, stands in found.items()]
    return SilentFailures(
        beyond=tuple(sorted(beyond, key=lambda one: (-one.count, one.point))),
        within=tuple(point for point in CONTROL_POINTS if point not in found), open_journeys=len(journeys),
        names={row.id: row.name for row in session.execute(select(Site.id, Site.name))},
    )  # fmt: skip


def _silent(
    point: str, stands: Sequence[tuple[datetime, int, int]], places_of: dict[int, tuple[int | None, str | None]]
) -> Silent:
    values: dict[str, int] = defaultdict(int)
    sites: dict[int, int] = defaultdict(int)
    for _, value, slice_id in stands:
        site, currency = places_of[slice_id]
        values[currency or ""] += value
        if site is not None:
            sites[site] += 1
    limit = LIMITS.get(Point(point))
    return Silent(
        point=point, count=len(stands), oldest_since=min(since for since, _, _ in stands),
        values=tuple(sorted((key, value) for key, value in values.items() if key)),
        sites=tuple(sorted(sites, key=lambda one: -sites[one])),
        limit_hours=None if limit is None else int(limit.total_seconds() // 3600),
    )  # fmt: skip
