"""What purchasing tells: ordered, confirmed with which dates, received, ended. Places are the site that is supplied."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import msgspec

from erpcore.kernel.events import Event


class PurchaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """So much of an item by a day, in thousandths of its unit."""

    line: int
    item: int
    quantity: int
    day: date


class PurchaseQuantity(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    quantity: int


class PurchaseOrdered(Event, frozen=True, kw_only=True):
    """``order``: the customer's order that the supplier sends the goods to, ``None``: they come to the site."""

    type: ClassVar[str] = "purchase.ordered"
    supplier: int
    value: int
    lines: list[PurchaseLine]
    order: int | None = None


class PurchaseSplitLine(msgspec.Struct, frozen=True, kw_only=True):
    """``quantity`` of ``line`` is asked for as ``part``, by another day or for another address; both the same: all of it is."""

    line: int
    part: int
    quantity: int
    day: date


class PurchaseSplit(Event, frozen=True, kw_only=True):
    """What the customer wants in parts is asked of the supplier in parts; what is ordered in all stays the same."""

    type: ClassVar[str] = "purchase.split"
    lines: list[PurchaseSplitLine]


class PurchaseConfirmed(Event, frozen=True, kw_only=True):
    """The supplier's first word on these lines: what it sends and when. Punctuality is held against it."""

    type: ClassVar[str] = "purchase.confirmed"
    lines: list[PurchaseLine]


class PurchaseReconfirmed(Event, frozen=True, kw_only=True):
    """The supplier's later word; the first one stays what it is judged by."""

    type: ClassVar[str] = "purchase.reconfirmed"
    lines: list[PurchaseLine]


class PurchaseReceived(Event, frozen=True, kw_only=True):
    """What came, here or straight at the customer's. ``settled``: nothing more is waited for."""

    type: ClassVar[str] = "purchase.received"
    lines: list[PurchaseQuantity]
    settled: bool


class PurchaseClosed(Event, frozen=True, kw_only=True):
    """The rest is not waited for any more."""

    type: ClassVar[str] = "purchase.closed"
    reason: str
    lines: list[PurchaseQuantity]


class PurchaseCancelled(Event, frozen=True, kw_only=True):
    """Nothing had come, and nothing will."""

    type: ClassVar[str] = "purchase.cancelled"
    reason: str
