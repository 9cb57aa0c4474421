"""What the warehouse tells about goods that come, lie and travel: put away, recounted, on their way to another site."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from erpcore.kernel.events import Event


class StockRecounted(Event, frozen=True, kw_only=True):
    """Somebody else counted again: what the book said then and what was found. The subject is the count of ``stock.counted``."""

    type: ClassVar[str] = "stock.recounted"
    item: int
    book: int
    counted: int
    within_tolerance: bool


class StockPutAway(Event, frozen=True, kw_only=True):
    """Goods that were received lie where they are picked from; until then nobody is promised them."""

    type: ClassVar[str] = "stock.put_away"
    item: int
    quantity: int


class StockTransferShipped(Event, frozen=True, kw_only=True):
    """Goods left for another site of the entity, and are its own from here on. The place is the site that ships."""

    type: ClassVar[str] = "stock.transfer_shipped"
    to_site: int
    arrives_on: date
    lines: int
    value: int | None = None


class StockTransferReceived(Event, frozen=True, kw_only=True):
    """Part of a transfer came, or was found lost. ``settled``: nothing of it is on its way any more."""

    type: ClassVar[str] = "stock.transfer_received"
    from_site: int
    settled: bool
    lost: int = 0
