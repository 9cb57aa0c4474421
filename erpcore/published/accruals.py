"""What the accruals of a period's end tell."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import msgspec

from erpcore.kernel.events import Event


class AccruedAmount(msgspec.Struct, frozen=True, kw_only=True):
    """What a run posted of one kind in one currency, in minor units; negative where it took back."""

    kind: str
    currency: str
    amount: int


class AccrualsPosted(Event, frozen=True, kw_only=True):
    """A run posted what a company's days before ``until`` lacked, and turned it back on that day; ``lines`` counts its lines."""

    type: ClassVar[str] = "accruals.posted"
    until: date
    lines: int
    amounts: list[AccruedAmount]
