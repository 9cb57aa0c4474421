"""The lives of the warehouse's papers as tables: counts, transfers, adjustments."""

from __future__ import annotations

from erpcore.inventory.documents import AdjustmentState, CountState, TransferState
from erpcore.kernel.flow import Flow, Move

C = CountState

COUNT = Flow(
    "count",
    CountState,
    C.OPEN,
    (
        Move(name="start", sources=(C.OPEN,), target=C.COUNTING, permission="warehouse:stock:count"),
        Move(name="start_again", sources=(C.RECOUNT,), target=C.RECOUNTING, permission="warehouse:stock:count"),
        Move(name="accept", sources=(C.COUNTING, C.RECOUNTING), target=C.DONE, permission="warehouse:stock:count"),
        Move(name="ask_recount", sources=(C.COUNTING, C.RECOUNTING), target=C.RECOUNT, permission="warehouse:stock:count"),
        Move(name="propose", sources=(C.COUNTING, C.RECOUNTING), target=C.PROPOSED, permission="warehouse:stock:count"),
        Move(name="approve", sources=(C.PROPOSED,), target=C.DONE, permission="warehouse:count:approve", reason_required=True),
        Move(name="count_again", sources=(C.PROPOSED,), target=C.RECOUNT, permission="warehouse:count:approve", reason_required=True),
        Move(name="cancel", sources=(C.OPEN, C.COUNTING, C.RECOUNT, C.RECOUNTING, C.PROPOSED), target=C.CANCELLED,
             permission="warehouse:count:plan", reason_required=True),
    ),
)  # fmt: skip

ADJUSTMENT = Flow(
    "adjustment",
    AdjustmentState,
    AdjustmentState.PROPOSED,
    (
        Move(
            name="approve", sources=(AdjustmentState.PROPOSED,), target=AdjustmentState.BOOKED,
            permission="warehouse:stock:approve_adjustment",
        ),
        Move(
            name="reject", sources=(AdjustmentState.PROPOSED,), target=AdjustmentState.REJECTED,
            permission="warehouse:stock:approve_adjustment", reason_required=True,
        ),
    ),
)  # fmt: skip

TRANSFER = Flow(
    "transfer",
    TransferState,
    TransferState.SHIPPED,
    (
        Move(
            name="settle", sources=(TransferState.SHIPPED,), target=TransferState.SETTLED,
            permission="warehouse:stock:receive", event="stock.transfer_received",
        ),
    ),
)  # fmt: skip
