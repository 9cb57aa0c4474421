"""What waits for me? Votes, waivers to decide, conditions and statements, in one list, the next due first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Date, String, cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from governance.decisions.models import Decision
from governance.decisions.queries import waiting_conditions, waiting_votes
from governance.programme.kinds import BodyKind
from governance.programme.queries import bodies_of_person
from governance.roadmap.kinds import TITLES, PhaseCode, PhaseState
from governance.roadmap.models import RoadmapPhase, StageCriterion, StageStatement
from readiness.gates.criteria import Evidence
from readiness.gates.flow import GateState, WaiverState
from readiness.gates.models import AttestationRecord, Gate, GateCriterion, WaiverRecord
from readiness.waves.models import Wave


class WaitingKind(StrEnum):
    """What is asked of the person."""

    VOTE = "vote"
    WAIVER = "waiver"
    CONDITION = "condition"
    ATTESTATION = "attestation"
    STAGE = "stage"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One thing that waits for a person. ``id`` is the decision's, waiver's, condition's, gate's or phase's; ``is_late``: past due.

    Of a stage gate ``wave_code`` is the title of the phase, and ``wave_id`` 0.
    """

    kind: WaitingKind
    id: int
    wave_id: int
    wave_code: str
    title: str
    detail: str
    due_at: datetime | None
    is_late: bool


def waits_for(session: Session, person: int, now: datetime) -> list[Waiting]:
    """Everything that waits for this person. At most four queries and one per programme with open waivers."""
    votes, conditions = waiting_votes(session, person, now), waiting_conditions(session, person)
    stated, waves = _statements(
        session, person, now, {each.decision_id for each in votes} | {each.decision_id for each in conditions}
    )
    found = [
        Waiting(
            kind=WaitingKind.VOTE, id=each.decision_id, wave_id=each.wave_id, wave_code=waves[each.decision_id].code,
            title=each.title, detail=f"{each.body_name} · {each.cast} of {each.seats} voted", due_at=each.closes_at,
            is_late=False,
        )
        for each in votes
    ]  # fmt: skip
    found += [
        Waiting(
            kind=WaitingKind.CONDITION, id=each.id, wave_id=waves[each.decision_id].wave,
            wave_code=waves[each.decision_id].code, title=each.text, detail=each.check, due_at=each.due_at,
            is_late=now > each.due_at,
        )
        for each in conditions
    ]  # fmt: skip
    found += _waivers(session, person, now)
    found += stated
    return sorted(found, key=lambda each: (each.due_at is None, each.due_at or now, each.kind, each.id))


def _wave_of(decisions: set[int]) -> Any:
    """Ids and codes of the waves of decisions, in the columns of statements."""
    return (
        select(
            literal("", String), Decision.id, func.coalesce(Decision.wave_id, 0), func.coalesce(Wave.code, ""), Decision.title,
            literal("", String), cast(null(), Date), literal(0, BigInteger),
        )
        .outerjoin(Wave, Wave.id == Decision.wave_id)
        .where(Decision.id.in_(sorted(decisions)))
    )  # fmt: skip


def _waivers(session: Session, person: int, now: datetime) -> list[Waiting]:
    rows = session.execute(
        select(WaiverRecord, GateCriterion.title, GateCriterion.is_key, Gate.waiver_body, Wave)
        .join(Gate, Gate.id == WaiverRecord.gate_id)
        .join(Wave, Wave.id == Gate.wave_id)
        .join(GateCriterion, (GateCriterion.gate_id == Gate.id) & (GateCriterion.code == WaiverRecord.criterion))
        .where(WaiverRecord.state == WaiverState.REQUESTED, WaiverRecord.requested_by != person)
        .order_by(WaiverRecord.id)
    ).all()
    sits = {wave.programme_id: bodies_of_person(session, person, wave.programme_id, now) for *_, wave in rows}
    found = []
    for waiver, title, is_key, body, wave in rows:
        mine = sits[wave.programme_id]
        steering = BodyKind.STEERING in mine.values()
        if steering or (body in mine and not is_key):
            found.append(
                Waiting(
                    kind=WaitingKind.WAIVER, id=waiver.id, wave_id=wave.id, wave_code=wave.code, title=title,
                    detail=waiver.rationale, due_at=waiver.until, is_late=now >= waiver.until,
                )
            )  # fmt: skip
    return found


def _statements(
    session: Session, person: int, now: datetime, decisions: set[int]
) -> tuple[list[Waiting], dict[int, Any]]:
    """Criteria that the person states: of gates in force those not stated for now, of stage gates those of the current phase that
    nobody has stated yet. With them id and code of the waves of these decisions; one query for both.
    """
    said = (
        select(AttestationRecord.id)
        .where(
            AttestationRecord.gate_id == Gate.id, AttestationRecord.criterion == GateCriterion.code,
            (AttestationRecord.until.is_(None)) | (AttestationRecord.until > now),
        )
        .exists()
    )  # fmt: skip
    of_gates = (
        select(
            literal(WaitingKind.ATTESTATION.value, String).label("kind"), Gate.id, Wave.id.label("wave"), Wave.code,
            GateCriterion.title, GateCriterion.owner, Gate.decides_on.label("day"), GateCriterion.id.label("criterion"),
        )
        .join(Gate, Gate.id == GateCriterion.gate_id)
        .join(Wave, Wave.id == Gate.wave_id)
        .where(
            GateCriterion.evidence == Evidence.ATTESTATION, GateCriterion.owner_id == person,
            GateCriterion.removed_in.is_(None), Gate.state == GateState.FROZEN, ~said,
        )
    )  # fmt: skip
    stated = select(StageStatement.id).where(StageStatement.criterion_id == StageCriterion.id).exists()
    of_phases = (
        select(
            literal(WaitingKind.STAGE.value, String), RoadmapPhase.id, literal(0, BigInteger), RoadmapPhase.code,
            StageCriterion.title, literal("", String), RoadmapPhase.ends_on, StageCriterion.id,
        )
        .join(RoadmapPhase, RoadmapPhase.id == StageCriterion.phase_id)
        .where(
            RoadmapPhase.state == PhaseState.CURRENT, StageCriterion.owner_id == person, StageCriterion.figure.is_(None),
            StageCriterion.removed_at.is_(None), ~stated,
        )
    )  # fmt: skip
    parts = [of_gates, of_phases, *([_wave_of(decisions)] if decisions else [])]
    rows = session.execute(union_all(*parts)).all()
    found = [
        Waiting(
            kind=(kind := WaitingKind(row.kind)), id=row.id, wave_id=row.wave,
            wave_code=row.code if kind is WaitingKind.ATTESTATION else TITLES[PhaseCode(row.code)], title=row.title,
            detail=f"statement by {row.owner}" if kind is WaitingKind.ATTESTATION else f"for its stage gate, planned to end on {row.day:%-d %B %Y}",
            due_at=None, is_late=False,
        )
        for row in sorted((row for row in rows if row.kind), key=lambda row: (row.kind, row.day, row.criterion))
    ]  # fmt: skip
    return found, {row.id: row for row in rows if not row.kind}
