"""May this order go to its customer on credit? A pure decision from the limit, what is owed, and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from erpcore.ports import Ruleset

_PERMILLE = 1000


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A customer as credit sees it: ``limit`` ``None`` is not limited, ``oldest`` the day the oldest open invoice fell due."""

    limit: int | None
    owed: int
    oldest: date | None


def refusal(rules: Ruleset, standing: Standing, value: int, today: date) -> tuple[str, dict[str, Any]] | None:
    """Why an order of ``value`` more must wait, and the facts; ``None`` when it may go.

    ``credit_order_share_permille`` is the part of the order's own value by which it may exceed the limit,
    ``credit_overdue_days`` how long an invoice may be overdue (0: nobody looks).
    """
    if not rules["credit_check"]:
        return None
    if standing.limit is not None:
        allowed = standing.limit + value * rules["credit_order_share_permille"] // _PERMILLE
        after = standing.owed + value
        if after > allowed:
            facts = {"limit": standing.limit, "exposure": after, "over": after - standing.limit}
            return "credit limit exceeded", facts
    days = looks_at_overdue(rules)
    if days and standing.oldest is not None and (today - standing.oldest).days > days:
        return "an invoice is overdue", {"due_on": standing.oldest, "overdue_days": (today - standing.oldest).days, "allowed_days": days}  # fmt: skip
    return None


def looks_at_overdue(rules: Ruleset) -> int:
    """After how many days overdue an invoice stops orders; 0: it never does."""
    return int(rules["credit_overdue_days"]) if rules["credit_check"] else 0
