"""Which waves are there, what do they bring live and when, what do they wait for, and what is open?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from readiness.waves.flow import GrantState, WaveState
from readiness.waves.models import BlackoutWindow, Grant, Wave, WaveDependency, WaveScope


@dataclass(frozen=True, kw_only=True)
class Window:
    """Days without go-live, half open."""

    id: int
    name: str
    starts_on: date
    ends_on: date
    wave_id: int | None


@dataclass(frozen=True, kw_only=True)
class WaveView:
    """A wave for the timeline. ``depends_on`` are (wave id, why); ``late_dependencies`` those whose own dates end after this
    wave's go-live; ``in_blackout`` names the windows its go-live falls into. ``grants`` counts them by state.
    """

    id: int
    programme_id: int
    code: str
    name: str
    state: WaveState
    version: int
    owner: int
    time_zone: str
    go_live_on: date
    hypercare_until: date
    live_at: datetime | None
    closed_at: datetime | None
    cells: tuple[tuple[int, int], ...]
    processes: tuple[str, ...]
    customer_groups: tuple[int, ...] | None
    depends_on: tuple[tuple[int, str], ...]
    late_dependencies: tuple[int, ...]
    in_blackout: tuple[str, ...]
    grants: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class GrantView:
    """A grant as it stands."""

    id: int
    wave_id: int | None
    decision_id: int | None
    site: int
    channel: int
    process: str
    customer_group: int | None
    state: GrantState
    source: str
    reason: str | None
    opened_by: int
    opened_at: datetime
    opens_at: datetime
    drain_started_at: datetime | None
    closed_at: datetime | None


def blackouts(session: Session, programme_id: int | None = None) -> list[Window]:
    """Blackout windows in order of time. One query."""
    query = select(BlackoutWindow).order_by(BlackoutWindow.starts_on, BlackoutWindow.id)
    if programme_id is not None:
        query = query.where(BlackoutWindow.programme_id == programme_id)
    return [
        Window(id=row.id, name=row.name, starts_on=row.starts_on, ends_on=row.ends_on, wave_id=row.wave_id)
        for row in session.scalars(query)
    ]


def waves(
    session: Session,
    *,
    programme_id: int | None = None,
    code: str | None = None,
    wave_id: int | None = None,
    windows: Sequence[Window] | None = None,
) -> list[WaveView]:
    """Waves in the order they go live. Five queries, however many there are; four where the blackout windows are handed in."""
    query = select(Wave).order_by(Wave.go_live_on, Wave.id)
    if programme_id is not None:
        query = query.where(Wave.programme_id == programme_id)
    if code is not None:
        query = query.where(Wave.code == code)
    if wave_id is not None:
        query = query.where(Wave.id == wave_id)
    found = session.scalars(query).all()
    ids = [wave.id for wave in found]
    scopes: dict[int, list[WaveScope]] = defaultdict(list)
    for scope in session.scalars(select(WaveScope).where(WaveScope.wave_id.in_(ids))):
        scopes[scope.wave_id].append(scope)
    depends: dict[int, list[tuple[int, str, date]]] = defaultdict(list)
    for row in session.execute(
        select(
            WaveDependency.wave_id,
            WaveDependency.depends_on_id,
            WaveDependency.why,
            Wave.hypercare_until,
            Wave.closed_at,
        )
        .join(Wave, Wave.id == WaveDependency.depends_on_id)
        .where(WaveDependency.wave_id.in_(ids))
        .order_by(WaveDependency.depends_on_id)
    ):
        ends = row.closed_at.date() if row.closed_at else row.hypercare_until
        depends[row.wave_id].append((row.depends_on_id, row.why, ends))
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for wave_of, state, number in session.execute(
        select(Grant.wave_id, Grant.state, func.count())
        .where(Grant.wave_id.in_(ids))
        .group_by(Grant.wave_id, Grant.state)
    ):
        if wave_of is not None:
            counts[wave_of][state] = number
    if windows is None:
        windows = blackouts(session, programme_id) if ids else []
    return [_view(wave, scopes[wave.id], depends[wave.id], windows, counts[wave.id]) for wave in found]


def _view(
    wave: Wave,
    scopes: list[WaveScope],
    depends: list[tuple[int, str, date]],
    windows: Sequence[Window],
    grants: dict[str, int],
) -> WaveView:
    groups = {scope.customer_group_id for scope in scopes}
    return WaveView(
        id=wave.id, programme_id=wave.programme_id, code=wave.code, name=wave.name, state=WaveState(wave.state),
        version=wave.version, owner=wave.owner_id, time_zone=wave.time_zone, go_live_on=wave.go_live_on,
        hypercare_until=wave.hypercare_until, live_at=wave.live_at, closed_at=wave.closed_at,
        cells=tuple(sorted({(scope.site_id, scope.channel_id) for scope in scopes})),
        processes=tuple(sorted({scope.process for scope in scopes})),
        customer_groups=None if None in groups else tuple(sorted(group for group in groups if group is not None)),
        depends_on=tuple((wave_id, why) for wave_id, why, _ in depends),
        late_dependencies=tuple(wave_id for wave_id, _, ends in depends if ends > wave.go_live_on),
        in_blackout=tuple(
            window.name
            for window in windows
            if window.wave_id in {None, wave.id} and window.starts_on <= wave.go_live_on < window.ends_on
        ),
        grants=grants,
    )  # fmt: skip


def wave(session: Session, wave_id: int) -> WaveView:
    """One wave by id. Raises ``NotFound``."""
    found = waves(session, wave_id=wave_id)
    if not found:
        raise NotFound("wave_not_found", wave=wave_id)
    return found[0]


def wave_by_code(session: Session, code: str) -> WaveView:
    """One wave by its code. Raises ``NotFound``."""
    found = waves(session, code=code)
    if not found:
        raise NotFound("wave_not_found", wave=code)
    return found[0]


def grants(
    session: Session, *, wave_id: int | None = None, site: int | None = None, only_effective: bool = False,
    and_of_wave: int | None = None,
) -> list[GrantView]:  # fmt: skip
    """Grants by site, channel and process; ``and_of_wave``: those of this wave too, whatever has become of them. One query."""
    query = select(Grant).order_by(Grant.site_id, Grant.channel_id, Grant.process, Grant.id)
    if wave_id is not None:
        query = query.where(Grant.wave_id == wave_id)
    if site is not None:
        query = query.where(Grant.site_id == site)
    if only_effective:
        effective = Grant.state != GrantState.CLOSED
        query = query.where(effective if and_of_wave is None else or_(effective, Grant.wave_id == and_of_wave))
    return [
        GrantView(
            id=row.id, wave_id=row.wave_id, decision_id=row.decision_id, site=row.site_id, channel=row.channel_id,
            process=row.process, customer_group=row.customer_group_id, state=GrantState(row.state), source=row.source,
            reason=row.reason, opened_by=row.opened_by, opened_at=row.opened_at, opens_at=row.opens_at,
            drain_started_at=row.drain_started_at, closed_at=row.closed_at,
        )
        for row in session.scalars(query)
    ]  # fmt: skip


def fallbacks(session: Session, site: int, channel: int, process: str) -> list[tuple[datetime, datetime | None]]:
    """When this live cell worked on paper: since and until, ``None`` while it still does; in order of time. One query."""
    rows = session.execute(
        select(Transition.document_id, Transition.move, Transition.at)
        .join(Grant, Grant.id == Transition.document_id)
        .where(
            Transition.document_type == "grant", Transition.move.in_(("declare_fallback", "end_fallback")),
            Grant.site_id == site, Grant.channel_id == channel, Grant.process == process,
        )
        .order_by(Transition.document_id, Transition.at, Transition.id)
    ).all()  # fmt: skip
    found: list[tuple[datetime, datetime | None]] = []
    begun: dict[int, datetime] = {}
    for row in rows:
        if row.move == "declare_fallback":
            begun[row.document_id] = row.at
        elif row.document_id in begun:
            found.append((begun.pop(row.document_id), row.at))
    return sorted([*found, *((since, None) for since in begun.values())], key=lambda span: span[0])
