"""Where do items, and the papers behind stock moves, have their pages?"""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.queries.stock_moves import MoveRow
from app.security.permissions import Permission
from app.security.require import actor


def item_address(code: str, company: int | None = None) -> str:
    """The page of an item; ``company`` where several have one of that code."""
    return url_for("items.show", code=code, company=company)


def move_address(move: MoveRow) -> str:
    """The page of the paper behind a move; empty when it has none, or none that this person may open."""
    pages: dict[str, tuple[Permission, str, dict[str, Any]]] = {
        "shipment": (Permission.SHIPMENT_READ, "shipments.show", {"shipment_id": move.document_id}),
        "return": (Permission.RETURN_READ, "returns.show", {"return_id": move.document_id}),
        "supplier_return": (Permission.PURCHASE_READ, "returns.show_one_sent_back", {"document_id": move.document_id}),
        "goods_receipt": (Permission.STOCK_READ, "warehouse.receipt", {"receipt_id": move.document_id}),
        "transfer": (Permission.STOCK_READ, "warehouse.transfer", {"transfer_id": move.document_id}),
        "count": (Permission.STOCK_COUNT, "inbound.count", {"task_id": move.document_id}),
    }
    permission, endpoint, values = pages.get(move.document_type, (None, "", {}))
    return url_for(endpoint, **values) if permission is not None and actor().may(permission) else ""
