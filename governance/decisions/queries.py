"""What was asked, by whom is it decided, how stand the votes, what was decided before, and what waits for a person?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import orjson
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from governance.decisions.flow import ConditionState, DecisionState
from governance.decisions.kinds import DecisionKind
from governance.decisions.models import Condition, Decision, DecisionSeat, Recusal, Vote
from governance.decisions.records import GateBasis, Standing, standing_of
from governance.decisions.rules import Choice, Outcome, Tally, is_settled, more_needed, tally
from governance.programme.models import Body


@dataclass(frozen=True, kw_only=True)
class VoteView:
    """A vote as cast. ``counts``: it is the seat's last on the present terms."""

    id: int
    seat_id: int
    cast_by: int
    choice: Choice
    reason: str
    waivers: tuple[int, ...]
    postpone_to: date | None
    at: datetime
    terms: int
    counts: bool


@dataclass(frozen=True, kw_only=True)
class SeatStanding:
    """A seat of a vote: who holds it, who stands in, and what it has done so far."""

    id: int
    position: int
    function: str
    person: int | None
    delegate: int | None
    is_chair: bool
    is_mandatory: bool
    has_veto: bool
    vote: VoteView | None
    recused: str | None
    is_absent: bool
    is_present: bool


@dataclass(frozen=True, kw_only=True)
class ConditionView:
    """What a conditional go asks of somebody."""

    id: int
    decision_id: int
    position: int
    text: str
    check: str
    owner: int
    due_at: datetime
    state: ConditionState
    settled_at: datetime | None
    settled_by: int | None
    evidence: str | None


@dataclass(frozen=True, kw_only=True)
class DecisionRow:
    """A decision in the log."""

    id: int
    wave_id: int
    body_id: int
    body_name: str
    kind: DecisionKind
    title: str
    question: str
    state: DecisionState
    outcome: Outcome | None
    drafted_at: datetime
    opened_at: datetime | None
    closes_at: datetime
    closed_at: datetime | None
    effective_at: datetime | None
    postponed_to: date | None
    follows: int | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One move in a decision's history."""

    move: str
    from_state: str | None
    to_state: str
    at: datetime
    actor: int
    role: str
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class DecisionView:
    """Everything a decision's page and its vote page show. Rule, seats and tally are ``None`` or empty for a draft.

    ``more_for`` says for each choice how many further votes would carry it; ``None`` where it cannot be carried.
    ``can_close``: its time is over, or nobody can change the result any more.
    """

    row: DecisionRow
    version: int
    terms: int
    quorum: tuple[int, int] | None
    majority: tuple[int, int] | None
    bases: tuple[GateBasis, ...]
    allowed: frozenset[Choice]
    waivers: tuple[int, ...]
    seats: tuple[SeatStanding, ...]
    tally: Tally | None
    more_for: dict[Choice, int | None]
    can_close: bool
    conditions: tuple[ConditionView, ...]
    earlier_votes: tuple[VoteView, ...]
    history: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class WaitingVote:
    """A vote that a person has not cast. ``as_delegate``: they stand in for the seat's holder."""

    decision_id: int
    seat_id: int
    wave_id: int
    title: str
    body_name: str
    closes_at: datetime
    as_delegate: bool
    cast: int
    seats: int


def _row(decision: Decision, body_name: str) -> DecisionRow:
    return DecisionRow(
        id=decision.id, wave_id=decision.wave_id, body_id=decision.body_id, body_name=body_name,
        kind=DecisionKind(decision.kind), title=decision.title, question=decision.question,
        state=DecisionState(decision.state), outcome=Outcome(decision.outcome) if decision.outcome else None,
        drafted_at=decision.drafted_at, opened_at=decision.opened_at, closes_at=decision.closes_at,
        closed_at=decision.closed_at, effective_at=decision.effective_at, postponed_to=decision.postponed_to,
        follows=decision.follows_id,
    )  # fmt: skip


def decision_log(
    session: Session,
    *,
    text: str | None = None,
    wave_id: int | None = None,
    body_id: int | None = None,
    states: Sequence[DecisionState] = (),
    outcome: Outcome | None = None,
    since: datetime | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[DecisionRow]:
    """Decisions, newest first. ``text`` is looked for in titles, questions, reasons of votes and conditions. One query."""
    query = select(Decision, Body.name).join(Body, Body.id == Decision.body_id).order_by(Decision.id.desc())
    if text and text.strip():
        words = f"%{_escaped(text.strip().lower())}%"
        voted = select(Vote.decision_id).where(func.lower(Vote.reason).like(words, escape="\\"))
        asked = select(Condition.decision_id).where(func.lower(Condition.text).like(words, escape="\\"))
        query = query.where(
            or_(
                func.lower(Decision.title).like(words, escape="\\"),
                func.lower(Decision.question).like(words, escape="\\"),
                Decision.id.in_(voted),
                Decision.id.in_(asked),
            )
        )
    if wave_id is not None:
        query = query.where(Decision.wave_id == wave_id)
    if body_id is not None:
        query = query.where(Decision.body_id == body_id)
    if states:
        query = query.where(Decision.state.in_([str(state) for state in states]))
    if outcome is not None:
        query = query.where(Decision.outcome == outcome)
    if since is not None:
        query = query.where(Decision.drafted_at >= since)
    return [_row(decision, name) for decision, name in session.execute(query.limit(limit).offset(offset))]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def decision_view(session: Session, decision_id: int, *, now: datetime) -> DecisionView:
    """One decision with its vote. Nine queries. Raises ``NotFound``."""
    found = session.execute(
        select(Decision, Body.name).join(Body, Body.id == Decision.body_id).where(Decision.id == decision_id)
    ).one_or_none()
    if found is None:
        raise NotFound("decision_not_found", decision=decision_id)
    decision, body_name = found
    standing = standing_of(session, decision)
    conditions = tuple(_conditions(session, decision_id=decision_id))
    history = tuple(
        Step(
            move=row.move, from_state=row.from_state, to_state=row.to_state, at=row.at, actor=row.actor, role=row.role,
            reason=row.reason,
        )
        for row in session.scalars(
            select(Transition)
            .where(Transition.document_type == "decision", Transition.document_id == decision_id)
            .order_by(Transition.at, Transition.id)
        )
    )  # fmt: skip
    if decision.rule is None:
        return DecisionView(
            row=_row(decision, body_name), version=decision.version, terms=decision.terms, quorum=None, majority=None,
            bases=(), allowed=frozenset(), waivers=(), seats=(), tally=None, more_for={}, can_close=False,
            conditions=conditions, earlier_votes=(), history=history,
        )  # fmt: skip
    rule = orjson.loads(decision.rule)
    ballot, cast = standing.ballot(), standing.cast()
    is_open = decision.state == DecisionState.OPEN
    return DecisionView(
        row=_row(decision, body_name), version=decision.version, terms=decision.terms,
        quorum=(rule["quorum"][0], rule["quorum"][1]), majority=(rule["majority"][0], rule["majority"][1]),
        bases=standing.bases, allowed=ballot.allowed if is_open else frozenset(), waivers=standing.waivers,
        seats=_seats(standing), tally=tally(ballot, cast, standing.attending()),
        more_for={choice: more_needed(ballot, cast, choice) for choice in Choice} if is_open else {},
        can_close=is_open and (now >= decision.closes_at or is_settled(ballot, cast)), conditions=conditions,
        earlier_votes=tuple(_vote(vote, counts=False) for vote in standing.earlier_votes), history=history,
    )  # fmt: skip


def _seats(standing: Standing) -> tuple[SeatStanding, ...]:
    votes = {vote.decision_seat_id: vote for vote in standing.votes}
    return tuple(
        SeatStanding(
            id=seat.id, position=seat.position, function=seat.function, person=seat.person_id, delegate=seat.delegate_id,
            is_chair=seat.is_chair, is_mandatory=seat.is_mandatory, has_veto=seat.has_veto,
            vote=_vote(votes[seat.id], counts=True) if seat.id in votes else None,
            recused=standing.recusals[seat.id].reason if seat.id in standing.recusals else None,
            is_absent=seat.id in standing.absent, is_present=seat.id in standing.present,
        )
        for seat in standing.seats
    )  # fmt: skip


def _vote(vote: Vote, *, counts: bool) -> VoteView:
    return VoteView(
        id=vote.id, seat_id=vote.decision_seat_id, cast_by=vote.cast_by, choice=Choice(vote.choice), reason=vote.reason,
        waivers=tuple(orjson.loads(vote.waivers)), postpone_to=vote.postpone_to, at=vote.cast_at, terms=vote.terms,
        counts=counts,
    )  # fmt: skip


def _conditions(
    session: Session, *, decision_id: int | None = None, owner: int | None = None, only_open: bool = False
) -> list[ConditionView]:
    query = select(Condition).order_by(Condition.due_at, Condition.position)
    if decision_id is not None:
        query = query.where(Condition.decision_id == decision_id)
    if owner is not None:
        query = query.where(Condition.owner_id == owner)
    if only_open:
        query = query.join(Decision, Decision.id == Condition.decision_id).where(
            Condition.state.in_((ConditionState.OPEN, ConditionState.MISSED)), Decision.state == DecisionState.DECIDED
        )
    return [
        ConditionView(
            id=row.id, decision_id=row.decision_id, position=row.position, text=row.text, check=row.check_by,
            owner=row.owner_id, due_at=row.due_at, state=ConditionState(row.state), settled_at=row.settled_at,
            settled_by=row.settled_by, evidence=row.evidence,
        )
        for row in session.scalars(query)
    ]  # fmt: skip


def waiting_conditions(session: Session, person: int) -> list[ConditionView]:
    """Conditions of decided goes that a person owns and has not met, the next due first. One query."""
    return _conditions(session, owner=person, only_open=True)


def waiting_votes(session: Session, person: int, now: datetime) -> list[WaitingVote]:
    """Open votes in which a seat of this person, or one they stand in for, has not voted yet. One query."""
    cast = (
        select(func.count(func.distinct(Vote.decision_seat_id)))
        .where(Vote.decision_id == Decision.id, Vote.terms == Decision.terms)
        .scalar_subquery()
    )
    every = aliased(DecisionSeat)
    count = select(func.count()).select_from(every).where(every.decision_id == Decision.id).scalar_subquery()
    voted = select(Vote.id).where(Vote.decision_seat_id == DecisionSeat.id, Vote.terms == Decision.terms).exists()
    recused = select(Recusal.id).where(Recusal.decision_seat_id == DecisionSeat.id).exists()
    rows = session.execute(
        select(Decision, DecisionSeat, Body.name, cast, count)
        .join(DecisionSeat, DecisionSeat.decision_id == Decision.id)
        .join(Body, Body.id == Decision.body_id)
        .where(
            Decision.state == DecisionState.OPEN,
            Decision.closes_at > now,
            or_(DecisionSeat.person_id == person, DecisionSeat.delegate_id == person),
            ~voted,
            ~recused,
        )
        .order_by(Decision.closes_at, Decision.id, DecisionSeat.position)
    )
    return [
        WaitingVote(
            decision_id=decision.id, seat_id=seat.id, wave_id=decision.wave_id, title=decision.title, body_name=name,
            closes_at=decision.closes_at, as_delegate=seat.person_id != person, cast=votes or 0, seats=seats or 0,
        )
        for decision, seat, name, votes, seats in rows
    ]  # fmt: skip


def decision_of_condition(session: Session, condition_id: int) -> int:
    """The decision a condition belongs to. Raises ``NotFound``."""
    found = session.scalar(select(Condition.decision_id).where(Condition.id == condition_id))
    if found is None:
        raise NotFound("condition_not_found", condition=condition_id)
    return found
