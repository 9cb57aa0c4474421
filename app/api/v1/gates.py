"""Gates with their evaluations, criteria and waivers; an evaluation is found by its fingerprint as well."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import AwareDatetime, Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition import golive
from app.composition.evidence import MeasuredReadings
from app.composition.request import now, reader
from app.queries.gate_pages import snapshot_by_fingerprint
from app.queries.late_truth import Line, late_truth
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
    until: AwareDatetime


class GrantWaiverBody(Body):
    """In the name of which body."""

    body: str = Field(min_length=1, max_length=80)


class WithdrawWaiverBody(Body):
    """Why a request is taken back."""

    reason: str = Field(min_length=1, max_length=4000)


class AttestBody(Body):
    """A statement in place of a figure."""

    criterion: str = Field(min_length=1, max_length=80)
    holds: bool
    statement: str = Field(min_length=1, max_length=4000)
    document: str | None = Field(None, max_length=200, description="Number or title of the paper behind it.")
    until: AwareDatetime | None = Field(None, description="null: it does not lapse.")


class AttestationAnswer(Answer):
    """A statement as it is kept; the next evaluation reads it."""

    id: int
    gate: int
    criterion: str
    holds: bool
    statement: str
    document: str | None
    attested_by: int
    at: datetime
    until: datetime | None


class LateLine(Answer):
    """A criterion as decided, and the same window read again now. ``null``: there was, or is, no figure."""

    criterion: str
    title: str
    word_then: str
    word_now: str | None
    value_then: str | None
    value_now: str | None
    count_then: int | None
    count_now: int | None
    moved: bool


class LateAnswer(Answer):
    """As decided beside as now known."""

    gate: int
    evaluation: int | None = Field(description="The one decided on, or asked for; null before the first.")
    items: list[LateLine]


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


@operation(
    "POST", "/waivers/{waiver_id}/withdraw", permission=Permission.WAIVER_REQUEST, summary="Take a request for a waiver back",
    tag="Gates", body=WithdrawWaiverBody, answer=WaiverAnswer, example={"reason": "the supplier delivers after all"},
)  # fmt: skip
def withdraw_a_waiver(work: UnitOfWork, waiver_id: int, body: WithdrawWaiverBody) -> WaiverAnswer:
    waiving.withdraw_waiver(work, waiver_id, reason=body.reason)
    return _one_waiver(work, waiver_id)


@operation(
    "POST", "/waivers/{waiver_id}/end", permission=Permission.WAIVER_APPROVE, summary="End a waiver before its time", tag="Gates",
    body=RefuseWaiverBody, answer=WaiverAnswer, example={"body": "pmo", "reason": "the mitigation is not done"},
)  # fmt: skip
def end_a_waiver(work: UnitOfWork, waiver_id: int, body: RefuseWaiverBody) -> WaiverAnswer:
    gate = waiving.gate_of_waiver(work.session, waiver_id)
    golive.lock_standing_on(work, gate)
    waiving.end_waiver(work, waiver_id, body=body.body, reason=body.reason, authority=golive.Seats())
    golive.outdate_standing_on(work, gate)
    return _one_waiver(work, waiver_id)


@operation(
    "POST", "/gates/{gate_id}/attestations", permission=Permission.ATTEST, summary="Attest a criterion", tag="Gates",
    body=AttestBody, answer=AttestationAnswer, status=201,
    example={"criterion": "tax_opinion", "holds": True, "statement": "The opinion of 12 January is signed.", "document": "TO-2027-03"},
)  # fmt: skip
def attest_a_criterion(work: UnitOfWork, gate_id: int, body: AttestBody) -> AttestationAnswer:
    kept = waiving.attest(work, waiving.Attest(gate_id=gate_id, **body.model_dump()))
    return AttestationAnswer(
        id=kept.id, gate=kept.gate_id, criterion=kept.criterion, holds=kept.holds, statement=kept.statement,
        document=kept.document, attested_by=kept.attested_by, at=kept.at, until=kept.until,
    )  # fmt: skip


class LateQuery(Body):
    """Of which evaluation."""

    evaluation: int | None = Field(None, ge=1, le=1_000_000, description="Its number; the latest where it is left out.")


@operation(
    "GET", "/gates/{gate_id}/as-now-known", permission=Permission.GATE_VIEW, summary="As decided beside as now known", tag="Gates",
    query=LateQuery, answer=LateAnswer,
)  # fmt: skip
def compare_with_now(gate_id: int, query: LateQuery) -> LateAnswer:
    found = late_truth(reader(), gate_id, now(), number=query.evaluation)
    return LateAnswer(
        gate=gate_id, evaluation=found.then.number if found.then else None, items=[_late(one) for one in found.lines]
    )


def _late(line: Line) -> LateLine:
    then, again = line.then, line.again
    return LateLine(
        criterion=line.code, title=line.title, word_then="waived" if line.waived_then else line.word_then,
        word_now="waived" if line.waived_now else line.word_now, moved=line.moved,
        value_then=None if then is None else then["value"], count_then=None if then is None else then["count"],
        value_now=None if again is None or again.value is None else f"{again.value:f}",
        count_now=None if again is None else again.count,
    )  # fmt: skip
