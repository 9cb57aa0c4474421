"""What the events of an order and its shipments do to its journey."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from erpcore import published as p
from erpcore.kernel.eventlog import LoggedEvent
from erpcore.kernel.events import Event
from erpcore.published.sourcing import OrderSplit, OrderSubstituted
from readiness.measures.journeys import DAMAGED, DELAYED, HELD, PART, SHORT, SPLIT, TOUCHED, Family, Line
from readiness.measures.milestones import add_moves, earlier, expect_posting, is_person, later, open_document

_decode_holds = msgspec.json.Decoder(dict[str, datetime]).decode
_encode = msgspec.json.Encoder().encode


def _captured(family: Family, event: LoggedEvent, data: p.OrderCaptured) -> None:
    root = family.root
    open_document(root, event, "order")
    root.start_at = data.start
    root.start_on = data.start_on or event.on
    if event.source == "back-entry":
        root.flags |= TOUCHED
    for ordered in data.lines:
        found = family.lines.get(ordered.line)
        if found is None:
            family.lines[ordered.line] = _new_line(root.id, ordered)
        else:
            _order_line(found, ordered)
    family.changed_lines.update([ordered.line for ordered in data.lines])
    root.value = sum([ordered.value for ordered in data.lines])


def _new_line(journey_id: int, ordered: p.CapturedLine) -> Line:
    """A line nothing was heard of before, made in one go: an import brings them by the ten thousand."""
    quantity = ordered.quantity
    return Line(
        journey_id, ordered.line, ordered.item, ordered.kind, ordered.abc, ordered.basis, quantity, quantity, ordered.value,
        ordered.requested, ordered.requested_ship, ordered.committed, ordered.early, ordered.late,
    )  # fmt: skip


def _order_line(line: Line, ordered: p.CapturedLine) -> None:
    line.item, line.kind, line.abc, line.basis = ordered.item, ordered.kind, ordered.abc, ordered.basis
    line.quantity = line.priced_quantity = ordered.quantity
    line.value, line.early, line.late = ordered.value, ordered.early, ordered.late
    line.requested, line.requested_ship = ordered.requested, ordered.requested_ship
    if line.committed is None:
        line.committed = ordered.committed


def _rejected(family: Family, event: LoggedEvent, data: p.OrderRejected) -> None:
    family.root.ended_at = event.at


def _overridden(family: Family, event: LoggedEvent, data: p.OrderPriceOverridden) -> None:
    if is_person(event):
        family.root.flags |= TOUCHED


def _amended(family: Family, event: LoggedEvent, data: p.OrderAmended) -> None:
    if is_person(event):
        family.root.flags |= TOUCHED
    if not data.by_customer:
        return
    for told in data.lines:
        ordered = _with_parts(family, told) if family.root.flags & SPLIT else told
        line = family.line(ordered.line)
        if (line.quantity, line.requested) != (ordered.quantity, ordered.requested):
            line.promise_is_void = line.first_promised is not None
        _order_line(line, ordered)


def _split(family: Family, event: LoggedEvent, data: OrderSplit) -> None:
    """What becomes of the parts becomes of the line: it was ordered in one, and is filled and in time as one."""
    family.root.flags |= SPLIT
    if is_person(event):
        family.root.flags |= TOUCHED
    for one in data.parts:
        cut = family.lines.get(one.line)
        if cut is not None and cut.kind == PART:
            cut.priced_quantity, cut.value = cut.priced_quantity - one.quantity, cut.value - one.value
            family.changed_lines.add(one.line)
        whole = family.line(one.line)
        family.lines[one.part] = Line(
            family.root.id, one.part, item=whole.line, kind=PART, priced_quantity=one.quantity, value=one.value
        )
        family.changed_lines.add(one.part)


def _with_parts(family: Family, ordered: p.CapturedLine) -> p.CapturedLine:
    """What the customer orders of a line now, or of a part of one, as the whole that it is judged as."""
    told = family.lines.get(ordered.line)
    if told is None:
        return ordered
    if told.kind != PART:
        parts = [one for one in family.lines.values() if one.kind == PART and one.item == told.line]
        quantity = ordered.quantity + sum(one.priced_quantity for one in parts)
        return msgspec.structs.replace(
            ordered, quantity=quantity, value=ordered.value + sum(one.value for one in parts)
        )
    whole = family.line(ordered.line)
    quantity = whole.quantity + ordered.quantity - told.priced_quantity
    value = whole.value_of(whole.quantity) + ordered.value - told.value
    told.priced_quantity, told.value = ordered.quantity, ordered.value
    family.changed_lines.add(ordered.line)
    return msgspec.structs.replace(ordered, line=whole.line, quantity=quantity, value=value)


def _promised(family: Family, event: LoggedEvent, data: p.OrderPromised | p.OrderRepromised) -> None:
    for line, promise in zip(family.lines_of(data.lines), data.lines, strict=True):
        if line.first_promised is None or line.promise_is_void:
            line.first_promised, line.promise_basis, line.promise_is_void = promise.day, promise.basis, False
        line.current_promised = promise.day


def _held(family: Family, event: LoggedEvent, data: p.OrderHeld) -> None:
    root = family.root
    root.flags |= HELD
    # A hold takes the release back: the order waits to be released again.
    root.released_at = None
    holds = _decode_holds(root.holds) if root.holds else {}
    holds[str(data.hold)] = data.due
    root.holds = _encode(holds).decode()


def _hold_released(family: Family, event: LoggedEvent, data: p.OrderHoldReleased) -> None:
    root = family.root
    holds = _decode_holds(root.holds) if root.holds else {}
    holds.pop(str(data.hold), None)
    root.holds = _encode(holds).decode() if holds else None
    root.hold_ended_at = later(root.hold_ended_at, event.at)


def _released(family: Family, event: LoggedEvent, data: p.OrderReleased) -> None:
    family.root.released_at = earlier(family.root.released_at, event.at)


def _allocated(family: Family, event: LoggedEvent, data: p.OrderAllocated) -> None:
    family.root.allocated_at = later(family.root.allocated_at, event.at)
    for line, part in zip(family.lines_of(data.lines), data.lines, strict=True):
        line.allocated += part.quantity


def _deallocated(family: Family, event: LoggedEvent, data: p.OrderDeallocated) -> None:
    for line, part in zip(family.lines_of(data.lines), data.lines, strict=True):
        line.allocated -= part.quantity


def _backordered(family: Family, event: LoggedEvent, data: p.OrderBackordered) -> None:
    family.root.flags |= SHORT
    for line, part in zip(family.lines_of(data.lines), data.lines, strict=True):
        line.backordered += part.quantity
        line.backordered_at = earlier(line.backordered_at, event.at)


def _cancelled(family: Family, event: LoggedEvent, data: p.OrderCancelled) -> None:
    for line, part in zip(family.lines_of(data.lines), data.lines, strict=True):
        if data.by_customer:
            line.quantity = max(0, line.quantity - part.quantity)
            own = family.lines[part.line]
            if own is not line:
                left = max(0, own.priced_quantity - part.quantity)
                own.value, own.priced_quantity = own.value_of(left), left
                family.changed_lines.add(part.line)
        else:
            line.dropped += part.quantity
    if all(line.quantity <= line.dropped for line in family.lines.values()):
        family.root.ended_at = event.at


def _closed(family: Family, event: LoggedEvent, data: p.OrderClosed) -> None:
    family.root.closed_at = event.at


def _picked(family: Family, event: LoggedEvent, data: p.ShipmentPicked) -> None:
    family.root.picked_at = later(family.root.picked_at, event.at)
    for line, part in zip(family.lines_of(data.lines), data.lines, strict=True):
        line.picked += part.quantity


def _taken_back(family: Family, event: LoggedEvent, data: p.ShipmentTakenBack) -> None:
    for line, part in zip(family.lines_of(data.lines), data.lines, strict=True):
        line.picked -= part.quantity


def _short_picked(family: Family, event: LoggedEvent, data: p.ShipmentShortPicked) -> None:
    family.root.flags |= SHORT
    for line, part in zip(family.lines_of(data.lines), data.lines, strict=True):
        line.short += part.quantity


def _confirmed(family: Family, event: LoggedEvent, data: p.ShipmentConfirmed) -> None:
    root = family.root
    root.shipped_at = later(root.shipped_at, event.at)
    root.calendar_seq = event.seq
    root.shipments += 1
    if root.shipments > 1:
        root.flags |= SPLIT
    for line, part in zip(add_moves(family, event, data.lines, "shipments"), data.lines, strict=True):
        line.shipped += part.quantity
    if data.must_post:
        expect_posting(root, event, event.subject)


def _delayed(family: Family, event: LoggedEvent, data: p.ShipmentDelayed) -> None:
    family.root.flags |= DELAYED


def _delivered(family: Family, event: LoggedEvent, data: p.ShipmentDelivered) -> None:
    family.root.delivered_at = later(family.root.delivered_at, event.at)
    for line, part in zip(add_moves(family, event, data.lines, "deliveries"), data.lines, strict=True):
        line.delivered += part.quantity


def _damaged(family: Family, event: LoggedEvent, data: p.ShipmentDamaged) -> None:
    family.root.flags |= DAMAGED


def _substituted(family: Family, event: LoggedEvent, data: OrderSubstituted) -> None:
    """What is sent instead is a line that fills nothing and is judged by no date; the original stays as short as it was."""
    family.root.flags |= SHORT
    whole = _ordered_as(family, family.line(data.line))
    replaced = (data.substitute_line, data.quantity, data.value, data.reason[:64].rstrip("/ "))
    whole.substitutes = [*(whole.substitutes or ()), replaced]
    line = family.line(data.substitute_line)
    line.item, line.kind, line.quantity = data.substitute, "substitute", data.quantity
    line.priced_quantity, line.value = data.quantity, data.substitute_value
    if is_person(event):
        family.root.flags |= TOUCHED


def _ordered_as(family: Family, line: Line) -> Line:
    """The line that the customer ordered, also where what was sent instead of it is replaced once more."""
    for other in family.lines.values():
        if any(line.line == sent for sent, *_ in other.substitutes or ()):
            return family.line(other.line)
    return line


def _only_a_step(family: Family, event: LoggedEvent, data: object) -> None:
    """Leaves its place in the sequence of steps and nothing else."""


ORDER_HANDLERS: dict[type[Event], Callable[[Family, LoggedEvent, Any], None]] = {
    p.OrderCaptured: _captured,
    p.OrderValidated: _only_a_step,
    p.OrderRejected: _rejected,
    p.OrderPriceOverridden: _overridden,
    p.OrderAmended: _amended,
    p.OrderPromised: _promised,
    p.OrderRepromised: _promised,
    p.OrderHeld: _held,
    p.OrderHoldReleased: _hold_released,
    p.OrderReleased: _released,
    p.OrderAllocated: _allocated,
    p.OrderAllocationOverridden: _only_a_step,
    p.OrderDeallocated: _deallocated,
    p.OrderBackordered: _backordered,
    p.OrderCancelled: _cancelled,
    OrderSubstituted: _substituted,
    OrderSplit: _split,
    p.OrderClosed: _closed,
    p.ShipmentPicked: _picked,
    p.ShipmentShortPicked: _short_picked,
    p.ShipmentTakenBack: _taken_back,
    p.ShipmentConfirmed: _confirmed,
    p.ShipmentDelayed: _delayed,
    p.ShipmentDelivered: _delivered,
    p.ShipmentDamaged: _damaged,
}
