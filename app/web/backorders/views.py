"""Lines that wait, who ranks first on top: promising them anew, cancelling what nobody waits for any more."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request

from app.composition.request import change, now, reader
from app.messages import sentence
from app.queries.backorders import BackorderFilter, BackorderRow, backorders_by_line, every_backorder, list_backorders
from app.queries.places import sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.allocation.forms import PromiseForm
from app.web.allocation.presenters import address, tabs
from app.web.areas import area, asked_key, asked_page
from app.web.chosen import asked_realm, viewer
from app.web.exports import csv_file, xlsx_file
from app.web.figures import PROMISES
from app.web.navigation import Entry, Group, navigation_entry
from erpcore.kernel.errors import DomainError
from erpcore.kernel.money import from_minor
from erpcore.orders.backorders import Repromise, cancel_waiting, repromise_lines

blueprint = area("backorders")
navigation_entry(
    Entry(
        label="Backorders", endpoint="backorders.show_all", permission=Permission.ORDER_READ, group=Group.WAREHOUSE,
        order=13,
    )
)  # fmt: skip
_HEAD = (
    "Order", "Line", "Customer", "Channel", "Priority", "Tier", "Site", "Item", "Name", "Unit", "Waiting", "Since", "Days",
    "Promised", "From", "Late", "Value", "Currency",
)  # fmt: skip


def _asked() -> BackorderFilter:
    args = request.args
    return BackorderFilter(
        site=asked_key("site"), realm=asked_realm(), text=args.get("text", "").strip()[:120], late=args.get("late") == "1",
        sort=args.get("sort", "rank")[:20], page=asked_page(),
    )  # fmt: skip


def _html(form: PromiseForm, refused: list[str] | None = None) -> Any:
    wanted, session = _asked(), reader()
    found = list_backorders(session, viewer(wanted.site), wanted, now())
    sites = sites_seen(session, actor())
    return render_template(
        "allocation/backorders.html", asked=wanted, found=found, form=form, refused=refused or [], address=address,
        tabs=tabs("backorders.show_all"), promises=PROMISES, realm=wanted.realm, at=now(),
        sites=[site for site in sites if site.realm == wanted.realm], realms=sorted({site.realm for site in sites} - {"live"}),
        here=address(wanted, "backorders.show_all", page=wanted.page), chosen=set(request.form.getlist("line")),
    ), form.status  # fmt: skip


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
    rows = list(backorders_by_line(reader(), actor(), keys, now()).values())
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
    return redirect(address(_asked(), "backorders.show_all"))


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


@blueprint.get("/backorders.csv")
@require(Permission.ORDER_READ)
def as_csv() -> Any:
    return csv_file("backorders", _HEAD, _file_rows())


@blueprint.get("/backorders.xlsx")
@require(Permission.ORDER_READ)
def as_xlsx() -> Any:
    return xlsx_file("backorders", _HEAD, _file_rows())


def _file_rows() -> Any:
    at = now()
    for row in every_backorder(reader(), viewer(_asked().site), _asked(), at):
        yield (
            row.order, row.line_no, row.customer, row.channel, row.priority, row.tier, row.site, row.code, row.name, row.unit,
            row.unmet, row.since, row.age_days(at), row.promised_on, PROMISES.get(row.reason, row.reason), row.is_late(at),
            from_minor(row.value_minor, row.currency), row.currency,
        )  # fmt: skip
