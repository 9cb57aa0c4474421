"""What is kept for whom by contract: entering and ending protections."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for
from werkzeug import Response

from app.composition.request import now, reader
from app.queries.claimants import PROTECTIONS, ProtectionRow, one_protection
from app.queries.order_entry import find_customers, items_with_codes
from app.queries.places import sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.allocation.forms import ProtectForm
from app.web.allocation.presenters import tabs
from app.web.allocation.views import blueprint
from app.web.chosen import asked_realm
from app.web.figures import on, quantity
from app.web.forms import choices
from app.web.lists.listing import Cell, Empty, Listing, column, flag, site_filter, step, text_filter
from app.web.lists.page import list_html, list_page
from app.web.steps import form_step, take_step
from erpcore.kernel.clock import local_day
from erpcore.orders.protections import ProtectStock, end_protection, protect_stock


def _item(row: ProtectionRow) -> Cell:
    return Cell(row.code, href=url_for("allocation.show_item", site_id=row.site_id, item_id=row.item_id))


def _next(row: ProtectionRow) -> Cell:
    is_over = row.valid_until is not None and row.valid_until <= local_day(now(), row.time_zone)
    if is_over or not actor().may(Permission.PROTECTION_CHANGE):
        return Cell("")
    about = f"the protection of {row.code} for {row.customer}"
    return step("End today", about, post=url_for("allocation.end", protection_id=row.id))


PROTECTION_LIST = list_page(
    blueprint,
    Listing(
        name="protections", endpoint="allocation.show_protections", path="/allocation/protections",
        permission=Permission.ORDER_READ, title="Protected stock",
        lead="What is kept for a customer by contract, where the rule of the place protects contracts", unit="protections",
        source=PROTECTIONS, sort="site", template="allocation/protections.html",
        empty=Empty(
            title="Nothing is protected", sign="lock",
            text="A protection keeps stock for a customer by contract; it takes effect where the allocation rule protects contracts.",
        ),
        filters=(flag("open", "Without an end"), text_filter("Item, customer or contract"), site_filter()),
        columns=(
            column("item", "Item", "code", cell=_item),
            column("site", "Site"),
            column("unit", "Unit", file_only=True),
            column("customer", "Customer"),
            column("contract", "Contract"),
            column("quantity", "Quantity", cell=lambda row: quantity(row.quantity, row.unit), num=True),
            column("from", "From", "valid_from"),
            column("until", "Until before", "valid_until", cell=lambda row: on(row.valid_until) if row.valid_until else "open"),
            column("end", "Next step", lambda _row: "", cell=_next, page_only=True),
        ),
    ),
    own_view=True,
)  # fmt: skip


def _html(form: ProtectForm, refusal: str = "") -> Any:
    realm = asked_realm()
    form.site.choices = choices(
        (str(site.id), site.name) for site in sites_seen(reader(), actor()) if site.realm == realm
    )
    return list_html(PROTECTION_LIST, form=form, tabs=tabs("allocation.show_protections"), refusal=refusal)


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
    html = _html(form)
    return html if isinstance(html, Response) else (html, form.status)


@blueprint.post("/allocation/protections/<int:protection_id>/end")
@require(Permission.PROTECTION_CHANGE)
def end(protection_id: int) -> Any:
    row = one_protection(reader(), actor(), protection_id)
    return take_step(
        lambda work: end_protection(work, protection_id), realm=row.realm, done="The protection ends today.",
        to=url_for("allocation.show_protections", realm=row.realm), again=lambda said: _html(ProtectForm(formdata=None), said),
    )  # fmt: skip
