"""Decisions: drafted, opened, given conditions, voted on, counted, withdrawn and revoked."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import AwareDatetime, Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition import golive
from app.composition.request import now, reader
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork
from governance.decisions import queries, services
from governance.decisions.flow import DecisionState
from governance.decisions.kinds import DecisionKind
from governance.decisions.rules import Choice, Outcome
from governance.decisions.voting import CastVote, record_attendance, recuse_seat

MOST = 2**63 - 1


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
    is_absent: bool
    is_present: bool
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
    settled_at: datetime | None
    evidence: str | None


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


class DraftBody(Body):
    """A question about a wave to a body. Urgent ones are put by the product itself, when a condition is missed."""

    body: int = Field(ge=1, le=MOST, description="The decision body, by id.")
    wave: int = Field(ge=1, le=MOST)
    kind: DecisionKind
    title: str = Field(min_length=1, max_length=200)
    question: str = Field(min_length=1, max_length=4000)
    closes_at: AwareDatetime
    effective_at: AwareDatetime | None = Field(None, description="When a go takes effect; null: at once.")
    follows: int | None = Field(None, ge=1, le=MOST)


class ConditionBody(Body):
    """What a conditional go asks of somebody."""

    text: str = Field(min_length=1, max_length=2000)
    check: str = Field(min_length=1, max_length=2000, description="How one sees that it is met.")
    owner: int = Field(ge=1, le=MOST)
    due_at: AwareDatetime


class EvidenceBody(Body):
    """How one sees that a condition is met."""

    evidence: str = Field(min_length=1, max_length=4000)


class RecuseBody(Body):
    """A seat that takes no part, and why."""

    seat: int = Field(ge=1, le=MOST)
    reason: str = Field(min_length=1, max_length=2000)


class AttendanceBody(Body):
    """Whether a seat is there."""

    seat: int = Field(ge=1, le=MOST)
    present: bool


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


class ReasonBody(Body):
    """Something that is only done with a reason."""

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
                ConditionAnswer(id=one.id, text=one.text, check=one.check, owner=one.owner, due_at=one.due_at, state=one.state.value,
                                settled_at=one.settled_at, evidence=one.evidence)
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
        is_mandatory=seat.is_mandatory, has_veto=seat.has_veto, recused=seat.recused, is_absent=seat.is_absent, is_present=seat.is_present,
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


def _read_back(work: UnitOfWork, decision_id: int) -> DecisionDetail:
    work.session.flush()  # the answer is read back with queries
    return _detail(queries.decision_view(work.session, decision_id, now=work.now))


@operation(
    "POST", "/decisions", permission=Permission.DECISION_DRAFT, summary="Draft a question about a wave", tag="Decisions",
    body=DraftBody, answer=DecisionDetail, status=201,
    example={"body": 4, "wave": 12, "kind": "go_live", "title": "Go-live of W2", "question": "May Pratteln and Kassel go live?",
             "closes_at": "2027-01-27T15:00:00Z", "effective_at": "2027-02-01T05:00:00Z"},
)  # fmt: skip
def draft_a_decision(work: UnitOfWork, body: DraftBody) -> DecisionDetail:
    command = services.DraftDecision(
        body_id=body.body, wave_id=body.wave, kind=body.kind, title=body.title, question=body.question,
        closes_at=body.closes_at, effective_at=body.effective_at, follows=body.follows,
    )  # fmt: skip
    return _read_back(work, golive.draft_question(work, command).id)


@operation(
    "POST", "/decisions/{decision_id}/open", permission=Permission.DECISION_OPEN, summary="Open the vote on the latest evidence",
    tag="Decisions", answer=DecisionDetail,
)  # fmt: skip
def open_a_vote(work: UnitOfWork, decision_id: int) -> DecisionDetail:
    golive.open_vote(work, decision_id)
    return _read_back(work, decision_id)


@operation(
    "POST", "/decisions/{decision_id}/rebind", permission=Permission.DECISION_OPEN, summary="Put an open vote on newer evidence",
    tag="Decisions", answer=DecisionDetail,
)  # fmt: skip
def rebind_a_vote(work: UnitOfWork, decision_id: int) -> DecisionDetail:
    golive.rebind_vote(work, decision_id)
    return _read_back(work, decision_id)


@operation(
    "POST", "/decisions/{decision_id}/withdraw", permission=Permission.DECISION_OPEN, summary="Take a question back",
    tag="Decisions", body=ReasonBody, answer=DecisionDetail, example={"reason": "the wave is cut in two"},
)  # fmt: skip
def withdraw_a_question(work: UnitOfWork, decision_id: int, body: ReasonBody) -> DecisionDetail:
    services.withdraw_decision(work, decision_id, reason=body.reason)
    return _read_back(work, decision_id)


@operation(
    "POST", "/decisions/{decision_id}/conditions", permission=Permission.DECISION_OPEN, summary="Put a condition on the table",
    tag="Decisions", body=ConditionBody, answer=DecisionDetail, status=201,
    example={"text": "A second label printer at gate 3", "check": "seen by the site lead", "owner": 7, "due_at": "2027-01-30T16:00:00Z"},
)  # fmt: skip
def add_a_condition(work: UnitOfWork, decision_id: int, body: ConditionBody) -> DecisionDetail:
    golive.put_condition(work, services.AddCondition(decision_id=decision_id, **body.model_dump()))
    return _read_back(work, decision_id)


@operation(
    "POST", "/conditions/{condition_id}/withdraw", permission=Permission.DECISION_OPEN, summary="Take a condition off the table",
    tag="Decisions", body=ReasonBody, answer=DecisionDetail, example={"reason": "it is met already"},
)  # fmt: skip
def withdraw_a_condition(work: UnitOfWork, condition_id: int, body: ReasonBody) -> DecisionDetail:
    return _read_back(work, services.withdraw_condition(work, condition_id, reason=body.reason).decision_id)


@operation(
    "POST", "/conditions/{condition_id}/settle", permission=Permission.WAVE_VIEW, summary="Say that a condition is met",
    tag="Decisions", body=EvidenceBody, answer=DecisionDetail, example={"evidence": "printer runs since Monday, photo in the file"},
)  # fmt: skip
def settle_a_condition(work: UnitOfWork, condition_id: int, body: EvidenceBody) -> DecisionDetail:
    """Its owner does it, or who may settle conditions of others; the service asks which of them it is."""
    return _read_back(work, services.settle_condition(work, condition_id, evidence=body.evidence).decision_id)


@operation(
    "POST", "/decisions/{decision_id}/recusals", permission=Permission.WAVE_VIEW, summary="Take a seat out of the vote",
    tag="Decisions", body=RecuseBody, answer=DecisionDetail, status=201,
    example={"seat": 12, "reason": "my firm sells the scanners"},
)  # fmt: skip
def recuse_a_seat(work: UnitOfWork, decision_id: int, body: RecuseBody) -> DecisionDetail:
    """Its holder does it, or who keeps the attendance; the service asks which of them it is."""
    recuse_seat(work, decision_id, body.seat, reason=body.reason)
    return _read_back(work, decision_id)


@operation(
    "POST", "/decisions/{decision_id}/attendance", permission=Permission.DECISION_ATTENDANCE, summary="Note who is there",
    tag="Decisions", body=AttendanceBody, answer=DecisionDetail, example={"seat": 12, "present": True},
)  # fmt: skip
def note_attendance(work: UnitOfWork, decision_id: int, body: AttendanceBody) -> DecisionDetail:
    record_attendance(work, decision_id, body.seat, present=body.present)
    return _read_back(work, decision_id)


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
    body=ReasonBody, answer=DecisionDetail, example={"reason": "two sites cannot ship"},
)  # fmt: skip
def revoke_a_go(work: UnitOfWork, decision_id: int, body: ReasonBody) -> DecisionDetail:
    golive.revoke_go(work, decision_id, reason=body.reason)
    return _read_back(work, decision_id)
