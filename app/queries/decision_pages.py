"""What do the decision log, a decision and a body show?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.standing import validity
from app.identity.queries import names_of
from app.queries.steer import NameTables, worth_of
from erpcore.kernel.errors import NotFound
from governance.decisions.flow import DecisionState
from governance.decisions.models import Decision
from governance.decisions.queries import DecisionRow, DecisionView, decision_log, decision_view
from governance.decisions.standing import Validity
from governance.programme.calendar import MeetingView, meetings
from governance.programme.queries import BodyView, DelegationView, body, delegations
from readiness.gates.models import Gate, GateCriterion, GateSnapshot, WaiverRecord
from readiness.waves.models import Grant, Wave


@dataclass(frozen=True, kw_only=True)
class LogPage:
    """A part of the decision log. ``codes`` are the waves' codes; ``has_more``: older ones follow."""

    rows: tuple[DecisionRow, ...]
    worth: dict[int, Validity]
    codes: dict[int, str]
    has_more: bool
    page: int


def log_page(session: Session, *, text: str, state: str, page: int, size: int, now: datetime) -> LogPage:
    """Decisions, newest first. Eight queries."""
    found = decision_log(
        session,
        text=text or None,
        states=(DecisionState(state),) if state else (),
        limit=size + 1,
        offset=(page - 1) * size,
    )
    shown = found[:size]
    return LogPage(
        rows=tuple(shown), worth=worth_of(session, [row.id for row in shown], now), codes=_codes(session),
        has_more=len(found) > size, page=page,
    )  # fmt: skip


def _codes(session: Session) -> dict[int, str]:
    return {row.id: row.code for row in session.execute(select(Wave.id, Wave.code))}


@dataclass(frozen=True, kw_only=True)
class WaveName:
    """The wave that a decision is about."""

    id: int
    code: str
    name: str
    state: str
    go_live_on: Any


@dataclass(frozen=True, kw_only=True)
class BasisRow:
    """A gate that the decision stands on: what it said then and now. ``title`` is what the vote's evaluation answered."""

    gate_id: int
    phase: str
    number: int
    sha256: str
    word_then: str
    word_now: str | None
    number_now: int | None
    sentence: str
    score: Any
    evaluated_at: datetime
    tally: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class WaiverLine:
    """A waiver that the evidence needs."""

    id: int
    criterion: str
    title: str
    rationale: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class DecisionPage:
    """A decision with everything its pages show."""

    view: DecisionView
    worth: Validity
    wave: WaveName
    bases: tuple[BasisRow, ...]
    waivers: tuple[WaiverLine, ...]
    grants: dict[str, int]
    follows: str | None
    followed_by: tuple[int, ...]
    names: NameTables


def decision_page(session: Session, decision_id: int, now: datetime) -> DecisionPage:
    """One decision. About nineteen queries. Raises ``NotFound``."""
    view = decision_view(session, decision_id, now=now)
    decision = session.get_one(Decision, decision_id)
    wave = session.get(Wave, view.row.wave_id)
    if wave is None:
        raise NotFound("wave_not_found", wave=view.row.wave_id)
    people = [seat.person for seat in view.seats] + [seat.delegate for seat in view.seats]
    people += [seat.vote.cast_by for seat in view.seats if seat.vote] + [vote.cast_by for vote in view.earlier_votes]
    people += [one.owner for one in view.conditions] + [one.settled_by for one in view.conditions]
    people += [step.actor for step in view.history]
    grants: dict[str, int] = {}
    for state in session.scalars(select(Grant.state).where(Grant.decision_id == decision_id)):
        grants[state] = grants.get(state, 0) + 1
    return DecisionPage(
        view=view, worth=validity(session, decision, now),
        wave=WaveName(id=wave.id, code=wave.code, name=wave.name, state=wave.state, go_live_on=wave.go_live_on),
        bases=tuple(_bases(session, view)), waivers=tuple(_waivers(session, view)), grants=grants,
        follows=session.scalar(select(Decision.title).where(Decision.id == view.row.follows)) if view.row.follows else None,
        followed_by=tuple(session.scalars(select(Decision.id).where(Decision.follows_id == decision_id).order_by(Decision.id))),
        names={
            "people": {str(key): name for key, name in names_of(session, [one for one in people if one]).items()},
            "sites": {}, "channels": {}, "customer_groups": {},
        },
    )  # fmt: skip


def _bases(session: Session, view: DecisionView) -> list[BasisRow]:
    wanted = {basis.snapshot_id: basis for basis in view.bases}
    if not wanted:
        return []
    rows = session.execute(
        select(GateSnapshot, Gate.phase)
        .join(Gate, Gate.id == GateSnapshot.gate_id)
        .where(GateSnapshot.id.in_(sorted(wanted)))
    )
    latest: dict[int, tuple[int, str]] = {}
    for row in session.execute(
        select(GateSnapshot.gate_id, GateSnapshot.number, GateSnapshot.word)
        .where(GateSnapshot.gate_id.in_({basis.gate_id for basis in view.bases}))
        .order_by(GateSnapshot.number)
    ):
        latest[row.gate_id] = (row.number, row.word)
    found = []
    for snapshot, phase in rows:
        content = orjson.loads(snapshot.content)
        tally: dict[str, int] = {}
        for line in content["criteria"]:
            word = "waived" if line["waiver"] is not None else line["word"].replace("_", " ")
            tally[word] = tally.get(word, 0) + 1
        number_now, word_now = latest.get(snapshot.gate_id, (None, None))
        found.append(
            BasisRow(
                gate_id=snapshot.gate_id, phase=phase, number=snapshot.number, sha256=snapshot.sha256, word_then=snapshot.word,
                word_now=word_now, number_now=number_now, sentence=content["sentence"], score=snapshot.score,
                evaluated_at=snapshot.evaluated_at, tally=tally,
            )
        )  # fmt: skip
    return found


def _waivers(session: Session, view: DecisionView) -> list[WaiverLine]:
    if not view.waivers:
        return []
    rows = session.execute(
        select(WaiverRecord, GateCriterion.title)
        .join(
            GateCriterion,
            (GateCriterion.gate_id == WaiverRecord.gate_id) & (GateCriterion.code == WaiverRecord.criterion),
        )
        .where(WaiverRecord.id.in_(view.waivers), GateCriterion.removed_in.is_(None))
        .order_by(WaiverRecord.id)
    )
    return [
        WaiverLine(id=row.id, criterion=row.criterion, title=title, rationale=row.rationale, until=row.until)
        for row, title in rows
    ]


@dataclass(frozen=True, kw_only=True)
class CommitteePage:
    """A body with its rule and seats, its meetings to come and its decisions."""

    body: BodyView
    delegations: tuple[DelegationView, ...]
    meetings: tuple[MeetingView, ...]
    rows: tuple[DecisionRow, ...]
    worth: dict[int, Validity]
    codes: dict[int, str]
    names: NameTables


def committee_page(session: Session, body_id: int, now: datetime) -> CommitteePage:
    """One body. About eleven queries. Raises ``NotFound``."""
    found = body(session, body_id, now)
    rows = decision_log(session, body_id=body_id, limit=20)
    standing_in = delegations(session, body_id, now)
    people = [person for seat in found.seats for person in (seat.person, seat.delegate) if person]
    people += [one.delegate for one in standing_in]
    return CommitteePage(
        body=found, delegations=tuple(standing_in), meetings=tuple(meetings(session, since=now, body_id=body_id)), rows=tuple(rows),
        worth=worth_of(session, [row.id for row in rows], now), codes=_codes(session),
        names={
            "people": {str(key): name for key, name in names_of(session, people).items()}, "sites": {}, "channels": {},
            "customer_groups": {},
        },
    )  # fmt: skip
