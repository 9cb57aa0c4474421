"""What stands on the pages of the RAID register: entries by name, the map of risks, and one entry with all that belongs to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.composition.risk_desk import Watch, is_figure, ladders, watched
from app.identity.models import Account
from app.queries.listing import SqlList
from app.queries.processes import Person, people
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Site
from governance.processes.models import BusinessProcess
from governance.processes.queries import step_codes
from governance.programme.models import Body, Seat
from governance.risks.flow import STANDING, EntryKind, EntryState, LinkKind, Side
from governance.risks.models import RaidAction, RaidAssessment, RaidEntry
from governance.risks.queries import (
    actions_of,
    assessments_of,
    entry,
    family_of,
    links_of,
    moves_of,
)
from governance.risks.rules import Band, Concern, band, concern, score
from readiness.gates.wording import figure as figure_words
from readiness.measures.catalogue import Figure, find_figure
from readiness.waves.models import Wave

#: What an entry's state may be asked for besides one of its own: all that still stands.
STANDS = "standing"


@dataclass(frozen=True, kw_only=True)
class EntryRow:
    """An entry with names. ``actions``: how many are open; ``watch`` where its figure was read."""

    id: int
    code: str
    kind: str
    title: str
    cause: str
    statement: str
    effect: str
    needed_by: str
    needed_from: str
    layer: str
    probability: int | None
    impact: int
    response: str | None
    plan: str
    score_limit: int | None
    figure: str | None
    side: str | None
    figure_limit: Any
    owner_id: int
    owner: str
    owner_left: bool
    body_id: int
    body: str
    due_on: date
    review_days: int
    next_review_on: date
    escalation_hours: int
    wave_id: int | None
    wave: str
    site_id: int | None
    site: str
    process: str | None
    process_name: str
    state: str
    version: int
    raised_by: int
    raised_at: datetime
    triggered_at: datetime | None
    closed_at: datetime | None
    escalates_at: datetime | None
    level: int
    escalated_to: int | None
    turned_from: int | None
    turned_into: int | None
    today: date
    actions: int = 0

    @property
    def score(self) -> int | None:
        return None if self.probability is None else score(self.probability, self.impact)

    @property
    def band(self) -> Band | None:
        return None if self.score is None else band(self.score)

    @property
    def stands(self) -> bool:
        """Whether somebody still answers for it."""
        return self.state in STANDING

    @property
    def concern(self) -> Concern | None:
        """Why somebody beyond the owner has to hear of it."""
        return concern(EntryState(self.state), self.due_on, self.today)

    @property
    def is_overdue(self) -> bool:
        return self.stands and self.due_on < self.today

    @property
    def is_review_due(self) -> bool:
        return self.stands and self.next_review_on <= self.today

    @property
    def where(self) -> str:
        """What it is bound to, in a line."""
        return ", ".join(one for one in (self.wave, self.site, self.process_name) if one) or "the programme"

    @property
    def watched(self) -> Figure | None:
        """The figure that may trigger it; ``None`` without one, or where the catalogue lost it."""
        return find_figure(self.figure) if self.figure and is_figure(self.figure) else None

    @property
    def limit_words(self) -> str:
        """When it is triggered, in words; empty without a threshold."""
        if self.score_limit is not None:
            return f"score {self.score_limit} or more"
        found = self.watched
        if found is None or self.figure_limit is None:
            return f"{self.figure} is no figure any more" if self.figure else ""
        side = "below" if self.side == Side.BELOW else "above"
        return f"{found.measure.title} {side} {figure_words(self.figure_limit, found.measure.unit.value)}"


_FIELDS = tuple(column.key for column in RaidEntry.__table__.columns if column.key != "concern_since")


def _entries() -> Any:
    return (
        select(
            RaidEntry, Account.name.label("owner"), Account.closed_at.label("left_at"), Body.name.label("body"),
            Wave.code.label("wave"), Site.name.label("site"), BusinessProcess.name.label("process_name"),
        )
        .select_from(RaidEntry)
        .outerjoin(Account, Account.id == RaidEntry.owner_id)
        .outerjoin(Body, Body.id == RaidEntry.body_id)
        .outerjoin(Wave, Wave.id == RaidEntry.wave_id)
        .outerjoin(Site, Site.id == RaidEntry.site_id)
        .outerjoin(BusinessProcess, BusinessProcess.code == RaidEntry.process)
    )  # fmt: skip


def _row(found: Any) -> EntryRow:
    one: RaidEntry = found.RaidEntry
    return EntryRow(
        owner=found.owner or "nobody", owner_left=found.owner is None or found.left_at is not None, body=found.body or "no body",
        wave=found.wave or "", site=found.site or "", process_name=found.process_name or one.process or "",
        today=date.min, **{name: getattr(one, name) for name in _FIELDS},
    )  # fmt: skip


def _finish(session: Session, rows: list[EntryRow]) -> list[EntryRow]:
    """How much is left to do about each. One query."""
    query = (
        select(RaidAction.entry_id, func.count().label("many"))
        .where(RaidAction.entry_id.in_([row.id for row in rows]), RaidAction.state == "open")
        .group_by(RaidAction.entry_id)
    )
    many = {row.entry_id: row.many for row in session.execute(query)}
    return [replace(row, actions=many.get(row.id, 0)) for row in rows]


def seen_entries(row: Any, actor: Actor) -> list[Any]:
    """What narrows entries to those bound to no site or to one of the person's, their own, those they do something about, and
    what their bodies heard of. ``row`` has the columns of an entry.
    """
    if actor.sites is None:
        return []
    acts = select(RaidAction.entry_id).where(RaidAction.owner_id == actor.id)
    return [
        or_(
            row.site_id.is_(None), row.site_id.in_(sorted(actor.sites)), row.owner_id == actor.id, row.id.in_(acts),
            _of_my_bodies(row, actor),
        )
    ]  # fmt: skip


def _seen(query: Any, actor: Actor) -> Any:
    return query.where(*seen_entries(RaidEntry, actor))


def _of_my_bodies(row: Any, actor: Actor) -> Any:
    seats = select(Seat.body_id).where(Seat.person_id == actor.id, Seat.ended_at.is_(None))
    return and_(row.level > 0, row.escalated_to.in_(seats))


_SCORE = RaidEntry.probability * RaidEntry.impact
_STANDS = RaidEntry.state.in_(STANDING)

RISKS: SqlList[EntryRow] = SqlList(
    select=_entries, row=_row, tie=(RaidEntry.id,), usual="due", scope=_seen, finish=_finish,
    sorts={
        "code": RaidEntry.id, "title": RaidEntry.title, "score": _SCORE, "impact": RaidEntry.impact, "owner": Account.name,
        "due": RaidEntry.due_on, "review": RaidEntry.next_review_on, "raised": RaidEntry.raised_at,
    },
    by=("kind", RaidEntry.kind), flags=("overdue", "triggered", "escalated", "mine", "review"),
    text=(RaidEntry.code, RaidEntry.title, RaidEntry.cause, RaidEntry.statement, RaidEntry.effect, RaidEntry.plan),
    wanted={
        "kind": lambda value, _: RaidEntry.kind == value,
        "state": lambda value, _: _STANDS if value == STANDS else RaidEntry.state == value,
        "layer": lambda value, _: RaidEntry.layer == value,
        "wave": lambda value, _: RaidEntry.wave_id == value,
        "site": lambda value, _: RaidEntry.site_id == value,
        "process": lambda value, _: RaidEntry.process == value,
        "owner": lambda value, _: RaidEntry.owner_id == value,
        "probability": lambda value, _: RaidEntry.probability == value,
        "impact": lambda value, _: RaidEntry.impact == value,
        "overdue": lambda _value, eyes: and_(_STANDS, RaidEntry.due_on < eyes.now.date()),
        "triggered": lambda _value, _eyes: RaidEntry.state == EntryState.TRIGGERED,
        "escalated": lambda _value, _eyes: RaidEntry.level > 0,
        "mine": lambda _value, eyes: or_(RaidEntry.owner_id == eyes.actor.id, _of_my_bodies(RaidEntry, eyes.actor)),
        "review": lambda _value, eyes: and_(_STANDS, RaidEntry.next_review_on <= eyes.now.date()),
    },
)  # fmt: skip


def as_of(row: EntryRow, today: date) -> EntryRow:
    """The row as it stands on this day: what is late depends on it."""
    return replace(row, today=today)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One field of the map: the risks of this probability and impact."""

    probability: int
    impact: int
    score: int
    band: Band
    risks: tuple[tuple[int, str], ...]


def risk_map(session: Session, actor: Actor) -> list[list[Cell]]:
    """The map of standing risks that the list shows this person: the likeliest on top, the gravest to the right. One query."""
    found: dict[tuple[int, int], list[tuple[int, str]]] = defaultdict(list)
    query = select(RaidEntry.id, RaidEntry.code, RaidEntry.probability, RaidEntry.impact)
    query = _seen(query.where(RaidEntry.kind == EntryKind.RISK, _STANDS), actor)
    for row in session.execute(query.order_by(RaidEntry.id)):
        found[row.probability, row.impact].append((row.id, row.code))
    return [
        [
            Cell(
                probability=probability, impact=impact, score=score(probability, impact),
                band=band(score(probability, impact)), risks=tuple(found.get((probability, impact), ())),
            )
            for impact in range(1, 6)
        ]
        for probability in range(5, 0, -1)
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EntryPage:
    """An entry with what it touches by name, what is done about it, how it was judged, and what happened to it."""

    row: EntryRow
    steps: tuple[tuple[str, str], ...]
    points: tuple[str, ...]
    actions: tuple[RaidAction, ...]
    assessments: tuple[RaidAssessment, ...]
    moves: tuple[Transition, ...]
    family: Mapping[int, tuple[str, str]]
    names: Mapping[int, Person]
    watch: Watch | None
    ladder: tuple[tuple[int, str], ...]


def entry_row(session: Session, actor: Actor, entry_id: int, today: date) -> EntryRow:
    """One entry; raises ``NotFound`` for an unknown one and for another site's. Two queries."""
    found = session.execute(_seen(_entries().where(RaidEntry.id == entry_id), actor)).one_or_none()
    if found is None:
        raise NotFound("risk_not_found", entry=entry_id)
    return as_of(_finish(session, [_row(found)])[0], today)


def entry_page(session: Session, actor: Actor, entry_id: int, today: date, now: datetime) -> EntryPage:
    """The page of an entry. About ten queries, and those of its figure where it has one."""
    row = entry_row(session, actor, entry_id, today)
    one = entry(session, entry_id)
    links = links_of(session, [entry_id]).get(entry_id, [])
    actions, assessments, moves = (
        actions_of(session, entry_id),
        assessments_of(session, entry_id),
        moves_of(session, entry_id),
    )
    codes = step_codes(session) if any(kind is LinkKind.STEP for kind, _ in links) else {}
    bodies = _body_names(session)
    return EntryPage(
        row=row, actions=tuple(actions), assessments=tuple(assessments), moves=tuple(moves),
        steps=tuple((target, codes.get(target, target)) for kind, target in links if kind is LinkKind.STEP),
        points=tuple(target for kind, target in links if kind is LinkKind.POINT),
        family={other.id: (other.code, other.title) for other in family_of(session, one)},
        names=people(session, _everybody(row, actions, assessments)),
        watch=watched(session, [one], now).get(entry_id) if row.stands else None,
        ladder=tuple((key, bodies.get(key, "a body that is no more")) for key in ladders(session, {row.body_id}).get(row.body_id, ())),
    )  # fmt: skip


def _everybody(row: EntryRow, actions: Sequence[RaidAction], assessments: Sequence[RaidAssessment]) -> set[int]:
    return {row.raised_by, row.owner_id, *(one.owner_id for one in actions), *(one.by for one in assessments)}


def _body_names(session: Session) -> dict[int, str]:
    return {row.id: row.name for row in session.execute(select(Body.id, Body.name))}


def body_choices(session: Session) -> list[tuple[int, str]]:
    """The bodies that may hear of an entry, by name. One query."""
    return sorted(_body_names(session).items(), key=lambda one: one[1])
