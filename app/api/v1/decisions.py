"""Decisions and votes."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition import golive
from app.composition.request import now, reader
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork
from governance.decisions import queries
from governance.decisions.flow import DecisionState
from governance.decisions.rules import Choice, Outcome
from governance.decisions.voting import CastVote


class DecisionAnswer(Answer):
    """A decision in the log."""

    id: int
    wave: int
    body: int
    body_name: str
    kind: str
    title: str
    question: str
    state: str
    outcome: str | None
    opened_at: datetime | None
    closes_at: datetime
    closed_at: datetime | None
    postponed_to: date | None


class DecisionsAnswer(Answer):
    """Decisions, newest first."""

    items: list[DecisionAnswer]


class LogQuery(Body):
    """Which decisions."""

    text: str | None = Field(None, max_length=200, description="Words in questions, reasons and conditions.")
    wave: int | None = Field(None, ge=1, le=2**63 - 1)
    state: DecisionState | None = None
    outcome: Outcome | None = None
    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0, le=1_000_000)


class VoteAnswer(Answer):
    """A vote as cast; acts of office stay named."""

    seat: int
    cast_by: int
    choice: str
    reason: str
    at: datetime


class SeatAnswer(Answer):
    """A seat of the vote with what it has done."""

    id: int
    function: str
    person: int | None
    delegate: int | None
    is_chair: bool
    is_mandatory: bool
    has_veto: bool
    recused: str | None
    vote: VoteAnswer | None


class BasisAnswer(Answer):
    """The evidence of a gate that the vote stands on."""

    gate: int
    sha256: str
    verdict: str


class ConditionAnswer(Answer):
    """What a conditional go asks of somebody."""

    id: int
    text: str
    check: str
    owner: int
    due_at: datetime
    state: str


class DecisionDetail(DecisionAnswer):
    """A decision with its vote."""

    version: int
    terms: int = Field(description="What the vote is about; votes cast on earlier terms no longer count.")
    allowed: list[str]
    waivers: list[int] = Field(description="Waivers that a go has to name.")
    seats: list[SeatAnswer]
    bases: list[BasisAnswer]
    conditions: list[ConditionAnswer]
    cast: int | None
    eligible: int | None
    quorum_needed: int | None
    can_close: bool


class VoteBody(Body):
    """A vote for a seat."""

    seat: int = Field(ge=1, le=2**63 - 1)
    choice: Choice
    reason: str = Field("", max_length=4000)
    waivers: list[int] = Field(default_factory=list, max_length=100)
    postpone_to: date | None = None
    terms: int | None = Field(
        None, ge=1, le=1_000_000, description="The terms that were read; others now are a refusal."
    )


class ClosingAnswer(Answer):
    """What the vote said, and what came of it."""

    decision: int
    outcome: str | None
    effect: str
    grants: list[int]


class RevokeBody(Body):
    """Why a go is taken back."""

    reason: str = Field(min_length=1, max_length=4000)


_ROW = ("id", "body_name", "title", "question", "opened_at", "closes_at", "closed_at", "postponed_to")


def _facts(row: queries.DecisionRow) -> dict[str, object]:
    return {
        **{name: getattr(row, name) for name in _ROW}, "wave": row.wave_id, "body": row.body_id, "kind": row.kind.value,
        "state": row.state.value, "outcome": row.outcome.value if row.outcome else None,
    }  # fmt: skip


def _detail(view: queries.DecisionView) -> DecisionDetail:
    count = view.tally
    return DecisionDetail.model_validate(
        {
            **_facts(view.row), "version": view.version, "terms": view.terms, "allowed": sorted(view.allowed),
            "waivers": list(view.waivers), "seats": [_seat(seat) for seat in view.seats],
            "bases": [BasisAnswer(gate=one.gate_id, sha256=one.sha256, verdict=one.word.replace("_", " ")) for one in view.bases],
            "conditions": [
                ConditionAnswer(id=one.id, text=one.text, check=one.check, owner=one.owner, due_at=one.due_at, state=one.state.value)
                for one in view.conditions
            ],
            "cast": count.cast if count else None, "eligible": count.eligible if count else None,
            "quorum_needed": count.quorum_needed if count else None, "can_close": view.can_close,
        }
    )  # fmt: skip


def _seat(seat: queries.SeatStanding) -> SeatAnswer:
    vote = seat.vote
    return SeatAnswer(
        id=seat.id, function=seat.function, person=seat.person, delegate=seat.delegate, is_chair=seat.is_chair,
        is_mandatory=seat.is_mandatory, has_veto=seat.has_veto, recused=seat.recused,
        vote=None if vote is None else VoteAnswer(
            seat=vote.seat_id, cast_by=vote.cast_by, choice=vote.choice.value, reason=vote.reason, at=vote.at
        ),
    )  # fmt: skip


@operation(
    "GET", "/decisions", permission=Permission.DECISION_VIEW, summary="Search the decision log", tag="Decisions", query=LogQuery,
    answer=DecisionsAnswer,
)  # fmt: skip
def list_decisions(query: LogQuery) -> DecisionsAnswer:
    found = queries.decision_log(
        reader(), text=query.text, wave_id=query.wave, states=(query.state,) if query.state else (), outcome=query.outcome,
        limit=query.limit, offset=query.offset,
    )  # fmt: skip
    return DecisionsAnswer(items=[DecisionAnswer.model_validate(_facts(row)) for row in found])


@operation(
    "GET", "/decisions/{decision_id}", permission=Permission.DECISION_VIEW, summary="One decision with its vote", tag="Decisions",
    answer=DecisionDetail,
)  # fmt: skip
def show_decision(decision_id: int) -> DecisionDetail:
    return _detail(queries.decision_view(reader(), decision_id, now=now()))


@operation(
    "POST", "/decisions/{decision_id}/votes", permission=Permission.DECISION_VOTE, summary="Cast the vote of a seat", tag="Decisions",
    body=VoteBody, answer=DecisionDetail, status=201,
    example={"seat": 12, "choice": "postpone", "reason": "prove the invoices first", "postpone_to": "2027-02-08"},
)  # fmt: skip
def cast_a_vote(work: UnitOfWork, decision_id: int, body: VoteBody) -> DecisionDetail:
    golive.cast_vote(
        work,
        CastVote(
            decision_id=decision_id, decision_seat_id=body.seat, choice=body.choice, reason=body.reason,
            waivers=tuple(body.waivers), postpone_to=body.postpone_to, terms=body.terms,
        ),
    )  # fmt: skip
    return _detail(queries.decision_view(work.session, decision_id, now=work.now))


@operation(
    "POST", "/decisions/{decision_id}/close", permission=Permission.DECISION_CLOSE, summary="Count the votes and carry them out",
    tag="Decisions", answer=ClosingAnswer,
)  # fmt: skip
def close_a_vote(work: UnitOfWork, decision_id: int) -> ClosingAnswer:
    closing = golive.close_vote(work, decision_id)
    return ClosingAnswer(
        decision=closing.decision_id, outcome=closing.outcome.value if closing.outcome else None, effect=closing.effect.value,
        grants=list(closing.grants),
    )  # fmt: skip


@operation(
    "POST", "/decisions/{decision_id}/revoke", permission=Permission.DECISION_REVOKE, summary="Take a go back", tag="Decisions",
    body=RevokeBody, answer=DecisionDetail, example={"reason": "two sites cannot ship"},
)  # fmt: skip
def revoke_a_go(work: UnitOfWork, decision_id: int, body: RevokeBody) -> DecisionDetail:
    golive.revoke_go(work, decision_id, reason=body.reason)
    work.session.flush()  # the answer is read back with a query
    return _detail(queries.decision_view(work.session, decision_id, now=work.now))
