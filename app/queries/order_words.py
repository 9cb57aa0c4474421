"""In which situations is somebody who speaks with a customer about a document: what is held, what is short, what is late?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from app.queries.order_entry import Quote
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


def situations_typed(quote: Quote, quantities: Sequence[Decimal | None], warning: str = "") -> list[str]:
    """Those of an order while it is typed, before anything is kept: what would hold it, and whether a line would be short.

    ``quantities`` line by line as typed; ``warning`` is the code of what somebody has to accept first.
    """
    short = any(
        line is not None and not line.covers(typed) for line, typed in zip(quote.lines, quantities, strict=False)
    )
    met = {
        "hold_credit": quote.over_limit_minor > 0, "hold_price": bool(quote.approval),
        "hold_duplicate": warning == "order_duplicate", "short": short,
    }  # fmt: skip
    return [situation for situation, is_met in met.items() if is_met]
