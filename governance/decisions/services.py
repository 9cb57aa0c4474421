"""How a question comes before a body: drafted, bound to evidence, opened, bound again, given conditions, ended.

Lapsing, revoking, superseding, outdating and missing follow from something else; whoever brings that about has been asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.decisions.flow import ConditionState, DecisionState, move_condition, move_decision
from governance.decisions.kinds import DecisionKind
from governance.decisions.models import Condition, Decision, DecisionBasis, DecisionSeat
from governance.decisions.permissions import DecisionPermission
from governance.decisions.records import NOWHERE, GateBasis, lock_decision, publish, rule_text
from governance.programme import queries as programme
from governance.published import (
    ConditionSettled,
    DecisionBecameOutdated,
    DecisionLapsed,
    DecisionOpened,
    DecisionRevoked,
    DecisionSuperseded,
)


@dataclass(frozen=True, kw_only=True)
class DraftDecision:
    """A question about a wave to a body. ``effective_at`` is when a go takes effect; ``None``: at once."""

    body_id: int
    wave_id: int
    kind: DecisionKind
    title: str
    question: str
    closes_at: datetime
    effective_at: datetime | None = None
    follows: int | None = None


@dataclass(frozen=True, kw_only=True)
class AddCondition:
    """What a conditional go would ask for. ``check`` says how one sees that it is met."""

    decision_id: int
    text: str
    check: str
    owner: int
    due_at: datetime


def draft_decision(work: UnitOfWork, command: DraftDecision) -> Decision:
    """A question that nobody votes on yet. Raises ``RuleBroken`` when it would close in the past."""
    work.actor.require(DecisionPermission.DRAFT)
    body = programme.body(work.session, command.body_id, work.now)
    if command.closes_at <= work.now:
        raise RuleBroken("closes_in_the_past", field="closes_at", closes_at=command.closes_at)
    if not command.question.strip():
        raise RuleBroken("question_missing", field="question")
    decision = Decision(
        id=work.ids.one(), programme_id=body.programme_id, body_id=body.id, wave_id=command.wave_id, kind=command.kind,
        title=command.title, question=command.question, state=DecisionState.DRAFT, version=1, terms=1, binding=0,
        closes_at=command.closes_at, effective_at=command.effective_at, drafted_by=work.actor.id, drafted_at=work.now,
        follows_id=command.follows,
    )  # fmt: skip
    work.session.add(decision)
    work.session.flush()  # conditions and bases name it
    work.audit(
        "decision.drafted", "decision", decision.id, wave=command.wave_id, body=body.code, question=command.question
    )
    return decision


def open_decision(work: UnitOfWork, decision_id: int, bases: Sequence[GateBasis]) -> Decision:
    """Start the vote: rule, seats and delegates are copied, the evidence is bound; none of it changes any more.

    Raises ``RuleBroken`` without evidence, for a second open vote of the same kind on the wave, or when it closes in the past.
    """
    work.actor.require(DecisionPermission.OPEN)
    decision = lock_decision(work, decision_id)
    if not bases:
        raise RuleBroken("decision_without_evidence", decision=decision_id)
    if decision.closes_at <= work.now:
        raise RuleBroken("closes_in_the_past", field="closes_at", closes_at=decision.closes_at)
    other = work.session.scalar(
        select(Decision.id).where(
            Decision.wave_id == decision.wave_id, Decision.kind == decision.kind, Decision.state == DecisionState.OPEN
        )
    )
    if other is not None:
        raise RuleBroken("vote_already_open", decision=other, wave=decision.wave_id)
    body = programme.body(work.session, decision.body_id, work.now)
    rule = rule_text(body.quorum, body.majority, [(s.function, s.is_mandatory, s.has_veto) for s in body.seats])
    decision.rule = canonical_json(rule).decode()
    decision.opened_at = work.now
    move_decision(work, decision, "open")
    for seat in body.seats:
        work.session.add(
            DecisionSeat(
                id=work.ids.one(), decision_id=decision.id, seat_id=seat.id, position=seat.position, function=seat.function,
                person_id=seat.person, delegate_id=seat.delegate, is_chair=seat.is_chair, is_mandatory=seat.is_mandatory,
                has_veto=seat.has_veto,
            )
        )  # fmt: skip
    _bind(work, decision, bases)
    snapshots = [basis.sha256 for basis in bases]
    publish(
        work, decision,
        DecisionOpened(wave=decision.wave_id, body=body.id, kind=decision.kind, closes_at=decision.closes_at, snapshots=snapshots),
    )  # fmt: skip
    work.audit(
        "decision.opened", "decision", decision.id, wave=decision.wave_id, rule=rule, snapshots=snapshots,
        seats=[[seat.id, seat.function, seat.person, seat.delegate] for seat in body.seats],
    )  # fmt: skip
    return decision


def rebind_decision(work: UnitOfWork, decision_id: int, bases: Sequence[GateBasis]) -> Decision:
    """Put an open vote on newer evidence. Votes cast so far were about the older and no longer count."""
    work.actor.require(DecisionPermission.OPEN)
    decision = lock_decision(work, decision_id)
    _require_open(decision, work.now)
    if not bases:
        raise RuleBroken("decision_without_evidence", decision=decision_id)
    _bind(work, decision, bases)
    decision.terms += 1
    decision.version += 1
    work.audit(
        "decision.rebound", "decision", decision.id, terms=decision.terms, snapshots=[basis.sha256 for basis in bases]
    )
    return decision


def _bind(work: UnitOfWork, decision: Decision, bases: Sequence[GateBasis]) -> None:
    decision.binding += 1
    for basis in bases:
        work.session.add(
            DecisionBasis(
                id=work.ids.one(), decision_id=decision.id, binding=decision.binding, gate_id=basis.gate_id,
                snapshot_id=basis.snapshot_id, sha256=basis.sha256, criteria_version=basis.criteria_version,
                word=basis.word, allowed=canonical_json(sorted(basis.allowed)).decode(),
                waivers=canonical_json([list(waiver) for waiver in basis.waivers]).decode(),
            )
        )  # fmt: skip
    work.session.flush()  # the same unit of work may read the basis it has just bound


def _require_open(decision: Decision, now: datetime) -> None:
    if decision.state != DecisionState.OPEN:
        raise RuleBroken("vote_not_open", decision=decision.id, state=decision.state)
    if now >= decision.closes_at:
        raise RuleBroken("vote_closed", decision=decision.id, closes_at=decision.closes_at)


def add_condition(work: UnitOfWork, command: AddCondition) -> Condition:
    """Put a condition on the table, before or during the vote. New terms: votes cast so far no longer count.

    Raises ``RuleBroken`` without text, check or owner, or when it is due in the past.
    """
    work.actor.require(DecisionPermission.OPEN)
    decision = lock_decision(work, command.decision_id)
    if decision.state != DecisionState.DRAFT:
        _require_open(decision, work.now)
    for field in ("text", "check"):
        if not getattr(command, field).strip():
            raise RuleBroken("condition_incomplete", field=field, decision=decision.id)
    if command.due_at <= work.now:
        raise RuleBroken("due_in_the_past", field="due_at", due_at=command.due_at)
    count = work.session.scalar(select(func.count()).where(Condition.decision_id == decision.id)) or 0
    condition = Condition(
        id=work.ids.one(), decision_id=decision.id, position=count + 1, text=command.text, check_by=command.check,
        owner_id=command.owner, due_at=command.due_at, state=ConditionState.OPEN,
    )  # fmt: skip
    work.session.add(condition)
    _new_terms(decision)
    work.audit(
        "condition.added", "decision", decision.id, condition=condition.id, text=command.text, check=command.check,
        owner=command.owner, due_at=command.due_at,
    )  # fmt: skip
    return condition


def withdraw_condition(work: UnitOfWork, condition_id: int, *, reason: str) -> Condition:
    """Take a condition off the table while nothing is decided; votes cast so far no longer count."""
    work.actor.require(DecisionPermission.OPEN)
    condition = find_condition(work, condition_id)
    decision = lock_decision(work, condition.decision_id)
    if decision.state != DecisionState.DRAFT:
        _require_open(decision, work.now)
    move_condition(work, condition, "withdraw", reason=reason)
    _new_terms(decision)
    work.audit("condition.withdrawn", "decision", decision.id, condition=condition.id, reason=reason)
    return condition


def _new_terms(decision: Decision) -> None:
    if decision.state == DecisionState.OPEN:
        decision.terms += 1
    decision.version += 1


def find_condition(work: UnitOfWork, condition_id: int) -> Condition:
    """The condition, locked for change. Raises ``NotFound``."""
    condition = work.session.get(Condition, condition_id, with_for_update={"key_share": True}, populate_existing=True)
    if condition is None:
        raise NotFound("condition_not_found", condition=condition_id)
    return condition


def settle_condition(work: UnitOfWork, condition_id: int, *, evidence: str) -> Condition:
    """Its owner, or who may settle conditions, says that a condition is met and how one sees it."""
    condition = find_condition(work, condition_id)
    decision = work.session.get_one(Decision, condition.decision_id)
    if condition.owner_id != work.actor.id and not work.actor.may(DecisionPermission.CONDITION):
        raise NotAllowed("not_your_condition", condition=condition_id)
    if decision.state in {DecisionState.DRAFT, DecisionState.OPEN}:
        raise RuleBroken("condition_not_agreed", condition=condition_id, decision=decision.id)
    late = condition.state == ConditionState.MISSED or work.now > condition.due_at
    if late and condition.state == ConditionState.OPEN:
        # It was missed before anybody said so; the history shows both.
        move_condition(work, condition, "miss")
    move_condition(work, condition, "meet_late" if late else "meet", reason=evidence)
    _tell(work, decision, condition)
    return condition


def miss_condition(work: UnitOfWork, condition_id: int) -> Condition:
    """Mark a condition as missed once its time is over. Raises ``RuleBroken`` before."""
    condition = find_condition(work, condition_id)
    if work.now <= condition.due_at:
        raise RuleBroken("condition_not_due", condition=condition_id, due_at=condition.due_at)
    move_condition(work, condition, "miss")
    _tell(work, work.session.get_one(Decision, condition.decision_id), condition)
    return condition


def _tell(work: UnitOfWork, decision: Decision, condition: Condition) -> None:
    work.publish(
        ConditionSettled(wave=decision.wave_id, decision=decision.id, state=condition.state),
        NOWHERE, step="governance.condition", subject=("condition", condition.id, 1), journey=decision.wave_id,
    )  # fmt: skip
    work.audit(
        "condition.settled",
        "decision",
        decision.id,
        condition=condition.id,
        state=condition.state,
        evidence=condition.evidence,
    )


def withdraw_decision(work: UnitOfWork, decision_id: int, *, reason: str) -> Decision:
    """Take a question back before it is decided."""
    work.actor.require(DecisionPermission.OPEN)
    return _end(work, decision_id, "withdraw", reason)


def lapse_decision(work: UnitOfWork, decision_id: int, *, reason: str) -> Decision:
    """End a decision without effect: no quorum, no majority, or a condition missed before going live."""
    return _end(work, decision_id, "lapse", reason)


def revoke_decision(work: UnitOfWork, decision_id: int, *, reason: str) -> Decision:
    """Take a go back. What it opened is taken back by the caller, in the same unit of work."""
    return _end(work, decision_id, "revoke", reason)


def supersede_decision(work: UnitOfWork, decision_id: int, *, by: int) -> Decision:
    """A later decision on the same question stands in its place."""
    return _end(work, decision_id, "supersede", f"decision {by}", by=by)


def outdate_decision(work: UnitOfWork, decision_id: int, reasons: Sequence[tuple[str, str]]) -> Decision:
    """What it stood on has changed; ``reasons`` are codes with what they concern."""
    decision = lock_decision(work, decision_id)
    texts = [f"{code}:{about}" if about else code for code, about in reasons]
    move_decision(work, decision, "outdate", reason=", ".join(texts))
    publish(work, decision, DecisionBecameOutdated(wave=decision.wave_id, reasons=texts))
    work.audit("decision.became_outdated", "decision", decision.id, reasons=texts)
    return decision


def _end(work: UnitOfWork, decision_id: int, move: str, reason: str, by: int = 0) -> Decision:
    decision = lock_decision(work, decision_id)
    move_decision(work, decision, move, reason=reason)
    if move == "revoke":
        publish(work, decision, DecisionRevoked(wave=decision.wave_id, reason=reason))
    elif move == "supersede":
        publish(work, decision, DecisionSuperseded(wave=decision.wave_id, by=by))
    else:
        publish(work, decision, DecisionLapsed(wave=decision.wave_id, reason=reason))
    work.audit(f"decision.{decision.state}", "decision", decision.id, reason=reason)
    return decision
