"""States of decisions and of their conditions, and who may move them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

from erpcore.kernel.flow import Flow, Move
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from governance.decisions.permissions import DecisionPermission


class DecisionState(StrEnum):
    """Where a question stands. *Outdated*: what it stood on has changed; *lapsed*: it ended without effect."""

    DRAFT = "draft"
    OPEN = "open"
    DECIDED = "decided"
    LAPSED = "lapsed"
    SUPERSEDED = "superseded"
    OUTDATED = "outdated"
    REVOKED = "revoked"


class ConditionState(StrEnum):
    """A missed condition can still be met, late; that does not undo what its missing led to."""

    OPEN = "open"
    MET = "met"
    MISSED = "missed"
    MET_LATE = "met_late"
    WITHDRAWN = "withdrawn"


_D = DecisionState
_C = ConditionState

DECISION_FLOW = Flow(
    "decision",
    DecisionState,
    _D.DRAFT,
    (
        Move(name="open", sources=(_D.DRAFT,), target=_D.OPEN, permission=DecisionPermission.OPEN, event="decision.opened"),
        Move(name="withdraw", sources=(_D.DRAFT, _D.OPEN), target=_D.LAPSED, permission=DecisionPermission.OPEN,
             reason_required=True, event="decision.lapsed"),
        Move(name="decide", sources=(_D.OPEN,), target=_D.DECIDED, permission=DecisionPermission.CLOSE, event="decision.made"),
        Move(name="lapse", sources=(_D.OPEN, _D.DECIDED), target=_D.LAPSED, permission=DecisionPermission.CLOSE,
             reason_required=True, event="decision.lapsed"),
        Move(name="outdate", sources=(_D.OPEN, _D.DECIDED), target=_D.OUTDATED, permission=DecisionPermission.CLOSE,
             reason_required=True, event="decision.became_outdated"),
        Move(name="supersede", sources=(_D.DECIDED, _D.OUTDATED), target=_D.SUPERSEDED, permission=DecisionPermission.CLOSE,
             reason_required=True, event="decision.superseded"),
        Move(name="revoke", sources=(_D.DECIDED,), target=_D.REVOKED, permission=DecisionPermission.REVOKE,
             reason_required=True, event="decision.revoked"),
    ),
)  # fmt: skip

CONDITION_FLOW = Flow(
    "condition",
    ConditionState,
    _C.OPEN,
    (
        Move(name="meet", sources=(_C.OPEN,), target=_C.MET, permission=DecisionPermission.CONDITION, reason_required=True),
        Move(name="miss", sources=(_C.OPEN,), target=_C.MISSED, permission=DecisionPermission.CLOSE),
        Move(name="meet_late", sources=(_C.MISSED,), target=_C.MET_LATE, permission=DecisionPermission.CONDITION,
             reason_required=True),
        Move(name="withdraw", sources=(_C.OPEN,), target=_C.WITHDRAWN, permission=DecisionPermission.OPEN,
             reason_required=True),
    ),
)  # fmt: skip


class Deciding(Protocol):
    """A decision, as far as its flow is concerned."""

    id: Any
    state: Any
    version: Any


class Settling(Protocol):
    """A condition, as far as its flow is concerned."""

    id: Any
    state: Any
    settled_at: Any
    settled_by: Any
    evidence: Any


def move_decision(
    work: UnitOfWork, decision: Deciding, move: str, *, reason: str | None = None, facts: dict[str, Any] | None = None
) -> None:
    """Make the move; raises ``IllegalMove`` and asks for a missing reason."""
    target = DECISION_FLOW.target(move, decision.state, reason=reason)
    record_move(work, "decision", decision.id, move, decision.state, target, reason=reason, facts=facts)
    decision.state = target
    decision.version += 1


def move_condition(work: UnitOfWork, condition: Settling, move: str, *, reason: str | None = None) -> None:
    """Make the move and remember who settled the condition, when and how."""
    target = CONDITION_FLOW.target(move, condition.state, reason=reason)
    record_move(work, "condition", condition.id, move, condition.state, target, reason=reason)
    condition.state = target
    condition.settled_at = work.now
    condition.settled_by = work.actor.id
    condition.evidence = reason
