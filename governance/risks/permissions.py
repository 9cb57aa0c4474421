"""What may be done with the register of risks, assumptions, issues and dependencies."""

from __future__ import annotations

from enum import StrEnum


class RiskPermission(StrEnum):
    """Who is named owner works on an entry; whoever manages the register works on all of them."""

    VIEW = "governance:risk:view"
    RAISE = "governance:risk:raise"
    WORK = "governance:risk:work"
    MANAGE = "governance:risk:manage"
