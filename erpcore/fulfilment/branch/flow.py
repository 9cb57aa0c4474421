"""The life of a transfer order as a table."""

from __future__ import annotations

from erpcore.fulfilment.branch.models import TransferOrderState as S
from erpcore.kernel.flow import Flow, Move

TRANSFER_ORDER = Flow(
    "transfer order",
    S,
    S.REQUESTED,
    (
        Move(name="approve", sources=(S.REQUESTED,), target=S.APPROVED, permission="supply:transfer_order:approve",
             event="transfer.approved"),
        Move(name="reject", sources=(S.REQUESTED,), target=S.REJECTED, permission="supply:transfer_order:approve",
             reason_required=True, event="transfer.rejected"),
        Move(name="ship", sources=(S.APPROVED,), target=S.SHIPPED, permission="warehouse:transfer:ship",
             event="stock.transfer_shipped"),
        Move(name="cancel", sources=(S.REQUESTED, S.APPROVED), target=S.CANCELLED, permission="supply:transfer_order:request",
             reason_required=True, event="transfer.cancelled"),
    ),
)  # fmt: skip
