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
    """Where the promised goods come from; ``BACKORDERED`` is a line that stock did not cover when it was allocated."""

    STOCK = "stock"
    TRANSIT = "transit"
    RECEIPT = "receipt"
    LEAD_TIME = "lead_time"
    DROP_SHIP = "drop_ship"
    THIRD_PARTY = "third_party"
    COMMITMENT = "commitment"
    STATED = "stated"
    BACKORDERED = "backordered"


#: Promised from what is not there yet: such a line keeps its place on the timeline until stock is reserved for it.
FUTURE = frozenset({PromiseReason.TRANSIT, PromiseReason.RECEIPT, PromiseReason.LEAD_TIME, PromiseReason.BACKORDERED})


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
        self._left = [
            list(supply) for supply in sorted(dated, key=lambda s: (s.day, s.receipt or 0)) if supply.quantity > 0
        ]
        self._replenished = today + timedelta(days=lead_days)
        for quantity in promised:
            self.take(quantity)

    def take(self, quantity: int) -> list[Part]:
        """Promise so much: the parts, earliest first. What nothing covers is promised by the supplier's lead time."""
        parts = self.look(quantity)
        wanted = quantity
        for supply in self._left:
            used = min(supply[1], wanted)
            supply[1] -= used
            wanted -= used
        self._left = [supply for supply in self._left if supply[1]]
        return parts

    def look(self, quantity: int) -> list[Part]:
        """As ``take``, without promising anything."""
        parts: list[Part] = []
        wanted = quantity
        for day, left, reason, receipt in self._left:
            if wanted <= 0:
                break
            parts.append(Part(day, min(left, wanted), reason, receipt))
            wanted -= min(left, wanted)
        if wanted > 0:
            # A receipt beyond the lead time does not make a new order of the supplier's later.
            parts.append(Part(self._replenished, wanted, PromiseReason.LEAD_TIME, None))
        return parts

    def now(self) -> int:
        """What may still be promised from the shelf."""
        return sum(
            left for _, left, reason, _ in self._left if reason in (PromiseReason.STOCK, PromiseReason.THIRD_PARTY)
        )


def whole(parts: Sequence[Part]) -> Part:
    """The day on which all of it is there: the latest part decides, and gives the reason."""
    last = max(parts, key=lambda part: part.day)
    return last._replace(quantity=sum(part.quantity for part in parts))
