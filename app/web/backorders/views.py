"""Lines that wait, who ranks first on top: promising them anew, cancelling what nobody waits for any more."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, request, url_for

from app.composition.request import change, now, reader
from app.messages import sentence
from app.queries.backorders import BACKORDERS, BackorderRow, backorders_by_line
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.allocation.forms import PromiseForm
from app.web.allocation.presenters import tabs
from app.web.areas import area
from app.web.context import moment
from app.web.figures import on, promised_from, quantity
from app.web.lists.address import address, asked
from app.web.lists.listing import Cell, Empty, Filter, Kind, Listing, channel_filter, column, flag, money, text_filter
from app.web.lists.page import list_html, list_page
from app.web.navigation import Entry, Group, navigation_entry
from erpcore.kernel.errors import DomainError
from erpcore.orders.backorders import Repromise, cancel_waiting, repromise_lines

blueprint = area("backorders")
navigation_entry(
    Entry(
        label="Backorders", endpoint="backorders.show_all", permission=Permission.ORDER_READ, group=Group.WAREHOUSE,
        order=13,
    )
)  # fmt: skip


def _order(row: BackorderRow) -> Cell:
    return Cell(row.order, sub=f"line {row.line_no} · {row.site}", href=url_for("orders.show", order_id=row.order_id))


def _item(row: BackorderRow) -> Cell:
    return Cell(row.code, sub=row.name, href=url_for("allocation.show_item", site_id=row.site_id, item_id=row.item_id))


def _age(row: BackorderRow) -> Cell:
    days = row.age_days(now())
    return Cell(f"{days} day{'' if days == 1 else 's'}" if days else "today", sub=moment(row.since))


def _promised(row: BackorderRow) -> Cell:
    source = promised_from(row.reason)
    if row.is_late(now()):
        return Cell(on(row.promised_on), sub=f"missed · {source}", sub_kind="fail")
    return Cell(on(row.promised_on), sub=source)


BACKORDER_LIST = list_page(
    blueprint,
    Listing(
        name="backorders", endpoint="backorders.show_all", path="/backorders", permission=Permission.ORDER_READ,
        title="Backorders", lead="Lines that wait for stock, in the order of channel, customer tier and waiting time", unit="lines",
        source=BACKORDERS, sort="rank", template="allocation/backorders.html",
        also=lambda: {"tabs": tabs("backorders.show_all")},
        empty=Empty(
            title="Nothing waits", sign="clock",
            text="A released line that stock does not cover waits here, with its age and its promise.",
        ),
        filters=(
            flag("late", "Promise missed"), text_filter("Order, customer or item"), channel_filter(),
            Filter(name="site", label="Ships from", kind=Kind.SITE),
        ),
        columns=(
            column("order", "Order", cell=_order),
            column("line", "Line", "line_no", file_only=True),
            column("customer", "Customer"),
            column("rank", "Rank", "channel", cell=lambda row: Cell(row.channel, sub=f"priority {row.priority} · tier {row.tier}")),
            column("priority", "Priority", file_only=True),
            column("tier", "Tier", file_only=True),
            column("site", "Site", file_only=True),
            column("item", "Item", "code", cell=_item),
            column("name", "Name", file_only=True),
            column("unit", "Unit", file_only=True),
            column("unmet", "Waiting", cell=lambda row: Cell(quantity(row.unmet, row.unit)), num=True),
            column("since", "Age", cell=_age),
            column("days", "Days", lambda row: row.age_days(now()), file_only=True),
            column("promised", "Promised", "promised_on", cell=_promised),
            column("promise", "Promised from", lambda row: promised_from(row.reason), file_only=True),
            column("late", "Late", lambda row: row.is_late(now()), file_only=True),
            money("value", "Worth", "value_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
    own_view=True,
)  # fmt: skip


def _html(form: PromiseForm, refused: list[str] | None = None) -> Any:
    html = list_html(
        BACKORDER_LIST, form=form, refused=refused or [], here=request.full_path,
        chosen=set(request.form.getlist("line")),
    )  # fmt: skip
    return html if isinstance(html, Response) else (html, form.status)


@blueprint.route("/backorders", methods=["GET", "POST"])
@require(Permission.ORDER_READ)
def show_all() -> Any:
    """The list; posted, the chosen lines are promised anew or cancelled, each order in a transaction of its own."""
    form = PromiseForm()
    if not form.is_submitted():
        return _html(form)
    cancels = request.form.get("press") == "cancel"
    actor().require(Permission.ORDER_CANCEL if cancels else Permission.BACKORDER_PROMISE)
    keys = [
        int(text) for text in request.form.getlist("line") if text.isascii() and text.isdecimal() and len(text) < 19
    ]
    rows = list(backorders_by_line(reader(), actor(), keys).values())
    if not form.validate_on_submit() or not rows:
        form.status = 422
        if not rows:
            form.form_errors.append("Choose at least one line in the list.")
        return _html(form)
    done, refused = 0, []
    for row in rows:
        why = _cancel(row, str(form.reason.data)) if cancels else _promise(row, form)
        if why:
            refused.append(f"{row.order} line {row.line_no}: {why}")
        else:
            done += 1
    if refused:
        form.status = 422
        return _html(form, [f"{done} of {len(rows)} lines are done.", *refused])
    flash(f"{done} line{'s are' if done > 1 else ' is'} {'cancelled' if cancels else 'promised anew'}.", "success")
    return redirect(address(BACKORDER_LIST, asked(BACKORDER_LIST)))


def _promise(row: BackorderRow, form: PromiseForm) -> str:
    """Promise one line anew; returns why not, or nothing."""
    try:
        with change(realm=row.realm) as work:
            command = Repromise(line=row.line_id, reason=str(form.reason.data), day=form.day.data)
            moved = repromise_lines(work, [command])
    except DomainError as refusal:
        return sentence(refusal)
    return "" if moved else "what comes gives the same day as before"


def _cancel(row: BackorderRow, reason: str) -> str:
    """Cancel the unmet part of one line, as the customer's service decides; returns why not, or nothing."""
    try:
        with change(realm=row.realm) as work:
            cancel_waiting(work, [row.line_id], reason)
    except DomainError as refusal:
        return sentence(refusal)
    return ""
