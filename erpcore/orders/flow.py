"""The life of an order as a table."""

from __future__ import annotations

from erpcore.kernel.flow import Flow, Move
from erpcore.orders.allocation_models import RunState, TakeBackState
from erpcore.orders.models import AmendmentState as A
from erpcore.orders.models import OrderState as S

ORDER = Flow(
    "order",
    S,
    S.CAPTURED,
    (
        Move(name="release", sources=(S.CAPTURED,), target=S.RELEASED, permission="orders:order:release", event="order.released"),
        Move(name="hold", sources=(S.CAPTURED, S.RELEASED, S.HELD), target=S.HELD, permission="orders:hold:place", reason_required=True,
             event="order.held"),
        Move(name="release_hold", sources=(S.HELD,), target=S.CAPTURED, permission="orders:hold:release", reason_required=True,
             event="order.hold_released"),
        Move(name="cancel", sources=(S.CAPTURED, S.HELD, S.RELEASED), target=S.CANCELLED, permission="orders:order:cancel",
             reason_required=True, event="order.cancelled"),
        Move(name="close", sources=(S.RELEASED,), target=S.CLOSED, permission="orders:order:close", event="order.closed"),
    ),
)  # fmt: skip

AMENDMENT = Flow(
    "amendment",
    A,
    A.STAGED,
    (
        Move(name="apply", sources=(A.STAGED,), target=A.APPLIED, permission="orders:order:amend", event="order.amended"),
        Move(name="withdraw", sources=(A.STAGED,), target=A.WITHDRAWN, permission="orders:order:amend"),
    ),
)  # fmt: skip

TAKE_BACK = Flow(
    "take_back",
    TakeBackState,
    TakeBackState.PROPOSED,
    (
        Move(name="agree", sources=(TakeBackState.PROPOSED,), target=TakeBackState.DONE,
             permission="orders:allocation:approve_take_back"),
        Move(name="reject", sources=(TakeBackState.PROPOSED,), target=TakeBackState.REJECTED,
             permission="orders:allocation:approve_take_back", reason_required=True),
    ),
)  # fmt: skip

ALLOCATION_RUN = Flow(
    "allocation_run",
    RunState,
    RunState.SIMULATED,
    (
        Move(name="commit", sources=(RunState.SIMULATED,), target=RunState.COMMITTED, permission="orders:allocation:commit"),
        Move(name="reject", sources=(RunState.SIMULATED,), target=RunState.REJECTED, permission="orders:allocation:commit",
             reason_required=True),
    ),
)  # fmt: skip
