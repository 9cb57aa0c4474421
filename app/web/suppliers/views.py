"""Suppliers: who they are, how long they take, and what they ask for which item."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import reader
from app.queries.order_entry import items_with_codes
from app.queries.places import entities_seen, sites_seen
from app.queries.suppliers import supplier_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step, take_step
from app.web.suppliers.forms import OfferForm, SupplierForm
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.masterdata.suppliers import NewSupplier, OfferItem, add_suppliers, block_supplier, offer_items

blueprint = area("suppliers")
navigation_entry(
    Entry(label="Suppliers", endpoint="suppliers.show_all", permission=Permission.PURCHASE_READ, group=Group.WAREHOUSE, order=25)
)  # fmt: skip


@blueprint.get("/suppliers/<int:supplier_id>")
@require(Permission.PURCHASE_READ)
def show(supplier_id: int) -> str:
    return _html(supplier_id)


def _html(supplier_id: int, refused: str = "") -> str:
    found = supplier_page(reader(), actor(), supplier_id)
    return render_template("suppliers/show.html", one=found, refused=refused, realm=found.realm)


@blueprint.route("/suppliers/new", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE)
def create() -> Any:
    form = SupplierForm()
    entities = {one.id: one for one in entities_seen(reader(), actor())}
    form.entity.choices = choices((one.id, one.label) for one in entities.values())
    works = [site for site in sites_seen(reader(), actor()) if site.kind == "drop_ship"]
    form.site.choices = choices([(0, "none"), *((site.id, site.label) for site in works)])
    if form.validate_on_submit():
        command = NewSupplier(
            entity=form.entity.data, code=str(form.code.data), name=str(form.name.data), country=str(form.country.data),
            lead_days=form.lead_days.data or 0, ships_direct=bool(form.ships_direct.data), site=form.site.data or None,
        )  # fmt: skip
        made: list[int] = []
        with form_step(form, realm=entities[form.entity.data].realm) as work:
            made = add_suppliers(work, [command])
        if form.accepted:
            flash(f"{form.name.data} is a supplier. Say what it asks for which item.", "success")
            return redirect(url_for("suppliers.show", supplier_id=made[0]))
    return render_template("suppliers/new.html", form=form, realm="live"), form.status


@blueprint.route("/suppliers/<int:supplier_id>/items/new", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE)
def offer(supplier_id: int) -> Any:
    found, form = supplier_page(reader(), actor(), supplier_id), OfferForm()
    if form.validate_on_submit():
        item = items_with_codes(reader(), found.entity_id, [str(form.item.data)]).get(str(form.item.data).lower())
        with form_step(form, realm=found.realm) as work:
            if item is None:
                raise RuleBroken("item_code_unknown", field="item", code=str(form.item.data))
            command = OfferItem(
                supplier=supplier_id, item=item, price=form.price.data, lead_days=form.lead_days.data,
                supplier_code=form.supplier_code.data or None, rank=form.rank.data or 1,
            )  # fmt: skip
            offer_items(work, [command])
        if form.accepted:
            flash(f"{found.name} asks {form.price.data:f} {found.currency} for {form.item.data}.", "success")
            return redirect(url_for("suppliers.show", supplier_id=supplier_id))
    return render_template("suppliers/offer.html", one=found, form=form, realm=found.realm), form.status


@blueprint.post("/suppliers/<int:supplier_id>/<move>")
@require(Permission.MASTERDATA_CHANGE)
def switch(supplier_id: int, move: str) -> Any:
    found = supplier_page(reader(), actor(), supplier_id)
    if move not in ("block", "unblock"):
        raise NotFound("not_found")
    return take_step(
        lambda work: block_supplier(work, supplier_id, is_blocked=move == "block"), realm=found.realm,
        done=f"{found.name} gets {'no new orders' if move == 'block' else 'orders again'}.",
        to=url_for("suppliers.show", supplier_id=supplier_id), again=lambda why: _html(supplier_id, why),
    )  # fmt: skip
