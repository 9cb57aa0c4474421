"""What was typed of an order's changes, as the domain's changes: one reading for page and API."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from erpcore.kernel.errors import RuleBroken
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.models import ChangeKind


def change_of(
    kind: str,
    *,
    line: int | None = None,
    item: int | None = None,
    quantity: Decimal | None = None,
    day: date | None = None,
    ship_to: int | None = None,
) -> Amend:
    """One change; raises ``RuleBroken`` for a kind that nobody knows."""
    if kind not in set(ChangeKind):
        raise RuleBroken("choice_unknown", field="kind", value=kind)
    return Amend(kind=ChangeKind(kind), line=line, item=item, quantity=quantity, day=day, ship_to=ship_to)
