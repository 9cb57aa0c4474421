"""What a vote leads to: the one place where the decision of a body opens cells, and where a go is taken back.

Each function does all of it in the caller's unit of work or none: there is no moment at which a vote is closed and its cells
are not open. Locks are taken in the order decision, wave, gates, grants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.grounds import Seats, bases_for
from app.composition.planning import require_person
from app.composition.standing import validity
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.decisions import services as decisions
from governance.decisions import voting
from governance.decisions.flow import DecisionState
from governance.decisions.kinds import DecisionKind
from governance.decisions.models import Condition, Decision, DecisionBasis
from governance.decisions.permissions import DecisionPermission
from governance.decisions.records import lock_decision
from governance.decisions.rules import Outcome, Tally
from readiness.gates import services as gates
from readiness.gates.criteria import Phase
from readiness.gates.flow import GateState
from readiness.gates.models import Gate
from readiness.waves.flow import WaveState
from readiness.waves.grants import go_live_when_due, open_grants, take_back_grants
from readiness.waves.models import Grant, Wave
from readiness.waves.permissions import WavePermission
from readiness.waves.services import lock_wave, take_step

__all__ = [
    "URGENT_FOR",
    "Closing",
    "Effect",
    "Seats",
    "cast_vote",
    "close_vote",
    "draft_question",
    "let_go_live",
    "lock_standing_on",
    "miss_condition",
    "open_vote",
    "outdate_if_changed",
    "outdate_standing_on",
    "put_condition",
    "rebind_vote",
    "revoke_go",
    "roll_back",
]

#: How long a body has for a decision that a missed condition asks for.
URGENT_FOR = timedelta(days=3)
_GOES = {Outcome.GO, Outcome.CONDITIONAL_GO}
#: The states of a wave in which a question about it has an effect.
_ASKED_OF = {
    DecisionKind.GO_LIVE: {WaveState.PREPARING, WaveState.IN_REHEARSAL, WaveState.APPROVED},
    DecisionKind.EXIT: {WaveState.HYPERCARE},
    DecisionKind.URGENT: {WaveState.LIVE, WaveState.HYPERCARE},
}


class Effect(StrEnum):
    """What closing a vote did."""

    OPENED = "opened"
    APPROVED = "approved"
    TAKEN_BACK = "taken_back"
    WAVE_CLOSED = "wave_closed"
    OUTDATED = "outdated"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Closing:
    """What the vote said, and what came of it. Without an outcome the decision had become outdated before."""

    decision_id: int
    outcome: Outcome | None
    effect: Effect
    grants: tuple[int, ...]
    tally: Tally | None
    reasons: tuple[tuple[str, str], ...] = ()


def draft_question(work: UnitOfWork, command: decisions.DraftDecision) -> Decision:
    """A question about a wave of the body's own programme. Raises ``NotFound`` for the wave, ``RuleBroken`` for a body elsewhere."""
    work.actor.require(DecisionPermission.DRAFT)
    wave = work.session.get(Wave, command.wave_id)
    if wave is None:
        raise NotFound("wave_not_found", wave=command.wave_id)
    decision = decisions.draft_decision(work, command)
    if decision.programme_id != wave.programme_id:
        raise RuleBroken("body_of_another_programme", field="body", body=command.body_id, wave=wave.code)
    return decision


def put_condition(work: UnitOfWork, command: decisions.AddCondition) -> Condition:
    """Put a condition on the table; who has to meet it is somebody with an open account."""
    work.actor.require(DecisionPermission.OPEN)
    require_person(work, command.owner, field="owner")
    return decisions.add_condition(work, command)


def open_vote(work: UnitOfWork, decision_id: int) -> Decision:
    """Start the vote on the wave's latest evidence. Raises ``RuleBroken`` where its answer could have no effect."""
    decision = lock_decision(work, decision_id)
    wave = work.session.get_one(Wave, decision.wave_id)
    if wave.state not in _ASKED_OF[DecisionKind(decision.kind)]:
        raise RuleBroken("wave_not_at_this_question", wave=wave.code, state=wave.state, kind=decision.kind)
    return decisions.open_decision(
        work, decision_id, bases_for(work.session, decision.wave_id, DecisionKind(decision.kind), work.now)
    )


def rebind_vote(work: UnitOfWork, decision_id: int) -> Decision:
    """Put an open vote on the wave's latest evidence; votes cast so far no longer count."""
    decision = lock_decision(work, decision_id)
    return decisions.rebind_decision(
        work, decision_id, bases_for(work.session, decision.wave_id, DecisionKind(decision.kind), work.now)
    )


def cast_vote(work: UnitOfWork, command: voting.CastVote) -> voting.VoteResult:
    """Cast a vote on a decision that still stands. Raises ``RuleBroken("decision_outdated")`` with what has changed."""
    decision = lock_decision(work, command.decision_id)
    if decision.state == DecisionState.OPEN:
        found = validity(work.session, decision, work.now)
        if found.outdated:
            raise RuleBroken("decision_outdated", decision=decision.id, reasons=list(found.outdated))
    return voting.cast_vote(work, command)


def close_vote(work: UnitOfWork, decision_id: int) -> Closing:
    """Count the votes and do what they say: a go opens the wave's cells in this same unit of work.

    A decision whose ground has changed becomes outdated instead and opens nothing.
    """
    work.actor.require(DecisionPermission.CLOSE)
    decision = lock_decision(work, decision_id)
    wave = lock_wave(work, decision.wave_id)
    _lock_gates(work, decision)
    if decision.state == DecisionState.OPEN:
        found = validity(work.session, decision, work.now)
        if found.outdated:
            decisions.outdate_decision(work, decision.id, found.outdated)
            return Closing(
                decision_id=decision.id,
                outcome=None,
                effect=Effect.OUTDATED,
                grants=(),
                tally=None,
                reasons=found.outdated,
            )
    result = voting.close_vote(work, decision_id)
    effect = Effect.NOTHING
    opened: tuple[int, ...] = ()
    if result.outcome in set(Outcome) - {Outcome.NOT_PASSED, Outcome.NO_QUORUM}:
        effect, opened = _carry_out(work, decision, wave, result.outcome)
    return Closing(decision_id=decision.id, outcome=result.outcome, effect=effect, grants=opened, tally=result.tally)


def _lock_gates(work: UnitOfWork, decision: Decision) -> None:
    ids = work.session.scalars(
        select(DecisionBasis.gate_id)
        .where(DecisionBasis.decision_id == decision.id, DecisionBasis.binding == decision.binding)
        .order_by(DecisionBasis.gate_id)
    ).all()
    for gate_id in ids:
        gates.lock_gate(work, gate_id)


def _carry_out(work: UnitOfWork, decision: Decision, wave: Wave, outcome: Outcome) -> tuple[Effect, tuple[int, ...]]:
    kind = DecisionKind(decision.kind)
    _supersede_answered(work, decision)
    if kind is DecisionKind.EXIT:
        if outcome not in _GOES:
            return Effect.NOTHING, ()
        take_step(work, wave, "close", decision=decision.id)
        _close_gates(work, wave, (Phase.ENTRY, Phase.STAY_LIVE, Phase.EXIT), f"decision {decision.id}")
        return Effect.WAVE_CLOSED, ()
    if outcome is Outcome.NO_GO or (outcome is Outcome.POSTPONE and wave.state == WaveState.APPROVED):
        taken = _take_back(work, wave, f"decision {decision.id}: {outcome}", besides=decision.id)
        return (Effect.TAKEN_BACK, tuple(grant.id for grant in taken)) if taken else (Effect.NOTHING, ())
    if kind is DecisionKind.URGENT or outcome is Outcome.POSTPONE:
        return Effect.NOTHING, ()
    for earlier in _goes_of(work, wave, besides=decision.id):
        decisions.supersede_decision(work, earlier, by=decision.id)
    if wave.state == WaveState.APPROVED:
        reason = f"decision {decision.id} stands in its place"
        take_back_grants(work, wave, reason=reason)
        take_step(work, wave, "withdraw_approval", reason=reason)
    opens_at = max(work.now, decision.effective_at or work.now)
    opened = open_grants(work, wave, decision=decision.id, opens_at=opens_at)
    if wave.state == WaveState.LIVE:
        _close_gates(work, wave, (Phase.ENTRY,), f"decision {decision.id}")
    effect = Effect.OPENED if wave.state == WaveState.LIVE else Effect.APPROVED
    return effect, tuple(grant.id for grant in opened)


def _supersede_answered(work: UnitOfWork, decision: Decision) -> None:
    """Earlier answers to the same question that open nothing give way to this one."""
    goes = [str(outcome) for outcome in _GOES]
    earlier = work.session.scalars(
        select(Decision.id)
        .where(
            Decision.wave_id == decision.wave_id,
            Decision.kind == decision.kind,
            Decision.id != decision.id,
            ((Decision.state == DecisionState.DECIDED) & Decision.outcome.not_in(goes))
            | (Decision.state == DecisionState.OUTDATED),
        )
        .order_by(Decision.id)
    )
    for each in earlier.all():
        decisions.supersede_decision(work, each, by=decision.id)


def _close_gates(work: UnitOfWork, wave: Wave, phases: Sequence[Phase], reason: str) -> None:
    found = work.session.scalars(
        select(Gate.id)
        .where(Gate.wave_id == wave.id, Gate.phase.in_(phases), Gate.state != GateState.CLOSED)
        .order_by(Gate.id)
    )
    for gate_id in found.all():
        gates.close_gate(work, gate_id, reason=reason)


def _goes_of(work: UnitOfWork, wave: Wave, *, besides: int | None = None) -> list[int]:
    """Decisions to let the wave go that still stand, oldest first."""
    query = select(Decision.id).where(
        Decision.wave_id == wave.id,
        Decision.kind == DecisionKind.GO_LIVE,
        Decision.state == DecisionState.DECIDED,
        Decision.outcome.in_([str(outcome) for outcome in _GOES]),
    )
    return [each for each in work.session.scalars(query.order_by(Decision.id)) if each != besides]


def _take_back(work: UnitOfWork, wave: Wave, reason: str, *, besides: int | None = None) -> list[Grant]:
    """Drain what the wave's go has opened, close what has not opened yet, and put the wave back into preparation."""
    for earlier in _goes_of(work, wave, besides=besides):
        decisions.revoke_decision(work, earlier, reason=reason)
    taken = take_back_grants(work, wave, reason=reason)
    if wave.state in {WaveState.LIVE, WaveState.HYPERCARE}:
        take_step(work, wave, "roll_back", reason=reason)
    elif wave.state == WaveState.APPROVED:
        take_step(work, wave, "withdraw_approval", reason=reason)
    return taken


def roll_back(work: UnitOfWork, wave_id: int, *, reason: str) -> list[Grant]:
    """A person takes a live wave back: its own grants drain, those of others and what was already live stay open."""
    work.actor.require(WavePermission.ROLL_BACK)
    wave = lock_wave(work, wave_id)
    if wave.state not in {WaveState.LIVE, WaveState.HYPERCARE, WaveState.APPROVED}:
        raise RuleBroken("wave_not_live", wave=wave.code, state=wave.state)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="wave", move="roll_back")
    return _take_back(work, wave, reason)


def revoke_go(work: UnitOfWork, decision_id: int, *, reason: str) -> list[Grant]:
    """A person takes one go back, with everything that it opened."""
    work.actor.require(DecisionPermission.REVOKE)
    decision = lock_decision(work, decision_id)
    wave = lock_wave(work, decision.wave_id)
    if decision.state != DecisionState.DECIDED or decision.outcome not in _GOES:
        raise RuleBroken("decision_not_a_go", decision=decision.id, state=decision.state)
    return _take_back(work, wave, reason)


def _standing_on(session: Session, gate_id: int) -> list[int]:
    query = (
        select(Decision.id)
        .join(DecisionBasis, (DecisionBasis.decision_id == Decision.id) & (DecisionBasis.binding == Decision.binding))
        .where(DecisionBasis.gate_id == gate_id, Decision.state.in_((DecisionState.OPEN, DecisionState.DECIDED)))
        .order_by(Decision.id)
    )
    return list(session.scalars(query))


def lock_standing_on(work: UnitOfWork, gate_id: int) -> list[Decision]:
    """Lock the decisions on a gate; before the gate itself is."""
    return [lock_decision(work, decision) for decision in _standing_on(work.session, gate_id)]


def outdate_standing_on(work: UnitOfWork, gate_id: int) -> list[int]:
    """Mark the decisions on this gate whose ground has changed; those not in effect yet are taken back."""
    found = lock_standing_on(work, gate_id)
    return [decision.id for decision in found if outdate_if_changed(work, decision.id)]


def outdate_if_changed(work: UnitOfWork, decision_id: int) -> bool:
    """Mark one decision as outdated if it is; a go that has not taken effect yet loses the grants it would have opened.

    What is running stays running: only people shut a live warehouse.
    """
    decision = lock_decision(work, decision_id)
    found = validity(work.session, decision, work.now)
    if decision.state not in {DecisionState.OPEN, DecisionState.DECIDED} or not found.outdated:
        return False
    decisions.outdate_decision(work, decision.id, found.outdated)
    wave = lock_wave(work, decision.wave_id)
    if decision.outcome in _GOES and wave.state == WaveState.APPROVED:
        take_back_grants(work, wave, reason=f"decision {decision.id} became outdated")
        take_step(work, wave, "withdraw_approval", reason=f"decision {decision.id} became outdated")
    return True


def let_go_live(work: UnitOfWork, wave_id: int) -> bool:
    """Let an approved wave be live once its day has come, unless its go no longer stands."""
    seen = work.session.get(Wave, wave_id)
    if seen is None:
        raise NotFound("wave_not_found", wave=wave_id)
    for decision in _goes_of(work, seen):
        if outdate_if_changed(work, decision) or not _may_open(work, decision):
            return False
    wave = lock_wave(work, wave_id)
    if not go_live_when_due(work, wave):
        return False
    _close_gates(work, wave, (Phase.ENTRY,), "wave is live")
    return True


def _may_open(work: UnitOfWork, decision_id: int) -> bool:
    decision = lock_decision(work, decision_id)
    return validity(work.session, decision, work.now).may_open


def miss_condition(work: UnitOfWork, condition_id: int) -> int | None:
    """A condition's time is over. Before going live its go lapses and nothing opens; afterwards an urgent decision is opened,
    and everything keeps running until people decide. Returns the urgent decision, if there is one.
    """
    condition = decisions.find_condition(work, condition_id)
    decision = lock_decision(work, condition.decision_id)
    wave = lock_wave(work, decision.wave_id)
    decisions.miss_condition(work, condition_id)
    if decision.state != DecisionState.DECIDED or decision.outcome != Outcome.CONDITIONAL_GO:
        return None
    if wave.state in {WaveState.LIVE, WaveState.HYPERCARE}:
        return _open_urgent(work, decision, wave, condition.text)
    reason = f"condition {condition_id} missed"
    decisions.lapse_decision(work, decision.id, reason=reason)
    take_back_grants(work, wave, reason=reason)
    if wave.state == WaveState.APPROVED:
        take_step(work, wave, "withdraw_approval", reason=reason)
    return None


def _open_urgent(work: UnitOfWork, decision: Decision, wave: Wave, condition: str) -> int | None:
    running = work.session.scalar(
        select(Decision.id).where(
            Decision.wave_id == wave.id, Decision.kind == DecisionKind.URGENT, Decision.state == DecisionState.OPEN
        )
    )
    if running is not None:
        return running
    urgent = decisions.draft_decision(
        work,
        decisions.DraftDecision(
            body_id=decision.body_id, wave_id=wave.id, kind=DecisionKind.URGENT, title=f"{wave.name}: condition missed",
            question=f"The condition “{condition}” was missed. May the wave stay live?",
            closes_at=work.now + URGENT_FOR, follows=decision.id,
        ),
    )  # fmt: skip
    decisions.open_decision(work, urgent.id, bases_for(work.session, wave.id, DecisionKind.URGENT, work.now))
    return urgent.id
