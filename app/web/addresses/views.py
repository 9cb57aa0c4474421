"""The addresses of a customer: what holds, what held, a new one, another one in its place."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.addresses import AddressedCustomer, addresses_of, customer_addressed, one_address
from app.queries.companies import tax_numbers
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.addresses.forms import AddressForm, EndForm
from app.web.areas import area
from app.web.steps import form_step, seen_version
from erpcore.credit.services import relieve
from erpcore.kernel.clock import local_day
from erpcore.masterdata.addresses import add_address, change_address, end_address

blueprint = area("addresses")


def _today(customer: AddressedCustomer) -> date:
    return local_day(now(), customer.time_zone)


@blueprint.get("/customers/<int:customer_id>/addresses")
@require(Permission.MASTERDATA_READ)
def show_all(customer_id: int) -> str:
    customer = customer_addressed(reader(), actor(), customer_id)
    found = addresses_of(reader(), customer_id)
    today = _today(customer)
    return render_template(
        "addresses/list.html", customer=customer, realm=customer.realm, today=today,
        numbers=tax_numbers(reader(), customer.entity_id, customer_id), present=[one for one in found if one.followed_by is None], past=[one for one in found if one.followed_by is not None],
    )  # fmt: skip


def _back(customer_id: int, said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("addresses.show_all", customer_id=customer_id))


def _form(form: Any, customer: AddressedCustomer, title: str, label: str) -> Any:
    page = render_template(
        "addresses/form.html", form=form, customer=customer, title=title, label=label, realm=customer.realm
    )
    return page, form.status


@blueprint.route("/customers/<int:customer_id>/addresses/new", methods=["GET", "POST"])
@require(Permission.ADDRESS_CHANGE)
def add(customer_id: int) -> Any:
    customer, form = customer_addressed(reader(), actor(), customer_id), AddressForm()
    if not form.is_submitted():
        form.begin(None, _today(customer))
        form.name.data, form.country.data = customer.name, customer.country
    if form.validate_on_submit():
        with form_step(form, realm=customer.realm) as work:
            form.once(
                work,
                lambda: add_address(work, customer_id, form.address(), valid_from=form.valid_from.data or date.min).id,
            )
            relieve(work, customer_id)
        if form.accepted:
            return _back(customer_id, "The address is kept. Orders that waited for one go on.")
    return _form(form, customer, "New address", "Keep the address")


@blueprint.route("/addresses/<int:address_id>/change", methods=["GET", "POST"])
@require(Permission.ADDRESS_CHANGE)
def change_one(address_id: int) -> Any:
    customer, address = one_address(reader(), actor(), address_id)
    form = AddressForm()
    if not form.is_submitted():
        form.begin(address, _today(customer))
    if form.validate_on_submit():
        with form_step(form, realm=customer.realm) as work:
            form.once(
                work,
                lambda: (
                    change_address(
                        work, address_id, form.address(), valid_from=form.valid_from.data or date.min,
                        seen_version=seen_version(),
                    ).id
                ),
            )  # fmt: skip
            relieve(work, customer.id)
        if form.accepted:
            return _back(customer.id, "The address is changed; what has left keeps the one it went to.")
    return _form(form, customer, f"Change address {address.code}", "Change the address")


@blueprint.route("/addresses/<int:address_id>/end", methods=["GET", "POST"])
@require(Permission.ADDRESS_CHANGE)
def end_one(address_id: int) -> Any:
    customer, address = one_address(reader(), actor(), address_id)
    form = EndForm()
    if not form.is_submitted():
        form.on.data, form.version.data = _today(customer), str(address.version)
    if form.validate_on_submit():
        with form_step(form, realm=customer.realm) as work:
            end_address(work, address_id, on=form.on.data or date.min, seen_version=seen_version())
        if form.accepted:
            return _back(customer.id, "The address ends.")
    return _form(form, customer, f"End address {address.code}", "End the address")
