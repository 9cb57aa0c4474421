"""The life of a value that departs from the standard, as a table. That it has expired is derived, never stored."""

from __future__ import annotations

from enum import StrEnum

from erpcore.kernel.flow import Flow, Move
from governance.policies.permissions import PolicyPermission


class ValueState(StrEnum):
    """Asked for, in force within its time, refused, taken back by who asked, or ended before its time."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


_S = ValueState

VALUE_FLOW = Flow(
    "policy_value",
    ValueState,
    _S.REQUESTED,
    (
        Move(name="approve", sources=(_S.REQUESTED,), target=_S.APPROVED, permission=PolicyPermission.DECIDE,
             reason_required=True),
        Move(name="decline", sources=(_S.REQUESTED,), target=_S.DECLINED, permission=PolicyPermission.DECIDE,
             reason_required=True),
        Move(name="withdraw", sources=(_S.REQUESTED,), target=_S.WITHDRAWN, permission=PolicyPermission.REQUEST,
             reason_required=True),
        Move(name="revoke", sources=(_S.APPROVED,), target=_S.REVOKED, permission=PolicyPermission.DECIDE,
             reason_required=True),
    ),
)  # fmt: skip
