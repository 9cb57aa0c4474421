"""What the core tells: the typed content of its business events. Frozen and versioned; a new shape is a new version.

Ids only, never names. Quantities are thousandths of the unit, prices millionths of the currency, amounts minor units, all
integers; days are the site's calendar days. What a projection needs from master data is in the event as it was.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

import msgspec

from erpcore.kernel.events import Event


class CapturedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line as the customer ordered it.

    ``kind`` is stock, drop_ship, service, charge or free (at price zero). ``requested`` is the day the customer wished, a ship
    or a delivery day as ``basis`` says; ``requested_ship`` the same as a ship day. ``early`` and ``late`` are the days that the
    service commitment allows around it. ``value`` is quantity × price, rounded once.
    """

    line: int
    item: int
    kind: str
    quantity: int
    price: int
    value: int
    requested: date
    requested_ship: date
    committed: date
    basis: str = "ship"
    early: int = 0
    late: int = 0
    abc: str | None = None


class LineQuantity(msgspec.Struct, frozen=True, kw_only=True):
    """So much of one order line."""

    line: int
    quantity: int


class LinePromise(msgspec.Struct, frozen=True, kw_only=True):
    """The day promised for one order line, and why that day."""

    line: int
    day: date
    basis: str
    reason: str


class OrderCaptured(Event, frozen=True, kw_only=True):
    """``start`` is max(captured, requested ship − committed lead time): where the order's clock begins.

    ``start_on`` is the site's day of a start that is not the capture itself.
    """

    type: ClassVar[str] = "order.captured"
    customer: int
    start: datetime
    start_on: date | None = None
    lines: list[CapturedLine]


class OrderValidated(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.validated"


class OrderRejected(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.rejected"
    reason: str


class OrderPriceOverridden(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.price_overridden"
    line: int
    old: int
    new: int
    reason: str


class OrderAmended(Event, frozen=True, kw_only=True):
    """``by_customer``: the customer's own wish, which alone may change the original quantity and the requested day."""

    type: ClassVar[str] = "order.amended"
    by_customer: bool
    reason: str
    lines: list[CapturedLine]


class OrderPromised(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.promised"
    lines: list[LinePromise]


class OrderRepromised(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.repromised"
    lines: list[LinePromise]


class OrderHeld(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.held"
    hold: int
    kind: str
    due: datetime


class OrderHoldReleased(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.hold_released"
    hold: int
    kind: str
    cured: bool


class OrderReleased(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.released"


class OrderAllocated(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.allocated"
    lines: list[LineQuantity]


class OrderAllocationOverridden(Event, frozen=True, kw_only=True):
    """What these lines got because somebody changed the ranking of a run by hand, and another person committed it."""

    type: ClassVar[str] = "order.allocation_overridden"
    run: int
    reason: str
    lines: list[LineQuantity]


class OrderDeallocated(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.deallocated"
    reason: str
    lines: list[LineQuantity]


class OrderBackordered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.backordered"
    lines: list[LineQuantity]


class OrderCancelled(Event, frozen=True, kw_only=True):
    """``by_customer`` lines leave the service measures; ours stay as misses."""

    type: ClassVar[str] = "order.cancelled"
    by_customer: bool
    reason: str
    lines: list[LineQuantity]


class OrderClosed(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "order.closed"


class ShipmentPicked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shipment.picked"
    lines: list[LineQuantity]


class ShipmentShortPicked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shipment.short_picked"
    reason: str
    lines: list[LineQuantity]


class ShipmentTakenBack(Event, frozen=True, kw_only=True):
    """What was picked goes back to its places before it left."""

    type: ClassVar[str] = "shipment.taken_back"
    reason: str
    lines: list[LineQuantity]


class ShipmentConfirmed(Event, frozen=True, kw_only=True):
    """``value`` is the shipped lines at order price; ``cost`` their cost, ``None`` where no item had one."""

    type: ClassVar[str] = "shipment.confirmed"
    lines: list[LineQuantity]
    value: int
    cost: int | None = None
    unvalued_lines: int = 0
    must_post: bool = False


class ShipmentDelayed(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shipment.delayed"
    reason: str


class ShipmentDelivered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shipment.delivered"
    lines: list[LineQuantity]


class ShipmentDamaged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shipment.damaged"
    reason: str
    lines: list[LineQuantity]


class StockMoved(Event, frozen=True, kw_only=True):
    """Stock that came or left for no order: opening, receipt, transfer. ``value`` is ``None`` at unknown cost."""

    type: ClassVar[str] = "stock.moved"
    item: int
    quantity: int
    reason: str
    value: int | None = None


class StockAdjusted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "stock.adjusted"
    item: int
    quantity: int
    reason: str
    value: int | None = None


class StockAdjustmentReversed(Event, frozen=True, kw_only=True):
    """The adjustment of event subject ``of`` was a mistake; both leave the adjustment measures."""

    type: ClassVar[str] = "stock.adjustment_reversed"
    of: int
    item: int
    quantity: int
    reason: str
    value: int | None = None


class StockCounted(Event, frozen=True, kw_only=True):
    """A first blind count: what the book said, what was found, and whether that is within tolerance."""

    type: ClassVar[str] = "stock.counted"
    item: int
    book: int
    counted: int
    within_tolerance: bool
    planned: bool
    abc: str | None = None
    book_value: int | None = None
    difference_value: int | None = None


class InvoiceTriggered(Event, frozen=True, kw_only=True):
    """What the policy waits for has happened; the invoice is due from now on."""

    type: ClassVar[str] = "invoice.triggered"
    policy: str
    shipment: int | None = None
    value: int = 0


class InvoiceDrafted(Event, frozen=True, kw_only=True):
    """``shipments``: all of one that bills several; ``shipment`` is the first of them."""

    type: ClassVar[str] = "invoice.drafted"
    shipment: int | None = None
    net: int = 0
    shipments: list[int] = msgspec.field(default_factory=list)


class InvoiceBlocked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "invoice.blocked"
    reason: str


class InvoiceUnblocked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "invoice.unblocked"
    reason: str


class InvoicePosted(Event, frozen=True, kw_only=True):
    """``price_right``: every line at its order price; ``quantity_right``: as shipped; ``tax_determined``: by a rate."""

    type: ClassVar[str] = "invoice.posted"
    net: int
    tax: int
    gross: int
    price_right: bool
    quantity_right: bool
    tax_determined: bool
    shipment: int | None = None


class InvoiceCorrected(Event, frozen=True, kw_only=True):
    """A posted invoice was credited in part or whole. ``fault`` is ours, customer or undecided; undecided counts as ours."""

    type: ClassVar[str] = "invoice.corrected"
    credit_memo: int
    fault: str
    reason: str
    gross: int


class InvoiceSettled(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "invoice.settled"


class CreditMemoPosted(Event, frozen=True, kw_only=True):
    """``unlinked`` says why no sale was found for it; ``rebate`` is the agreement that it settles."""

    type: ClassVar[str] = "credit_memo.posted"
    net: int
    tax: int
    gross: int
    reason: str
    fault: str
    invoice: int | None = None
    return_: int | None = msgspec.field(default=None, name="return")
    unlinked: str | None = None
    rebate: int | None = None


class ReturnRequested(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "return.requested"
    reason: str
    order: int | None = None
    value: int = 0


class ReturnAuthorised(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "return.authorised"


class ReturnDeclined(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "return.declined"
    reason: str


class ReturnReceived(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "return.received"
    value: int = 0


class ReturnInspected(Event, frozen=True, kw_only=True):
    """``value`` of what came, at the price of its sale; of it ``restocked`` is to be sold again."""

    type: ClassVar[str] = "return.inspected"
    value: int = 0
    restocked: int = 0


class ReturnCredited(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "return.credited"
    credit_memo: int


class CashReceived(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "cash.received"
    amount: int


class CashApplied(Event, frozen=True, kw_only=True):
    """Part of a receipt settles part of an invoice. ``left`` is what of the receipt is still not applied."""

    type: ClassVar[str] = "cash.applied"
    invoice: int
    amount: int
    left: int
    by_person: bool


class DebtWrittenOff(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "debt.written_off"
    amount: int
    reason: str


class LedgerPosted(Event, frozen=True, kw_only=True):
    """The books took ``document``; ``rounding`` is the exact amount not posted because lines are kept in minor units,
    in millionths of the currency.
    """

    type: ClassVar[str] = "ledger.posted"
    document_type: str
    document: int
    amount: int
    rounding: int = 0


class ControlCompared(Event, frozen=True, kw_only=True):
    """Two figures that must agree, read at the same event sequence. ``difference`` and ``tolerance`` in the control's unit."""

    type: ClassVar[str] = "control.compared"
    control: str
    unit: str
    left: int
    right: int
    difference: int
    tolerance: int
    read_to: int
