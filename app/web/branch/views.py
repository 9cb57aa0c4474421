"""Transfer orders: one on a page, asking, the answer, shipping, cancelling. Received like any transfer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.places import SitePick, sites_seen
from app.queries.transfer_orders import TransferOrderPage, transfer_order_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key, closed
from app.web.branch.forms import AskForm, DecideForm, ship_form
from app.web.figures import PROMISES
from app.web.forms import choices
from app.web.linesheet import Wrong
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.forms import ReasonForm
from app.web.steps import form_step
from erpcore.fulfilment.branch.flow import TRANSFER_ORDER
from erpcore.fulfilment.branch.services import (
    AskLine,
    AskTransfer,
    DecideTransfer,
    ShipAsked,
    ask_transfers,
    cancel_asked,
    decide_transfers,
    ship_asked,
)
from erpcore.kernel.work import UnitOfWork

blueprint = area("branch")
navigation_entry(
    Entry(label="Transfer orders", endpoint="branch.show_all", permission=Permission.STOCK_READ, group=Group.WAREHOUSE, order=23)
)  # fmt: skip


@blueprint.get("/transfer-orders/<int:order_id>")
@require(Permission.STOCK_READ)
def show(order_id: int) -> str:
    found, sites = transfer_order_page(reader(), actor(), order_id), actor().sites
    return render_template(
        "branch/show.html", page=found, row=found.row, moves=_moves(found), realm=found.row.realm, today=now().date(),
        promises=PROMISES, receives=sites is None or found.row.site_id in sites,
    )  # fmt: skip


def _moves(found: TransferOrderPage) -> list[dict[str, Any]]:
    """The moves that are still ahead; one that is not open says why."""
    row, who, out = found.row, actor(), []
    labels = {"approve": "Answer…", "ship": "Ship…", "cancel": "Cancel…"}
    views = {"approve": "decide", "ship": "ship", "cancel": "cancel"}
    for move, label in labels.items():
        if row.state in TRANSFER_ORDER.finals() or (move == "approve" and not TRANSFER_ORDER.leads(move, row.state)):
            continue
        shut = closed(TRANSFER_ORDER, move, row.state, who)
        here = row.site_id if move == "cancel" else row.from_site_id
        if not shut and who.sites is not None and here not in who.sites:
            shut = f"{row.site if move == 'cancel' else row.from_site} does that"
        if not shut and move == "approve" and row.requested_by == who.id:
            shut = "you asked for it, so a colleague decides"
        out.append(
            {"label": label, "permitted": not shut, "reason": f"{shut}." if shut else "", "danger": move == "cancel",
             "primary": not shut and move != "cancel", "href": url_for(f"branch.{views[move]}", order_id=row.id)}
        )  # fmt: skip
    return out


def _choices(form: AskForm) -> dict[int, SitePick]:
    """Sites to ask among are all of the company's; sites to ask for are one's own."""
    mine = {s.id: s for s in sites_seen(reader(), actor(), realms=("live", "rehearsal")) if s.kind != "drop_ship"}
    form.to_site.choices = choices((one.id, one.label) for one in mine.values())
    form.from_site.choices = choices((one.id, one.label) for one in mine.values())
    return mine


@blueprint.route("/transfer-orders/new", methods=["GET", "POST"])
@require(Permission.TRANSFER_REQUEST)
def create() -> Any:
    form = AskForm()
    sites = _choices(form)
    if not form.is_submitted():
        form.to_site.data = asked_key("site") or form.to_site.data
        form.from_site.data = asked_key("from") or form.from_site.data
        form.lines.entries[0].form.item.data = request.args.get("item", "")[:200]
    form.look_up(reader(), sites[form.to_site.data].entity_id if form.to_site.data in sites else None)
    press = form.press()
    if press and press != "enter":
        form.change_rows()
    if press == "enter" and form.is_complete():
        made = 0
        with form_step(form, realm=sites[form.to_site.data].realm) as work:
            made = form.once(work, lambda: _ask(work, form))
        if form.accepted:
            flash("The other site is asked.", "success")
            return redirect(url_for("branch.show", order_id=made))
    realm = sites[form.to_site.data].realm if form.to_site.data in sites else "live"
    page = render_template("branch/new.html", form=form, wrong=Wrong(form), realm=realm, sites=sites)
    return page, form.status


def _ask(work: UnitOfWork, form: AskForm) -> int:
    command = AskTransfer(
        from_site=form.from_site.data, to_site=form.to_site.data, wanted_on=form.wanted_on.data, note=form.note.data or None,
        lines=[AskLine(item=form.item_of(row) or 0, quantity=row.form.quantity.data) for row in form.sent],
    )  # fmt: skip
    return ask_transfers(work, [command], rules=rules(), cells=cells())[0].id


def _version(form: Any) -> int | None:
    text = str(form.version.data or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


@blueprint.route("/transfer-orders/<int:order_id>/decide", methods=["GET", "POST"])
@require(Permission.TRANSFER_APPROVE)
def decide(order_id: int) -> Any:
    found, form = transfer_order_page(reader(), actor(), order_id), DecideForm()
    if not form.is_submitted():
        form.version.data = str(found.row.version)
    if form.validate_on_submit():
        command = DecideTransfer(
            order=order_id, approve=form.verdict.data == "approve", arrives_on=form.arrives_on.data,
            reason=form.reason.data or None, seen_version=_version(form),
        )  # fmt: skip
        with form_step(form, realm=found.row.realm) as work:
            decide_transfers(work, [command], rules=rules(), cells=cells())
        if form.accepted:
            flash(f"{found.row.number} is {'approved' if command.approve else 'rejected'}.", "success")
            return redirect(url_for("branch.show", order_id=order_id))
    return render_template(
        "branch/decide.html", row=found.row, form=form, realm=found.row.realm, promises=PROMISES
    ), form.status


@blueprint.route("/transfer-orders/<int:order_id>/ship", methods=["GET", "POST"])
@require(Permission.TRANSFER_SHIP)
def ship(order_id: int) -> Any:
    found = transfer_order_page(reader(), actor(), order_id)
    lines = [line for line in found.lines if line.open]
    form = ship_form(lines)
    if not form.is_submitted():
        form.version.data, form.arrives_on.data = str(found.row.version), max(found.row.promised_on, now().date())
    if form.validate_on_submit():
        command = ShipAsked(
            order=order_id, lines={line.id: form[f"line_{line.id}"].data or Decimal(0) for line in lines},
            arrives_on=form.arrives_on.data, last=bool(form.last.data), seen_version=_version(form),
        )  # fmt: skip
        with form_step(form, realm=found.row.realm) as work:
            ship_asked(work, command, rules=rules(), cells=cells())
        if form.accepted:
            flash(f"The goods are on their way to {found.row.site}.", "success")
            return redirect(url_for("branch.show", order_id=order_id))
    return render_template(
        "branch/ship.html", row=found.row, lines=lines, form=form, realm=found.row.realm
    ), form.status


@blueprint.route("/transfer-orders/<int:order_id>/cancel", methods=["GET", "POST"])
@require(Permission.TRANSFER_REQUEST)
def cancel(order_id: int) -> Any:
    found, form = transfer_order_page(reader(), actor(), order_id), ReasonForm()
    if not form.is_submitted():
        form.version.data = str(found.row.version)
    if form.validate_on_submit():
        with form_step(form, realm=found.row.realm) as work:
            cancel_asked(
                work, order_id, str(form.reason.data), rules=rules(), cells=cells(), seen_version=_version(form)
            )
        if form.accepted:
            flash("Nothing more of it is sent.", "success")
            return redirect(url_for("branch.show", order_id=order_id))
    return render_template("branch/cancel.html", row=found.row, form=form, realm=found.row.realm), form.status
