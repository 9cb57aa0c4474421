"""The lives of tasks and pick waves as tables."""

from __future__ import annotations

from erpcore.fulfilment.floor.models import TaskState as T
from erpcore.fulfilment.floor.models import WaveState as W
from erpcore.kernel.flow import Flow, Move

_WORK = "warehouse:task:work"
_PLAN = "warehouse:pick_wave:plan"

TASK = Flow(
    "task",
    T,
    T.WAITING,
    (
        Move(name="release", sources=(T.WAITING,), target=T.OPEN, permission=_PLAN),
        Move(name="claim", sources=(T.OPEN, T.CLAIMED, T.STARTED), target=T.CLAIMED, permission=_WORK),
        Move(name="start", sources=(T.CLAIMED,), target=T.STARTED, permission=_WORK, event="task.started"),
        Move(name="give_back", sources=(T.CLAIMED, T.STARTED), target=T.OPEN, permission=_WORK),
        Move(name="pause", sources=(T.OPEN, T.CLAIMED, T.STARTED), target=T.WAITING, permission=_PLAN),
        Move(name="finish", sources=(T.STARTED,), target=T.DONE, permission=_WORK, event="task.finished"),
        Move(name="cancel", sources=(T.WAITING, T.OPEN, T.CLAIMED, T.STARTED), target=T.CANCELLED, permission=_PLAN,
             reason_required=True),
    ),
)  # fmt: skip

WAVE = Flow(
    "pick_wave",
    W,
    W.PLANNED,
    (
        Move(name="release", sources=(W.PLANNED,), target=W.RELEASED, permission=_PLAN, event="pick_wave.released"),
        Move(name="interrupt", sources=(W.RELEASED,), target=W.INTERRUPTED, permission=_PLAN, reason_required=True,
             event="pick_wave.interrupted"),
        Move(name="resume", sources=(W.INTERRUPTED,), target=W.RELEASED, permission=_PLAN, event="pick_wave.resumed"),
        Move(name="complete", sources=(W.RELEASED, W.INTERRUPTED), target=W.COMPLETED, permission=_WORK,
             event="pick_wave.completed"),
        Move(name="cancel", sources=(W.PLANNED, W.RELEASED, W.INTERRUPTED), target=W.CANCELLED, permission=_PLAN,
             reason_required=True),
    ),
)  # fmt: skip
