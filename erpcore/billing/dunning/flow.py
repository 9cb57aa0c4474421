"""The states of a dunning run and of its notices, and the moves between them."""

from __future__ import annotations

from erpcore.billing.dunning.models import NoticeState, RunState
from erpcore.kernel.flow import Flow, Move

PROPOSE = "billing:dunning:propose"
CONFIRM = "billing:dunning:confirm"
SET_UP = "billing:dunning:set_up"
WORK = "billing:collection:work"
_R, _N = RunState, NoticeState

RUN = Flow(
    "dunning_run",
    RunState,
    RunState.PROPOSED,
    (
        Move(name="confirm", sources=(_R.PROPOSED,), target=_R.CONFIRMED, permission=CONFIRM),
        Move(name="cancel", sources=(_R.PROPOSED,), target=_R.CANCELLED, permission=PROPOSE, reason_required=True),
        Move(name="finish", sources=(_R.CONFIRMED,), target=_R.DONE, permission=CONFIRM),
    ),
)
NOTICE = Flow(
    "dunning_notice",
    NoticeState,
    NoticeState.PROPOSED,
    (
        Move(name="issue", sources=(_N.PROPOSED,), target=_N.ISSUED, permission=CONFIRM, event="dunning.sent"),
        Move(name="drop", sources=(_N.PROPOSED,), target=_N.DROPPED, permission=PROPOSE, reason_required=True),
    ),
)
