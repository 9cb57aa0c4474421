"""What is told of carriers' bills: they came, somebody decided on a line, and they are in the books or out of them again."""

from __future__ import annotations

from typing import ClassVar

from erpcore.kernel.events import Event


class CarrierBillReceived(Event, frozen=True, kw_only=True):
    """A carrier's bill adds up and waits to be posted; ``open``: so many of its lines are not as expected."""

    type: ClassVar[str] = "carrier_bill.received"
    carrier: int
    lines: int
    open: int
    net: int
    tax: int


class CarrierBillDecided(Event, frozen=True, kw_only=True):
    """Somebody accepted or declined a line that is not as expected; ``amount`` without tax."""

    type: ClassVar[str] = "carrier_bill.decided"
    carrier: int
    result: str
    decision: str
    amount: int
    expected: int | None = None


class CarrierBillPosted(Event, frozen=True, kw_only=True):
    """A carrier's bill is in the books. ``owed`` with tax; ``expected``: what its shipments were to cost."""

    type: ClassVar[str] = "carrier_bill.posted"
    carrier: int
    net: int
    tax: int
    owed: int
    expected: int


class CarrierBillRefused(Event, frozen=True, kw_only=True):
    """A carrier's bill goes back as a whole."""

    type: ClassVar[str] = "carrier_bill.refused"
    carrier: int
    reason: str


class CarrierBillReversed(Event, frozen=True, kw_only=True):
    """A posted bill is out of the books again: its shipments are as if their carrier had not billed them."""

    type: ClassVar[str] = "carrier_bill.reversed"
    carrier: int
    owed: int
    reason: str
