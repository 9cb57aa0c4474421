"""When can so much of an item be there? Available to promise, by date, with the reason; pure.

What is free now comes first, then what is on its way or expected, by date, then a new delivery of the supplier. What was
promised before is taken from the same timeline first, so that no receipt is promised twice. Quantities are thousandths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple


class PromiseReason(StrEnum):
    """Where the promised goods come from."""

    STOCK = "stock"
    TRANSIT = "transit"
    RECEIPT = "receipt"
    LEAD_TIME = "lead_time"
    DROP_SHIP = "drop_ship"
    THIRD_PARTY = "third_party"
    COMMITMENT = "commitment"
    STATED = "stated"


#: Promised from what is not there yet: such a line keeps its place on the timeline until stock is reserved for it.
FUTURE = frozenset({PromiseReason.TRANSIT, PromiseReason.RECEIPT, PromiseReason.LEAD_TIME})


class Supply(NamedTuple):
    """So much that is there (``day`` today or before) or comes on a day; ``receipt`` names the expected receipt."""

    day: date
    quantity: int
    reason: PromiseReason
    receipt: int | None = None


class Part(NamedTuple):
    """So much of what was asked for can be there on that day, from there."""

    day: date
    quantity: int
    reason: PromiseReason
    receipt: int | None = None


class Timeline:
    """What one site has of one item and will have, less what is promised of it already."""

    def __init__(
        self, supplies: Iterable[Supply], *, today: date, lead_days: int, promised: Iterable[int] = ()
    ) -> None:
        """``promised``: what earlier lines still wait for, in the order of their promises; each takes the earliest there is.

        A receipt that is overdue may come any day, so it counts from tomorrow.
        """
        tomorrow = today + timedelta(days=1)
        dated = (
            supply if supply.receipt is None or supply.day > today else supply._replace(day=tomorrow)
            for supply in supplies
        )
        self._supplies = sorted((s for s in dated if s.quantity > 0), key=lambda s: (s.day, s.receipt or 0))
        self._replenished = today + timedelta(days=lead_days)
        for quantity in promised:
            self.take(quantity)

    def take(self, quantity: int) -> list[Part]:
        """Promise so much: the parts, earliest first. What nothing covers is promised by the supplier's lead time."""
        parts = self.look(quantity)
        wanted = quantity
        left = []
        for supply in self._supplies:
            used = min(supply.quantity, wanted)
            wanted -= used
            if supply.quantity > used:
                left.append(supply._replace(quantity=supply.quantity - used) if used else supply)
        self._supplies = left
        return parts

    def look(self, quantity: int) -> list[Part]:
        """As ``take``, without promising anything."""
        parts: list[Part] = []
        wanted = quantity
        for supply in self._supplies:
            if wanted <= 0:
                break
            used = min(supply.quantity, wanted)
            parts.append(Part(supply.day, used, supply.reason, supply.receipt))
            wanted -= used
        if wanted > 0:
            parts.append(Part(self._replenished, wanted, PromiseReason.LEAD_TIME, None))
        return parts

    def now(self) -> int:
        """What may still be promised from the shelf."""
        return sum(supply.quantity for supply in self._supplies if supply.receipt is None)


def whole(parts: Sequence[Part]) -> Part:
    """The day on which all of it is there: the latest part decides, and gives the reason."""
    last = max(parts, key=lambda part: part.day)
    return last._replace(quantity=sum(part.quantity for part in parts))
