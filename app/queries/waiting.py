"""What waits for me? Votes, waivers to decide, conditions and statements, in one list, the next due first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.decisions.models import Decision
from governance.decisions.queries import waiting_conditions, waiting_votes
from governance.programme.kinds import BodyKind
from governance.programme.queries import bodies_of_person
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


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One thing that waits for a person. ``id`` is the decision's, waiver's, condition's or gate's; ``is_late``: past due."""

    kind: WaitingKind
    id: int
    wave_id: int
    wave_code: str
    title: str
    detail: str
    due_at: datetime | None
    is_late: bool


def waits_for(session: Session, person: int, now: datetime) -> list[Waiting]:
    """Everything that waits for this person. At most six queries and one per programme with open waivers."""
    votes, conditions = waiting_votes(session, person, now), waiting_conditions(session, person)
    # Most people have neither, and a page asks so often and no more.
    codes = {row.id: row.code for row in session.execute(select(Wave.id, Wave.code))} if votes or conditions else {}
    found = [
        Waiting(
            kind=WaitingKind.VOTE, id=each.decision_id, wave_id=each.wave_id, wave_code=codes.get(each.wave_id, ""),
            title=each.title, detail=f"{each.body_name} · {each.cast} of {each.seats} voted", due_at=each.closes_at,
            is_late=False,
        )
        for each in votes
    ]  # fmt: skip
    waves = _waves_of_decisions(session, [each.decision_id for each in conditions])
    found += [
        Waiting(
            kind=WaitingKind.CONDITION, id=each.id, wave_id=waves[each.decision_id],
            wave_code=codes.get(waves[each.decision_id], ""), title=each.text, detail=each.check, due_at=each.due_at,
            is_late=now > each.due_at,
        )
        for each in conditions
    ]  # fmt: skip
    found += _waivers(session, person, now)
    found += _attestations(session, person, now)
    return sorted(found, key=lambda each: (each.due_at is None, each.due_at or now, each.kind, each.id))


def _waves_of_decisions(session: Session, decisions: list[int]) -> dict[int, int]:
    if not decisions:
        return {}
    rows = session.execute(select(Decision.id, Decision.wave_id).where(Decision.id.in_(decisions)))
    return {row.id: row.wave_id for row in rows}


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


def _attestations(session: Session, person: int, now: datetime) -> list[Waiting]:
    rows = session.execute(
        select(GateCriterion, Gate, Wave)
        .join(Gate, Gate.id == GateCriterion.gate_id)
        .join(Wave, Wave.id == Gate.wave_id)
        .where(
            GateCriterion.evidence == Evidence.ATTESTATION, GateCriterion.owner_id == person,
            GateCriterion.removed_in.is_(None), Gate.state == GateState.FROZEN,
        )
        .order_by(Gate.decides_on, GateCriterion.id)
    ).all()  # fmt: skip
    if not rows:
        return []
    stated = {
        (row.gate_id, row.criterion)
        for row in session.scalars(
            select(AttestationRecord)
            .where(AttestationRecord.gate_id.in_({gate.id for _, gate, _ in rows}))
            .where((AttestationRecord.until.is_(None)) | (AttestationRecord.until > now))
        )
    }
    return [
        Waiting(
            kind=WaitingKind.ATTESTATION, id=gate.id, wave_id=wave.id, wave_code=wave.code, title=criterion.title,
            detail=f"statement by {criterion.owner}", due_at=None, is_late=False,
        )
        for criterion, gate, wave in rows
        if (gate.id, criterion.code) not in stated
    ]  # fmt: skip
