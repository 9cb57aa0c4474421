"""Writing a quote: typed as an order is, with the day until which its prices hold."""

from __future__ import annotations

import secrets
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import change, now, reader
from app.composition.trading import cells, rules
from app.queries.quotes import QuotePage, quote_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.orders.entry import (
    Entry,
    closed_text,
    is_complete,
    look_up_again,
    look_up_items,
    look_up_quote,
    read_entry,
    take_press,
)
from app.web.orders.forms import MOST_LINES, Summary
from app.web.quotes.forms import QuoteForm, usual_last_day
from app.web.quotes.views import blueprint
from app.web.steps import seen_version
from erpcore.kernel import requests
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, IllegalMove, RuleBroken
from erpcore.orders.quotes.services import ChangeQuote, NewQuote, Terms, change_quotes, enter_quotes
from erpcore.orders.services import NewLine


def _terms(entry: Entry) -> Terms:
    form: Any = entry.form
    form.sent = [row for row in form.lines if not row.form.is_empty]
    return Terms(
        valid_until=form.last_day.data + timedelta(days=1), customer_reference=form.customer_reference.data or None,
        requested_on=form.requested_on.data, note=form.note.data or None, rush=bool(form.rush.data),
        lines=[
            NewLine(
                item=entry.item_of(row) or 0, quantity=row.form.quantity.data, unit_price=row.form.unit_price.data,
                price_reason=row.form.price_reason.data or None, requested_on=row.form.requested_on.data,
                rush=bool(row.form.rush.data),
            )
            for row in form.sent
        ],
    )  # fmt: skip


def _pressed(entry: Entry) -> tuple[Entry, str]:
    """The entry after what was pressed; ``enter`` is left to the caller."""
    press = request.form.get("press", "enter") if request.method == "POST" else ""
    if press != "enter" and press:
        take_press(entry, press)
        entry = look_up_again(entry)
    look_up_items(entry)
    return entry, press


def _page(entry: Entry, quote: QuotePage | None) -> Any:
    look_up_quote(entry)
    if entry.form.form_errors and any("entered before" in message for message in entry.form.form_errors):
        entry.form.request_key.data = secrets.token_urlsafe(18)
    return render_template(
        "quotes/new.html", entry=entry, form=entry.form, quote=entry.quote, offered=quote, realm=entry.realm,
        closed_text=closed_text(entry), summary=Summary(entry.form), more_rows=len(entry.form.lines) < MOST_LINES,
    ), entry.form.status  # fmt: skip


@blueprint.route("/quotes/new", methods=["GET", "POST"])
@require(Permission.QUOTE_WRITE)
def create() -> Any:
    form = QuoteForm()
    entry = read_entry(form)
    if not form.is_submitted() and entry.site is not None:
        form.last_day.data = usual_last_day(local_day(now(), entry.site.time_zone))
    entry, press = _pressed(entry)
    if press == "enter" and is_complete(entry):
        made = _enter(entry)
        if made is not None:
            flash("The quote is written. Send it when it is right.", "success")
            return redirect(url_for("quotes.show", quote_id=made))
    return _page(entry, None)


def _enter(entry: Entry) -> int | None:
    """Write the quote and return its id, the first one's when the form was sent twice; ``None`` when it was refused."""
    form = entry.form
    assert entry.site is not None  # noqa: S101 - is_complete has found it
    command = NewQuote(
        site=entry.site.id, channel=form.channel.data, customer=entry.customer.id if entry.customer else 0,
        terms=_terms(entry),
    )  # fmt: skip
    made: int | None = None
    with form.refusals(), change(realm=entry.realm) as work:
        key = f"quote-entry:{form.request_key.data}"
        try:
            before = requests.claim(work, key, repr(command))
        except Conflict as conflict:
            raise RuleBroken("form_used") from conflict
        made = int(before) if before is not None else enter_quotes(work, [command], rules=rules(), cells=cells())[0].id
        if before is None:
            requests.settle(work, key, made)
    return made if form.accepted else None


@blueprint.route("/quotes/<int:quote_id>/change", methods=["GET", "POST"])
@require(Permission.QUOTE_WRITE)
def edit(quote_id: int) -> Any:
    page = quote_page(reader(), actor(), quote_id)
    if page.row.state != "draft":
        raise IllegalMove("quote", "change", page.row.state)
    form = QuoteForm()
    if not form.is_submitted():
        _fill(form, page)
    entry = read_entry(form, fixed=(page.row.site_id, page.channel_id, page.row.customer_code))
    entry, press = _pressed(entry)
    if press == "enter" and is_complete(entry):
        command = ChangeQuote(quote=quote_id, terms=_terms(entry), seen_version=seen_version())
        with form.refusals(), change(realm=page.row.realm) as work:
            change_quotes(work, [command], rules=rules())
        if form.accepted:
            flash("The draft is changed.", "success")
            return redirect(url_for("quotes.show", quote_id=quote_id))
    return _page(entry, page)


def _fill(form: QuoteForm, page: QuotePage) -> None:
    """The form as the draft stands."""
    form.customer_reference.data, form.requested_on.data = page.row.reference, page.requested_on
    form.last_day.data, form.note.data, form.version.data = page.row.last_day, page.note, str(page.row.version)
    form.request_key.data = secrets.token_urlsafe(18)
    form.lines.entries.clear()
    form.lines.last_index = -1
    for line in page.lines:
        if line.is_rush_charge:
            continue
        entered = line.price_source == "override"
        form.lines.append_entry(
            {
                "item": line.code, "quantity": line.quantity.normalize() + Decimal(0), "requested_on": line.requested_on,
                "unit_price": line.unit_price if entered else None, "price_reason": line.price_reason, "rush": line.is_rush,
            }
        )  # fmt: skip
