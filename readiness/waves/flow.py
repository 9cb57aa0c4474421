"""States of a wave and of a grant, and who may move them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

from erpcore.kernel.flow import Flow, Move
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from readiness.waves.permissions import WavePermission


class WaveState(StrEnum):
    """*Approved*: the go is given and takes effect later. *Hypercare*: live, with support close by."""

    PLANNED = "planned"
    PREPARING = "preparing"
    IN_REHEARSAL = "in_rehearsal"
    APPROVED = "approved"
    LIVE = "live"
    HYPERCARE = "hypercare"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class GrantState(StrEnum):
    """Open admits everything, draining what is under way, fallback what is entered afterwards, closed nothing."""

    OPEN = "open"
    DRAINING = "draining"
    IN_FALLBACK = "in_fallback"
    CLOSED = "closed"


_W = WaveState
_G = GrantState
_BEFORE_LIVE = (_W.PLANNED, _W.PREPARING, _W.IN_REHEARSAL)

WAVE_FLOW = Flow(
    "wave",
    WaveState,
    _W.PLANNED,
    (
        Move(name="prepare", sources=(_W.PLANNED,), target=_W.PREPARING, permission=WavePermission.PLAN),
        Move(name="rehearse", sources=(_W.PREPARING,), target=_W.IN_REHEARSAL, permission=WavePermission.REHEARSE),
        Move(name="end_rehearsal", sources=(_W.IN_REHEARSAL,), target=_W.PREPARING, permission=WavePermission.REHEARSE,
             reason_required=True),
        Move(name="approve", sources=(_W.PREPARING, _W.IN_REHEARSAL), target=_W.APPROVED, permission=WavePermission.GRANT),
        Move(name="withdraw_approval", sources=(_W.APPROVED,), target=_W.PREPARING, permission=WavePermission.GRANT,
             reason_required=True),
        Move(name="go_live", sources=(_W.APPROVED,), target=_W.LIVE, permission=WavePermission.GRANT),
        Move(name="record_live", sources=(_W.PLANNED, _W.PREPARING), target=_W.LIVE,
             permission=WavePermission.ALREADY_LIVE, reason_required=True),
        Move(name="start_hypercare", sources=(_W.LIVE,), target=_W.HYPERCARE, permission=WavePermission.RUN),
        Move(name="close", sources=(_W.HYPERCARE,), target=_W.CLOSED, permission=WavePermission.GRANT, event="wave.closed"),
        Move(name="roll_back", sources=(_W.LIVE, _W.HYPERCARE), target=_W.PREPARING, permission=WavePermission.ROLL_BACK,
             reason_required=True),
        Move(name="cancel", sources=_BEFORE_LIVE, target=_W.CANCELLED, permission=WavePermission.PLAN, reason_required=True),
    ),
)  # fmt: skip

GRANT_FLOW = Flow(
    "grant",
    GrantState,
    _G.OPEN,
    (
        Move(name="drain", sources=(_G.OPEN, _G.IN_FALLBACK), target=_G.DRAINING, permission=WavePermission.GRANT,
             reason_required=True, event="grant.drain_started"),
        Move(name="close_drained", sources=(_G.DRAINING,), target=_G.CLOSED, permission=WavePermission.GRANT,
             event="grant.drained"),
        Move(name="close_unused", sources=(_G.OPEN,), target=_G.CLOSED, permission=WavePermission.GRANT,
             reason_required=True, event="grant.closed"),
        Move(name="declare_fallback", sources=(_G.OPEN,), target=_G.IN_FALLBACK, permission=WavePermission.FALLBACK,
             reason_required=True, event="fallback.declared"),
        Move(name="end_fallback", sources=(_G.IN_FALLBACK,), target=_G.OPEN, permission=WavePermission.FALLBACK,
             reason_required=True, event="fallback.ended"),
    ),
)  # fmt: skip


class Stated(Protocol):
    """A document with a state and a version."""

    id: Any
    state: Any
    version: Any


def move_wave(
    work: UnitOfWork, wave: Stated, move: str, *, reason: str | None = None, facts: dict[str, Any] | None = None
) -> None:
    """Make the move; raises ``IllegalMove`` and asks for a missing reason."""
    target = WAVE_FLOW.target(move, wave.state, reason=reason)
    record_move(work, "wave", wave.id, move, wave.state, target, reason=reason, facts=facts)
    wave.state = target
    wave.version += 1


def move_grant(work: UnitOfWork, grant: Stated, move: str, *, reason: str | None = None) -> None:
    """Make the move; raises ``IllegalMove`` and asks for a missing reason."""
    target = GRANT_FLOW.target(move, grant.state, reason=reason)
    record_move(work, "grant", grant.id, move, grant.state, target, reason=reason)
    grant.state = target
    grant.version += 1
