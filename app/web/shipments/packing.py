"""Packing and shipping by hand and scanner: one carton open, one big next step, then the van."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.carriers import carton_types, collections_ahead, services_of
from app.queries.shipments import ShipmentPage, shipment_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import choices
from app.web.shipments.forms import AllForm, CloseForm, OpenForm, PutForm, ShipForm, VoidForm
from app.web.shipments.views import back_to, blueprint
from app.web.steps import form_step
from erpcore.fulfilment.packing.services import (
    PackCarton,
    close_carton,
    open_carton,
    pack_cartons,
    put_in_carton,
    void_carton,
)
from erpcore.fulfilment.shipping import ShipShipment, ship_shipments
from erpcore.kernel.errors import NotFound


def _read(shipment_id: int) -> ShipmentPage:
    return shipment_page(reader(), actor(), shipment_id)


@blueprint.get("/shipments/<int:shipment_id>/pack")
@require(Permission.SHIPMENT_PACK)
def pack(shipment_id: int) -> Any:
    return _pack(_read(shipment_id))


def _pack(page: ShipmentPage, **given: Any) -> Any:
    """What a packer needs next: a carton, the next piece, the scale, or the van."""
    kinds = choices((one.id, f"{one.name} · {one.size}") for one in carton_types(reader(), [page.entity_id]))
    forms: dict[str, Any] = {
        "open": OpenForm(),
        "put": PutForm(),
        "close": CloseForm(prefix="w-"),
        "all": AllForm(prefix="all-"),
    }
    forms |= given
    forms["open"].carton_type.choices = forms["all"].carton_type.choices = kinds
    if "put" not in given:
        forms["put"].quantity.data = Decimal(1)
        forms["put"].scanned.data = ""
    status = max(form.status for form in forms.values())
    html = render_template(
        "shipments/pack.html",
        page=page,
        forms=forms,
        kinds=kinds,
        realm=page.realm,
        wrong=list(given.values()),
        at=now(),
    )
    return html, status


def _again(shipment_id: int) -> Any:
    return redirect(url_for("shipments.pack", shipment_id=shipment_id))


@blueprint.post("/shipments/<int:shipment_id>/cartons")
@require(Permission.SHIPMENT_PACK)
def begin(shipment_id: int) -> Any:
    page, form = _read(shipment_id), OpenForm()
    form.carton_type.choices = choices((one.id, one.name) for one in carton_types(reader(), [page.entity_id]))
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            form.once(work, lambda: open_carton(work, shipment_id, form.carton_type.data).id)
        if form.accepted:
            return _again(shipment_id)
    return _pack(_read(shipment_id), open=form)


@blueprint.post("/shipments/<int:shipment_id>/put")
@require(Permission.SHIPMENT_PACK)
def put(shipment_id: int) -> Any:
    page, form = _read(shipment_id), PutForm()
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            form.once(
                work,
                lambda: put_in_carton(work, shipment_id, str(form.scanned.data), int(form.quantity.data.scaleb(3))).id,
            )
        if form.accepted:
            return _again(shipment_id)
    return _pack(_read(shipment_id), put=form)


@blueprint.post("/shipments/<int:shipment_id>/cartons/<int:carton_id>/close")
@require(Permission.SHIPMENT_PACK)
def close(shipment_id: int, carton_id: int) -> Any:
    page, form = _read(shipment_id), CloseForm(prefix="w-")
    _own(page, carton_id)
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            close_carton(work, carton_id, form.weight_kg.data)
        if form.accepted:
            flash("The carton is closed. Print its label and stick it on.", "success")
            return _again(shipment_id)
    return _pack(_read(shipment_id), close=form)


@blueprint.post("/shipments/<int:shipment_id>/pack-all")
@require(Permission.SHIPMENT_PACK)
def pack_all(shipment_id: int) -> Any:
    page, form = _read(shipment_id), AllForm(prefix="all-")
    form.carton_type.choices = choices((one.id, one.name) for one in carton_types(reader(), [page.entity_id]))
    if form.validate_on_submit():
        command = PackCarton(shipment=shipment_id, carton_type=form.carton_type.data, weight_kg=form.weight_kg.data)
        with form_step(form, realm=page.realm) as work:
            form.once(work, lambda: pack_cartons(work, [command])[0].id)
        if form.accepted:
            flash("All of it lies in one carton. Print its label and stick it on.", "success")
            return _again(shipment_id)
    return _pack(_read(shipment_id), all=form)


@blueprint.route("/shipments/<int:shipment_id>/cartons/<int:carton_id>/void", methods=["GET", "POST"])
@require(Permission.SHIPMENT_PACK)
def void(shipment_id: int, carton_id: int) -> Any:
    page, form = _read(shipment_id), VoidForm()
    carton = _own(page, carton_id)
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            void_carton(work, carton_id, str(form.reason.data))
        if form.accepted:
            flash(f"{carton.number} is unpacked. Destroy its label.", "success")
            return _again(shipment_id)
    html = render_template("shipments/void.html", page=page, carton=carton, form=form, realm=page.realm)
    return html, form.status


def _own(page: ShipmentPage, carton_id: int) -> Any:
    found = next((one for one in page.cartons if one.id == carton_id), None)
    if found is None:
        raise NotFound("carton_unknown", carton=carton_id)
    return found


def _next_van(page: ShipmentPage) -> list[Any]:
    """The next collection of the shipment's service, or of whichever comes first while none is chosen."""
    ahead = collections_ahead(reader(), page.site_id, now())
    return [one for one in ahead if page.carriage.service_id in (None, one.service_id)]


@blueprint.route("/shipments/<int:shipment_id>/ship", methods=["GET", "POST"])
@require(Permission.SHIPMENT_CONFIRM)
def ship(shipment_id: int) -> Any:
    page, form = _read(shipment_id), ShipForm()
    services = [one for one in services_of(reader(), [page.entity_id]) if one.is_active]
    form.service.choices = choices([(0, "as the carrier rules say"), *((one.id, one.title) for one in services)])
    if not form.is_submitted():
        form.service.data = page.carriage.service_id if page.carriage.premium_reason else 0
        form.tracking_number.data, form.premium_reason.data = (
            page.carriage.tracking_number,
            page.carriage.premium_reason,
        )
        form.weight_kg.data = page.carriage.weight_kg
    if form.validate_on_submit():
        command = ShipShipment(
            shipment=shipment_id, service=form.service.data or None, tracking_number=form.tracking_number.data or None,
            weight_kg=form.weight_kg.data if not page.is_packed else None, premium_reason=form.premium_reason.data or None,
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            ship_shipments(work, [command], rules=rules(), cells=cells())
        if form.accepted:
            return back_to(shipment_id, f"{page.number} has left.")
    html = render_template(
        "shipments/ship.html", page=page, form=form, realm=page.realm, at=now(),
        ahead=_next_van(page),
    )  # fmt: skip
    return html, form.status
