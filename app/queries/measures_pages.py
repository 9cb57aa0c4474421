"""What do the pages of measures show? Every figure with its mark, its weeks behind it, and its sites beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.masterdata.models import Channel, Entity, Site
from readiness.gates.criteria import Evidence
from readiness.gates.flow import GateState
from readiness.gates.models import Gate, GateCriterion
from readiness.measures import catalogue as c
from readiness.measures.baselines import BaselineView, baselines, nearest
from readiness.measures.catalogue import Figure, figures, find_figure
from readiness.measures.plans import Asked
from readiness.measures.queries import read_with_weeks
from readiness.measures.reading import Direction, Reading
from readiness.measures.scopes import Scope, Slice
from readiness.waves.models import Wave

#: So many weeks stand behind a figure.
WEEKS = 12
REALMS = ("live", "rehearsal", "training", "legacy")
#: A criterion's evidence → the realm its figure is read in.
_REALM_OF = {
    Evidence.OWN_LIVE: "live", Evidence.REFERENCE: "live", Evidence.OWN_REHEARSAL: "rehearsal", Evidence.LEGACY: "legacy",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Place:
    """A site or channel to choose."""

    id: int
    name: str


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What the page reads: realm, one site or all that the person sees, one channel or all, another window."""

    realm: str = "live"
    site: int | None = None
    channel: int | None = None
    window: int | None = None


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The mark that a gate in force holds a figure against."""

    gate_id: int
    wave: str
    criterion: str
    phase: str
    pass_mark: Decimal
    warn_mark: Decimal


@dataclass(frozen=True, kw_only=True)
class Line:
    """A figure with its mark and its last weeks, oldest first."""

    figure: Figure
    reading: Reading
    mark: Mark | None
    weeks: tuple[tuple[date, Reading], ...]
    baseline: BaselineView | None = None

    @property
    def verdict(self) -> str:
        """The value against the gate's mark; "not evaluated" where no gate holds a mark."""
        return "not evaluated" if self.mark is None else against(self.reading, self.mark)


def against(reading: Reading, mark: Mark) -> str:
    """The value of a reading against a mark. The gate itself may ask for more: a bound, a minimum, days that hold."""
    if reading.stale is not None or reading.nothing_measured:
        return "no evidence"
    value = reading.exact()
    if reading.direction is Direction.ZERO:
        value = abs(value)
    if _meets(value, mark.warn_mark, reading.direction):
        if reading.provisional or not reading.reached:
            return "no evidence"
        return "pass" if _meets(value, mark.pass_mark, reading.direction) else "warn"
    return "fail"


def _meets(value: Fraction, mark: Decimal, direction: Direction) -> bool:
    return value >= Fraction(mark) if direction is Direction.UP else value <= Fraction(mark)


def places(session: Session, actor: Actor, realm: str) -> tuple[list[Place], list[Place]]:
    """Sites of the realm that the person sees, and all channels, by name. One query."""
    query: Any = select(literal(0).label("kind"), Site.id, Site.name).join(Entity, Entity.id == Site.entity_id)
    query = within_sites(query.where(Entity.realm == realm), actor, Site.id)
    both = union_all(query, select(literal(1), Channel.id, Channel.name)).subquery()
    found: tuple[list[Place], list[Place]] = [], []
    for row in session.execute(select(both).order_by(both.c.kind, both.c.name)):
        found[row.kind].append(Place(id=row.id, name=row.name))
    return found


def scope_of(wanted: Filter, sites: Sequence[Place], actor: Actor) -> Scope:
    """The scope of a filter, never beyond the sites that the person sees."""
    seen = frozenset(site.id for site in sites)
    chosen = frozenset({wanted.site}) & seen if wanted.site is not None else frozenset()
    if wanted.site is not None and not chosen:
        chosen = frozenset({-1})  # a site that is not theirs reads as one that has nothing
    elif not chosen and actor.sites is not None:
        chosen = seen or frozenset({-1})
    return Scope(
        realm=wanted.realm, sites=chosen, channels=frozenset({wanted.channel}) if wanted.channel else frozenset(),
        name="all" if not chosen else ", ".join(site.name for site in sites if site.id in chosen),
    )  # fmt: skip


def marks(session: Session, realm: str) -> dict[str, Mark]:
    """The strictest mark of the gates in force for each figure in this realm, by its key. One query."""
    rows = session.execute(
        select(GateCriterion, Gate.phase, Wave.code)
        .join(Gate, Gate.id == GateCriterion.gate_id)
        .join(Wave, Wave.id == Gate.wave_id)
        .where(
            Gate.state == GateState.FROZEN, GateCriterion.removed_in.is_(None), GateCriterion.measure.is_not(None),
            GateCriterion.pass_mark.is_not(None), GateCriterion.baseline.is_(None), GateCriterion.dimension.is_(None),
            GateCriterion.customer_group_id.is_(None),
        )
        .order_by(Wave.go_live_on, Gate.id, GateCriterion.position)
    )  # fmt: skip
    found: dict[str, Mark] = {}
    for row, phase, code in rows:
        if _REALM_OF.get(Evidence(row.evidence)) != realm:
            continue
        if row.measure is None or row.pass_mark is None:
            continue
        key = f"{row.measure}.{row.statistic}" if row.statistic else row.measure
        known = found.get(key)
        if known is None or _is_stricter(row.pass_mark, known.pass_mark, c.MEASURES[row.measure].direction):
            found[key] = Mark(
                gate_id=row.gate_id, wave=code, criterion=row.code, phase=phase, pass_mark=row.pass_mark,
                warn_mark=row.pass_mark if row.warn_mark is None else row.warn_mark,
            )  # fmt: skip
    return found


def _is_stricter(one: Decimal, other: Decimal, direction: Direction) -> bool:
    return one > other if direction is Direction.UP else one < other


def lines(
    session: Session,
    keys: Sequence[str],
    scope: Scope,
    now: datetime,
    *,
    realm: str,
    window: int | None = None,
    weeks: int = WEEKS,
    slices: list[Slice] | None = None,
    calendars: SiteCalendars | None = None,
    is_compared: bool = True,
) -> list[Line]:
    """The figures in this order, with the values of their weeks. About fifteen queries, however many figures.

    ``slices``, ``calendars``: those of the scope's realm and of the session, where they are read already; ``is_compared``: with what the figures read before.
    """
    asked = [Asked(key=key, scope=scope, window_days=window) for key in keys]
    found = read_with_weeks(
        session,
        asked,
        weeks=weeks,
        as_of=now,
        calendars=calendars or SiteCalendars(session),
        intervals=False,
        slices=slices,
    )
    known = marks(session, realm)
    before = baselines_of(session, scope) if is_compared else ({}, frozenset())
    return [
        Line(
            figure=find_figure(key),
            reading=reading,
            mark=known.get(key),
            weeks=tuple(points),
            baseline=nearest(before[0], key, before[1]),
        )
        for key, (reading, points) in zip(keys, found, strict=True)
    ]


def baselines_of(session: Session, scope: Scope) -> tuple[dict[tuple[str, int | None], BaselineView], frozenset[int]]:
    """The baselines beside figures of this scope, and the live site that it speaks for where it is one. One query."""
    if len(scope.sites) != 1:
        return baselines(session, [None]), frozenset()
    if scope.realm == "live":
        return baselines(session, [None, *scope.sites]), scope.sites
    live = select(Site.twin_id).where(Site.id.in_(scope.sites))
    known = baselines(session, [None], also=live)
    return known, frozenset(site for _, site in known if site is not None)


def all_keys() -> list[str]:
    """Every figure of the catalogue, in its order."""
    return [figure.key for figure in figures()]


@dataclass(frozen=True, kw_only=True)
class MeasurePage:
    """One figure everywhere: its line, its sites beside each other, and the go-lives that may explain a turn."""

    line: Line
    by_site: tuple[tuple[Place, Reading], ...]
    events: tuple[tuple[date, str], ...]
    scope: Scope
    sites: tuple[Place, ...]
    channels: tuple[Place, ...]


def measure_page(session: Session, key: str, wanted: Filter, actor: Actor, now: datetime) -> MeasurePage:
    """One figure. About twenty-two queries. Raises ``NotFound`` for one that the catalogue does not have."""
    figure = find_figure(key)
    sites, channels = places(session, actor, wanted.realm)
    scope = scope_of(wanted, sites, actor)
    shown = [site for site in sites if not scope.sites or site.id in scope.sites]
    asked = [Asked(key=key, scope=scope, window_days=wanted.window)] + [
        Asked(key=key, scope=replace(scope, sites=frozenset({site.id}), name=site.name), window_days=wanted.window)
        for site in shown
    ]
    found = read_with_weeks(session, asked, weeks=WEEKS, as_of=now, calendars=SiteCalendars(session))
    readings, points = [reading for reading, _ in found], found[0][1]
    before = baselines_of(session, scope)
    line = Line(
        figure=figure, reading=readings[0], mark=marks(session, wanted.realm).get(key), weeks=tuple(points),
        baseline=nearest(before[0], key, before[1]),
    )  # fmt: skip
    live = session.execute(
        select(Wave.code, Wave.live_at, Wave.time_zone).where(Wave.live_at.is_not(None)).order_by(Wave.live_at)
    )
    return MeasurePage(
        line=line, by_site=tuple(zip(shown, readings[1:], strict=True)),
        events=tuple((local_day(row.live_at, row.time_zone), f"{row.code} live") for row in live) if wanted.realm == "live" else (),
        scope=scope, sites=tuple(sites), channels=tuple(channels),
    )  # fmt: skip
