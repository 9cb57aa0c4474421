"""The life of a list of prices as a table: kept, asked for where a second person decides, and applied once."""

from __future__ import annotations

from enum import StrEnum

from erpcore.kernel.flow import Flow, Move

CHANGE = "pricing:rule:change"
APPROVE = "pricing:rule:approve"


class PriceListState(StrEnum):
    """Looked at, waiting for somebody else, refused, or in force."""

    KEPT = "kept"
    ASKED = "asked"
    DECLINED = "declined"
    APPLIED = "applied"


_S = PriceListState

PRICE_LIST_FLOW = Flow(
    "price_list",
    PriceListState,
    _S.KEPT,
    (
        Move(name="apply", sources=(_S.KEPT, _S.DECLINED), target=_S.APPLIED, permission=CHANGE),
        Move(name="ask", sources=(_S.KEPT, _S.DECLINED), target=_S.ASKED, permission=CHANGE, reason_required=True),
        Move(name="withdraw", sources=(_S.ASKED,), target=_S.KEPT, permission=CHANGE, reason_required=True),
        Move(name="approve", sources=(_S.ASKED,), target=_S.APPLIED, permission=APPROVE, reason_required=True),
        Move(name="decline", sources=(_S.ASKED,), target=_S.DECLINED, permission=APPROVE, reason_required=True),
    ),
)  # fmt: skip
