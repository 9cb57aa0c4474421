"""What may be done with values of policy points."""

from __future__ import annotations

from enum import StrEnum


class PolicyPermission(StrEnum):
    """Who asks for another value than the standard, and who else decides."""

    VIEW = "governance:policy:view"
    REQUEST = "governance:policy:request"
    DECIDE = "governance:policy:decide"
