"""The life of a carrier's bill as a table."""

from __future__ import annotations

from erpcore.billing.freight.models import BillState as S
from erpcore.kernel.flow import Flow, Move

TAKE = "billing:carrier_bill:take"
POST = "billing:carrier_bill:post"

CARRIER_BILL = Flow(
    "carrier_bill",
    S,
    S.RECEIVED,
    (
        Move(name="match", sources=(S.RECEIVED,), target=S.RECEIVED, permission=TAKE),
        Move(name="decide", sources=(S.RECEIVED,), target=S.RECEIVED, permission=POST, reason_required=True,
             event="carrier_bill.decided"),
        Move(name="post", sources=(S.RECEIVED,), target=S.POSTED, permission=POST, event="carrier_bill.posted"),
        Move(name="refuse", sources=(S.RECEIVED,), target=S.REFUSED, permission=POST, reason_required=True,
             event="carrier_bill.refused"),
        Move(name="reverse", sources=(S.POSTED,), target=S.REVERSED, permission=POST, reason_required=True,
             event="carrier_bill.reversed"),
    ),
)  # fmt: skip
