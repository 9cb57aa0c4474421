"""What dunning tells. A notice is its own journey; the invoices it asks for are among its references."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from erpcore.kernel.events import Event


class DunningSent(Event, frozen=True, kw_only=True):
    """A customer was asked for so many overdue documents at a level; ``fee`` is what that cost them."""

    type: ClassVar[str] = "dunning.sent"
    customer: int
    run: int
    level: int
    documents: int
    overdue: int
    fee: int


class PaymentPromised(Event, frozen=True, kw_only=True):
    """A customer said that so much will come until a day; of one invoice where one is named."""

    type: ClassVar[str] = "payment_promise.given"
    customer: int
    amount: int
    until: date
    invoice: int | None
