"""What does a person choose among who plans a wave or a programme? Cells with who takes them live, people, groups, other waves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.steer import WaveLine, WavesPage, people_picks
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Channel, CustomerGroup, Entity, Realm, Site
from governance.programme.queries import ProgrammeView, programmes
from readiness.waves.flow import GrantState, WaveState
from readiness.waves.queries import WaveView, blackouts, grants, waves

_OVER = (WaveState.CLOSED, WaveState.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class CellChoice:
    """A cell of the programme. ``waves`` are the codes of those that take it live, ``is_open`` whether it transacts already."""

    site: int
    channel: int
    waves: tuple[str, ...]
    is_open: bool

    @property
    def value(self) -> str:
        """How a form names it."""
        return f"{self.site}:{self.channel}"


@dataclass(frozen=True, kw_only=True)
class SiteRow:
    """A site of the programme with its cells, in the order of the channels; ``None`` where it has none."""

    id: int
    name: str
    country: str
    time_zone: str
    cells: tuple[CellChoice | None, ...]


@dataclass(frozen=True, kw_only=True)
class CellDesk:
    """Live sites and channels that a programme may take in; ``None``: a new programme."""

    programme: ProgrammeView | None
    channels: tuple[tuple[int, str], ...]
    sites: tuple[SiteRow, ...]

    def cells(self) -> list[CellChoice]:
        """All cells, site by site."""
        return [cell for site in self.sites for cell in site.cells if cell is not None]


@dataclass(frozen=True, kw_only=True)
class PlanDesk:
    """Everything that the form of a plan offers. ``others`` are the waves that another one may wait for."""

    programme: ProgrammeView
    channels: tuple[tuple[int, str], ...]
    sites: tuple[SiteRow, ...]
    groups: tuple[tuple[int, str], ...]
    people: tuple[tuple[int, str], ...]
    others: tuple[WaveView, ...]
    waves: WavesPage

    @property
    def zones(self) -> list[str]:
        """The time zones of its sites, the most frequent first."""
        found = [site.time_zone for site in self.sites]
        return sorted(set(found), key=lambda name: (-found.count(name), name))

    @property
    def next_code(self) -> str:
        """A code that no wave has: W4 after W1 to W3."""
        taken = {line.wave.code for line in self.waves.lines}
        return next(f"W{number}" for number in range(1, len(taken) + 2) if f"W{number}" not in taken)

    def cells(self) -> list[CellChoice]:
        """All cells, site by site."""
        return [cell for site in self.sites for cell in site.cells if cell is not None]


def plan_desk(session: Session, programme_id: int | None, *, besides: int | None = None) -> PlanDesk:
    """What a plan in this programme, or the first, chooses among; ``besides`` is the wave that is planned. About fifteen queries.

    Raises ``NotFound`` without such a programme.
    """
    known = programmes(session)
    programme = next((one for one in known if programme_id in {None, one.id}), None)
    if programme is None:
        raise NotFound("programme_not_found", programme=programme_id)
    found = waves(session, programme_id=programme.id)
    others = [one for one in found if one.id != besides]
    open_now = {
        (one.site, one.channel) for one in grants(session, only_effective=True) if one.state != GrantState.DRAINING
    }
    channels, sites = _matrix(session, programme, others, open_now)
    return PlanDesk(
        programme=programme,
        channels=channels,
        sites=sites,
        groups=tuple(
            (row.id, row.name)
            for row in session.execute(select(CustomerGroup.id, CustomerGroup.name).order_by(CustomerGroup.name))
        ),
        people=tuple(people_picks(session)),
        others=tuple(one for one in others if one.state is not WaveState.CANCELLED),
        waves=WavesPage(
            lines=tuple(_line(one) for one in found),
            windows=tuple(blackouts(session, programme.id)),
            open_votes=(),
            names={
                "people": {},
                "sites": {str(row.id): {"name": row.name, "kind": "", "country": row.country} for row in sites},
                "channels": {str(key): name for key, name in channels},
                "customer_groups": {},
            },
        ),
    )


def cell_desk(session: Session, programme_id: int | None) -> CellDesk:
    """Every live site and channel that the programme does not have yet. Four queries. Raises ``NotFound``."""
    programme = None
    if programme_id is not None:
        programme = next((one for one in programmes(session) if one.id == programme_id), None)
        if programme is None:
            raise NotFound("programme_not_found", programme=programme_id)
    mine = set(programme.cells) if programme else set()
    channels = tuple(
        (row.id, row.name) for row in session.execute(select(Channel.id, Channel.name).order_by(Channel.id))
    )
    rows = session.execute(
        select(Site.id, Site.name, Site.country, Site.time_zone)
        .join(Entity, Entity.id == Site.entity_id)
        .where(Entity.realm == Realm.LIVE)
        .order_by(Site.country, Site.name)
    )
    sites = tuple(
        SiteRow(
            id=row.id, name=row.name, country=row.country, time_zone=row.time_zone,
            cells=tuple(
                None if (row.id, channel) in mine else CellChoice(site=row.id, channel=channel, waves=(), is_open=False)
                for channel, _ in channels
            ),
        )
        for row in rows
    )  # fmt: skip
    return CellDesk(programme=programme, channels=channels, sites=sites)


def _line(wave: WaveView) -> WaveLine:
    """The wave on the calendar, without its gates: a plan is about days and cells."""
    live_on = local_day(wave.live_at, wave.time_zone) if wave.live_at else None
    return WaveLine(wave=wave, gates=(), prepares_from=None, live_on=live_on)


def _matrix(
    session: Session, programme: ProgrammeView, others: Collection[WaveView], open_now: Collection[tuple[int, int]]
) -> tuple[tuple[tuple[int, str], ...], tuple[SiteRow, ...]]:
    taken: dict[tuple[int, int], list[str]] = defaultdict(list)
    for wave in others:
        if wave.state not in _OVER:
            for cell in wave.cells:
                taken[cell].append(wave.code)
    used = {channel for _, channel in programme.cells}
    channels = tuple(
        (row.id, row.name)
        for row in session.execute(
            select(Channel.id, Channel.name).where(Channel.id.in_(sorted(used))).order_by(Channel.id)
        )
    )
    mine = set(programme.cells)
    rows = session.execute(
        select(Site.id, Site.name, Site.country, Site.time_zone)
        .where(Site.id.in_(sorted({site for site, _ in mine})))
        .order_by(Site.country, Site.name)
    )
    sites = tuple(
        SiteRow(
            id=row.id, name=row.name, country=row.country, time_zone=row.time_zone,
            cells=tuple(
                CellChoice(
                    site=row.id, channel=channel, waves=tuple(taken[row.id, channel]), is_open=(row.id, channel) in open_now
                )
                if (row.id, channel) in mine else None
                for channel, _ in channels
            ),
        )
        for row in rows
    )  # fmt: skip
    return channels, sites
