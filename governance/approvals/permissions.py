"""What may be done with requests for approval and the rules behind them."""

from __future__ import annotations

from enum import StrEnum


class ApprovalPermission(StrEnum):
    """Everybody may answer: which request is whose, the rules say."""

    VIEW = "governance:approval:view"
    ANSWER = "governance:approval:answer"
    DELEGATE = "governance:approval:delegate"
    RULE_PROPOSE = "governance:approval_rule:propose"
    RULE_DECIDE = "governance:approval_rule:decide"
