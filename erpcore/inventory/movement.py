"""What is asked for when stock comes or goes?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from erpcore.inventory.bins import Slot
from erpcore.inventory.models import MoveReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """Stock that comes (positive) or goes. ``unit_cost`` ``None``: unknown, nothing is posted.

    ``reserved_line``: the order line whose reservation it uses up; ``holds``: the bins held for it that this was picked from, where
    another shipment of the line lies picked. ``slot``: where it lies, of which lot, in which status;
    ``None``: the default place when it comes, what the lot rule says when it goes.
    ``price``: what was paid for a unit, which is its cost where the site does not value at standard cost. ``worth``: just this much,
    in minor units, there.
    """

    entity: int
    site: int
    item: int
    quantity: int
    unit_cost: int | None
    currency: str
    reason: MoveReason
    document_type: str
    document_id: int
    moved_at: datetime
    note: str | None = None
    reserved_line: int | None = None
    holds: frozenset[int] = frozenset()
    slot: Slot | None = None
    price: int | None = None
    worth: int | None = None
