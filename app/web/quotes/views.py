"""One quote on one page, and the paper of it."""

from __future__ import annotations

from typing import Any

from flask import render_template

from app.composition.quote_approvals import request_of_quote
from app.composition.request import now, reader
from app.queries.approvals import approval_page
from app.queries.order_rules import order_rules
from app.queries.quotes import quote_page
from app.reports.papers import quote_paper
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.approvals.views import shut
from app.web.areas import area
from app.web.figures import PROMISES
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.presenters import deciders
from app.web.papers import paper_file
from app.web.quotes.presenters import moves, progress

blueprint = area("quotes")
navigation_entry(
    Entry(label="Quotes", endpoint="quotes.show_all", permission=Permission.ORDER_READ, group=Group.OPERATE, order=9)
)


@blueprint.get("/quotes/<int:quote_id>")
@require(Permission.ORDER_READ)
def show(quote_id: int) -> str:
    return quote_html(quote_id)


def quote_html(quote_id: int, refused: str = "") -> str:
    """The page of one quote; ``refused`` is why the last move was not made."""
    page, asked = quote_page(reader(), actor(), quote_id), request_of_quote(reader(), quote_id)
    waits = page.row.state == "waiting" and asked is not None and asked.state == "waiting"
    closed = shut(approval_page(reader(), actor(), asked.id, now())) if waits and asked is not None else None
    return render_template(
        "quotes/show.html", quote=page, row=page.row, asked=asked, moves=moves(page, actor(), now(), closed), steps=progress(page, now()),
        refused=refused, at=now(), realm=page.row.realm, promises=PROMISES, deciders=deciders,
        rules=order_rules(reader(), page.ruleset, page.lines, now()),
    )  # fmt: skip


@blueprint.get("/quotes/<int:quote_id>/quote.pdf")
@require(Permission.ORDER_READ)
def print_quote(quote_id: int) -> Any:
    page = quote_page(reader(), actor(), quote_id)
    return paper_file(lambda: quote_paper(page), back=f"/quotes/{quote_id}")
