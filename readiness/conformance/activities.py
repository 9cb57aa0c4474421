"""What was done? Business events as numbered steps of a process, with as little of their content as a check needs.

A number is never given twice and never changes its meaning: steps are kept by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from erpcore.kernel.eventlog import LoggedEvent

ORDER_CAPTURED = 1
ORDER_VALIDATED = 2
ORDER_REJECTED = 3
PRICE_OVERRIDDEN = 4
ORDER_AMENDED = 5
ORDER_PROMISED = 6
ORDER_REPROMISED = 7
ORDER_HELD = 8
HOLD_CURED = 9
HOLD_OVERRIDDEN = 10
ORDER_RELEASED = 11
ORDER_ALLOCATED = 12
ALLOCATION_OVERRIDDEN = 13
ORDER_BACKORDERED = 14
ORDER_CANCELLED = 15
ORDER_CANCELLED_WHOLE = 16
ORDER_CLOSED = 17
ORDER_SUBSTITUTED = 18
GOODS_PICKED = 19
PICKED_SHORT = 20
GOODS_PACKED = 21
GOODS_SHIPPED = 22
GOODS_DELIVERED = 23
INVOICE_DUE = 24
INVOICE_POSTED = 25
INVOICE_CORRECTED = 26
INVOICE_SETTLED = 27
CREDIT_WITHOUT_RETURN = 28
TASK_STARTED = 29
TASK_FINISHED = 30
TAKEN_BACK = 31
RETURN_REQUESTED = 40
RETURN_AUTHORISED = 41
RETURN_DECLINED = 42
RETURN_RECEIVED = 43
RETURN_CREDITED = 44
RETURN_INSPECTED = 45
PURCHASE_ORDERED = 50
PURCHASE_CONFIRMED = 51
PURCHASE_RECEIVED = 52
PURCHASE_SETTLED = 53
PURCHASE_CLOSED = 54
PURCHASE_CANCELLED = 55
TRANSFER_SHIPPED = 60
TRANSFER_RECEIVED = 61
TRANSFER_SETTLED = 62
TRANSFER_LOST = 63
WAVE_PLANNED = 64
WAVE_RELEASED = 65
WAVE_INTERRUPTED = 66
WAVE_RESUMED = 67
WAVE_COMPLETED = 68


class Activity(NamedTuple):
    """An activity: the step of the process that it belongs to, and its words in a sentence about a journey."""

    step: str
    words: str


ACTIVITIES: Mapping[int, Activity] = {
    ORDER_CAPTURED: Activity("order_to_cash.capture", "captured"),
    ORDER_VALIDATED: Activity("order_to_cash.check", "validated"),
    ORDER_REJECTED: Activity("order_to_cash.check", "rejected"),
    PRICE_OVERRIDDEN: Activity("order_to_cash.capture", "price overridden"),
    ORDER_AMENDED: Activity("order_to_cash.capture", "amended"),
    ORDER_PROMISED: Activity("order_to_cash.confirm", "promised"),
    ORDER_REPROMISED: Activity("order_to_cash.confirm", "promised anew"),
    ORDER_HELD: Activity("order_to_cash.release", "held"),
    HOLD_CURED: Activity("order_to_cash.release", "hold cured"),
    HOLD_OVERRIDDEN: Activity("order_to_cash.release", "hold overridden"),
    ORDER_RELEASED: Activity("order_to_cash.release", "released"),
    ORDER_ALLOCATED: Activity("order_to_cash.allocate", "allocated"),
    ALLOCATION_OVERRIDDEN: Activity("order_to_cash.allocate", "allocation overridden"),
    ORDER_BACKORDERED: Activity("order_to_cash.backorder", "backordered"),
    ORDER_CANCELLED: Activity("order_to_cash.capture", "cancelled in part"),
    ORDER_CANCELLED_WHOLE: Activity("order_to_cash.capture", "cancelled"),
    ORDER_CLOSED: Activity("order_to_cash.apply", "closed"),
    ORDER_SUBSTITUTED: Activity("order_to_cash.allocate", "substituted"),
    GOODS_PICKED: Activity("warehouse.pick", "picked"),
    PICKED_SHORT: Activity("warehouse.pick", "picked short"),
    GOODS_PACKED: Activity("warehouse.pack", "packed"),
    GOODS_SHIPPED: Activity("warehouse.ship", "shipped"),
    GOODS_DELIVERED: Activity("warehouse.deliver", "delivered"),
    INVOICE_DUE: Activity("order_to_cash.invoice", "invoice due"),
    INVOICE_POSTED: Activity("order_to_cash.invoice", "invoiced"),
    INVOICE_CORRECTED: Activity("order_to_cash.invoice", "invoice corrected"),
    INVOICE_SETTLED: Activity("order_to_cash.apply", "paid"),
    CREDIT_WITHOUT_RETURN: Activity("returns_to_credit.credit", "credited without a return"),
    TASK_STARTED: Activity("warehouse.pick", "task started"),
    TASK_FINISHED: Activity("warehouse.pick", "task finished"),
    TAKEN_BACK: Activity("warehouse.pick", "taken back"),
    RETURN_REQUESTED: Activity("returns_to_credit.request", "requested"),
    RETURN_AUTHORISED: Activity("returns_to_credit.authorise", "authorised"),
    RETURN_DECLINED: Activity("returns_to_credit.authorise", "declined"),
    RETURN_RECEIVED: Activity("returns_to_credit.receive", "received"),
    RETURN_INSPECTED: Activity("returns_to_credit.inspect", "inspected"),
    RETURN_CREDITED: Activity("returns_to_credit.credit", "credited"),
    PURCHASE_ORDERED: Activity("procure_to_pay.order", "ordered"),
    PURCHASE_CONFIRMED: Activity("procure_to_pay.confirm", "confirmed"),
    PURCHASE_RECEIVED: Activity("procure_to_pay.receive", "received in part"),
    PURCHASE_SETTLED: Activity("procure_to_pay.receive", "received"),
    PURCHASE_CLOSED: Activity("procure_to_pay.receive", "rest closed"),
    PURCHASE_CANCELLED: Activity("procure_to_pay.receive", "cancelled"),
    TRANSFER_SHIPPED: Activity("warehouse.transfer", "sent"),
    TRANSFER_RECEIVED: Activity("warehouse.transfer", "received in part"),
    TRANSFER_SETTLED: Activity("warehouse.transfer", "received"),
    TRANSFER_LOST: Activity("warehouse.transfer", "received with a loss"),
    WAVE_PLANNED: Activity("warehouse.plan", "planned"),
    WAVE_RELEASED: Activity("warehouse.plan", "released"),
    WAVE_INTERRUPTED: Activity("warehouse.plan", "interrupted"),
    WAVE_RESUMED: Activity("warehouse.plan", "resumed"),
    WAVE_COMPLETED: Activity("warehouse.plan", "completed"),
}


class UnknownVersion(Exception):
    """The event has a shape that this code does not know; it is parked until code arrives that does."""


class Quantity(msgspec.Struct, gc=False):
    """So much of a line; whatever else an event says of it is passed over."""

    line: int
    quantity: int


class _Lines(msgspec.Struct, gc=False):
    lines: list[Quantity]


class _Amended(msgspec.Struct, gc=False):
    by_customer: bool
    lines: list[Quantity]


class _Hold(msgspec.Struct, gc=False):
    cured: bool


class _Billed(msgspec.Struct, gc=False):
    shipment: int | None = None


class _Credit(msgspec.Struct, gc=False):
    return_: int | None = msgspec.field(default=None, name="return")
    rebate: int | None = None


class _Settling(msgspec.Struct, gc=False):
    settled: bool
    lost: int = 0


class _Substituted(msgspec.Struct, gc=False):
    substitute_line: int
    quantity: int


class Part(msgspec.Struct, gc=False):
    """So much of ``line`` is ``part`` from now on."""

    line: int
    part: int
    quantity: int


class _Split(msgspec.Struct, gc=False):
    parts: list[Part]


class Done(NamedTuple):
    """What an event means here. ``activity`` is ``None`` for what only changes how much is ordered, as ``changes`` says."""

    activity: int | None
    key: int = 0
    changes: Any = None


_lines = msgspec.json.Decoder(_Lines).decode
_amended = msgspec.json.Decoder(_Amended).decode
_hold = msgspec.json.Decoder(_Hold).decode
_billed = msgspec.json.Decoder(_Billed).decode
_credit = msgspec.json.Decoder(_Credit).decode
_settling = msgspec.json.Decoder(_Settling).decode
_substituted = msgspec.json.Decoder(_Substituted).decode
_split = msgspec.json.Decoder(_Split).decode


def _plain(activity: int) -> Callable[[LoggedEvent], Done]:
    done = Done(activity)
    return lambda _: done


def _of_subject(activity: int) -> Callable[[LoggedEvent], Done]:
    """Of a shipment or a task, which sets it apart."""
    return lambda event: Done(activity, event.subject)


def _of_shipment(activity: int) -> Callable[[LoggedEvent], Done]:
    return lambda event: Done(activity, _billed(event.data).shipment or 0)


def _captured(event: LoggedEvent) -> Done:
    return Done(ORDER_CAPTURED, 0, _lines(event.data).lines)


def _order_amended(event: LoggedEvent) -> Done:
    told = _amended(event.data)
    return Done(ORDER_AMENDED, 0, told.lines if told.by_customer else None)


def _cancelled(event: LoggedEvent) -> Done:
    return Done(ORDER_CANCELLED, 0, _lines(event.data).lines)


def _order_split(event: LoggedEvent) -> Done:
    return Done(None, 0, _split(event.data).parts)


def _order_substituted(event: LoggedEvent) -> Done:
    told = _substituted(event.data)
    return Done(ORDER_SUBSTITUTED, 0, [Quantity(told.substitute_line, told.quantity)])


def _hold_released(event: LoggedEvent) -> Done:
    return Done(HOLD_CURED if _hold(event.data).cured else HOLD_OVERRIDDEN)


def _credit_memo(event: LoggedEvent) -> Done | None:
    # With a return it is a step of the return, which tells of it itself.
    told = _credit(event.data)
    # A rebate that is settled is no correction of any order.
    return None if told.return_ is not None or told.rebate is not None else Done(CREDIT_WITHOUT_RETURN)


def _purchase_received(event: LoggedEvent) -> Done:
    return Done(PURCHASE_SETTLED if _settling(event.data).settled else PURCHASE_RECEIVED)


def _transfer_received(event: LoggedEvent) -> Done:
    told = _settling(event.data)
    if told.lost:
        return Done(TRANSFER_LOST)
    return Done(TRANSFER_SETTLED if told.settled else TRANSFER_RECEIVED)


_READERS: Mapping[str, Callable[[LoggedEvent], Done | None]] = {
    "order.captured": _captured,
    "order.validated": _plain(ORDER_VALIDATED),
    "order.rejected": _plain(ORDER_REJECTED),
    "order.price_overridden": _plain(PRICE_OVERRIDDEN),
    "order.amended": _order_amended,
    "order.split": _order_split,
    "order.substituted": _order_substituted,
    "order.promised": _plain(ORDER_PROMISED),
    "order.repromised": _plain(ORDER_REPROMISED),
    "order.held": _plain(ORDER_HELD),
    "order.hold_released": _hold_released,
    "order.released": _plain(ORDER_RELEASED),
    "order.allocated": _plain(ORDER_ALLOCATED),
    "order.allocation_overridden": _plain(ALLOCATION_OVERRIDDEN),
    "order.backordered": _plain(ORDER_BACKORDERED),
    "order.cancelled": _cancelled,
    "order.closed": _plain(ORDER_CLOSED),
    "shipment.picked": _of_subject(GOODS_PICKED),
    "shipment.short_picked": _plain(PICKED_SHORT),
    "shipment.taken_back": _of_subject(TAKEN_BACK),
    "shipment.packed": _of_subject(GOODS_PACKED),
    "shipment.confirmed": _of_subject(GOODS_SHIPPED),
    "shipment.delivered": _of_subject(GOODS_DELIVERED),
    "invoice.triggered": _of_shipment(INVOICE_DUE),
    "invoice.posted": _of_shipment(INVOICE_POSTED),
    "invoice.corrected": _plain(INVOICE_CORRECTED),
    "invoice.settled": _plain(INVOICE_SETTLED),
    "credit_memo.posted": _credit_memo,
    "task.started": _of_subject(TASK_STARTED),
    "task.finished": _of_subject(TASK_FINISHED),
    "return.requested": _plain(RETURN_REQUESTED),
    "return.authorised": _plain(RETURN_AUTHORISED),
    "return.declined": _plain(RETURN_DECLINED),
    "return.received": _plain(RETURN_RECEIVED),
    "return.inspected": _plain(RETURN_INSPECTED),
    "return.credited": _plain(RETURN_CREDITED),
    "purchase.ordered": _plain(PURCHASE_ORDERED),
    "purchase.confirmed": _plain(PURCHASE_CONFIRMED),
    "purchase.received": _purchase_received,
    "purchase.closed": _plain(PURCHASE_CLOSED),
    "purchase.cancelled": _plain(PURCHASE_CANCELLED),
    "stock.transfer_shipped": _plain(TRANSFER_SHIPPED),
    "stock.transfer_received": _transfer_received,
    "pick_wave.planned": _plain(WAVE_PLANNED),
    "pick_wave.released": _plain(WAVE_RELEASED),
    "pick_wave.interrupted": _plain(WAVE_INTERRUPTED),
    "pick_wave.resumed": _plain(WAVE_RESUMED),
    "pick_wave.completed": _plain(WAVE_COMPLETED),
}
#: The types of events that are steps here. All are known in their first version only.
TYPES = frozenset(_READERS)
#: The process that a family of events belongs to. Tasks belong to whatever journey they are part of.
FAMILIES: Mapping[str, str] = {
    "order": "order_to_cash", "shipment": "order_to_cash", "invoice": "order_to_cash", "credit_memo": "order_to_cash",
    "return": "returns_to_credit", "purchase": "procure_to_pay", "stock": "warehouse", "pick_wave": "warehouse",
    "task": "warehouse",
}  # fmt: skip


def done_by(event: LoggedEvent) -> Done | None:
    """What this event means here, ``None`` for nothing. Raises ``UnknownVersion``, or msgspec's error for broken content."""
    if event.version != 1:
        raise UnknownVersion(f"{event.type} version {event.version} is unknown here")
    return _READERS[event.type](event)
