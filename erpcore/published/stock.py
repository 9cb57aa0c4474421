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


class StockArrived(Event, frozen=True, kw_only=True):
    """Goods came with one paper. ``quantity`` of them waits to be put away and ``value`` is its worth; the rest is there at once.

    The journey is the arrival: the goods receipt, or one of the times that goods of a transfer came.
    """

    type: ClassVar[str] = "stock.arrived"
    document_type: str
    document: int
    quantity: int
    lines: int
    value: int | None = None


class StockPutAway1(Event, frozen=True, kw_only=True):
    """As it was told before arrivals were kept: it names none."""

    type: ClassVar[str] = "stock.put_away"
    item: int
    quantity: int


class StockPutAway(Event, frozen=True, kw_only=True):
    """Goods that were received lie where they are picked from; until then nobody is promised them.

    ``arrival``: what they came with; ``None`` where it was told before arrivals were kept. ``value``: their share of its worth.
    """

    type: ClassVar[str] = "stock.put_away"
    version: ClassVar[int] = 2
    item: int
    quantity: int
    arrival: int | None = None
    value: int | None = None

    @classmethod
    def upcast(cls, old: StockPutAway1) -> StockPutAway:
        """The first version in the words of this one."""
        return cls(item=old.item, quantity=old.quantity)


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


class LateCostAdded(Event, frozen=True, kw_only=True):
    """Goods of a receipt cost more (negative: less) by a paper that came later; ``stock`` of it is on those still here."""

    type: ClassVar[str] = "late_cost.added"
    receipt: int
    amount: int
    stock: int


class GoodsSentBack(Event, frozen=True, kw_only=True):
    """Returned goods left for their supplier: worth ``value`` in stock, and the supplier owes ``expected`` for them."""

    type: ClassVar[str] = "supplier_return.sent"
    supplier: int
    value: int
    expected: int


class SupplierClaimSettled(Event, frozen=True, kw_only=True):
    """A claim on a supplier fell by ``amount``, for a credit note or an accepted difference (``kind``); ``left`` is still open."""

    type: ClassVar[str] = "supplier_claim.settled"
    supplier_return: int
    kind: str
    amount: int
    left: int


class CostingChosen(Event, frozen=True, kw_only=True):
    """The site of the place values its stock by another method from now on; ``value``: what it was worth more by that."""

    type: ClassVar[str] = "costing.chosen"
    method: str
    value: int
