"""The life of a purchase order as a table."""

from __future__ import annotations

from erpcore.kernel.flow import Flow, Move
from erpcore.purchasing.models import PurchaseState as S

_OPEN = (S.ORDERED, S.CONFIRMED)

PURCHASE = Flow(
    "purchase order",
    S,
    S.ORDERED,
    (
        Move(name="confirm", sources=_OPEN, target=S.CONFIRMED, permission="purchasing:order:confirm", event="purchase.confirmed"),
        Move(name="settle", sources=_OPEN, target=S.RECEIVED, permission="warehouse:stock:receive", event="purchase.received"),
        Move(name="close", sources=_OPEN, target=S.CLOSED, permission="purchasing:order:end", reason_required=True,
             event="purchase.closed"),
        Move(name="cancel", sources=_OPEN, target=S.CANCELLED, permission="purchasing:order:end", reason_required=True,
             event="purchase.cancelled"),
    ),
)  # fmt: skip
