"""The life of a payout as a table."""

from __future__ import annotations

from erpcore.billing.settling.models import PayoutState as S
from erpcore.kernel.flow import Flow, Move

IMPORT = "billing:payout:import"
POST = "billing:payout:post"
KEEP = "billing:partner:keep"

PAYOUT = Flow(
    "payout",
    S,
    S.RECEIVED,
    (
        Move(name="match", sources=(S.RECEIVED,), target=S.RECEIVED, permission=POST, event="settlement.matched"),
        Move(name="refuse", sources=(S.RECEIVED,), target=S.REFUSED, permission=IMPORT, reason_required=True),
        Move(name="post", sources=(S.RECEIVED,), target=S.POSTED, permission=POST, event="settlement.posted"),
        Move(name="reverse", sources=(S.POSTED,), target=S.RECEIVED, permission=POST, reason_required=True,
             event="settlement.reversed"),
    ),
)  # fmt: skip
