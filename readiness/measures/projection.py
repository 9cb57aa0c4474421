"""What each event does to its journey: one small function per type, none of which reads anything but its arguments.

Milestones that can happen more than once keep the latest instant, so that late and early entries end in the same row.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from erpcore import published as p
from erpcore.kernel.eventlog import LoggedEvent
from erpcore.kernel.events import Event
from readiness.measures.journeys import (
    BLOCKED,
    CORRECTED,
    DAMAGED,
    DELAYED,
    HELD,
    REVERSED,
    SHORT,
    SPLIT,
    TOUCHED,
    WRONG_AT_POSTING,
    Family,
    Journey,
    Moves,
)

Handler = Callable[[Family, LoggedEvent, Any], None]

#: Documents whose postings the ledger control point expects; others are not remembered.
_POSTED_DOCUMENTS = {"shipment", "invoice", "credit_memo", "receipt", "stock_move"}
_decode_holds = msgspec.json.Decoder(dict[str, datetime]).decode
_encode = msgspec.json.Encoder().encode


def _later(known: datetime | None, at: datetime) -> datetime:
    return at if known is None or at > known else known


def _earlier(known: datetime | None, at: datetime) -> datetime:
    return at if known is None or at < known else known


def _is_person(event: LoggedEvent) -> bool:
    return event.actor != 0


def _stamp(root: Journey, event: LoggedEvent, kind: str) -> None:
    """Dimensions of a document as its first event has them."""
    root.kind = kind
    root.realm, root.entity, root.site, root.channel = event.realm, event.entity, event.site, event.channel
    root.customer_group, root.grant_id, root.currency = event.customer_group, event.grant, event.currency
    if root.ruleset is None:
        root.ruleset, root.variants = event.ruleset, event.variants


def _open(root: Journey, event: LoggedEvent, kind: str) -> None:
    _stamp(root, event, kind)
    root.opened_at, root.opened_on, root.actor = event.at, event.on, event.actor


def _move(moves: Moves | None, event: LoggedEvent, quantity: int) -> Moves:
    move = [round(event.at.timestamp() * 1_000_000), event.on.toordinal(), quantity]
    if moves is None:
        return [move]
    moves.append(move)
    # Stable: of two at the same instant the one reported first stays first.
    moves.sort(key=lambda found: found[0])
    return moves


def _expect_posting(root: Journey, event: LoggedEvent, document: int) -> None:
    root.must_post += 1
    known = root.postings.split() if root.postings else []
    if f"posted:{document}" in known:
        known.remove(f"posted:{document}")
    else:
        known.append(f"due:{document}@{round(event.at.timestamp())}")
    root.postings = " ".join(known) or None


def _captured(family: Family, event: LoggedEvent, data: p.OrderCaptured) -> None:
    root = family.root
    _open(root, event, "order")
    root.start_at = data.start
    # A start that is not the capture itself is the first instant of a site's day: twelve hours later it is the same day
    # in UTC whatever the zone.
    root.start_on = event.on if data.start == event.at else (data.start.astimezone(UTC) + timedelta(hours=12)).date()
    if event.source == "back-entry":
        root.flags |= TOUCHED
    for ordered in data.lines:
        _order_line(family, ordered)
    root.value = sum(ordered.value for ordered in data.lines)


def _order_line(family: Family, ordered: p.CapturedLine) -> None:
    line = family.line(ordered.line)
    line.item, line.kind, line.abc, line.basis = ordered.item, ordered.kind, ordered.abc, ordered.basis
    line.quantity = line.priced_quantity = ordered.quantity
    line.value, line.early, line.late = ordered.value, ordered.early, ordered.late
    line.requested, line.requested_ship = ordered.requested, ordered.requested_ship
    if line.committed is None:
        line.committed = ordered.committed


def _rejected(family: Family, event: LoggedEvent, data: p.OrderRejected) -> None:
    family.root.ended_at = event.at


def _overridden(family: Family, event: LoggedEvent, data: p.OrderPriceOverridden) -> None:
    if _is_person(event):
        family.root.flags |= TOUCHED


def _amended(family: Family, event: LoggedEvent, data: p.OrderAmended) -> None:
    if _is_person(event):
        family.root.flags |= TOUCHED
    if not data.by_customer:
        return
    for ordered in data.lines:
        line = family.line(ordered.line)
        if (line.quantity, line.requested) != (ordered.quantity, ordered.requested):
            line.promise_is_void = line.first_promised is not None
        _order_line(family, ordered)


def _promised(family: Family, event: LoggedEvent, data: p.OrderPromised | p.OrderRepromised) -> None:
    for promise in data.lines:
        line = family.line(promise.line)
        if line.first_promised is None or line.promise_is_void:
            line.first_promised, line.promise_basis, line.promise_is_void = promise.day, promise.basis, False
        line.current_promised = promise.day


def _held(family: Family, event: LoggedEvent, data: p.OrderHeld) -> None:
    root = family.root
    root.flags |= HELD
    holds = _decode_holds(root.holds) if root.holds else {}
    holds[str(data.hold)] = data.due
    root.holds = _encode(holds).decode()


def _hold_released(family: Family, event: LoggedEvent, data: p.OrderHoldReleased) -> None:
    root = family.root
    holds = _decode_holds(root.holds) if root.holds else {}
    holds.pop(str(data.hold), None)
    root.holds = _encode(holds).decode() if holds else None
    root.hold_ended_at = _later(root.hold_ended_at, event.at)


def _released(family: Family, event: LoggedEvent, data: p.OrderReleased) -> None:
    family.root.released_at = _earlier(family.root.released_at, event.at)


def _allocated(family: Family, event: LoggedEvent, data: p.OrderAllocated) -> None:
    family.root.allocated_at = _later(family.root.allocated_at, event.at)
    for part in data.lines:
        family.line(part.line).allocated += part.quantity


def _deallocated(family: Family, event: LoggedEvent, data: p.OrderDeallocated) -> None:
    for part in data.lines:
        family.line(part.line).allocated -= part.quantity


def _backordered(family: Family, event: LoggedEvent, data: p.OrderBackordered) -> None:
    family.root.flags |= SHORT
    for part in data.lines:
        family.line(part.line).backordered += part.quantity


def _cancelled(family: Family, event: LoggedEvent, data: p.OrderCancelled) -> None:
    for part in data.lines:
        line = family.line(part.line)
        if data.by_customer:
            line.quantity = max(0, line.quantity - part.quantity)
        else:
            line.dropped += part.quantity
    if all(line.quantity <= line.dropped for line in family.lines.values()):
        family.root.ended_at = event.at


def _closed(family: Family, event: LoggedEvent, data: p.OrderClosed) -> None:
    family.root.closed_at = event.at


def _picked(family: Family, event: LoggedEvent, data: p.ShipmentPicked) -> None:
    family.root.picked_at = _later(family.root.picked_at, event.at)
    for part in data.lines:
        family.line(part.line).picked += part.quantity


def _short_picked(family: Family, event: LoggedEvent, data: p.ShipmentShortPicked) -> None:
    family.root.flags |= SHORT
    for part in data.lines:
        family.line(part.line).short += part.quantity


def _confirmed(family: Family, event: LoggedEvent, data: p.ShipmentConfirmed) -> None:
    root = family.root
    root.shipped_at = _later(root.shipped_at, event.at)
    root.shipments += 1
    if root.shipments > 1:
        root.flags |= SPLIT
    for part in data.lines:
        line = family.line(part.line)
        line.shipped += part.quantity
        line.shipments = _move(line.shipments, event, part.quantity)
    if data.must_post:
        _expect_posting(root, event, event.subject)


def _delayed(family: Family, event: LoggedEvent, data: p.ShipmentDelayed) -> None:
    family.root.flags |= DELAYED


def _delivered(family: Family, event: LoggedEvent, data: p.ShipmentDelivered) -> None:
    family.root.delivered_at = _later(family.root.delivered_at, event.at)
    for part in data.lines:
        line = family.line(part.line)
        line.delivered += part.quantity
        line.deliveries = _move(line.deliveries, event, part.quantity)


def _damaged(family: Family, event: LoggedEvent, data: p.ShipmentDamaged) -> None:
    family.root.flags |= DAMAGED


def _invoice(family: Family, event: LoggedEvent, shipment: int | None = None) -> Journey:
    """The invoice an event speaks of. One that was due before it was drafted is known by its shipment until then."""
    found = family.invoices.get(event.subject)
    if found is None and shipment is not None:
        found = next((known for known in family.invoices.values() if known.shipment_id == shipment), None)
        if found is not None and found.id == shipment:
            del family.invoices[shipment]
            family.gone.add(shipment)
            found.id = event.subject
            family.invoices[found.id] = found
    if found is None:
        found = family.invoices[event.subject] = Journey(family.root.id, event.subject)
        _stamp(found, event, "invoice")
        found.actor = event.actor
    if shipment is not None:
        found.shipment_id = shipment
    return found


def _drafted(family: Family, event: LoggedEvent, data: p.InvoiceDrafted) -> None:
    _invoice(family, event, data.shipment)


def _triggered(family: Family, event: LoggedEvent, data: p.InvoiceTriggered) -> None:
    invoice = _invoice(family, event, data.shipment)
    invoice.start_at = invoice.opened_at = event.at
    invoice.start_on = invoice.opened_on = event.on
    invoice.topic, invoice.value = data.policy, data.value


def _blocked(family: Family, event: LoggedEvent, data: p.InvoiceBlocked) -> None:
    family.root.flags |= BLOCKED
    if event.subject != family.root.id and event.journey == family.root.id:
        _invoice(family, event).flags |= BLOCKED


def _posted(family: Family, event: LoggedEvent, data: p.InvoicePosted) -> None:
    invoice = _invoice(family, event, data.shipment)
    if invoice.start_at is None:
        invoice.opened_at, invoice.opened_on = event.at, event.on
    invoice.invoiced_at, invoice.invoiced_on, invoice.gross = event.at, event.on, data.gross
    invoice.actor = event.actor
    if not (data.price_right and data.quantity_right and data.tax_determined):
        invoice.flags |= WRONG_AT_POSTING
    family.root.invoiced_at = _later(family.root.invoiced_at, event.at)
    if data.gross:
        _expect_posting(family.root, event, event.subject)


def _corrected(family: Family, event: LoggedEvent, data: p.InvoiceCorrected) -> None:
    if data.fault == "customer":
        return
    family.root.flags |= CORRECTED
    if event.journey == family.root.id:
        _invoice(family, event).flags |= CORRECTED


def _settled(family: Family, event: LoggedEvent, data: p.InvoiceSettled) -> None:
    _invoice(family, event).paid_at = event.at
    family.root.paid_at = _later(family.root.paid_at, event.at)


def _credited(family: Family, event: LoggedEvent, data: p.CreditMemoPosted) -> None:
    if data.gross:
        _expect_posting(family.root, event, event.subject)
    if data.return_ == family.root.id:
        family.root.credited_at = _earlier(family.root.credited_at, event.at)


def _return_requested(family: Family, event: LoggedEvent, data: p.ReturnRequested) -> None:
    _open(family.root, event, "return")
    family.root.topic, family.root.value = data.reason[:200], data.value


def _return_authorised(family: Family, event: LoggedEvent, data: p.ReturnAuthorised) -> None:
    family.root.released_at = _earlier(family.root.released_at, event.at)


def _return_declined(family: Family, event: LoggedEvent, data: p.ReturnDeclined) -> None:
    family.root.ended_at = event.at


def _return_received(family: Family, event: LoggedEvent, data: p.ReturnReceived) -> None:
    root = family.root
    if root.received_at is None or event.at < root.received_at:
        root.received_at, root.received_on = event.at, event.on


def _return_credited(family: Family, event: LoggedEvent, data: p.ReturnCredited) -> None:
    family.root.credited_at = _earlier(family.root.credited_at, event.at)
    family.root.closed_at = event.at


def _cash_received(family: Family, event: LoggedEvent, data: p.CashReceived) -> None:
    root = family.root
    _open(root, event, "receipt")
    root.value = data.amount
    # What was applied before the receipt was reported (a late entry) already counts.
    root.remaining += data.amount
    if data.amount:
        _expect_posting(root, event, root.id)


def _cash_applied(family: Family, event: LoggedEvent, data: p.CashApplied) -> None:
    family.root.remaining -= data.amount


def _adjusted(family: Family, event: LoggedEvent, data: p.StockAdjusted) -> None:
    root = family.root
    _open(root, event, "adjustment")
    root.topic, root.value, root.gross = data.reason[:64], data.value or 0, int(data.value is not None)
    if data.value:
        _expect_posting(root, event, root.id)


def _reversed(family: Family, event: LoggedEvent, data: p.StockAdjustmentReversed) -> None:
    family.root.flags |= REVERSED


def _ledger_posted(family: Family, event: LoggedEvent, data: p.LedgerPosted) -> None:
    root = family.root
    known = root.postings.split() if root.postings else []
    due = next((item for item in known if item.startswith(f"due:{data.document}@")), None)
    if due is not None:
        known.remove(due)
    elif data.document_type in _POSTED_DOCUMENTS and f"posted:{data.document}" not in known:
        known.append(f"posted:{data.document}")
    root.postings = " ".join(known) or None


def _only_a_step(family: Family, event: LoggedEvent, data: object) -> None:
    """Leaves its place in the sequence of steps and nothing else."""


HANDLERS: dict[type[Event], Handler] = {
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
    p.OrderDeallocated: _deallocated,
    p.OrderBackordered: _backordered,
    p.OrderCancelled: _cancelled,
    p.OrderClosed: _closed,
    p.ShipmentPicked: _picked,
    p.ShipmentShortPicked: _short_picked,
    p.ShipmentConfirmed: _confirmed,
    p.ShipmentDelayed: _delayed,
    p.ShipmentDelivered: _delivered,
    p.ShipmentDamaged: _damaged,
    p.InvoiceTriggered: _triggered,
    p.InvoiceDrafted: _drafted,
    p.InvoiceBlocked: _blocked,
    p.InvoicePosted: _posted,
    p.InvoiceCorrected: _corrected,
    p.InvoiceSettled: _settled,
    p.CreditMemoPosted: _credited,
    p.ReturnRequested: _return_requested,
    p.ReturnAuthorised: _return_authorised,
    p.ReturnDeclined: _return_declined,
    p.ReturnReceived: _return_received,
    p.ReturnCredited: _return_credited,
    p.CashReceived: _cash_received,
    p.CashApplied: _cash_applied,
    p.StockAdjusted: _adjusted,
    p.StockAdjustmentReversed: _reversed,
    p.LedgerPosted: _ledger_posted,
}

#: Families of events that belong to one kind of root document, for a root first seen by one of its later events.
_KIND = {
    "order": "order",
    "shipment": "order",
    "invoice": "order",
    "return": "return",
    "cash": "receipt",
    "stock": "adjustment",
}


def apply(family: Family, event: LoggedEvent, data: Any) -> None:
    """Let one event change its family. A type without handler is a mistake of the caller (KeyError)."""
    root = family.root
    if not root.kind:
        _stamp(root, event, _KIND.get(event.type.partition(".")[0], "other"))
    elif root.kind == "other":
        root.kind = _KIND.get(event.type.partition(".")[0], "other")
    HANDLERS[type(data)](family, event, data)
    if event.ruleset is not None and root.ruleset is None:
        # Stamped at the first binding move; until then the document ran in no class.
        root.ruleset, root.variants = event.ruleset, event.variants
    if event.journey == root.id:
        step = event.step.partition(".")[2]
        root.steps = f"{root.steps},{step}" if root.steps else step


def settle(family: Family) -> None:
    """Say of each document whether it is open; once, after all events of a batch."""
    family.root.is_open = _is_open(family.root)
    for invoice in family.invoices.values():
        invoice.is_open = invoice.start_at is not None and invoice.invoiced_at is None


def _is_open(root: Journey) -> bool:
    if root.opened_at is None or root.closed_at is not None or root.ended_at is not None:
        return False
    if root.kind == "receipt":
        return root.remaining != 0
    if root.kind == "return":
        return root.credited_at is None
    return root.kind == "order"
