"""How a criterion is waived for a time, by somebody else of the right body, and how people attest what no figure shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from readiness.gates.criteria import Criterion, Evidence, Phase
from readiness.gates.flow import GateState, WaiverState, move_waiver
from readiness.gates.models import AttestationRecord, Gate, GateCriterion, WaiverRecord
from readiness.gates.permissions import GatePermission
from readiness.gates.ports import Authority
from readiness.gates.services import lock_gate, tell
from readiness.gates.specs import criterion_of
from readiness.gates.waivers import Body, Waiver, grant_refusal
from readiness.published import WaiverGranted, WaiverLapsed, WaiverRefused, WaiverRequested
from readiness.waves.models import Wave


@dataclass(frozen=True, kw_only=True)
class RequestWaiver:
    """Ask to pass over a criterion until ``until``: why, what is done meanwhile, and who does it."""

    gate_id: int
    criterion: str
    rationale: str
    mitigation: str
    owner: int
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Attest:
    """A statement in place of a figure. ``document`` names the paper behind it; ``until`` ``None``: it does not lapse."""

    gate_id: int
    criterion: str
    holds: bool
    statement: str
    document: str | None = None
    until: datetime | None = None


def request_waiver(work: UnitOfWork, command: RequestWaiver) -> WaiverRecord:
    """Ask for a waiver. Raises ``RuleBroken`` for a statutory criterion, without rationale or mitigation, or in the past."""
    work.actor.require(GatePermission.ASK_WAIVER)
    gate = lock_gate(work, command.gate_id)
    criterion = _criterion(work, gate, command.criterion)
    if gate.state != GateState.FROZEN:
        raise RuleBroken("gate_not_frozen", gate=gate.id, state=gate.state)
    if criterion.statutory:
        raise RuleBroken("statutory_never_waived", field="criterion", criterion=command.criterion)
    for field in ("rationale", "mitigation"):
        if not getattr(command, field).strip():
            raise RuleBroken("waiver_incomplete", field=field, criterion=command.criterion)
    if command.until <= work.now:
        raise RuleBroken("validity_empty", field="until", until=command.until)
    waiver = WaiverRecord(
        id=work.ids.one(), gate_id=gate.id, criterion=command.criterion, state=WaiverState.REQUESTED, version=1,
        rationale=command.rationale, mitigation=command.mitigation, owner_id=command.owner, until=command.until,
        requested_by=work.actor.id, requested_at=work.now,
    )  # fmt: skip
    work.session.add(waiver)
    tell(work, gate, WaiverRequested(wave=gate.wave_id, gate=gate.id, criterion=waiver.criterion, until=waiver.until))
    work.audit(
        "waiver.requested", "waiver", waiver.id, gate=gate.id, criterion=waiver.criterion, rationale=waiver.rationale,
        mitigation=waiver.mitigation, owner=waiver.owner_id, until=waiver.until,
    )  # fmt: skip
    return waiver


def _criterion(work: UnitOfWork, gate: Gate, code: str) -> Criterion:
    row = work.session.scalar(
        select(GateCriterion).where(
            GateCriterion.gate_id == gate.id, GateCriterion.code == code, GateCriterion.removed_in.is_(None)
        )
    )
    if row is None:
        raise NotFound("criterion_not_found", gate=gate.id, criterion=code)
    return criterion_of(row, Phase(gate.phase), ())


def _locked(work: UnitOfWork, waiver_id: int) -> tuple[WaiverRecord, Gate]:
    found = work.session.get(WaiverRecord, waiver_id)
    if found is None:
        raise NotFound("waiver_not_found", waiver=waiver_id)
    gate = lock_gate(work, found.gate_id)
    waiver = work.session.get_one(WaiverRecord, waiver_id, with_for_update={"key_share": True}, populate_existing=True)
    return waiver, gate


def gate_of_waiver(session: Session, waiver_id: int) -> int:
    """The gate that a waiver is for, so that what stands on it is locked before it. Raises ``NotFound``."""
    gate = session.scalar(select(WaiverRecord.gate_id).where(WaiverRecord.id == waiver_id))
    if gate is None:
        raise NotFound("waiver_not_found", waiver=waiver_id)
    return gate


def grant_waiver(work: UnitOfWork, waiver_id: int, *, body: str, authority: Authority) -> WaiverRecord:
    """Let the criterion be passed over, in the name of a body the person sits on.

    Raises ``NotAllowed`` for the requester, for somebody who is not of the body, for a body other than the gate's (or the
    steering committee), and for a key criterion by any but the steering committee; ``RuleBroken`` when its time is over.
    """
    work.actor.require(GatePermission.GRANT_WAIVER)
    waiver, gate = _locked(work, waiver_id)
    criterion = _criterion(work, gate, waiver.criterion)
    by_steering = _sits_on(work, gate, body, authority)
    if not by_steering and body != gate.waiver_body:
        raise NotAllowed("body_may_not_waive", waiver=waiver.id, body=body, needed=gate.waiver_body)
    refusal = grant_refusal(
        criterion, requested_by=str(waiver.requested_by), granted_by=str(work.actor.id),
        body=Body.STEERING if by_steering else Body.TEMPLATE,
    )  # fmt: skip
    if refusal is not None:
        raise NotAllowed(refusal, waiver=waiver.id, criterion=waiver.criterion)
    if waiver.until <= work.now:
        raise RuleBroken("validity_empty", field="until", until=waiver.until)
    waiver.granted_by, waiver.granted_at, waiver.body, waiver.by_steering = work.actor.id, work.now, body, by_steering
    move_waiver(work, waiver, "grant")
    tell(
        work, gate,
        WaiverGranted(wave=gate.wave_id, gate=gate.id, criterion=waiver.criterion, body=body, until=waiver.until),
    )  # fmt: skip
    work.audit(
        "waiver.granted", "waiver", waiver.id, gate=gate.id, criterion=waiver.criterion, body=body, by_steering=by_steering,
        requested_by=waiver.requested_by, until=waiver.until,
    )  # fmt: skip
    return waiver


def _sits_on(work: UnitOfWork, gate: Gate, body: str, authority: Authority) -> bool:
    wave = work.session.get_one(Wave, gate.wave_id)
    sits = authority.bodies(work.session, work.actor.id, wave.programme_id, work.now)
    if body not in sits:
        raise NotAllowed("not_of_the_body", gate=gate.id, bodies=[body])
    return sits[body]


def refuse_waiver(work: UnitOfWork, waiver_id: int, *, body: str, reason: str, authority: Authority) -> WaiverRecord:
    """Say no, in the name of the body that could grant it."""
    work.actor.require(GatePermission.GRANT_WAIVER)
    waiver, gate = _locked(work, waiver_id)
    if not _sits_on(work, gate, body, authority) and body != gate.waiver_body:
        raise NotAllowed("body_may_not_waive", waiver=waiver.id, body=body, needed=gate.waiver_body)
    move_waiver(work, waiver, "refuse", reason=reason)
    waiver.body, waiver.outcome_reason = body, reason
    tell(work, gate, WaiverRefused(wave=gate.wave_id, gate=gate.id, criterion=waiver.criterion, reason=reason))
    work.audit(
        "waiver.refused", "waiver", waiver.id, gate=gate.id, criterion=waiver.criterion, body=body, reason=reason
    )
    return waiver


def withdraw_waiver(work: UnitOfWork, waiver_id: int, *, reason: str) -> WaiverRecord:
    """Take a request back; only who asked."""
    waiver, gate = _locked(work, waiver_id)
    if waiver.requested_by != work.actor.id:
        raise NotAllowed("not_your_request", waiver=waiver.id)
    move_waiver(work, waiver, "withdraw", reason=reason)
    waiver.outcome_reason = reason
    work.audit("waiver.withdrawn", "waiver", waiver.id, gate=gate.id, criterion=waiver.criterion, reason=reason)
    return waiver


def end_waiver(work: UnitOfWork, waiver_id: int, *, body: str, reason: str, authority: Authority) -> WaiverRecord:
    """End a granted waiver before its time; the criterion falls back to its own verdict."""
    work.actor.require(GatePermission.GRANT_WAIVER)
    waiver, gate = _locked(work, waiver_id)
    if not _sits_on(work, gate, body, authority) and body != gate.waiver_body:
        raise NotAllowed("body_may_not_waive", waiver=waiver.id, body=body, needed=gate.waiver_body)
    move_waiver(work, waiver, "end", reason=reason)
    waiver.ended_at, waiver.outcome_reason, waiver.lapse_told_at = work.now, reason, work.now
    tell(work, gate, WaiverLapsed(wave=gate.wave_id, gate=gate.id, criterion=waiver.criterion, reason=reason))
    work.audit("waiver.ended", "waiver", waiver.id, gate=gate.id, criterion=waiver.criterion, reason=reason)
    return waiver


def tell_lapsed(work: UnitOfWork) -> list[int]:
    """Report waivers whose time is up, once each; whether they are in force was never more than a matter of the clock."""
    due = work.session.scalars(
        select(WaiverRecord)
        .where(
            WaiverRecord.state == WaiverState.GRANTED,
            WaiverRecord.until <= work.now,
            WaiverRecord.lapse_told_at.is_(None),
        )
        .order_by(WaiverRecord.id)
        .with_for_update(key_share=True)
    ).all()
    for waiver in due:
        waiver.lapse_told_at = work.now
        gate = work.session.get_one(Gate, waiver.gate_id)
        tell(work, gate, WaiverLapsed(wave=gate.wave_id, gate=gate.id, criterion=waiver.criterion, reason="expired"))
        work.audit("waiver.lapsed", "waiver", waiver.id, gate=gate.id, criterion=waiver.criterion, until=waiver.until)
    return [waiver.id for waiver in due]


def attest(work: UnitOfWork, command: Attest) -> AttestationRecord:
    """State that a criterion holds, or does not. Its named owner does it, or anyone allowed where none is named."""
    work.actor.require(GatePermission.ATTEST)
    gate = lock_gate(work, command.gate_id)
    criterion = _criterion(work, gate, command.criterion)
    if gate.state == GateState.CLOSED:
        raise RuleBroken("gate_closed", gate=gate.id)
    if criterion.evidence is not Evidence.ATTESTATION:
        raise RuleBroken("criterion_is_measured", field="criterion", criterion=command.criterion)
    owner = work.session.scalar(
        select(GateCriterion.owner_id).where(GateCriterion.gate_id == gate.id, GateCriterion.code == command.criterion)
    )
    if work.actor.is_system or (owner is not None and owner != work.actor.id):
        raise NotAllowed("not_your_attestation", criterion=command.criterion)
    if not command.statement.strip():
        raise RuleBroken("statement_missing", field="statement", criterion=command.criterion)
    if command.until is not None and command.until <= work.now:
        raise RuleBroken("validity_empty", field="until", until=command.until)
    here = (AttestationRecord.gate_id == gate.id) & (AttestationRecord.criterion == command.criterion)
    last = work.session.scalar(select(func.max(AttestationRecord.ordinal)).where(here))
    record = AttestationRecord(
        id=work.ids.one(), gate_id=gate.id, criterion=command.criterion, ordinal=(last or 0) + 1, holds=command.holds,
        statement=command.statement, document=command.document, attested_by=work.actor.id, at=work.now, until=command.until,
    )  # fmt: skip
    work.session.add(record)
    work.audit(
        "criterion.attested", "gate", gate.id, criterion=command.criterion, holds=command.holds, statement=command.statement,
        document=command.document, until=command.until,
    )  # fmt: skip
    return record


def as_rules(records: Sequence[WaiverRecord]) -> tuple[Waiver, ...]:
    """Granted waivers as the rules take them, in force or not."""
    return tuple(
        Waiver(
            id=str(record.id), criterion=record.criterion, requested_by=str(record.requested_by),
            granted_by=str(record.granted_by), body=Body.STEERING if record.by_steering else Body.TEMPLATE,
            granted_at=record.granted_at, until=record.until, ended_at=record.ended_at,
        )
        for record in records
        if record.granted_at is not None
    )  # fmt: skip
