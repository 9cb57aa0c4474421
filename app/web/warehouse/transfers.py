"""Transfers at the desk: one of them, shipping, receiving with discrepancies, giving up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.core_approvals import BY_RULES
from app.composition.order_names import order_names
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.items import item_of_code
from app.queries.places import SitePick, sites_of_entity
from app.queries.transfers import TransferPage, transfer_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import choices
from app.web.items.presenters import item_address
from app.web.steps import form_step
from app.web.warehouse.forms import LostForm, arrival_form, transfer_form
from app.web.warehouse.views import blueprint, chosen_site, form_page, nowhere, warehouse_sites
from erpcore.inventory.losing import GiveUp, give_up
from erpcore.inventory.transfers import (
    ArrivedLine,
    ReceiveTransfer,
    ShipTransfer,
    TransferLine,
    receive_transfer,
    ship_transfers,
)
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork


@blueprint.get("/warehouse/transfers/<int:transfer_id>")
@require(Permission.STOCK_READ)
def transfer(transfer_id: int) -> str:
    page = transfer_page(reader(), actor(), transfer_id)
    here = actor().sites is None or page.head.site_id in (actor().sites or ())
    return render_template(
        "warehouse/transfer.html", page=page, head=page.head, realm=page.head.realm, today=now().date(), is_here=here,
        item_address=item_address,
    )  # fmt: skip


@blueprint.route("/warehouse/transfers/new", methods=["GET", "POST"])
@require(Permission.TRANSFER_SHIP)
def new_transfer() -> Any:
    sites = warehouse_sites()
    site = chosen_site(sites)
    if site is None:
        return nowhere()
    form = transfer_form()
    targets = [one for one in sites_of_entity(reader(), site.entity_id) if one[0] != site.id]
    form.to_site.choices = choices(targets)
    if form.validate_on_submit():
        made = 0
        with form_step(form, realm=site.realm) as work:
            made = form.once(work, lambda: _ship(work, site, form))
        if form.accepted:
            flash("The goods are on their way.", "success")
            return redirect(url_for("warehouse.transfer", transfer_id=made))
    html = render_template(
        "warehouse/transfer_new.html", form=form, site=site, sites=sites, realm=site.realm, targets=targets,
        rows=form.cells("item", "quantity", "unit"),
    )  # fmt: skip
    return html, form.status


def _ship(work: UnitOfWork, site: SitePick, form: Any) -> int:
    lines: list[TransferLine] = []
    called = {"lines": "item_0"}
    for row, (item, quantity, unit) in form.cells("item", "quantity", "unit"):
        if not item.data and quantity.data is None:
            continue
        called |= {f"lines-{len(lines)}-quantity": quantity.name, f"lines-{len(lines)}-unit": unit.name}
        if quantity.data is None:
            raise RuleBroken("quantity_missing", field=quantity.name, line=row + 1)
        found = item_of_code(work.session, site.entity_id, str(item.data or ""), field=item.name)
        lines.append(TransferLine(item=found, quantity=quantity.data, unit=unit.data or None))
    form.called = called
    command = ShipTransfer(
        from_site=site.id, to_site=form.to_site.data, arrives_on=form.arrives_on.data or date.min, lines=lines,
        note=form.note.data or None,
    )  # fmt: skip
    (made,) = ship_transfers(work, [command], rules=rules(), cells=cells())
    return made.id


def _coming(transfer_id: int) -> TransferPage:
    """A transfer that comes to a site of this person."""
    page = transfer_page(reader(), actor(), transfer_id)
    if actor().sites is not None and page.head.site_id not in (actor().sites or ()):
        raise NotFound("transfer_unknown", id=transfer_id)
    return page


@blueprint.route("/warehouse/transfers/<int:transfer_id>/receive", methods=["GET", "POST"])
@require(Permission.STOCK_RECEIVE)
def receive_lines(transfer_id: int) -> Any:
    page = _coming(transfer_id)
    lines = [line for line in page.lines if line.open > 0]
    form = arrival_form([(line.id, line.code) for line in lines])
    if not form.is_submitted():
        form.version.data = str(page.head.version)
        for line in lines:
            form[f"quantity_{line.id}"].data = line.open
    if form.validate_on_submit():
        apart: list[bool] = []
        with form_step(form, realm=page.head.realm) as work:
            form.once(work, lambda: _receive(work, page, form, apart))
        if form.accepted:
            flash("What came is received. What did not come stays on its way until it comes or is given up.", "success")
            if any(apart):
                flash(
                    "The last day of some of it is over: that lies in quarantine and is promised to nobody.", "warning"
                )
            return redirect(url_for("warehouse.transfer", transfer_id=transfer_id))
    html = render_template(
        "warehouse/transfer_receive.html", form=form, page=page, head=page.head, realm=page.head.realm, lines=lines
    )
    return html, form.status


def _receive(work: UnitOfWork, page: TransferPage, form: Any, apart: list[bool]) -> int:
    nil = Decimal(0)
    arrived = [
        ArrivedLine(line=key, quantity=quantity.data or nil, damaged=damaged.data or nil)
        for key, (quantity, damaged) in form.cells("quantity", "damaged")
    ]
    seen = str(form.version.data or "")
    command = ReceiveTransfer(
        transfer=page.head.id, lines=arrived, seen_version=int(seen) if seen.isdecimal() else page.head.version
    )
    apart.append(receive_transfer(work, command, rules=rules(), cells=cells(), order_names=order_names).set_apart)
    return page.head.id


@blueprint.route("/warehouse/transfers/<int:transfer_id>/lines/<int:line_id>/lost", methods=["GET", "POST"])
@require(Permission.STOCK_ADJUST)
def lose_line(transfer_id: int, line_id: int) -> Any:
    page, form = _coming(transfer_id), LostForm()
    line = next((one for one in page.lines if one.id == line_id), None)
    if line is None:
        raise NotFound("transfer_unknown", id=transfer_id)
    if not form.is_submitted():
        form.quantity.data = line.open
    if form.validate_on_submit():
        waits = False
        command = GiveUp(transfer=transfer_id, line=line_id, quantity=form.quantity.data, reason=str(form.reason.data))
        with form_step(form, realm=page.head.realm) as work:

            def make() -> int:
                nonlocal waits
                waits = give_up(work, command, rules=rules(), cells=cells(), authority=BY_RULES).waits
                return transfer_id

            form.once(work, make)
        if form.accepted:
            said = "It is worth more than this site's limit: somebody else agrees to the loss first."
            flash(said if waits else "The loss is booked.", "success")
            return redirect(url_for("warehouse.transfer", transfer_id=transfer_id))
    back = url_for("warehouse.transfer", transfer_id=transfer_id)
    return form_page(
        form, title=f"Give up {line.code} of {page.head.number}", label="Give up as lost", back=back, realm=page.head.realm,
        trail=[("Transfers", url_for("warehouse.transfers")), (page.head.number, back)], units={"quantity": line.unit},
        note=f"{line.open.normalize():f} {line.unit} are still on their way. Lost goods leave the stock of {page.head.target}.",
    )  # fmt: skip
