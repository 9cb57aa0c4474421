"""What may be done with decisions."""

from __future__ import annotations

from enum import StrEnum


class DecisionPermission(StrEnum):
    """Who drafts, opens, votes, counts and takes back; a vote also needs the seat."""

    VIEW = "governance:decision:view"
    DRAFT = "governance:decision:draft"
    OPEN = "governance:decision:open"
    VOTE = "governance:decision:vote"
    ATTENDANCE = "governance:decision:record-attendance"
    CLOSE = "governance:decision:close"
    REVOKE = "governance:decision:revoke"
    CONDITION = "governance:condition:settle"
