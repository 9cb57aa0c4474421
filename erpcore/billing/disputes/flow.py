"""The life of a deduction or an objection as a table, and who may make its moves."""

from __future__ import annotations

from erpcore.billing.disputes.models import DisputeState as S
from erpcore.kernel.flow import Flow, Move

DEDUCT = "billing:receipt:apply"
WORK = "billing:dispute:work"
ROUTE = "billing:dispute:route"
WRITE_OFF = "billing:debt:write_off"
_JUDGED = (S.RAISED, S.DISPUTED)
_OPEN = (*_JUDGED, S.WAITING)

DISPUTE = Flow(
    "dispute",
    S,
    S.RAISED,
    (
        Move(name="contest", sources=(S.RAISED,), target=S.DISPUTED, permission=WORK, reason_required=True, event="dispute.opened"),
        Move(name="ask_write_off", sources=_JUDGED, target=S.WAITING, permission=WORK, reason_required=True),
        # Money or a credit came while others decide: what they were asked is not so any more.
        Move(name="overtake", sources=(S.WAITING,), target=S.DISPUTED, permission=DEDUCT),
        Move(name="refuse_write_off", sources=(S.WAITING,), target=S.DISPUTED, permission=WRITE_OFF, reason_required=True),
        Move(name="agree_write_off", sources=(S.WAITING,), target=S.DISPUTED, permission=WRITE_OFF),
        Move(name="settle", sources=_OPEN, target=S.SETTLED, permission=WORK, event="dispute.resolved"),
        Move(name="withdraw", sources=_OPEN, target=S.WITHDRAWN, permission=DEDUCT, reason_required=True, event="dispute.resolved"),
    ),
)  # fmt: skip
