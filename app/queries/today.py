"""What does the home page show beside what waits: the calendar of the waves, key figures of my sites, silent failures?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import BigInteger, cast, func, null, select, union_all
from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.queries.measures_pages import WEEKS, Filter, Line, Place, lines, scope_of
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Entity, Realm, Site
from readiness.gates.models import Gate, GateSnapshot
from readiness.measures.scopes import SiteDays, Slice, load_slices
from readiness.measures.states import CONTROL_POINTS, Limits, limit_of, standing
from readiness.measures.waits import Point
from readiness.waves.flow import WaveState
from readiness.waves.models import BlackoutWindow, Wave, WaveDependency, WaveScope
from readiness.waves.queries import Window

#: The figures that say in a glance how a live site does.
KEY_FIGURES = (
    "otif_lines", "fill_rate_lines", "promise_accuracy", "touchless_rate", "invoice_right_at_posting",
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
    """The waves on one calendar. Three queries."""
    waves: dict[int, tuple[Wave, datetime | None]] = {}
    gates: dict[int, list[CalendarGate]] = defaultdict(list)
    for row in session.execute(_waves_with_gates()):
        waves[row.Wave.id] = row.Wave, row.prepared
        if row.gate_id is not None:
            gates[row.Wave.id].append(
                CalendarGate(id=row.gate_id, phase=row.phase, decides_on=row.decides_on, word=row.word)
            )
    sites: dict[int, list[str]] = defaultdict(list)
    waits: dict[int, list[tuple[str, date, str]]] = defaultdict(list)
    around = union_all(
        select(WaveScope.wave_id.label("wave"), cast(null(), BigInteger).label("first"), Site.name.label("words"))
        .join(Site, Site.id == WaveScope.site_id)
        .distinct(),
        select(WaveDependency.wave_id, WaveDependency.depends_on_id, WaveDependency.why),
    )
    # A site of the wave by its name, or a wave that it waits for and why.
    for row in session.execute(around.order_by("wave", "words")):
        if row.first is None:
            sites[row.wave].append(row.words)
        elif row.first in waves:
            first = waves[row.first][0]
            waits[row.wave].append((first.code, first.hypercare_until, row.words))
    windows = [
        Window(id=row.id, name=row.name, starts_on=row.starts_on, ends_on=row.ends_on, wave_id=row.wave_id)
        for row in session.scalars(select(BlackoutWindow).order_by(BlackoutWindow.starts_on))
    ]
    return Calendar(
        waves=tuple(
            CalendarWave(
                id=wave.id, code=wave.code, name=wave.name, state=wave.state, sites=tuple(sites[wave.id]),
                prepares_from=local_day(prepared, wave.time_zone) if prepared else None,
                go_live_on=wave.go_live_on, live_on=local_day(wave.live_at, wave.time_zone) if wave.live_at else None,
                hypercare_until=wave.hypercare_until, gates=tuple(gates[wave.id]), waits_for=tuple(waits[wave.id]),
            )
            for wave, prepared in waves.values()
        ),
        windows=tuple(windows),
    )  # fmt: skip


def _waves_with_gates() -> Any:
    """Every wave that is not cancelled with when it was first prepared, once for each of its gates and what that said last."""
    last = (
        select(GateSnapshot.gate_id, func.max(GateSnapshot.number).label("number"))
        .group_by(GateSnapshot.gate_id)
        .subquery()
    )
    prepared = (
        select(func.min(Transition.at))
        .where(Transition.document_type == "wave", Transition.document_id == Wave.id, Transition.move == "prepare")
        .scalar_subquery()
    )
    return (
        select(
            Wave, prepared.label("prepared"), Gate.id.label("gate_id"), Gate.phase, Gate.decides_on, GateSnapshot.word,
        )
        .outerjoin(Gate, Gate.wave_id == Wave.id)
        .outerjoin(last, last.c.gate_id == Gate.id)
        .outerjoin(GateSnapshot, (GateSnapshot.gate_id == Gate.id) & (GateSnapshot.number == last.c.number))
        .where(Wave.state != WaveState.CANCELLED)
        .order_by(Wave.go_live_on, Wave.id, Gate.id)
    )  # fmt: skip


class Shared:
    """What several parts of the page read: live sites that the person sees, slices and calendars, each read once."""

    def __init__(self, session: Session, actor: Actor, now: datetime) -> None:
        self.session, self.actor, self.now = session, actor, now
        self.calendars = SiteCalendars(session)
        query: Any = (
            select(Site.id, Site.name).join(Entity, Entity.id == Site.entity_id).where(Entity.realm == Realm.LIVE)
        )
        rows = session.execute(within_sites(query.order_by(Site.name), actor, Site.id))
        self.sites = [Place(id=row.id, name=row.name) for row in rows]

    @cached_property
    def slices(self) -> list[Slice]:
        """The slices of what is live."""
        return load_slices(self.session.connection(), {"live"})

    def figures(self, keys: Sequence[str]) -> list[Line]:
        """A handful of figures with their marks and weeks, without what they read before. About ten queries."""
        scope = scope_of(Filter(), self.sites, self.actor)
        return lines(
            self.session,
            keys,
            scope,
            self.now,
            realm="live",
            weeks=WEEKS,
            slices=self.slices,
            calendars=self.calendars,
            is_compared=False,
        )

    @property
    def where(self) -> str:
        """Of which sites the figures speak."""
        if self.actor.sites is None:
            return "all live sites"
        return self.sites[0].name if len(self.sites) == 1 else f"{len(self.sites)} sites"


@dataclass(frozen=True, kw_only=True)
class Silent:
    """A control point with documents beyond its limit. ``limit`` in words, of the sites where something stands."""

    point: str
    count: int
    oldest_since: datetime
    values: tuple[tuple[str, int], ...]
    sites: tuple[int, ...]
    limit: str


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


def silent_failures(shared: Shared) -> SilentFailures:
    """What stands beyond its limit at the live sites that the person sees. Two queries beside what is shared."""
    session, actor, now = shared.session, shared.actor, shared.now
    connection, names = session.connection(), {site.id: site.name for site in shared.sites}
    slices = [one for one in shared.slices if actor.sites is None or (one.site is not None and one.site in actor.sites)]
    places_of = {one.id: one for one in slices}
    days = SiteDays(now, shared.calendars, sorted({one.site for one in slices if one.site is not None}))
    limits = Limits(now, days, slices)
    rows = standing(connection, CONTROL_POINTS, list(places_of)) if slices else []
    found: dict[str, list[tuple[datetime, int, int]]] = defaultdict(list)
    journeys = set()
    for row in rows:
        journeys.add(row.root_id)
        if limits.beyond(row):
            found[row.point].append((row.since, row.value, row.slice_id))
    beyond = [
        _silent(point, stands, {key: (one.site, one.currency) for key, one in places_of.items()}, days)
        for point, stands in found.items()
    ]
    return SilentFailures(
        beyond=tuple(sorted(beyond, key=lambda one: (-one.count, one.point))),
        within=tuple(point for point in CONTROL_POINTS if point not in found), open_journeys=len(journeys),
        names=names,
    )  # fmt: skip


def _limit_words(point: str, limits: set[timedelta | None]) -> str:
    """``4 working h``, or from … to … where the sites differ."""
    if None in limits:
        return "limit: the carrier’s cut-off"
    hours = sorted(f"{limit.total_seconds() / 3600:g}" for limit in limits if limit is not None)
    hours.sort(key=float)
    unit = "h by the clock" if point == Point.POSTING else "working h"
    return f"limit {' to '.join(dict.fromkeys((hours[0], hours[-1])))} {unit}"


def _silent(
    point: str,
    stands: Sequence[tuple[datetime, int, int]],
    places_of: dict[int, tuple[int | None, str | None]],
    days: SiteDays,
) -> Silent:
    values: dict[str, int] = defaultdict(int)
    sites: dict[int, int] = defaultdict(int)
    for _, value, slice_id in stands:
        site, currency = places_of[slice_id]
        values[currency or ""] += value
        if site is not None:
            sites[site] += 1
    return Silent(
        point=point, count=len(stands), oldest_since=min(since for since, _, _ in stands),
        values=tuple(sorted((key, value) for key, value in values.items() if key)),
        sites=tuple(sorted(sites, key=lambda one: -sites[one])),
        limit=_limit_words(point, {limit_of(point, days.calendar(site)) for site in sites or (None,)}),
    )  # fmt: skip
