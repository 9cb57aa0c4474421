"""What is held, how long already, and for whom to decide: the ageing queue of holds, with release of several at once."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, request, url_for

from app.composition.order_approvals import let_go
from app.composition.request import change, now
from app.messages import sentence
from app.queries.holds import HOLDS, KINDS, HoldRow
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.context import ago, moment
from app.web.figures import counted, heading, words
from app.web.figures import money as money_text
from app.web.lists.address import asked
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, money, site_filter, text_filter
from app.web.lists.page import found_for, list_html, list_page
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.forms import ReasonForm
from app.web.orders.presenters import AGREED, closed_to_me, deciders, who_ends
from app.web.orders.views import blueprint
from erpcore.kernel.errors import DomainError
from erpcore.orders.holds import ReleaseHold

navigation_entry(
    Entry(label="Holds", endpoint="orders.show_holds", permission=Permission.ORDER_READ, group=Group.OPERATE, order=12)
)


def _shut(row: HoldRow) -> str:
    """Why this person may not end the hold, in words; empty when they may."""
    return closed_to_me(row.closed_to(actor()), row)


def _held_for(row: HoldRow) -> Cell:
    facts = row.facts
    more = f", {money_text(facts['over'], row.currency)} over" if "over" in facts else ""
    more = f", {counted(facts['overdue_days'], 'day')}" if not more and "overdue_days" in facts else more
    return Cell(heading(row.kind), sub=f"{row.reason}{more}")


def _due(row: HoldRow) -> Cell:
    if row.due_at < now():
        return Cell("past its time", sub=moment(row.due_at), kind="warn")
    return Cell(moment(row.due_at))


def _deciders(row: HoldRow) -> str:
    return deciders(row.permission) if row.asked is None else who_ends(row)


def _decider(row: HoldRow) -> Cell:
    shut = _shut(row)
    if row.asked is not None:
        return Cell(who_ends(row), sub=shut)
    if shut:
        return Cell(deciders(row.permission), sub=shut)
    return Cell("You may", sub=words(row.level) if row.level else deciders(row.permission))


HOLD_LIST = list_page(
    blueprint,
    Listing(
        name="holds", endpoint="orders.show_holds", path="/holds", permission=Permission.ORDER_READ, title="Holds",
        lead="Orders that may not go on, the first due first, and who decides", unit="holds", source=HOLDS, sort="due",
        template="orders/holds.html",
        empty=Empty(
            title="Nothing is held", sign="again",
            text="A hold stops an order until somebody with authority has looked, or until its cause is gone.",
        ),
        filters=(
            choice("kind", KINDS, hide_empty=True), flag("overdue", "Past their time"), flag("mine", "Mine to decide"),
            text_filter("Order, customer or reason"), site_filter(),
        ),
        columns=(
            column("order", "Order", cell=lambda row: Cell(row.order, sub=row.customer, href=url_for("orders.show", order_id=row.order_id))),
            column("customer", "Customer", file_only=True),
            column("kind", "Held for", cell=_held_for),
            column("reason", "Reason", file_only=True),
            column("site", "Site"),
            column("since", "Since", cell=lambda row: Cell(ago(row.since), sub=moment(row.since))),
            column("due", "Look by", "due_at", cell=_due),
            column("deciders", "Who decides", _deciders, cell=_decider),
            money("value", "Value", "value_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
    own_view=True,
)  # fmt: skip


def _html(form: ReasonForm, refused: list[str] | None = None) -> Any:
    html = list_html(
        HOLD_LIST, form=form, refused=refused or [], closed=_shut, chosen=set(request.form.getlist("hold")),
        here=request.full_path,
    )  # fmt: skip
    return html if isinstance(html, Response) else (html, form.status)


@blueprint.route("/holds", methods=["GET", "POST"])
@require(Permission.ORDER_READ)
def show_holds() -> Any:
    """The queue; posted, the chosen holds end with one reason, each in a transaction of its own."""
    form = ReasonForm()
    if not form.is_submitted():
        return _html(form)
    actor().require(Permission.HOLD_RELEASE)
    wanted = {int(text) for text in request.form.getlist("hold") if text.isascii() and text.isdecimal()}
    rows = [row for row in found_for(HOLD_LIST, asked(HOLD_LIST)).rows if row.id in wanted]
    if not form.validate_on_submit() or not rows:
        form.status = 422
        if not rows:
            form.form_errors.append("Choose at least one hold in the list.")
        return _html(form)
    ended = 0
    refused: list[str] = []
    for row in rows:
        why = _end(row, str(form.reason.data))
        if why:
            refused.append(f"{row.order}: {why}")
        else:
            ended += 1
    if refused:
        form.status = 422
        return _html(form, [f"{ended} of {len(rows)} holds have ended.", *refused])
    flash(f"{ended} hold{'s have' if ended > 1 else ' has'} ended. Their orders can be released.", "success")
    return redirect(request.full_path)


def _end(row: HoldRow, reason: str) -> str:
    """End one hold; returns why not, or nothing."""
    try:
        with change(realm=row.realm) as work:
            has_ended = let_go(work, [ReleaseHold(hold=row.id, reason=reason)])
    except DomainError as refusal:
        return sentence(refusal)
    return "" if has_ended else AGREED
