"""The life of a rebate agreement as a table."""

from __future__ import annotations

from erpcore.billing.rebates.models import RebateState as S
from erpcore.kernel.flow import Flow, Move

WRITE = "billing:rebate:write"
AGREE = "billing:rebate:agree"
SETTLE = "billing:rebate:settle"

REBATE = Flow(
    "rebate",
    S,
    S.DRAFT,
    (
        Move(name="change", sources=(S.DRAFT,), target=S.DRAFT, permission=WRITE),
        Move(name="withdraw", sources=(S.DRAFT,), target=S.WITHDRAWN, permission=WRITE, reason_required=True),
        Move(name="agree", sources=(S.DRAFT,), target=S.AGREED, permission=AGREE, event="rebate.agreed"),
        Move(name="end", sources=(S.AGREED,), target=S.ENDED, permission=AGREE),
        Move(name="pay_part", sources=(S.AGREED,), target=S.AGREED, permission=SETTLE, event="rebate.settled"),
        Move(name="settle", sources=(S.ENDED,), target=S.SETTLED, permission=SETTLE, event="rebate.settled"),
        # What was counted comes back after all was settled: its rebate has to be settled as well.
        Move(name="correct", sources=(S.SETTLED,), target=S.ENDED, permission="billing:credit_memo:post"),
    ),
)  # fmt: skip
