"""What each event does to its journey: one small function per type, none of which reads anything but its arguments.

Milestones that can happen more than once keep the latest instant, so that late and early entries end in the same row.
"""

from __future__ import annotations

from typing import Any

from erpcore.kernel.eventlog import LoggedEvent
from readiness.measures.billing_events import BILLING_HANDLERS
from readiness.measures.journeys import Family, Journey
from readiness.measures.milestones import stamp
from readiness.measures.order_events import ORDER_HANDLERS

HANDLERS = ORDER_HANDLERS | BILLING_HANDLERS

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
        stamp(root, event, _KIND.get(event.type.partition(".")[0], "other"))
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
    if root.kind in ("receipt", "arrival"):
        return root.remaining != 0
    if root.kind == "return":
        return root.credited_at is None
    return root.kind in ("order", "transfer")
