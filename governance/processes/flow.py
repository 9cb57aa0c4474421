"""The life of a version of a process, as a table. Once it is handed in nothing of it changes; approved, it never does."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

from erpcore.kernel.flow import Flow, Move
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from governance.processes.permissions import ProcessPermission


class VersionKind(StrEnum):
    """What a version tells: how the work is done today, before anything changes, or how it shall be done."""

    AS_IS = "as_is"
    TO_BE = "to_be"


class VersionState(StrEnum):
    """Being written, read by whoever approves, agreed, in force, replaced, or given up."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    LIVE = "live"
    RETIRED = "retired"
    WITHDRAWN = "withdrawn"


_S = VersionState
_P = ProcessPermission

#: The move of a version's history by which somebody changes what its steps say; it leads nowhere.
WRITE = "write"

VERSION_FLOW = Flow(
    "process version",
    VersionState,
    _S.DRAFT,
    (
        Move(name="submit", sources=(_S.DRAFT,), target=_S.IN_REVIEW, permission=_P.WRITE),
        Move(name="approve", sources=(_S.IN_REVIEW,), target=_S.APPROVED, permission=_P.APPROVE, reason_required=True),
        Move(name="return", sources=(_S.IN_REVIEW,), target=_S.DRAFT, permission=_P.APPROVE, reason_required=True),
        Move(name="go_live", sources=(_S.APPROVED,), target=_S.LIVE, permission=_P.APPROVE, reason_required=True),
        Move(name="withdraw", sources=(_S.DRAFT, _S.IN_REVIEW), target=_S.WITHDRAWN, permission=_P.WRITE,
             reason_required=True),
        Move(name="retire", sources=(_S.APPROVED, _S.LIVE), target=_S.RETIRED, permission=_P.APPROVE, reason_required=True),
    ),
)  # fmt: skip


class Versioned(Protocol):
    """A version, as far as its flow is concerned."""

    id: Any
    state: Any
    version: Any


def move_version(work: UnitOfWork, row: Versioned, move: str, *, reason: str | None = None) -> None:
    """Make the move; raises ``IllegalMove`` and asks for a missing reason."""
    target = VERSION_FLOW.target(move, row.state, reason=reason)
    record_move(work, "process_version", row.id, move, row.state, target, reason=reason)
    row.state = target
    row.version += 1
