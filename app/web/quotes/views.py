"""The list of quotes, its files, one quote on one page, and the paper of it."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from app.composition.request import now, reader
from app.queries.places import all_channels, sites_seen
from app.queries.quotes import STATES, QuoteFilter, every_quote, list_quotes, quote_page
from app.reports.papers import quote_paper
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key, asked_page
from app.web.chosen import asked_realm, viewer
from app.web.exports import csv_file, xlsx_file
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.presenters import PROMISES, deciders
from app.web.papers import paper_file
from app.web.quotes.presenters import address, chips, moves, progress
from erpcore.kernel.money import from_minor

blueprint = area("quotes")
navigation_entry(
    Entry(label="Quotes", endpoint="quotes.show_all", permission=Permission.ORDER_READ, group=Group.OPERATE, order=9)
)

_HEAD = (
    "Quote", "Revision", "Reference", "Customer code", "Customer", "Site", "Channel", "State", "Entered (UTC)", "Sent (UTC)",
    "Prices hold until", "Lines", "Value", "Currency",
)  # fmt: skip


def asked() -> QuoteFilter:
    """The filter that the address holds; what makes no sense counts as not asked."""
    args = request.args
    state = args.get("state", "")
    return QuoteFilter(
        state=state if state in STATES else "", site=asked_key("site"), channel=asked_key("channel"),
        customer=asked_key("customer"), realm=asked_realm(), ending=args.get("ending") == "1",
        text=args.get("text", "").strip()[:120], sort=args.get("sort", "-entered")[:20], page=asked_page(),
    )  # fmt: skip


@blueprint.get("/quotes")
@require(Permission.ORDER_READ)
def show_all() -> str:
    wanted, session = asked(), reader()
    found = list_quotes(session, viewer(wanted.site), wanted, now())
    sites = sites_seen(session, actor())
    return render_template(
        "quotes/list.html", asked=wanted, found=found, at=now(), channels=all_channels(session), realm=wanted.realm,
        sites=[site for site in sites if site.realm == wanted.realm], address=address,
        chips=chips(wanted, found, sorted({site.realm for site in sites} - {"live"})),
    )  # fmt: skip


@blueprint.get("/quotes.csv")
@require(Permission.ORDER_READ)
def as_csv() -> Any:
    return csv_file("quotes", _HEAD, _file_rows())


@blueprint.get("/quotes.xlsx")
@require(Permission.ORDER_READ)
def as_xlsx() -> Any:
    return xlsx_file("quotes", _HEAD, _file_rows())


def _file_rows() -> Any:
    for row in every_quote(reader(), viewer(asked().site), asked(), now()):
        yield (
            row.number, row.revision, row.reference, row.customer_code, row.customer, row.site, row.channel, row.state,
            row.entered_at, row.sent_at, row.last_day.isoformat(), row.lines, from_minor(row.value_minor, row.currency),
            row.currency,
        )  # fmt: skip


@blueprint.get("/quotes/<int:quote_id>")
@require(Permission.ORDER_READ)
def show(quote_id: int) -> str:
    return quote_html(quote_id)


def quote_html(quote_id: int, refused: str = "") -> str:
    """The page of one quote; ``refused`` is why the last move was not made."""
    page = quote_page(reader(), actor(), quote_id)
    return render_template(
        "quotes/show.html", quote=page, row=page.row, moves=moves(page, actor(), now()), steps=progress(page, now()),
        refused=refused, at=now(), realm=page.row.realm, promises=PROMISES, deciders=deciders,
    )  # fmt: skip


@blueprint.get("/quotes/<int:quote_id>/quote.pdf")
@require(Permission.ORDER_READ)
def print_quote(quote_id: int) -> Any:
    page = quote_page(reader(), actor(), quote_id)
    return paper_file(lambda: quote_paper(page), back=f"/quotes/{quote_id}")
