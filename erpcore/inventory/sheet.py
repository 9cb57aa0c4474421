"""The goods receipt while it is made: its lines, the moves of what came, and what that does to what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from erpcore.inventory.bins import Slot, sound_status
from erpcore.inventory.documents import ReceiptSource
from erpcore.inventory.models import MoveReason, StockStatus
from erpcore.inventory.movement import Movement
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import ItemFacts, SiteFacts


class PurchasedPart(NamedTuple):
    """What of a purchase order's line came, and what the paper says will not come any more."""

    purchase: int
    line: int
    received: int
    cancelled: int


def is_bought(row: Any) -> bool:
    """Whether what is expected comes of a purchase order."""
    return bool(row.source == ReceiptSource.PURCHASE_ORDER and row.document_id is not None)


class Sheet:
    """The goods receipt while it is made."""

    def __init__(
        self, site: SiteFacts, key: int, where: int | None, paper: str, prices: Mapping[int, int] | None = None
    ) -> None:
        self.prices = prices or {}
        self.site, self.key, self.where, self.paper = site, key, where, paper
        self.movements: list[Movement] = []
        self.rows: list[tuple[Any, ...]] = []
        self.kinds: list[str] = []
        self.came: list[tuple[Slot, int]] = []
        self.received: dict[int, int] = {}
        self.closed: dict[int, int] = {}

    def add(
        self, work: UnitOfWork, item: ItemFacts, lot: int | None, sound: int, broken: int, kind: str, difference: int, *,
        expected: int | None, reason: str | None,
    ) -> None:  # fmt: skip
        """One item and lot: its line on the paper, and the moves of what is sound, what is damaged and what came too late to be sold."""
        first = not self.rows or self.rows[-1][2] != expected or self.rows[-1][3] != item.id
        self.kinds.append(kind)
        self.rows.append(
            (
                self.key, len(self.rows) + 1, expected, item.id, lot, sound + broken, broken, kind, difference if first else 0,
                reason,
            )
        )  # fmt: skip
        status = sound_status(work, self.site, lot, StockStatus.RECEIVED if self.where else StockStatus.AVAILABLE)
        waiting = Slot(self.site.id, item.id, self.where, lot, status)
        damaged = Slot(self.site.id, item.id, self.where, lot, StockStatus.DAMAGED)
        for slot, quantity in ((waiting, sound), (damaged, broken)):
            if quantity:
                self.came.append((slot, quantity))
                self.movements.append(
                    Movement(
                        entity=self.site.entity.id, site=self.site.id, item=item.id, quantity=quantity,
                        unit_cost=item.standard_cost, currency=self.site.entity.currency, reason=MoveReason.RECEIPT,
                        document_type="goods_receipt", document_id=self.key, moved_at=work.now, note=self.paper,
                        slot=None if slot.is_default else slot,
                        price=self.prices.get(expected or 0),
                    )
                )  # fmt: skip

    def changes(self, expected: Mapping[int, Any]) -> list[dict[str, Any]]:
        """What the receipt does to what was expected."""
        return [
            {
                "of": key, "seen": expected[key].version, "d_received": quantity,
                "now_cancelled": expected[key].cancelled + self.closed.get(key, 0), "on": expected[key].expected_on,
            }
            for key, quantity in sorted(self.received.items())
        ]  # fmt: skip

    def purchased(self, expected: Mapping[int, Any]) -> list[PurchasedPart]:
        """What the receipt does to purchase orders."""
        return [
            PurchasedPart(expected[key].document_id, expected[key].line_id, quantity, self.closed.get(key, 0))
            for key, quantity in sorted(self.received.items())
            if is_bought(expected[key])
        ]
