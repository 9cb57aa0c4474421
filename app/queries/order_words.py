"""In which situations is somebody who speaks with a customer about a document: what is held, what is short, what is late?"""

from __future__ import annotations

from datetime import datetime

from app.queries.order_facts import OrderPage
from app.queries.troubles import TroubleRow


def situations(page: OrderPage, now: datetime) -> list[str]:
    """Those of an order: what holds it, what is short, what is late."""
    out = [f"hold_{hold.kind}" for hold in page.open_holds]
    open_lines = (
        [line for line in page.lines if line.open > 0] if page.state in ("captured", "held", "released") else []
    )
    if page.state == "released" and any(
        line.has_stock and line.unallocated > max(line.available or 0, 0) for line in open_lines
    ):
        out.append("short")
    return [*out, "late"] if any(line.promised_due_at < now for line in open_lines) else out


def situations_of(row: TroubleRow) -> list[str]:
    """That of a document in trouble; only of orders does somebody speak with the customer."""
    if row.subject != "order":
        return []
    return [f"hold_{row.cause}"] if row.queue == "blocked" else [row.queue]
