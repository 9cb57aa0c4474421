"""How do the documents behind a figure stand in a table: number, what is wrong, how long, and where it leads?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from flask import current_app, url_for
from sqlalchemy.orm import Session

from app.queries.journey_pages import numbers_of
from app.security.permissions import Permission
from app.security.require import actor
from app.web.context import lasting
from app.web.figures import money
from readiness.measures.behind import Behind

#: Kind of document → its page and what it takes to open it.
_PAGES: Final = {
    "order": ("orders.show", "order_id", Permission.ORDER_READ),
    "invoice": ("billing.show", "invoice_id", Permission.INVOICE_READ),
    "return": ("returns.show", "return_id", Permission.RETURN_READ),
    "supplier_return": ("returns.show_one_sent_back", "document_id", Permission.PURCHASE_READ),
    "rebate": ("rebates.show", "rebate_id", Permission.INVOICE_READ),
    "carrier_bill": ("carrier_bills.show", "bill_id", Permission.INVOICE_READ),
    "payout": ("settlement.show", "payout_id", Permission.INVOICE_READ),
    "dispute": ("disputes.show", "dispute_id", Permission.INVOICE_READ),
    "receipt": ("billing.show_receipt", "receipt_id", Permission.INVOICE_READ),
    "arrival": ("warehouse.arrival", "arrival_id", Permission.STOCK_READ),
    "closing": ("ledger.show_closing", "closing_id", Permission.LEDGER_READ),
    "variant": ("variants.show_one", "variant_id", Permission.VARIANT_VIEW),
    "design_question": ("questions.show", "question_id", Permission.QUESTION_VIEW),
    "interim_state": ("interim.show", "wave_id", Permission.WAVE_VIEW),
    "approval_request": ("approvals.show", "request_id", Permission.APPROVAL_VIEW),
}


def document_url(kind: str, identity: int) -> str:
    """Where the document itself is shown; empty where the person may not see it, or it has no page."""
    endpoint, argument, permission = _PAGES.get(kind, ("", "", None))
    if endpoint not in current_app.view_functions or permission is None or not actor().may(permission):
        return ""
    values: dict[str, Any] = {argument: identity}
    return url_for(endpoint, **values)


def journey_rows(session: Session, found: Sequence[Behind]) -> list[dict[str, Any]]:
    """The rows of a drill-down, in the order given: the worst first."""
    documents = [one for one in found if not one.title]
    numbers = numbers_of(
        session, [(one.kind, one.id) for one in documents] + [("order", one.root_id) for one in documents]
    )
    return [_row(one, numbers) for one in found]


def _row(one: Behind, numbers: dict[tuple[str, int], str]) -> dict[str, Any]:
    number = one.title or numbers.get((one.kind, one.id))
    order = numbers.get(("order", one.root_id)) if one.id != one.root_id else None
    return {
        "title": one.title or f"{one.kind.capitalize()} {number}" if number else f"{one.kind.capitalize()} of order {order}" if order else
        f"{one.kind.capitalize()}, no number yet", "href": document_url(one.kind, one.id) if number else "",
        "journey": "" if one.title else url_for("measures.journey", journey_id=one.root_id), "site": one.site, "channel": one.channel,
        "at": one.opened_at, "value": money(one.value, one.currency) if one.currency else "–",
        "flags": one.flags, "weight": weight_text(one), "where": one.where, "is_open": one.is_open,
    }  # fmt: skip


def weight_text(one: Behind) -> str:
    """What the document is ranked by: ``3 lines``, ``2 days``, ``26.5 working hours``, ``1,204.00 EUR``."""
    if one.unit == "departures":
        return f"{one.weight:,} {'departure' if one.weight == 1 else 'departures'}"
    if one.unit == "lines":
        return f"{one.weight:,} {'line' if one.weight == 1 else 'lines'}"
    if one.unit == "working seconds":
        return f"{one.weight / 3600:,.1f} working hours"
    if one.unit == "seconds":
        return lasting(timedelta(seconds=one.weight))
    return money(one.weight, one.currency) if one.currency else f"{one.weight:,}"
