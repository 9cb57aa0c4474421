"""What is kept for whom by contract: entering and ending protections."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.queries.claimants import protections
from app.queries.order_entry import find_customers, items_with_codes
from app.queries.places import sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.allocation.forms import ProtectForm
from app.web.allocation.presenters import tabs
from app.web.allocation.views import blueprint
from app.web.areas import asked_key
from app.web.chosen import asked_realm, viewer
from app.web.exports import csv_file, xlsx_file
from app.web.forms import choices
from app.web.steps import form_step, take_step
from erpcore.kernel.errors import NotFound
from erpcore.orders.protections import ProtectStock, end_protection, protect_stock

_HEAD = ("Site", "Item", "Unit", "Customer", "Quantity", "Contract", "From", "Until before")


def _html(form: ProtectForm, refusal: str = "") -> str:
    realm = asked_realm()
    sites = [site for site in sites_seen(reader(), actor()) if site.realm == realm]
    form.site.choices = choices((str(site.id), site.name) for site in sites)
    rows = protections(reader(), viewer(asked_key("site")), realm=realm, site=asked_key("site"))
    return render_template(
        "allocation/protections.html", rows=rows, form=form, realm=realm, tabs=tabs("allocation.show_protections"),
        today=now().date(), refusal=refusal, sites=sites, site=asked_key("site"),
    )  # fmt: skip


@blueprint.route("/allocation/protections", methods=["GET", "POST"])
@require(Permission.ORDER_READ)
def show_protections() -> Any:
    """The list; posted, a protection is entered."""
    form = ProtectForm()
    if not form.is_submitted():
        form.valid_from.data = now().date()
        return _html(form)
    actor().require(Permission.PROTECTION_CHANGE)
    site = next((one for one in sites_seen(reader(), actor()) if str(one.id) == form.site.data), None)
    if form.validate_on_submit() and site is not None:
        item = items_with_codes(reader(), site.entity_id, [str(form.item.data)]).get(str(form.item.data).lower())
        customers = find_customers(reader(), site.entity_id, str(form.customer.data))
        if item is None:
            form.item.errors = ["No item has this code."]
        if len(customers) != 1:
            form.customer.errors = [
                "No customer has this code." if not customers else "Several fit; enter the code of one."
            ]
        if item is not None and len(customers) == 1:
            command = ProtectStock(
                site=site.id, item=item, customer=customers[0].id, quantity=form.quantity.data,
                contract=str(form.contract.data), valid_from=form.valid_from.data or now().date(), valid_until=form.valid_until.data,
            )  # fmt: skip
            with form_step(form, realm=site.realm) as work:
                form.once(work, lambda: protect_stock(work, [command])[0].id)
            if form.accepted:
                flash("The stock is protected.", "success")
                return redirect(url_for("allocation.show_protections", realm=site.realm))
    form.status = form.status if form.status != 200 else 422
    return _html(form), form.status


@blueprint.post("/allocation/protections/<int:protection_id>/end")
@require(Permission.PROTECTION_CHANGE)
def end(protection_id: int) -> Any:
    rows = protections(reader(), actor(), only=protection_id)
    if not rows:
        raise NotFound("protection_unknown", protection=protection_id)
    return take_step(
        lambda work: end_protection(work, protection_id), realm=rows[0].realm, done="The protection ends today.",
        to=url_for("allocation.show_protections", realm=rows[0].realm), again=lambda said: _html(ProtectForm(formdata=None), said),
    )  # fmt: skip


@blueprint.get("/allocation/protections.csv")
@require(Permission.ORDER_READ)
def protections_as_csv() -> Any:
    return csv_file("protections", _HEAD, _file_rows())


@blueprint.get("/allocation/protections.xlsx")
@require(Permission.ORDER_READ)
def protections_as_xlsx() -> Any:
    return xlsx_file("protections", _HEAD, _file_rows())


def _file_rows() -> Any:
    site = request.args.get("site") and asked_key("site")
    for row in protections(reader(), viewer(asked_key("site")), realm=asked_realm(), site=site or None):
        yield (
            row.site,
            row.code,
            row.unit,
            row.customer,
            row.quantity,
            row.contract,
            row.valid_from,
            row.valid_until or "",
        )
