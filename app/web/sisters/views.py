"""What went between companies of ours, both sides of it, and the counterparts of an item."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import change, reader
from app.composition.trading import cells, rules
from app.queries.items import item_of_code, item_page
from app.queries.places import SitePick, entities_seen
from app.queries.sisters import SISTERS, SisterRow, counterparts_of, sister_page, sister_sites
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.figures import on
from app.web.forms import choices
from app.web.items.presenters import item_address
from app.web.lists.listing import Cell, Empty, Listing, column, flag, money, site_filter, text_filter
from app.web.lists.page import list_page
from app.web.navigation import Entry, Group, navigation_entry
from app.web.sisters.forms import CounterpartForm, SendForm, TurnForm
from app.web.steps import form_step
from app.web.warehouse.views import chosen_site, nowhere, warehouse_sites
from erpcore.inventory.sisters.services import SendToSister, SisterGoods, send_to_sister, turn_back
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.counterparts import KeepCounterpart, keep_counterparts, part_counterparts

blueprint = area("sisters")
navigation_entry(
    Entry(
        label="Sister companies", endpoint="sisters.show_all", permission=Permission.STOCK_READ, group=Group.MONEY, order=67
    )
)  # fmt: skip


def _standing(row: SisterRow) -> Cell:
    if not row.mirrored:
        return Cell("one side is missing", sub="see the proof of the books", kind="fail")
    if row.turned_back:
        return Cell("turned back", muted=True)
    return Cell("arrived" if row.state == "settled" else "on its way", sub="both sides agree")


SISTER_LIST = list_page(
    blueprint,
    Listing(
        name="sister-transfers", endpoint="sisters.show_all", path="/sisters", permission=Permission.STOCK_READ,
        title="Goods between companies", lead="What one company of ours sold to another: a document at each side, under one key",
        unit="transfers", source=SISTERS, sort="-shipped", template="sisters/list.html",
        empty=Empty(
            title="Nothing went between companies", sign="box",
            text="Goods are sent here, or by a program; each item names its counterpart at the other company first.",
        ),
        filters=(
            text_filter("Number, site or company"), flag("back", "Turned back"), flag("odd", "One side missing"), site_filter(),
        ),
        columns=(
            column("number", "Number", cell=lambda row: Cell(row.number, href=url_for("sisters.show", transfer_id=row.id))),
            column("origin", "From", cell=lambda row: Cell(row.origin, sub=row.sender)),
            column("target", "To", cell=lambda row: Cell(row.target, sub=row.receiver)),
            column("shipped", "Sent", lambda row: row.shipped_at.date(), cell=lambda row: on(row.shipped_at.date())),
            money("agreed", "Agreed", "agreed_minor"),
            column("currency", "Currency", file_only=True),
            column("standing", "Stands", lambda row: _standing(row).text, cell=_standing),
        ),
    ),
)  # fmt: skip


@blueprint.get("/sisters/<int:transfer_id>")
@require(Permission.STOCK_READ)
def show(transfer_id: int) -> str:
    page = sister_page(reader(), actor(), transfer_id)
    return render_template("sisters/show.html", page=page, head=page.head, realm=page.head.realm)


@blueprint.route("/sisters/new", methods=["GET", "POST"])
@require(Permission.SISTER_SEND)
def send() -> Any:
    sites = warehouse_sites()
    site = chosen_site(sites)
    if site is None:
        return nowhere()
    form = SendForm()
    form.to_site.choices = choices(sister_sites(reader(), site.entity_id, site.realm))
    if form.validate_on_submit():
        made = 0
        with form_step(form, realm=site.realm) as work:
            made = form.once(work, lambda: _send(work, site, form))
        if form.accepted:
            flash("The goods are on their way: sold here, bought there.", "success")
            return redirect(url_for("sisters.show", transfer_id=made))
    note = (
        f"{site.label} sells, the other company buys, in one step. Where their currencies differ, the rate of today holds; without one "
        "nothing is sent."
    )
    html = render_template(
        "billing/small_form.html", form=form, trail=[("Goods between companies", url_for("sisters.show_all"))],
        of=f"From {site.label}", unit="", realm=site.realm, title="Send to another company", label="Send the goods", note=note,
    )  # fmt: skip
    return html, form.status


def _send(work: UnitOfWork, site: SitePick, form: SendForm) -> int:
    item = item_of_code(work.session, site.entity_id, str(form.item.data or ""))
    command = SendToSister(
        from_site=site.id, to_site=form.to_site.data, arrives_on=form.arrives_on.data or date.min, key=str(form.request_key.data),
        lines=[SisterGoods(item=item, quantity=form.quantity.data, price=form.price.data)], note=form.note.data or None,
    )  # fmt: skip
    return send_to_sister(work, command, rules=rules(), cells=cells()).transfer


@blueprint.route("/sisters/<int:transfer_id>/turn-back", methods=["GET", "POST"])
@require(Permission.SISTER_SEND)
def turn(transfer_id: int) -> Any:
    head, form = sister_page(reader(), actor(), transfer_id).head, TurnForm()
    here = url_for("sisters.show", transfer_id=transfer_id)
    if not form.is_submitted():
        form.seen.data = str(head.version)
    if form.validate_on_submit():
        seen = str(form.seen.data or "")
        with form_step(form, realm=head.realm) as work:
            turn_back(
                work, transfer_id, str(form.reason.data), rules=rules(), cells=cells(),
                seen_version=int(seen) if seen.isdecimal() else None,
            )  # fmt: skip
        if form.accepted:
            flash("Both sides are turned back, and the goods are in stock where they came from.", "success")
            return redirect(here)
    html = render_template(
        "billing/small_form.html", form=form, trail=[("Goods between companies", url_for("sisters.show_all")), (head.number, here)],
        of=f"{head.number} · {head.origin} to {head.target}", unit="", realm=head.realm, title="Turn back", label="Turn both sides back",
        note="Both companies get a document that turns the first round, at the same amounts. It can be done while nothing has arrived.",
    )  # fmt: skip
    return html, form.status


@blueprint.route("/items/<int:item_id>/counterparts", methods=["GET", "POST"])
@require(Permission.MASTERDATA_READ)
def counterparts(item_id: int) -> Any:
    item, form = item_page(reader(), actor(), item_id), CounterpartForm()
    others = [one for one in entities_seen(reader(), actor()) if one.realm == item.realm and one.id != item.entity_id]
    form.entity.choices = choices((one.id, one.label) for one in others)
    if form.is_submitted():
        actor().require(Permission.MASTERDATA_CHANGE)
    if form.validate_on_submit():
        with form_step(form, realm=item.realm) as work:
            other = item_of_code(work.session, form.entity.data, str(form.code.data or ""))
            keep_counterparts(work, [KeepCounterpart(item=item_id, counterpart=other)])
        if form.accepted:
            flash("The two are the same goods: they can be sent between the companies.", "success")
            return redirect(url_for("sisters.counterparts", item_id=item_id))
    html = render_template(
        "sisters/counterparts.html", item=item, rows=counterparts_of(reader(), item_id), form=form, realm=item.realm,
        item_address=item_address,
    )  # fmt: skip
    return html, form.status


@blueprint.post("/items/<int:item_id>/counterparts/<int:other_id>/part")
@require(Permission.MASTERDATA_CHANGE)
def part(item_id: int, other_id: int) -> Any:
    item = item_page(reader(), actor(), item_id)
    with change(realm=item.realm) as work:
        part_counterparts(work, item_id, other_id)
    flash("They are no longer the same goods.", "success")
    return redirect(url_for("sisters.counterparts", item_id=item_id))
