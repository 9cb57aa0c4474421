"""States of a gate and of a waiver, and who may move them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

from erpcore.kernel.flow import Flow, Move
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from readiness.gates.permissions import GatePermission


class GateState(StrEnum):
    """Criteria are drafted, then fixed and evaluated; a closed gate is evaluated no more."""

    DRAFT = "draft"
    FROZEN = "frozen"
    CLOSED = "closed"


class WaiverState(StrEnum):
    """Whether a granted one is in force is a matter of the clock, never stored."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


_G = GateState
_W = WaiverState

GATE_FLOW = Flow(
    "gate",
    GateState,
    _G.DRAFT,
    (
        Move(name="freeze", sources=(_G.DRAFT,), target=_G.FROZEN, permission=GatePermission.FREEZE, event="gate.frozen"),
        Move(name="close", sources=(_G.DRAFT, _G.FROZEN), target=_G.CLOSED, permission=GatePermission.FREEZE,
             reason_required=True),
        Move(name="reopen", sources=(_G.CLOSED,), target=_G.DRAFT, permission=GatePermission.FREEZE, reason_required=True),
    ),
)  # fmt: skip

WAIVER_FLOW = Flow(
    "waiver",
    WaiverState,
    _W.REQUESTED,
    (
        Move(name="grant", sources=(_W.REQUESTED,), target=_W.GRANTED, permission=GatePermission.GRANT_WAIVER,
             event="waiver.granted"),
        Move(name="refuse", sources=(_W.REQUESTED,), target=_W.REFUSED, permission=GatePermission.GRANT_WAIVER,
             reason_required=True, event="waiver.refused"),
        Move(name="withdraw", sources=(_W.REQUESTED,), target=_W.WITHDRAWN, permission=GatePermission.ASK_WAIVER,
             reason_required=True),
        Move(name="end", sources=(_W.GRANTED,), target=_W.ENDED, permission=GatePermission.GRANT_WAIVER,
             reason_required=True, event="waiver.lapsed"),
    ),
)  # fmt: skip


class Stated(Protocol):
    """A document with a state and a version."""

    id: Any
    state: Any
    version: Any


def move_gate(work: UnitOfWork, gate: Stated, move: str, *, reason: str | None = None) -> None:
    """Make the move; raises ``IllegalMove`` and asks for a missing reason."""
    target = GATE_FLOW.target(move, gate.state, reason=reason)
    record_move(work, "gate", gate.id, move, gate.state, target, reason=reason)
    gate.state = target
    gate.version += 1


def move_waiver(work: UnitOfWork, waiver: Stated, move: str, *, reason: str | None = None) -> None:
    """Make the move; raises ``IllegalMove`` and asks for a missing reason."""
    target = WAIVER_FLOW.target(move, waiver.state, reason=reason)
    record_move(work, "waiver", waiver.id, move, waiver.state, target, reason=reason)
    waiver.state = target
    waiver.version += 1
