"""Gates with their evaluations, criteria and waivers; an evaluation is found by its fingerprint as well."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition import golive
from app.composition.evidence import MeasuredReadings
from app.composition.request import now, reader
from app.queries.gate_pages import snapshot_by_fingerprint
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork
from readiness.gates import waiving
from readiness.gates.evaluation import evaluate_gate, store_evaluation
from readiness.gates.queries import (
    GateRow,
    SnapshotView,
    WaiverView,
    gate_view,
    gates,
    snapshots,
    view_of,
    waivers,
)
from readiness.gates.rules import GateWord
from readiness.gates.wording import GATE_WORDS


class GateAnswer(Answer):
    """A gate with what it said last."""

    id: int
    wave: int
    wave_code: str
    phase: str
    state: str
    decides_on: date
    verdict: str | None = Field(
        description="ready, conditional, not ready, not ready: no evidence; null before the first evaluation."
    )
    score: str | None
    sentence: str | None
    evaluated_at: datetime | None
    sha256: str | None


class GatesAnswer(Answer):
    """Gates in the order their waves go live."""

    items: list[GateAnswer]


class EvaluationLine(Answer):
    """An evaluation in the list of a gate."""

    number: int
    evaluated_at: datetime
    verdict: str
    score: str
    sha256: str
    is_counted: bool


class EvaluationsAnswer(Answer):
    """A gate's evaluations, newest first."""

    items: list[EvaluationLine]


class EvaluationAnswer(Answer):
    """A stored evaluation. The fingerprint is SHA-256 over the canonical JSON of ``content``."""

    gate: int
    number: int
    evaluated_at: datetime
    verdict: str
    score: str
    read_to: int
    sha256: str
    content: dict[str, Any]


class CriteriaAnswer(Answer):
    """The criteria of a gate: with verdicts as last evaluated, or as they stand before the first evaluation."""

    evaluation: int | None
    items: list[dict[str, Any]]


class WaiverAnswer(Answer):
    """A waiver."""

    id: int
    gate: int
    criterion: str
    state: str
    is_in_force: bool
    rationale: str
    mitigation: str
    owner: int
    requested_by: int
    requested_at: datetime
    granted_by: int | None
    body: str | None
    until: datetime


class WaiversAnswer(Answer):
    """Waivers of a gate, newest first."""

    items: list[WaiverAnswer]


class WaiverBody(Body):
    """Asking to pass over a criterion for a time."""

    criterion: str = Field(min_length=1, max_length=80)
    rationale: str = Field(min_length=1, max_length=4000)
    mitigation: str = Field(min_length=1, max_length=4000)
    owner: int = Field(ge=1, le=2**63 - 1, description="Account of the person who mitigates.")
    until: datetime


class GrantWaiverBody(Body):
    """In the name of which body."""

    body: str = Field(min_length=1, max_length=80)


class RefuseWaiverBody(Body):
    """In the name of which body, and why."""

    body: str = Field(min_length=1, max_length=80)
    reason: str = Field(min_length=1, max_length=4000)


def _gate(row: GateRow) -> GateAnswer:
    return GateAnswer(
        id=row.id, wave=row.wave_id, wave_code=row.wave_code, phase=row.phase.value, state=row.state.value,
        decides_on=row.decides_on, verdict=None if row.word is None else GATE_WORDS[row.word],
        score=None if row.score is None else f"{row.score:f}", sentence=row.sentence, evaluated_at=row.evaluated_at,
        sha256=row.sha256,
    )  # fmt: skip


def _evaluation(found: SnapshotView) -> EvaluationAnswer:
    return EvaluationAnswer(
        gate=found.gate_id, number=found.number, evaluated_at=found.evaluated_at, verdict=GATE_WORDS[found.word],
        score=f"{found.score:f}", read_to=found.read_to, sha256=found.sha256, content=dict(found.content),
    )  # fmt: skip


def _waiver(found: WaiverView) -> WaiverAnswer:
    return WaiverAnswer(
        id=found.id, gate=found.gate_id, criterion=found.criterion, state=found.state.value, is_in_force=found.is_in_force,
        rationale=found.rationale, mitigation=found.mitigation, owner=found.owner, requested_by=found.requested_by,
        requested_at=found.requested_at, granted_by=found.granted_by, body=found.body, until=found.until,
    )  # fmt: skip


def _one_waiver(work: UnitOfWork, waiver_id: int) -> WaiverAnswer:
    work.session.flush()  # the answer is read back with a query
    return next(_waiver(one) for one in waivers(work.session, work.now) if one.id == waiver_id)


@operation("GET", "/gates", permission=Permission.GATE_VIEW, summary="List the gates", tag="Gates", answer=GatesAnswer)
def list_gates() -> GatesAnswer:
    return GatesAnswer(items=[_gate(row) for row in gates(reader())])


@operation(
    "GET", "/gates/{gate_id}", permission=Permission.GATE_VIEW, summary="One gate", tag="Gates", answer=GateAnswer
)
def show_gate(gate_id: int) -> GateAnswer:
    return _gate(gate_view(reader(), gate_id, now=now()).gate)


@operation(
    "GET", "/gates/{gate_id}/criteria", permission=Permission.GATE_VIEW, summary="The criteria of a gate", tag="Gates",
    answer=CriteriaAnswer,
)  # fmt: skip
def list_criteria(gate_id: int) -> CriteriaAnswer:
    view = gate_view(reader(), gate_id, now=now())
    if view.snapshot is None:
        items = [{key: str(value) if value is not None and key.endswith(("mark", "weight")) else value for key, value in line.items()}
                 for line in view.draft_criteria]  # fmt: skip
        return CriteriaAnswer(evaluation=None, items=items)
    return CriteriaAnswer(evaluation=view.snapshot.number, items=list(view.snapshot.content["criteria"]))


@operation(
    "GET", "/gates/{gate_id}/evaluations", permission=Permission.GATE_VIEW, summary="The evaluations of a gate", tag="Gates",
    answer=EvaluationsAnswer,
)  # fmt: skip
def list_evaluations(gate_id: int) -> EvaluationsAnswer:
    gate_view(reader(), gate_id, now=now())
    return EvaluationsAnswer(
        items=[
            EvaluationLine(
                number=number, evaluated_at=at, verdict=GATE_WORDS[GateWord(word)], score=f"{score:f}", sha256=sha256, is_counted=counted,
            )
            for _, number, at, word, score, sha256, counted in snapshots(reader(), gate_id, limit=1000)
        ]
    )  # fmt: skip


@operation(
    "POST", "/gates/{gate_id}/evaluations", permission=Permission.GATE_EVALUATE, summary="Evaluate a gate now", tag="Gates",
    answer=EvaluationAnswer, status=201,
)  # fmt: skip
def evaluate_now(work: UnitOfWork, gate_id: int) -> EvaluationAnswer:
    golive.lock_standing_on(work, gate_id)
    found = evaluate_gate(work.session, gate_id, readings=MeasuredReadings(), now=work.now)
    kept = store_evaluation(work, found)
    work.session.flush()
    golive.outdate_standing_on(work, gate_id)
    return _evaluation(view_of(kept))


class FingerprintQuery(Body):
    """Which evaluation."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Its fingerprint.")


@operation(
    "GET", "/evaluations", permission=Permission.GATE_VIEW, summary="An evaluation by its fingerprint", tag="Gates",
    query=FingerprintQuery, answer=EvaluationAnswer,
)  # fmt: skip
def find_evaluation(query: FingerprintQuery) -> EvaluationAnswer:
    return _evaluation(snapshot_by_fingerprint(reader(), query.sha256))


@operation(
    "GET", "/gates/{gate_id}/waivers", permission=Permission.GATE_VIEW, summary="The waivers of a gate", tag="Gates",
    answer=WaiversAnswer,
)  # fmt: skip
def list_gate_waivers(gate_id: int) -> WaiversAnswer:
    gate_view(reader(), gate_id, now=now())
    return WaiversAnswer(items=[_waiver(one) for one in waivers(reader(), now(), gate_id=gate_id)])


@operation(
    "POST", "/gates/{gate_id}/waivers", permission=Permission.WAIVER_REQUEST, summary="Ask for a waiver", tag="Gates",
    body=WaiverBody, answer=WaiverAnswer, status=201,
    example={"criterion": "fill_rate", "rationale": "two suppliers late", "mitigation": "stock moved", "owner": 7,
             "until": "2027-01-31T22:59:59Z"},
)  # fmt: skip
def ask_for_waiver(work: UnitOfWork, gate_id: int, body: WaiverBody) -> WaiverAnswer:
    made = waiving.request_waiver(work, waiving.RequestWaiver(gate_id=gate_id, **body.model_dump()))
    return _one_waiver(work, made.id)


@operation(
    "POST", "/waivers/{waiver_id}/grant", permission=Permission.WAIVER_APPROVE, summary="Grant a waiver", tag="Gates",
    body=GrantWaiverBody, answer=WaiverAnswer, example={"body": "steering"},
)  # fmt: skip
def grant_a_waiver(work: UnitOfWork, waiver_id: int, body: GrantWaiverBody) -> WaiverAnswer:
    waiving.grant_waiver(work, waiver_id, body=body.body, authority=golive.Seats())
    return _one_waiver(work, waiver_id)


@operation(
    "POST", "/waivers/{waiver_id}/refuse", permission=Permission.WAIVER_APPROVE, summary="Refuse a waiver", tag="Gates",
    body=RefuseWaiverBody, answer=WaiverAnswer, example={"body": "steering", "reason": "no way back is tried yet"},
)  # fmt: skip
def refuse_a_waiver(work: UnitOfWork, waiver_id: int, body: RefuseWaiverBody) -> WaiverAnswer:
    waiving.refuse_waiver(work, waiver_id, body=body.body, reason=body.reason, authority=golive.Seats())
    return _one_waiver(work, waiver_id)
