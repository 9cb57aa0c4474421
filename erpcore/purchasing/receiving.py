"""Goods that come against a purchase order: received by the warehouse's own service, and settled on the order."""

from __future__ import annotations

from collections.abc import Sequence

from erpcore.inventory.documents import ExpectedReceipt, ReceiptSource
from erpcore.inventory.receiving import Received, ReceiveGoods, receive_goods
from erpcore.inventory.sheet import PurchasedPart
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import CellStates, ProcessRules
from erpcore.published.purchasing import PurchaseQuantity, PurchaseReceived
from erpcore.purchasing.flow import PURCHASE
from erpcore.purchasing.records import Purchase, PurchaseLineRow, lock_purchases, save_purchases
from erpcore.purchasing.services import publish_purchase


def receive_purchased(work: UnitOfWork, command: ReceiveGoods, *, rules: ProcessRules, cells: CellStates) -> Received:
    """As ``receive_goods``, for goods of purchase orders too: what came is noted on them, and one with nothing open is done.

    The purchase orders are locked before what is expected, as everywhere.
    """
    expected = [line.expected for line in command.lines if line.expected is not None]
    rows = [
        row
        for row in read_rows(work, ExpectedReceipt, ("id", "source", "document_id", "line_id"), "id", expected)
        if row.source == ReceiptSource.PURCHASE_ORDER and row.document_id
    ]
    held = lock_purchases(work, {row.document_id for row in rows})
    bought = {line.id: line.unit_price for purchase in held for line in purchase.lines}
    prices = {row.id: bought[row.line_id] for row in rows if row.line_id in bought}
    return receive_goods(work, command, rules=rules, cells=cells, purchased=settle_receipt, prices=prices)


def settle_receipt(work: UnitOfWork, parts: Sequence[PurchasedPart]) -> None:
    """Note on the purchase orders what came and what will not; the warehouse has told what is expected itself."""
    held = {one.id: one for one in lock_purchases(work, {part.purchase for part in parts})}
    lines = {line.id: line for one in held.values() for line in one.lines}
    for part in parts:
        lines[part.line].received += part.received
        lines[part.line].cancelled += part.cancelled
    for purchase in held.values():
        came = [(lines[p.line], p.received) for p in parts if p.purchase == purchase.id]
        note_received(work, purchase, came)
    save_purchases(work, list(held.values()), [lines[part.line] for part in parts], expected=False)


def note_received(
    work: UnitOfWork, purchase: Purchase, came: Sequence[tuple[PurchaseLineRow, int]], *, paper: str | None = None
) -> None:
    """Move a locked purchase order on by what came of it. The caller saves it."""
    was = purchase.state
    settled = all(line.open == 0 for line in purchase.lines)
    # Goods may also come of one that was closed early, while they were on their way.
    if settled and PURCHASE.leads("settle", was):
        purchase.state = PURCHASE.target("settle", was)
        purchase.ended_at = work.now
    record_move(work, "purchase", purchase.id, "receive", was, purchase.state, reason=paper)
    quantities = [PurchaseQuantity(line=line.id, quantity=quantity) for line, quantity in came]
    publish_purchase(work, purchase, PurchaseReceived(lines=quantities, settled=settled), "receive")
