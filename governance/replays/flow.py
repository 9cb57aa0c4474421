"""The life of a replay, as a table."""

from __future__ import annotations

from enum import StrEnum

from erpcore.kernel.flow import Flow, Move
from governance.variants.permissions import VariantPermission


class ReplayState(StrEnum):
    """Waiting for the worker, running there, done with its record, or given up with the reason."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


_S = ReplayState
_ASK = VariantPermission.VIEW
#: In these states its record is still to come.
OPEN = (_S.WAITING, _S.RUNNING)

REPLAY_FLOW = Flow(
    "replay",
    ReplayState,
    _S.WAITING,
    (
        # Also one whose worker was killed.
        Move(name="begin", sources=(_S.WAITING, _S.RUNNING), target=_S.RUNNING, permission=_ASK),
        Move(name="finish", sources=(_S.RUNNING,), target=_S.DONE, permission=_ASK),
        Move(name="fail", sources=(_S.RUNNING,), target=_S.FAILED, permission=_ASK),
        # The variant asks for something else since.
        Move(name="drop", sources=OPEN, target=_S.FAILED, permission=_ASK),
    ),
)
