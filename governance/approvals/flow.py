"""The lives of a request for approval and of a version of a rule, as tables."""

from __future__ import annotations

from enum import StrEnum

from erpcore.kernel.flow import Flow, Move
from governance.approvals.permissions import ApprovalPermission


class RequestState(StrEnum):
    """Waiting, settled either way, taken back by who asked, or overtaken by its subject."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    OUTDATED = "outdated"


_S, _P = RequestState, ApprovalPermission

REQUEST_FLOW = Flow(
    "approval_request",
    RequestState,
    _S.WAITING,
    (
        Move(name="approve", sources=(_S.WAITING,), target=_S.APPROVED, permission=_P.ANSWER, event="approval.decided"),
        Move(name="reject", sources=(_S.WAITING,), target=_S.REJECTED, permission=_P.ANSWER, reason_required=True,
             event="approval.decided"),
        Move(name="withdraw", sources=(_S.WAITING,), target=_S.WITHDRAWN, permission=_P.VIEW, reason_required=True,
             event="approval.lapsed"),
        Move(name="outdate", sources=(_S.WAITING,), target=_S.OUTDATED, permission=_P.VIEW, event="approval.lapsed"),
    ),
)  # fmt: skip


class RuleState(StrEnum):
    """Of one version: proposed, holding, followed by a later one, refused, taken back, or the version that ended the rule."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    REPLACED = "replaced"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


_R = RuleState

RULE_FLOW = Flow(
    "approval_rule",
    RuleState,
    _R.PROPOSED,
    (
        Move(name="approve", sources=(_R.PROPOSED,), target=_R.IN_FORCE, permission=_P.RULE_DECIDE, reason_required=True),
        Move(name="decline", sources=(_R.PROPOSED,), target=_R.DECLINED, permission=_P.RULE_DECIDE, reason_required=True),
        Move(name="withdraw", sources=(_R.PROPOSED,), target=_R.WITHDRAWN, permission=_P.RULE_PROPOSE,
             reason_required=True),
        Move(name="end", sources=(_R.PROPOSED,), target=_R.ENDED, permission=_P.RULE_DECIDE, reason_required=True),
        Move(name="replace", sources=(_R.IN_FORCE,), target=_R.REPLACED, permission=_P.RULE_DECIDE),
    ),
)  # fmt: skip
