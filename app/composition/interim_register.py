"""Which links of the interim state of waves must have a master, and which are open, as a figure counts them?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from app.composition.interim_desk import owner_gone
from app.composition.register_rows import Places, part
from erpcore.kernel.clock import local_day
from governance.interim.kinds import LinkKind, process_title
from governance.interim.models import InterimInterface, InterimLink
from governance.interim.queries import InterimState, Open, SlotView, state_of
from governance.processes.flow import VersionState
from governance.processes.models import BusinessProcess, ProcessStep, ProcessVersion
from governance.processes.queries import steps_that_count
from readiness.measures.ports import RegisterEntry
from readiness.waves.flow import WaveState
from readiness.waves.models import Wave, WaveScope

#: The figure that all this is read for.
INTERIM_LINKS = "interim_links_open"
_STATE, _LINK, _SCOPE, _STEP = "interim_state", "interim_link", "wave_scope", "process_step"
_WHY = {
    Open.NO_MASTER: "nobody masters it", Open.OVERDUE: "an interface is past its last day",
    Open.NO_OWNER: "nobody looks after an interface",
}  # fmt: skip


def interim_parts() -> list[Any]:
    """What is read: the scopes of waves, the steps of their processes, and what is said of who masters what."""
    link, interface, version, step = InterimLink, InterimInterface, ProcessVersion, ProcessStep
    return [
        part(
            _SCOPE, wave_id=Wave.id, title=Wave.code, zone=Wave.time_zone, process=WaveScope.process, site_id=WaveScope.site_id,
            channel_id=WaveScope.channel_id,
        )
        .select_from(WaveScope)
        .join(Wave, Wave.id == WaveScope.wave_id)
        .where(Wave.state != WaveState.CANCELLED),
        part(
            _STEP, id=version.id, state=version.state, kind=version.kind, number=version.number, process=BusinessProcess.code,
            point=step.code, value=step.name,
        )
        .select_from(step)
        .join(version, version.id == step.version_id)
        .join(BusinessProcess, BusinessProcess.id == version.process_id)
        .where(
            version.state != VersionState.WITHDRAWN,
            BusinessProcess.code.in_(select(WaveScope.process).distinct().scalar_subquery()),
        ),
        part(
            _LINK, id=link.id, wave_id=link.wave_id, kind=link.kind, point=link.code, state=link.master, number=interface.id,
            title=interface.name, valid_until=interface.ended_at, ends_on=interface.ends_on,
            is_gone=or_(interface.owner_id.is_(None), owner_gone()),
        )
        .select_from(link)
        .outerjoin(interface, interface.link_id == link.id),
    ]  # fmt: skip


def interim_entries(rows: Mapping[str, Sequence[Any]], places: Places, at: datetime) -> Iterator[RegisterEntry]:
    """One entry for each step and datum of each wave that must have a master; it counts where it is open.

    A wave of which nothing is said is open in everything. It holds at the wave's cells of its process; data at all of them.
    """
    scopes: dict[int, list[Any]] = defaultdict(list)
    for row in rows[_SCOPE]:
        scopes[row.wave_id].append(row)
    if not scopes:
        return
    said: dict[int, list[Any]] = defaultdict(list)
    for row in rows[_LINK]:
        said[row.wave_id].append(_said(row))
    steps = steps_that_count([_Step(row) for row in rows[_STEP]])
    for wave, scope in scopes.items():
        processes = {code: process_title(code) for code in sorted({row.process for row in scope})}
        mine = {code: name for code, name in steps.items() if code.partition(".")[0] in processes}
        state = state_of(said[wave], processes=processes, steps=mine, today=local_day(at, scope[0].zone))
        yield from _of_wave(state, scope, places, at)


def _of_wave(state: InterimState, scope: Sequence[Any], places: Places, at: datetime) -> Iterator[RegisterEntry]:
    is_open = {(one.kind, one.code) for one in state.open}
    for slot in (*state.processes, *state.steps, *state.data):
        key = (slot.kind, slot.code)
        if slot.kind is LinkKind.DATUM or "." in slot.code or slot.code in state.without_steps or key in is_open:
            yield _entry(slot, scope, places, at, is_open=key in is_open)


def _entry(slot: SlotView, scope: Sequence[Any], places: Places, at: datetime, *, is_open: bool) -> RegisterEntry:
    process = slot.code.partition(".")[0] if slot.kind is LinkKind.PROCESS else None
    cells = places.cells((row.site_id, row.channel_id) for row in scope if process in {None, row.process})
    sites = frozenset(site for site, _ in cells)
    mine, wave = frozenset({INTERIM_LINKS}), scope[0]
    why = ", ".join(_WHY[one] for one in slot.opens)
    return RegisterEntry(
        register=_STATE, id=wave.wave_id, title=f"{wave.title}, {slot.title}" + (f": {why}" if is_open else ""),
        # A slash would keep it apart from the main figure, where nobody would see it.
        kind=wave.title.replace("/", "-"), of=mine, counts=mine if is_open else frozenset(), since=at, zone=wave.zone, sites=sites,
        entities=frozenset(places.entity[site] for site in sites if site in places.entity), process=process, cells=cells,
    )  # fmt: skip


def _said(row: Any) -> tuple[InterimLink, InterimInterface | None, bool]:
    """What is said, as far as it decides what is open; never stored."""
    link = InterimLink(id=row.id, kind=row.kind, code=row.point, master=row.state, rule="", evidence="", version=0)
    if row.number is None:
        return link, None, False
    interface = InterimInterface(
        id=row.number, link_id=row.id, name=row.title, direction="both_ways", frequency="", owner_id=0, ends_on=row.ends_on,
        when_it_stops="", version=0, ended_at=row.valid_until,
    )  # fmt: skip
    return link, interface, bool(row.is_gone)


class _Step:
    """A step as the processes take it."""

    def __init__(self, row: Any) -> None:
        self.id, self.state, self.kind, self.number = row.id, row.state, row.kind, row.number
        self.code, self.step, self.name = row.process, row.point, row.value
