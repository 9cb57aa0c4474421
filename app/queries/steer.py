"""What do the pages of programme, waves and decisions show? Read models over several areas, each in few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from app.composition.standing import validities
from app.identity.models import Account
from app.identity.queries import names_of
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Channel, CustomerGroup, Site
from erpcore.ports import Process
from governance.decisions.flow import DecisionState
from governance.decisions.models import Decision, DecisionBasis
from governance.decisions.queries import DecisionRow, decision_log
from governance.decisions.standing import Validity
from governance.programme.calendar import MeetingView, meetings
from governance.programme.queries import BodyView, ProgrammeView, bodies, programmes
from readiness.gates.queries import GateRow, gates
from readiness.waves.flow import GrantState
from readiness.waves.queries import GrantView, WaveView, Window, blackouts, grants, waves

NameTables = dict[str, dict[str, Any]]


def name_tables(session: Session, people: Iterable[int | None] = (), *, groups: bool = True) -> NameTables:
    """Names for ids, as the words of papers and pages take them: people, sites, channels, customer groups. Two queries."""
    named: NameTables = {"sites": {}, "channels": {}, "customer_groups": {}}
    places = union_all(
        select(literal("sites").label("of"), Site.id, Site.name, Site.kind, Site.country),
        select(literal("channels"), Channel.id, Channel.name, literal(""), literal("")),
        select(literal("customer_groups"), CustomerGroup.id, CustomerGroup.name, literal(""), literal("")),
    )
    for row in session.execute(places):
        is_site = row.of == "sites"
        named[row.of][str(row.id)] = (
            {"name": row.name, "kind": row.kind, "country": row.country} if is_site else row.name
        )
    return {
        "people": {str(key): name for key, name in names_of(session, [one for one in people if one]).items()},
        **named,
    }


@dataclass(frozen=True, kw_only=True)
class Step:
    """One move in a document's history."""

    move: str
    from_state: str | None
    to_state: str
    at: datetime
    actor: int
    role: str
    reason: str | None


def history(session: Session, document: str, ids: Collection[int]) -> dict[int, list[Step]]:
    """The moves of these documents, oldest first. One query."""
    found: dict[int, list[Step]] = defaultdict(list)
    if not ids:
        return found
    for row in session.scalars(
        select(Transition)
        .where(Transition.document_type == document, Transition.document_id.in_(sorted(ids)))
        .order_by(Transition.at, Transition.id)
    ):
        found[row.document_id].append(
            Step(
                move=row.move, from_state=row.from_state, to_state=row.to_state, at=row.at, actor=row.actor,
                role=row.role, reason=row.reason,
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True, kw_only=True)
class WaveLine:
    """A wave with its gates and since when it is prepared; ``None``: not yet."""

    wave: WaveView
    gates: tuple[GateRow, ...]
    prepares_from: date | None
    live_on: date | None


@dataclass(frozen=True, kw_only=True)
class WavesPage:
    """All waves of a programme on one calendar."""

    lines: tuple[WaveLine, ...]
    windows: tuple[Window, ...]
    open_votes: tuple[DecisionRow, ...]
    names: NameTables


def waves_page(session: Session, programme_id: int | None = None) -> WavesPage:
    """The calendar of the waves. Thirteen queries, however many waves."""
    windows = tuple(blackouts(session, programme_id))
    found = waves(session, programme_id=programme_id, windows=windows)
    by_wave: dict[int, list[GateRow]] = defaultdict(list)
    for gate in gates(session):
        by_wave[gate.wave_id].append(gate)
    moves = history(session, "wave", [one.id for one in found])
    return WavesPage(
        lines=tuple(_line(one, by_wave[one.id], moves.get(one.id, ())) for one in found),
        windows=windows,
        open_votes=tuple(decision_log(session, states=(DecisionState.OPEN,))),
        names=name_tables(session, [one.owner for one in found]),
    )


def _line(wave: WaveView, found: Sequence[GateRow], moves: Sequence[Step]) -> WaveLine:
    prepared = next((step.at for step in moves if step.move == "prepare"), None)
    return WaveLine(
        wave=wave, gates=tuple(found), prepares_from=local_day(prepared, wave.time_zone) if prepared else None,
        live_on=local_day(wave.live_at, wave.time_zone) if wave.live_at else None,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CellState:
    """One cell and process of a wave's scope as it stands: the grant that admits transactions there, if there is one."""

    process: str
    grant: GrantView | None


@dataclass(frozen=True, kw_only=True)
class CellRow:
    """A cell of a wave with the state of each process; ``group`` ``None``: all customer groups."""

    site: int
    channel: int
    group: int | None
    states: tuple[CellState, ...]


@dataclass(frozen=True, kw_only=True)
class WavePage:
    """Everything a wave's page shows. ``depends_on`` and ``waited_for`` are other waves, with why."""

    line: WaveLine
    cells: tuple[CellRow, ...]
    grants: tuple[GrantView, ...]
    decisions: tuple[DecisionRow, ...]
    worth: dict[int, Validity]
    depends_on: tuple[tuple[WaveView, str], ...]
    waited_for: tuple[tuple[WaveView, str], ...]
    history: tuple[Step, ...]
    on_paper: dict[int, Step]
    names: NameTables


def on_paper(session: Session, found: Collection[GrantView]) -> dict[int, Step]:
    """Since when and why these grants are in fallback, by grant. One query, none where none is."""
    moves = history(session, "grant", [one.id for one in found if one.state is GrantState.IN_FALLBACK])
    declared = {key: [step for step in steps if step.move == "declare_fallback"] for key, steps in moves.items()}
    return {key: steps[-1] for key, steps in declared.items() if steps}


def wave_page(session: Session, wave_id: int, now: datetime) -> WavePage:
    """One wave. Raises ``NotFound``. About twenty queries, one more while a cell works on paper."""
    everything = waves(session)
    wave = next((one for one in everything if one.id == wave_id), None)
    if wave is None:
        raise NotFound("wave_not_found", wave=wave_id)
    steps = history(session, "wave", [wave_id])[wave_id]
    known = grants(session, only_effective=True, and_of_wave=wave_id)
    effective = [one for one in known if one.state is not GrantState.CLOSED]
    own = [one for one in known if one.wave_id == wave_id]
    decided = decision_log(session, wave_id=wave_id)
    by_id = {one.id: one for one in everything}
    cells = _cells(wave, effective, now)
    papers = on_paper(session, [state.grant for cell in cells for state in cell.states if state.grant is not None])
    people = [wave.owner, *(step.actor for step in steps), *(one.opened_by for one in own)]
    people += [step.actor for step in papers.values()]
    return WavePage(
        line=_line(wave, gates(session, wave_id=wave_id), steps),
        cells=cells,
        grants=tuple(own),
        decisions=tuple(decided),
        worth=worth_of(session, [one.id for one in decided], now),
        depends_on=tuple((by_id[other], why) for other, why in wave.depends_on if other in by_id),
        waited_for=tuple((one, why) for one in everything for other, why in one.depends_on if other == wave_id),
        history=tuple(steps),
        on_paper=papers,
        names=name_tables(session, people, groups=bool(wave.customer_groups) or any(one.customer_group for one in own)),
    )


def _cells(wave: WaveView, effective: Sequence[GrantView], now: datetime) -> tuple[CellRow, ...]:
    by_cell: dict[tuple[int, int, str], list[GrantView]] = defaultdict(list)
    for one in effective:
        by_cell[one.site, one.channel, one.process].append(one)
    groups: tuple[int | None, ...] = wave.customer_groups or (None,)
    return tuple(
        CellRow(
            site=site, channel=channel, group=group,
            states=tuple(
                CellState(process=process, grant=_strongest(by_cell[site, channel, process], group, now))
                for process in Process
                if process in wave.processes
            ),
        )
        for site, channel in wave.cells
        for group in groups
    )  # fmt: skip


def _strongest(found: Sequence[GrantView], group: int | None, now: datetime) -> GrantView | None:
    """Of several grants the one that admits most: open now, then on paper, draining, and what is still to open."""
    order = (GrantState.OPEN, GrantState.IN_FALLBACK, GrantState.DRAINING)
    fitting = [one for one in found if one.customer_group in {None, group} and one.state in order]
    return min(fitting, key=lambda one: (one.opens_at > now, order.index(one.state), one.id), default=None)


def worth_of(session: Session, decision_ids: Collection[int], now: datetime) -> dict[int, Validity]:
    """What these decisions are worth now. Six queries, however many."""
    rows = session.scalars(select(Decision).where(Decision.id.in_(sorted(decision_ids)))).all() if decision_ids else []
    return validities(session, rows, now) if rows else {}


@dataclass(frozen=True, kw_only=True)
class ProgrammePage:
    """A programme: what it is for, who decides in it, its waves and its calendar. ``open_cells`` are (site, channel)."""

    programme: ProgrammeView
    others: tuple[ProgrammeView, ...]
    waves: WavesPage
    bodies: tuple[BodyView, ...]
    meetings: tuple[MeetingView, ...]
    open_cells: frozenset[tuple[int, int]]
    names: NameTables


def programme_page(session: Session, programme_id: int | None, now: datetime) -> ProgrammePage | None:
    """The programme asked for, or the first; ``None`` where there is none. Raises ``NotFound`` for an unknown one."""
    known = programmes(session)
    if programme_id is None and not known:
        return None
    programme = next((one for one in known if programme_id in {None, one.id}), None)
    if programme is None:
        raise NotFound("programme_not_found", programme=programme_id)
    found = bodies(session, now, programme_id=programme.id)
    mine = {one.id for one in found}
    page = waves_page(session, programme.id)
    people = [person for body in found for seat in body.seats for person in (seat.person, seat.delegate)]
    open_now = {
        (one.site, one.channel) for one in grants(session, only_effective=True)
        if one.state != GrantState.DRAINING and one.opens_at <= now
    }  # fmt: skip
    names = {
        **page.names,
        "people": page.names["people"] | {str(k): v for k, v in names_of(session, [p for p in people if p]).items()},
    }
    return ProgrammePage(
        programme=programme, others=tuple(one for one in known if one.id != programme.id), waves=page, bodies=tuple(found),
        meetings=tuple(one for one in meetings(session, since=now) if one.body_id in mine),
        open_cells=frozenset(open_now) & frozenset(programme.cells), names=names,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class GateDecision:
    """The decision that stands on a gate's evaluation: its id, and the evaluation it was opened on."""

    decision_id: int
    snapshot_id: int
    state: str


def decisions_of_gate(session: Session, gate_id: int) -> list[GateDecision]:
    """Decisions bound to the gate's evaluations, newest first. One query."""
    rows = session.execute(
        select(Decision.id, Decision.state, DecisionBasis.snapshot_id)
        .join(DecisionBasis, (DecisionBasis.decision_id == Decision.id) & (DecisionBasis.binding == Decision.binding))
        .where(DecisionBasis.gate_id == gate_id)
        .order_by(Decision.id.desc())
    )
    return [GateDecision(decision_id=row.id, snapshot_id=row.snapshot_id, state=row.state) for row in rows]


def people_picks(session: Session) -> list[tuple[int, str]]:
    """Everybody who has an open account, by name: for choosing an owner. One query."""
    rows = session.execute(
        select(Account.id, Account.name).where(Account.closed_at.is_(None)).order_by(Account.name, Account.id)
    )
    return [(row.id, row.name) for row in rows]
