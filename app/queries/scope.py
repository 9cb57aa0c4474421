"""Among which programmes, waves and sites can somebody narrow the screens, and which sites is that then?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Date, String, cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Entity, Site
from governance.programme.models import Programme, ProgrammeCell
from readiness.waves.flow import WaveState
from readiness.waves.models import Wave, WaveScope


@dataclass(frozen=True, kw_only=True)
class SitePick:
    """A site, its realm, and the live site that it stands for or is."""

    id: int
    name: str
    realm: str
    live_id: int

    @property
    def label(self) -> str:
        return self.name if self.realm == "live" or self.realm in self.name else f"{self.name} · {self.realm}"


@dataclass(frozen=True, kw_only=True)
class WavePick:
    """A wave with the live sites it brings."""

    id: int
    code: str
    name: str
    programme_id: int
    sites: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Picks:
    """What one may choose among: programmes as id and name, waves in the order they go live, sites by name."""

    programmes: tuple[tuple[int, str], ...]
    waves: tuple[WavePick, ...]
    sites: tuple[SitePick, ...]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What somebody has chosen, of what may be chosen. ``sites``: the ids that lists are kept to; ``None``: all one sees.

    The twins of a chosen site belong to it: a list shows one realm at a time, so they meet on no page.
    """

    programme: int | None = None
    wave: WavePick | None = None
    site: SitePick | None = None
    sites: frozenset[int] | None = None
    picks: Picks = field(default_factory=lambda: Picks(programmes=(), waves=(), sites=()))

    @property
    def realm(self) -> str:
        return self.site.realm if self.site else "live"


def picks(session: Session, actor: Actor) -> Picks:
    """What this person may choose among. One query, since every page asks it."""
    nothing = null()
    sites: Any = select(
        literal("site").label("kind"), Site.id.label("id"), Site.code.label("code"), Site.name.label("name"),
        func.coalesce(Site.twin_id, Site.id).label("refers"), Entity.realm.label("word"), cast(nothing, Date).label("day"),
    ).join(Entity, Entity.id == Site.entity_id)  # fmt: skip
    rows = session.execute(
        union_all(
            select(
                literal("programme").label("kind"), Programme.id, Programme.code, Programme.name,
                cast(nothing, BigInteger).label("refers"), cast(nothing, String).label("word"), cast(nothing, Date).label("day"),
            ),
            select(
                literal("wave"), Wave.id, Wave.code, Wave.name, Wave.programme_id, Wave.state, Wave.go_live_on
            ).where(Wave.state != WaveState.CANCELLED),
            select(
                literal("reach"), WaveScope.wave_id, cast(nothing, String), cast(nothing, String), WaveScope.site_id,
                cast(nothing, String), cast(nothing, Date),
            ).distinct(),
            within_sites(sites, actor, Site.id),
        )
    ).all()  # fmt: skip
    of: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        of[row.kind].append(row)
    reach: dict[int, set[int]] = defaultdict(set)
    for row in of["reach"]:
        reach[row.id].add(row.refers)
    found = [SitePick(id=row.id, name=row.name, realm=row.word, live_id=row.refers) for row in of["site"]]
    return Picks(
        programmes=tuple(sorted(((row.id, row.name) for row in of["programme"]), key=lambda one: one[1])),
        waves=tuple(
            WavePick(id=row.id, code=row.code, name=row.name, programme_id=row.refers, sites=frozenset(reach[row.id]))
            for row in sorted(of["wave"], key=lambda row: (row.day, row.id))
        ),
        sites=tuple(sorted(found, key=lambda site: (site.realm != "live", site.realm, site.name))),
    )  # fmt: skip


def scope_of(session: Session, found: Picks, *, programme: int | None, wave: int | None, site: int | None) -> Scope:
    """The scope of these choices; what is not to be chosen (any more) counts as not chosen, and so does a site of no
    chosen wave, a wave of another programme.
    """
    programme = programme if programme in {one for one, _ in found.programmes} else None
    chosen = next((one for one in found.waves if one.id == wave and programme in (None, one.programme_id)), None)
    here = next((one for one in found.sites if one.id == site), None)
    if here and chosen and here.live_id not in chosen.sites:
        here = None
    within: frozenset[int] | None = None
    if here:
        within = frozenset({here.live_id})
    elif chosen:
        within = chosen.sites
    elif programme is not None and len(found.programmes) > 1:
        cells = select(ProgrammeCell.site_id).where(ProgrammeCell.programme_id == programme)
        within = frozenset(session.scalars(cells))
    sites = None if within is None else frozenset(one.id for one in found.sites if one.live_id in within)
    return Scope(programme=programme, wave=chosen, site=here, sites=sites, picks=found)
