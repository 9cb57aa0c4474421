"""What sites ask each other for. The place is the site that asks; what travels tells its own story as a stock transfer."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from erpcore.kernel.events import Event


class TransferRequested(Event, frozen=True, kw_only=True):
    """``promised``: the day it should arrive, and ``reason`` what that was made from."""

    type: ClassVar[str] = "transfer.requested"
    from_site: int
    lines: int
    wanted: date
    promised: date
    reason: str


class TransferApproved(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "transfer.approved"
    promised: date
    reason: str


class TransferRejected(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "transfer.rejected"
    reason: str


class TransferCancelled(Event, frozen=True, kw_only=True):
    """What had not been shipped will not be."""

    type: ClassVar[str] = "transfer.cancelled"
    reason: str
