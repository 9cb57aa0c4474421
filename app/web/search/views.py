"""Search over everything that one may see; one exact hit is gone to at once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from app.composition.request import reader
from app.queries.search import LEAST_LETTERS, Hit, search_everything
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.figures import register_figures

blueprint = Blueprint("search", __name__)
register_figures(blueprint)


def address_of(hit: Hit) -> str:
    """Where the thing that was found has its page."""
    match hit.kind:
        case "quote":
            return url_for("quotes.show", quote_id=hit.id)
        case "invoice":
            return url_for("billing.show", invoice_id=hit.id)
        case "memo":
            return url_for("billing.show_memo", memo_id=hit.id)
        case "receipt":
            return url_for("billing.show_receipt", receipt_id=hit.id)
        case "return":
            return url_for("returns.show", return_id=hit.id)
        case "purchase":
            return url_for("purchasing.show", purchase_id=hit.id)
        case "customer":
            return url_for("customers.show", code=hit.code, company=hit.other)
        case "item":
            return url_for("items.show", code=hit.code, company=hit.other)
        case _:
            return url_for("orders.show", order_id=hit.id)


@blueprint.get("/search")
@require(Permission.TODAY)
def show() -> Any:
    text = request.args.get("q", "").strip()[:120]
    found = search_everything(reader(), actor(), text)
    hits = [hit for part in found.values() for hit in part]
    exact = [hit for hit in hits if hit.is_exact]
    if len(exact) == 1:
        return redirect(address_of(exact[0]))
    return render_template(
        "search/show.html", text=text, search_text=text, found=found, count=len(hits), address_of=address_of,
        least=LEAST_LETTERS,
    )  # fmt: skip


@blueprint.app_context_processor
def offer_search() -> dict[str, str]:
    """Every page has the box."""
    return {"search_url": url_for("search.show")}
