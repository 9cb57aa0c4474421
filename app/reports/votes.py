"""What has a committee done with a gate's evidence? Decisions bound to it, and one of them in full, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.decisions.flow import ConditionState, DecisionState
from governance.decisions.models import Condition, Decision, DecisionBasis, DecisionSeat, Vote
from governance.decisions.records import Standing, standing_of
from governance.decisions.rules import Outcome, tally

_GOES = {Outcome.GO.value, Outcome.CONDITIONAL_GO.value}


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A decision and the evaluation of the gate that it stands on."""

    decision: Decision
    snapshot_id: int
    sha256: str

    @property
    def stands(self) -> bool:
        """Whether the body still votes on it, or has said a go that was neither outdated nor taken back."""
        state, outcome = self.decision.state, self.decision.outcome
        return state == DecisionState.OPEN or (state == DecisionState.DECIDED and outcome in _GOES)

    def line(self) -> dict[str, Any]:
        """The decision in one line."""
        found = self.decision
        return {
            "id": found.id, "title": found.title, "kind": found.kind, "state": found.state, "outcome": found.outcome,
            "opened_at": found.opened_at, "closed_at": found.closed_at, "evidence": self.sha256,
        }  # fmt: skip


def decisions_on(session: Session, gate_id: int) -> list[Bound]:
    """Decisions that stand on evaluations of the gate, in the order in which they were drafted. One query."""
    rows = session.execute(
        select(Decision, DecisionBasis.snapshot_id, DecisionBasis.sha256)
        .join(DecisionBasis, (DecisionBasis.decision_id == Decision.id) & (DecisionBasis.binding == Decision.binding))
        .where(DecisionBasis.gate_id == gate_id)
        .order_by(Decision.drafted_at, Decision.id)
    )
    return [Bound(decision=found, snapshot_id=snapshot, sha256=sha256) for found, snapshot, sha256 in rows]


def decision_facts(session: Session, bound: Bound, bodies: Mapping[int, str]) -> dict[str, Any]:
    """The decision as far as it has come: rule, seats with votes and reasons, recusals, conditions, and the count.

    ``bodies``: names by id.
    """
    decision = bound.decision
    standing = standing_of(session, decision)
    return {
        "id": decision.id, "kind": decision.kind, "title": decision.title, "question": decision.question,
        "state": decision.state, "outcome": decision.outcome, "postponed_to": decision.postponed_to,
        "body": bodies[decision.body_id], "rule": orjson.loads(decision.rule) if decision.rule else None,
        "drafted_by": decision.drafted_by, "opened_at": decision.opened_at, "closes_at": decision.closes_at,
        "closed_at": decision.closed_at, "effective_at": decision.effective_at, "terms": decision.terms,
        "evidence": bound.sha256,
        "seats": [_seat(seat, standing) for seat in standing.seats],
        "earlier_votes": _earlier(standing),
        "conditions": [
            {
                "text": row.text, "check": row.check_by, "owner": row.owner_id, "due_at": row.due_at, "state": row.state,
                "settled_at": row.settled_at, "settled_by": row.settled_by, "evidence": row.evidence,
            }
            for row in session.scalars(
                select(Condition)
                .where(Condition.decision_id == decision.id, Condition.state != ConditionState.WITHDRAWN)
                .order_by(Condition.position)
            )
        ],
        "count": _count(standing),
    }  # fmt: skip


def _seat(seat: DecisionSeat, standing: Standing) -> dict[str, Any]:
    vote = next((each for each in standing.votes if each.decision_seat_id == seat.id), None)
    recusal = standing.recusals.get(seat.id)
    return {
        "function": seat.function, "person": seat.person_id, "delegate": seat.delegate_id, "chair": seat.is_chair,
        "mandatory": seat.is_mandatory, "veto": seat.has_veto,
        "vote": None if vote is None else _vote(vote),
        "recusal": None if recusal is None else {"reason": recusal.reason, "by": recusal.recorded_by, "at": recusal.at},
        "absent": seat.id in standing.absent, "present": seat.id in standing.present,
    }  # fmt: skip


def _vote(vote: Vote) -> dict[str, Any]:
    return {
        "choice": vote.choice, "reason": vote.reason, "cast_by": vote.cast_by, "at": vote.cast_at,
        "postpone_to": vote.postpone_to, "waivers": orjson.loads(vote.waivers),
    }  # fmt: skip


def _earlier(standing: Standing) -> list[dict[str, Any]]:
    """Votes that no longer count: changed by their seat, or cast on earlier evidence or conditions."""
    functions = {seat.id: seat.function for seat in standing.seats}
    return [
        {
            **_vote(vote),
            "function": functions[vote.decision_seat_id],
            "on_present_terms": vote.terms == standing.decision.terms,
        }
        for vote in sorted(standing.earlier_votes, key=lambda each: each.ordinal)
    ]


def _count(standing: Standing) -> dict[str, Any] | None:
    """The state of the vote by the copied rule; nothing before a vote has a rule."""
    if standing.decision.rule is None:
        return None
    found = tally(standing.ballot(), standing.cast(), standing.attending())
    return {
        "counts": {choice.value: number for choice, number in found.counts.items()}, "cast": found.cast,
        "eligible": found.eligible, "present": found.present, "quorum_needed": found.quorum_needed,
        "roles_missing": list(found.roles_missing), "needed": found.needed, "vetoed_by": list(found.vetoed_by),
        "quorate": found.quorate, "would_be": found.outcome.value,
    }  # fmt: skip
