"""Both sides of every control with their difference, recomputed now."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from app.composition.request import installation, now, reader
from app.composition.uow import reading
from app.queries.controls import CONTROLS, compare_controls, events_read_to
from app.queries.proof_page import Proof, proof
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steering_words import short_moment

blueprint = area("proof")
navigation_entry(
    Entry(label="Proof", endpoint="proof.show", permission=Permission.MEASURE_VIEW, group=Group.STEER, order=60)
)


#: Controls that are recomputed together while one waits, by what they prove; few enough each that one does not wait long.
PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "stock": ("Stock", ("stock_", "transfer", "serials_", "goods_", "expected_", "purchase", "items_", "counts_")),
    "orders": ("Orders and shipments", ("order_", "quotes_", "task_", "packed_")),
    "billing": ("Billing and receivables", ("invoice_", "credit_memo_", "receivable_", "receipt_", "on_account_")),
    "ledger": ("Ledger, credit and numbers", ("ledger_", "inventory_", "credit_exposure_", "legal_")),
    "events": (
        "Events of goods",
        (
            "events_orders",
            "events_quotes",
            "events_shipments",
            "events_deliveries",
            "events_tasks",
            "events_returns",
            "events_purchases",
        ),
    ),
    "papers": (
        "Events of the books",
        ("events_invoices", "events_credit_memos", "events_receipts", "events_stock", "events_entries"),
    ),
}


@blueprint.get("/proof")
@require(Permission.MEASURE_VIEW)
def show() -> Any:
    """The last comparison of each control; with ``?part=`` both sides of some of them recomputed while one waits."""
    found: Proof = proof(reader(), now(), actor())
    part, fresh, read_to = request.args.get("part", ""), None, None
    if part in PARTS:
        names = [control.name for control in CONTROLS if control.name.startswith(PARTS[part][1])]
        with reading(installation().database, snapshot=True) as session:
            fresh, read_to = compare_controls(session, names), events_read_to(session)
        seen = actor().sites
        fresh = fresh if seen is None else [one for one in fresh if one.site in seen]
    chips = [
        {"label": label, "on": key == part, "href": url_for("proof.show", part=None if key == part else key)}
        for key, (label, _) in PARTS.items()
    ]
    return render_template(
        "proof/show.html", found=found, fresh=fresh, read_to=read_to, chips=chips, at=now(), short_moment=short_moment
    )
