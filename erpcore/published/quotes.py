"""What quotes tell. Their journey is that of the order they may become."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import msgspec

from erpcore.kernel.events import Event


class QuotedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line as offered."""

    line: int
    item: int
    quantity: int
    price: int
    value: int


class QuoteRequested(Event, frozen=True, kw_only=True):
    """A customer wants to know what something would cost; a draft is written."""

    type: ClassVar[str] = "quote.requested"
    customer: int
    value: int


class QuoteRevised(Event, frozen=True, kw_only=True):
    """Another revision is being written; ``of`` is the quote that it is to take the place of."""

    type: ClassVar[str] = "quote.revised"
    of: int
    revision: int
    value: int


class QuoteIssued(Event, frozen=True, kw_only=True):
    """Sent to the customer: from now on the prices hold until ``until``, which is the first day on which they do not."""

    type: ClassVar[str] = "quote.issued"
    customer: int
    revision: int
    until: date
    lines: list[QuotedLine]


class QuoteAccepted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "quote.accepted"
    value: int


class QuoteConverted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "quote.converted"
    order: int


class QuoteDeclined(Event, frozen=True, kw_only=True):
    """``by_customer``: they did not want it; otherwise we took it back."""

    type: ClassVar[str] = "quote.declined"
    by_customer: bool
    reason: str


class QuoteExpired(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "quote.expired"
    value: int
