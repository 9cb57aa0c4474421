"""What every control found last, both sides of it, and having all of them compared anew."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.proofs import ask_for_proof
from app.composition.request import change, now, reader
from app.queries.proof_page import Proof, proof, whole_proof
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steering_words import short_moment

blueprint = area("proof")
navigation_entry(
    Entry(label="Proof", endpoint="proof.show", permission=Permission.MEASURE_VIEW, group=Group.STEER, order=60)
)


#: Controls that are shown together, by what they prove.
PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "stock": (
        "Stock",
        (
            "stock_",
            "supplier_",
            "sent_back_",
            "transfer",
            "serials_",
            "goods_",
            "expected_",
            "purchase",
            "items_",
            "counts_",
            "sister_",
        ),
    ),
    "orders": ("Orders and shipments", ("order_", "quotes_", "task_", "packed_")),
    "billing": (
        "Billing and receivables",
        ("invoice_", "credit_memo_", "receivable_", "receipt_", "on_account_", "shipped_", "tax_", "rebates_"),
    ),
    "cash": (
        "Bank, payouts of partners, credits set against invoices, disputes and dunning",
        ("bank_", "return_", "credit_settled", "dunning_", "disputes_", "settlement_"),
    ),
    "carrier_bills": ("Bills of carriers and what is owed of them", ("carrier_bills_",)),
    "ledger": (
        "Ledger, credit and numbers",
        (
            "ledger_",
            "closed_",
            "inventory_",
            "received_",
            "credit_exposure_",
            "legal_",
            "manual_",
            "reversed_",
            "accruals_",
        ),
    ),
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
        (
            "events_invoices",
            "events_credit_memos",
            "events_receipts",
            "events_stock",
            "events_entries",
            "events_disputes",
            "events_dunning",
            "events_rebates",
        ),
    ),
    "programme": ("Money of the programme", ("tranches_",)),
    "costing": ("Cost layers and late costs", ("layers_", "late_costs_")),
}


@blueprint.get("/proof")
@require(Permission.MEASURE_VIEW)
def show() -> Any:
    """The last comparison of each control; with ``?part=`` both sides of some of them."""
    found: Proof = proof(reader(), now(), actor())
    part = request.args.get("part", "")
    whole = whole_proof(reader(), actor(), PARTS[part][1] if part in PARTS else ())
    chips = [
        {"label": label, "on": key == part, "href": url_for("proof.show", part=None if key == part else key)}
        for key, (label, _) in PARTS.items()
    ]
    return render_template(
        "proof/show.html", found=found, whole=whole, sides=whole.sides if part in PARTS else None, chips=chips,
        short_moment=short_moment,
    )  # fmt: skip


@blueprint.post("/proof")
@require(Permission.MEASURE_VIEW)
def ask() -> Any:
    """Have everything compared anew by the worker."""
    with change() as work:
        ask_for_proof(work)
    flash("The books are compared anew; the worker does it within seconds. Load the page again to see what it found.")
    return redirect(url_for("proof.show", part=request.args.get("part") if request.args.get("part") in PARTS else None))
