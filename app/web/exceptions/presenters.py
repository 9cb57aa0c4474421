"""Where does a document in trouble have its page, what is its next step, and whose is it?"""

from __future__ import annotations

from typing import Any

from flask import g, url_for

from app.composition.cases import Queue, Subject
from app.queries.troubles import TroubleRow
from app.security.permissions import Permission
from app.security.roles import title_of

#: The page of each kind of document, what it takes to open it, and the next step there.
_PAGES = {
    Subject.ORDER: ("orders.show", "order_id", Permission.ORDER_READ),
    Subject.BILL: ("orders.show", "order_id", Permission.ORDER_READ),
    Subject.SHIPMENT: ("shipments.show", "shipment_id", Permission.SHIPMENT_READ),
    Subject.INVOICE: ("billing.show", "invoice_id", Permission.INVOICE_READ),
    Subject.RETURN: ("returns.show", "return_id", Permission.RETURN_READ),
    Subject.EXPECTED: ("inbound.receive", "expected_id", Permission.STOCK_RECEIVE),
    Subject.COUNT: ("inbound.count", "task_id", Permission.STOCK_COUNT),
    Subject.ADJUSTMENT: ("inbound.adjustment", "adjustment_id", Permission.ADJUSTMENT_APPROVE),
    Subject.DISPUTE: ("disputes.show", "dispute_id", Permission.INVOICE_READ),
    Subject.PAYOUT_LINE: ("settlement.show", "payout_id", Permission.INVOICE_READ),
    Subject.CARRIER_LINE: ("carrier_bills.show", "bill_id", Permission.INVOICE_READ),
    Subject.PUT_AWAY: ("inbound.put_goods_away", "bin_id", Permission.STOCK_PUT_AWAY),
}
_STEPS = {
    (Queue.BLOCKED, Subject.ORDER): "Decide on the hold", (Queue.BLOCKED, Subject.INVOICE): "Clear what is doubtful",
    (Queue.SHORT, Subject.ORDER): "Find other stock or promise anew", (Queue.LATE, Subject.ORDER): "Ship it or promise anew",
    (Queue.LATE, Subject.SHIPMENT): "Ask the carrier", (Queue.LATE, Subject.EXPECTED): "Receive it or change the day",
    (Queue.STUCK, Subject.ORDER): "Release or allocate it", (Queue.STUCK, Subject.SHIPMENT): "Ship it or settle the report",
    (Queue.STUCK, Subject.BILL): "Draft its invoice", (Queue.STUCK, Subject.INVOICE): "Post it",
    (Queue.STUCK, Subject.RETURN): "Take the next step of the return", (Queue.STUCK, Subject.PUT_AWAY): "Put it away",
    (Queue.LATE, Subject.DISPUTE): "Say what becomes of it", (Queue.VARIANCE, Subject.DISPUTE): "Settle or contest it",
    (Queue.VARIANCE, Subject.PAYOUT_LINE): "Say what the partner means",
    (Queue.VARIANCE, Subject.CARRIER_LINE): "Accept or decline it",
    (Queue.VARIANCE, Subject.COUNT): "Decide on the difference", (Queue.VARIANCE, Subject.ADJUSTMENT): "Approve or reject it",
}  # fmt: skip


def page_of(row: TroubleRow) -> str:
    """The page of the document; empty when this person may not open it."""
    endpoint, key, permission = _PAGES[Subject(row.subject)]
    values: dict[str, Any] = {key: row.link_id}
    return url_for(endpoint, **values) if g.actor.may(permission) else ""


def step_of(row: TroubleRow) -> str:
    """The next step in words."""
    return _STEPS[Queue(row.queue), Subject(row.subject)]


def owner_of(row: TroubleRow) -> str:
    """Whose it is, as everybody may read it: oneself as oneself, others by their role."""
    if row.owner_id is not None:
        return "You" if row.owner_id == g.actor.id else f"A person: {title_of(row.owner_role)}"
    return title_of(row.owner_role)
