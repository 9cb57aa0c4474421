"""Purchase orders: one on a page, entering one, what the supplier confirms, and ending it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.places import SitePick, sites_seen
from app.queries.purchases import OPEN, PurchasePage, direct_suppliers, purchase_page
from app.queries.suppliers import SupplierFact, all_suppliers
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key, closed
from app.web.forms import choices
from app.web.linesheet import Wrong
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.forms import ReasonForm
from app.web.purchasing.forms import PurchaseForm, RestForm, confirm_form, sent_form
from app.web.steps import form_step
from erpcore.fulfilment.direct import OrderRest, ShipDirect, confirm_with_promises, order_rest, ship_direct
from erpcore.kernel.work import UnitOfWork
from erpcore.purchasing.flow import PURCHASE
from erpcore.purchasing.services import (
    ConfirmedLine,
    ConfirmPurchase,
    EndPurchase,
    PlacePurchase,
    WantedLine,
    end_purchases,
    place_purchases,
)

blueprint = area("purchasing")
navigation_entry(
    Entry(
        label="Purchase orders", endpoint="purchasing.show_all", permission=Permission.PURCHASE_READ, group=Group.WAREHOUSE, order=24
    )
)  # fmt: skip


@blueprint.get("/purchase-orders/<int:purchase_id>")
@require(Permission.PURCHASE_READ)
def show(purchase_id: int) -> str:
    found = purchase_page(reader(), actor(), purchase_id)
    return render_template(
        "purchasing/show.html", page=found, row=found.row, moves=_moves(found), realm=found.row.realm, today=now().date(),
        open_states=OPEN,
    )  # fmt: skip


def _moves(found: PurchasePage) -> list[dict[str, Any]]:
    """The moves that are still ahead; one that is not open says why."""
    row = found.row
    out = [_rest_move(found)] if found.rest else []
    if row.state not in OPEN:
        return out
    shut = closed(PURCHASE, "confirm", row.state, actor())
    out.append(
        {
            "label": "Note the supplier's confirmation…", "permitted": not shut, "reason": f"{shut}." if shut else "",
            "primary": not shut and row.state == "ordered", "href": url_for("purchasing.confirm", purchase_id=row.id),
        }
    )  # fmt: skip
    if not row.is_direct:
        receive = closed(PURCHASE, "settle", row.state, actor())
        out.append(
            {"label": "Receive goods…", "permitted": not receive, "reason": f"{receive}." if receive else "",
             "href": url_for("inbound.receive_list", scan=row.number)}
        )  # fmt: skip
    else:
        out.append(
            {"label": "The supplier has sent it…", "permitted": not shut, "reason": f"{shut}." if shut else "",
             "primary": not shut and row.state == "confirmed", "href": url_for("purchasing.send", purchase_id=row.id)}
        )  # fmt: skip
    begun = any(line.received for line in found.lines)
    move = "close" if begun else "cancel"
    shut = closed(PURCHASE, move, row.state, actor())
    out.append(
        {"label": "Close: the rest is not waited for…" if begun else "Cancel…", "permitted": not shut, "danger": True,
         "reason": f"{shut}." if shut else "", "href": url_for("purchasing.end", purchase_id=row.id)}
    )  # fmt: skip
    return out


def _rest_move(found: PurchasePage) -> dict[str, Any]:
    may = actor().may(Permission.PURCHASE_PLACE)
    return {
        "label": "Order the rest again…", "permitted": may, "primary": may and found.row.state not in OPEN,
        "reason": "" if may else "Your role does not order from suppliers.",
        "href": url_for("purchasing.order_again", purchase_id=found.row.id),
    }  # fmt: skip


def _choices(form: PurchaseForm) -> tuple[dict[int, SitePick], dict[int, SupplierFact]]:
    sites = {s.id: s for s in sites_seen(reader(), actor(), realms=("live", "rehearsal")) if s.kind != "drop_ship"}
    known = {one.id: one for one in all_suppliers(reader(), actor()) if not one.is_blocked}
    form.site.choices = choices((one.id, one.label) for one in sites.values())
    form.supplier.choices = choices(
        (one.id, one.name if one.realm == "live" else f"{one.name} · {one.realm}") for one in known.values()
    )
    return sites, known


def _prefill(form: PurchaseForm) -> None:
    """What the page that led here knows: the site, the item and how many."""
    form.site.data = asked_key("site") or form.site.data
    form.supplier.data = asked_key("supplier") or form.supplier.data
    first: Any = form.lines.entries[0].form
    first.item.data = request.args.get("item", "")[:200]
    text = request.args.get("quantity", "")
    first.quantity.data = Decimal(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


@blueprint.route("/purchase-orders/new", methods=["GET", "POST"])
@require(Permission.PURCHASE_PLACE)
def create() -> Any:
    form = PurchaseForm()
    sites, known = _choices(form)
    if not form.is_submitted():
        _prefill(form)
    form.look_up(reader(), sites[form.site.data].entity_id if form.site.data in sites else None)
    press = form.press()
    if press and press != "enter":
        form.change_rows()
    if press == "enter" and form.is_complete():
        made = 0
        with form_step(form, realm=sites[form.site.data].realm) as work:
            made = form.once(work, lambda: _place(work, form))
        if form.accepted:
            flash("The purchase order is placed.", "success")
            return redirect(url_for("purchasing.show", purchase_id=made))
    realm = sites[form.site.data].realm if form.site.data in sites else "live"
    page = render_template(
        "purchasing/new.html", form=form, wrong=Wrong(form), realm=realm, sites=sites, suppliers=known
    )
    return page, form.status


def _place(work: UnitOfWork, form: PurchaseForm) -> int:
    command = PlacePurchase(
        site=form.site.data, supplier=form.supplier.data, note=form.note.data or None,
        lines=[
            WantedLine(
                item=form.item_of(row) or 0, quantity=row.form.quantity.data, unit_price=row.form.unit_price.data,
                wanted_on=row.form.wanted_on.data,
            )
            for row in form.sent
        ],
    )  # fmt: skip
    return place_purchases(work, [command], rules=rules(), cells=cells())[0].id


@blueprint.route("/purchase-orders/<int:purchase_id>/confirm", methods=["GET", "POST"])
@require(Permission.PURCHASE_CONFIRM)
def confirm(purchase_id: int) -> Any:
    found = purchase_page(reader(), actor(), purchase_id)
    lines = [line for line in found.lines if line.open]
    form = confirm_form(lines)
    if not form.is_submitted():
        form.version.data, form.reference.data = str(found.row.version), found.row.confirmation or ""
    if form.validate_on_submit():
        said = [
            ConfirmedLine(line=line.id, on=form[f"on_{line.id}"].data, quantity=form[f"quantity_{line.id}"].data)
            for line in lines
            if form[f"on_{line.id}"].data is not None
        ]
        form.called = {
            f"lines-{index}-{name}": f"{name}_{one.line}"
            for index, one in enumerate(said)
            for name in ("on", "quantity")
        }
        command = ConfirmPurchase(
            purchase=purchase_id, lines=said, reference=form.reference.data or None, seen_version=_version(form)
        )
        with form_step(form, realm=found.row.realm) as work:
            confirm_with_promises(work, [command])
        if form.accepted:
            flash("The supplier's word is noted; what is expected follows it.", "success")
            return redirect(url_for("purchasing.show", purchase_id=purchase_id))
    page = render_template("purchasing/confirm.html", row=found.row, lines=lines, form=form, realm=found.row.realm)
    return page, form.status


@blueprint.route("/purchase-orders/<int:purchase_id>/sent", methods=["GET", "POST"])
@require(Permission.PURCHASE_CONFIRM)
def send(purchase_id: int) -> Any:
    found = purchase_page(reader(), actor(), purchase_id)
    lines = [line for line in found.lines if line.open]
    form = sent_form(lines)
    if not form.is_submitted():
        form.version.data = str(found.row.version)
    if form.validate_on_submit():
        sent = {line.id: form[f"line_{line.id}"].data or Decimal(0) for line in lines}
        command = ShipDirect(
            purchase=purchase_id, paper=str(form.paper.data), lines=sent, seen_version=_version(form)
        )  # fmt: skip
        with form_step(form, realm=found.row.realm) as work:
            ship_direct(work, command, rules=rules(), cells=cells())
        if form.accepted:
            flash("The goods are on their way to the customer, as a shipment of the order.", "success")
            return redirect(url_for("purchasing.show", purchase_id=purchase_id))
    page = render_template("purchasing/sent.html", row=found.row, lines=lines, form=form, realm=found.row.realm)
    return page, form.status


@blueprint.route("/purchase-orders/<int:purchase_id>/rest", methods=["GET", "POST"])
@require(Permission.PURCHASE_PLACE)
def order_again(purchase_id: int) -> Any:
    found, form = purchase_page(reader(), actor(), purchase_id), RestForm()
    lines = [line for line in found.lines if line.id in found.rest]
    # With nothing left it may be the same click again, which names the supplier it named.
    suppliers = direct_suppliers(reader(), lines or found.lines)
    form.supplier.choices = choices([(0, "The usual supplier"), *suppliers])
    if not form.is_submitted():
        form.version.data = str(found.row.version)
    if form.validate_on_submit():
        command = OrderRest(purchase=purchase_id, supplier=form.supplier.data or None, seen_version=_version(form))
        made = 0
        with form_step(form, realm=found.row.realm) as work:
            made = form.once(work, lambda: order_rest(work, command, rules=rules(), cells=cells())[0].id)
        if form.accepted:
            flash("The rest is ordered; the customer is promised the day of its last part.", "success")
            return redirect(url_for("purchasing.show", purchase_id=made))
    page = render_template(
        "purchasing/rest.html", row=found.row, lines=lines, rest=found.rest, form=form, realm=found.row.realm
    )
    return page, form.status


def _version(form: Any) -> int | None:
    text = str(form.version.data or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


@blueprint.route("/purchase-orders/<int:purchase_id>/end", methods=["GET", "POST"])
@require(Permission.PURCHASE_END)
def end(purchase_id: int) -> Any:
    found, form = purchase_page(reader(), actor(), purchase_id), ReasonForm()
    if not form.is_submitted():
        form.version.data = str(found.row.version)
    if form.validate_on_submit():
        command = EndPurchase(purchase=purchase_id, reason=str(form.reason.data), seen_version=_version(form))
        with form_step(form, realm=found.row.realm) as work:
            end_purchases(work, [command])
        if form.accepted:
            flash("Nothing more is expected of it.", "success")
            return redirect(url_for("purchasing.show", purchase_id=purchase_id))
    begun = any(line.received for line in found.lines)
    page = render_template("purchasing/end.html", row=found.row, form=form, begun=begun, realm=found.row.realm)
    return page, form.status
