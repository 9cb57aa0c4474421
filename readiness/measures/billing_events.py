"""What invoices, credit memos, returns, receipts, adjustments, arrivals, transfers and the ledger do to their journeys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from erpcore import published as p
from erpcore.kernel.eventlog import LoggedEvent
from erpcore.kernel.events import Event
from erpcore.published.cash import CashReturned, CashUnapplied, InvoiceReopened
from erpcore.published.stock import StockArrived, StockPutAway, StockTransferReceived, StockTransferShipped
from readiness.measures.journeys import BLOCKED, CORRECTED, REVERSED, WRONG_AT_POSTING, Family, Journey
from readiness.measures.milestones import earlier, expect_posting, later, open_document, stamp

#: Documents whose postings the ledger control point expects; others are not remembered.
_POSTED_DOCUMENTS = {"shipment", "invoice", "credit_memo", "receipt", "stock_move"}


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
        stamp(found, event, "invoice")
        found.actor = event.actor
    if shipment is not None:
        found.shipment_id = shipment
    return found


def _drafted(family: Family, event: LoggedEvent, data: p.InvoiceDrafted) -> None:
    """One invoice for several shipments counts once, with the order of the first; the others wait for none of their own."""
    if event.journey == family.root.id:
        _invoice(family, event, data.shipment)
    for shipment in set(data.shipments) & family.invoices.keys():
        del family.invoices[shipment]
        family.gone.add(shipment)


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
    if event.journey != family.root.id:
        family.root.invoiced_at = later(family.root.invoiced_at, event.at)
        return
    invoice = _invoice(family, event, data.shipment)
    if invoice.start_at is None:
        invoice.opened_at, invoice.opened_on = event.at, event.on
    invoice.invoiced_at, invoice.invoiced_on, invoice.gross = event.at, event.on, data.gross
    invoice.actor = event.actor
    if not (data.price_right and data.quantity_right and data.tax_determined):
        invoice.flags |= WRONG_AT_POSTING
    family.root.invoiced_at = later(family.root.invoiced_at, event.at)
    if data.gross:
        expect_posting(family.root, event, event.subject)


def _corrected(family: Family, event: LoggedEvent, data: p.InvoiceCorrected) -> None:
    if data.fault == "customer":
        return
    family.root.flags |= CORRECTED
    if event.journey == family.root.id:
        _invoice(family, event).flags |= CORRECTED


def _settled(family: Family, event: LoggedEvent, data: p.InvoiceSettled) -> None:
    if event.journey == family.root.id:
        _invoice(family, event).paid_at = event.at
    family.root.paid_at = later(family.root.paid_at, event.at)


def _reopened(family: Family, event: LoggedEvent, data: InvoiceReopened) -> None:
    if event.journey != family.root.id:
        family.root.paid_at = None
        return
    _invoice(family, event).paid_at = None
    paid = [one.paid_at for one in family.invoices.values() if one.paid_at is not None]
    family.root.paid_at = max(paid, default=None)


def _credited(family: Family, event: LoggedEvent, data: p.CreditMemoPosted) -> None:
    if data.gross:
        expect_posting(family.root, event, event.subject)
    if data.return_ == family.root.id:
        family.root.credited_at = earlier(family.root.credited_at, event.at)


def _return_requested(family: Family, event: LoggedEvent, data: p.ReturnRequested) -> None:
    open_document(family.root, event, "return")
    family.root.topic, family.root.value = data.reason[:200], data.value


def _return_authorised(family: Family, event: LoggedEvent, data: p.ReturnAuthorised) -> None:
    family.root.released_at = earlier(family.root.released_at, event.at)


def _return_declined(family: Family, event: LoggedEvent, data: p.ReturnDeclined) -> None:
    family.root.ended_at = event.at


def _return_received(family: Family, event: LoggedEvent, data: p.ReturnReceived) -> None:
    root = family.root
    if root.received_at is None or event.at < root.received_at:
        root.received_at, root.received_on = event.at, event.on


def _return_credited(family: Family, event: LoggedEvent, data: p.ReturnCredited) -> None:
    family.root.credited_at = earlier(family.root.credited_at, event.at)
    family.root.closed_at = event.at


def _cash_received(family: Family, event: LoggedEvent, data: p.CashReceived) -> None:
    root = family.root
    open_document(root, event, "receipt")
    root.value = data.amount
    # What was applied before the receipt was reported (a late entry) already counts.
    root.remaining += data.amount
    if data.amount:
        expect_posting(root, event, root.id)


def _cash_applied(family: Family, event: LoggedEvent, data: p.CashApplied) -> None:
    family.root.remaining -= data.amount


def _cash_unapplied(family: Family, event: LoggedEvent, data: CashUnapplied) -> None:
    family.root.remaining += data.amount


def _cash_returned(family: Family, event: LoggedEvent, data: CashReturned) -> None:
    family.root.remaining -= data.amount


def _adjusted(family: Family, event: LoggedEvent, data: p.StockAdjusted) -> None:
    root = family.root
    open_document(root, event, "adjustment")
    root.topic, root.value, root.gross = data.reason[:64], data.value or 0, int(data.value is not None)
    if data.value:
        expect_posting(root, event, root.id)


def _reversed(family: Family, event: LoggedEvent, data: p.StockAdjustmentReversed) -> None:
    family.root.flags |= REVERSED


def _transfer_shipped(family: Family, event: LoggedEvent, data: StockTransferShipped) -> None:
    """Told by the site that sends; from then on the goods are the other's, and so is the document."""
    root = family.root
    open_document(root, event, "transfer")
    root.site, root.start_on, root.value = data.to_site, data.arrives_on, data.value or 0


def _transfer_received(family: Family, event: LoggedEvent, data: StockTransferReceived) -> None:
    root = family.root
    if data.settled:
        root.ended_at = later(root.ended_at, event.at)
    if not data.lost:
        root.received_at, root.received_on = event.at, event.on


def _arrived(family: Family, event: LoggedEvent, data: StockArrived) -> None:
    """``remaining`` is what still waits to be put away, ``gross`` what that is worth."""
    root = family.root
    open_document(root, event, "arrival")
    root.topic, root.value = data.document_type[:64], data.value or 0
    # What was put away before the arrival was reported (a late entry) already counts.
    root.remaining += data.quantity
    root.gross += data.value or 0


def _put_away(family: Family, event: LoggedEvent, data: StockPutAway) -> None:
    root = family.root
    if root.opened_at is None:
        root.kind = "arrival"
    root.remaining -= data.quantity
    root.gross -= data.value or 0
    root.received_at, root.received_on = event.at, event.on


def _ledger_posted(family: Family, event: LoggedEvent, data: p.LedgerPosted) -> None:
    root = family.root
    known = root.postings.split() if root.postings else []
    due = next((item for item in known if item.startswith(f"due:{data.document}@")), None)
    if due is not None:
        known.remove(due)
    elif data.document_type in _POSTED_DOCUMENTS and f"posted:{data.document}" not in known:
        known.append(f"posted:{data.document}")
    root.postings = " ".join(known) or None


BILLING_HANDLERS: dict[type[Event], Callable[[Family, LoggedEvent, Any], None]] = {
    p.InvoiceTriggered: _triggered,
    p.InvoiceDrafted: _drafted,
    p.InvoiceBlocked: _blocked,
    p.InvoicePosted: _posted,
    p.InvoiceCorrected: _corrected,
    p.InvoiceSettled: _settled,
    InvoiceReopened: _reopened,
    p.CreditMemoPosted: _credited,
    p.ReturnRequested: _return_requested,
    p.ReturnAuthorised: _return_authorised,
    p.ReturnDeclined: _return_declined,
    p.ReturnReceived: _return_received,
    p.ReturnCredited: _return_credited,
    p.CashReceived: _cash_received,
    p.CashApplied: _cash_applied,
    CashUnapplied: _cash_unapplied,
    CashReturned: _cash_returned,
    p.StockAdjusted: _adjusted,
    p.StockAdjustmentReversed: _reversed,
    StockTransferShipped: _transfer_shipped,
    StockTransferReceived: _transfer_received,
    StockArrived: _arrived,
    StockPutAway: _put_away,
    p.LedgerPosted: _ledger_posted,
}
