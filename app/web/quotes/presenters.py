"""What does a quote look like: the moves that are open, and where it stands?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for

from app.queries.quotes import QuotePage
from app.security.permissions import Permission
from app.web.areas import closed, lacking
from erpcore.kernel.actor import Actor
from erpcore.orders.quotes.flow import QUOTE


def why_not_approve(page: QuotePage, actor: Actor, asked: str | None = None) -> str:
    """What keeps this person from approving the prices, as the service would refuse; empty when they may."""
    if actor.id in (page.asked_by, page.priced_by):
        return "you entered or sent these prices, so a colleague decides"
    if asked is not None:
        return f"{asked[:1].lower()}{asked[1:]}".removesuffix(".")
    return "" if page.permission is None or actor.may(page.permission) else lacking(page.permission)


def moves(page: QuotePage, actor: Actor, now: datetime, asked: str | None = None) -> list[dict[str, Any]]:
    """Every next step of the quote; one that is not open says why. ``asked``: why the rules of approval do not ask this person
    (empty: they do); ``None`` where the permission decides.
    """
    row = page.row
    out: list[dict[str, Any]] = []
    if row.state == "draft":
        out += [
            _move(actor, "Send", "send", row.state, **_post(page, "quotes.send")),
            _move(actor, "Change…", "change", row.state, href=url_for("quotes.edit", quote_id=row.id)),
        ]
    if row.state == "waiting":
        shut = why_not_approve(page, actor, asked)
        out.append(_shown("Approve and send", shut, **_post(page, "quotes.approve")))
        mine = actor.id == page.asked_by
        label = "Take back" if mine else "Give back…"
        out.append(_shown(label, "" if mine else shut, href=url_for("quotes.give_back", quote_id=row.id)))
    if row.state == "sent":
        shut = closed(QUOTE, "accept", row.state, actor) or ("its last day has passed" if row.is_over(now) else "")
        out.append(_shown("Customer accepts…", shut, href=url_for("quotes.accept", quote_id=row.id)))
    if row.state in ("sent", "declined", "expired"):
        shut = "" if actor.may(Permission.QUOTE_WRITE) else lacking(Permission.QUOTE_WRITE)
        written = next((n for _, n, state in page.revisions if state in ("draft", "waiting")), None)
        if not shut and written:
            shut = f"revision {written} is being written"
        if not shut and page.order_number:
            shut = f"it has become {page.order_number}"
        out.append(_shown("Revise", shut, **_post(page, "quotes.revise")))
    if row.state in ("draft", "waiting", "sent"):
        out.append(
            _move(actor, "Decline…", "decline", row.state, href=url_for("quotes.decline", quote_id=row.id), danger=True)
        )
    first = next((move for move in out if move["permitted"] and not move.get("danger")), None)
    if first is not None:
        first["primary"] = True
    return out


def _post(page: QuotePage, endpoint: str) -> dict[str, Any]:
    return {"action": url_for(endpoint, quote_id=page.row.id), "name": "version", "value": page.row.version}


def _move(actor: Actor, label: str, move: str, state: str, **where: Any) -> dict[str, Any]:
    return _shown(label, closed(QUOTE, move, state, actor), **where)


def _shown(label: str, shut: str, **where: Any) -> dict[str, Any]:
    return {"label": label, "permitted": not shut, "reason": f"{shut[:1].upper()}{shut[1:]}." if shut else "", **where}


def progress(page: QuotePage, now: datetime) -> list[dict[str, str]]:
    """Where the quote is between the customer's question and the order."""
    state = page.row.state
    if state == "superseded":
        return [{"label": "Written", "state": "done"}, {"label": "Another revision took its place", "state": "stopped"}]
    if state == "declined":
        return [{"label": "Written", "state": "done"}, {"label": "Declined", "state": "stopped"}]
    if state == "expired" or page.row.is_over(now):
        return [
            {"label": "Written", "state": "done"},
            {"label": "Sent", "state": "done"},
            {"label": "Over", "state": "stopped"},
        ]
    labels = ["Written", "Prices approved", "Sent", "Order"] if page.permission else ["Written", "Sent", "Order"]
    here = {"draft": 0, "waiting": 1, "sent": len(labels) - 1}.get(state, len(labels))
    return [
        {"label": label, "state": "done" if number < here else "current" if number == here else "ahead"}
        for number, label in enumerate(labels)
    ]
