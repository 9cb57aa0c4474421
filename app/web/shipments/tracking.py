"""What happens instead of leaving, and after the van has left: taken back, exceptions with an owner, freight charged, proof of delivery."""

from __future__ import annotations

from typing import Any

from flask import render_template

from app.composition.cases import person_named
from app.composition.request import now, reader
from app.composition.trading import cells, rules, trouble_kind
from app.identity.queries import roles_there
from app.queries.shipments import ShipmentPage, shipment_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.fields import QuantityField
from app.web.shipments.forms import FreightForm, OutcomeForm, ProofForm, TakeBackForm, TroubleForm
from app.web.shipments.views import back_to, blueprint
from app.web.steps import form_step
from erpcore.fulfilment.carriers.troubles import (
    Report,
    keep_proof,
    report_trouble,
    resolve_trouble,
    settle_freight,
    take_trouble,
)
from erpcore.fulfilment.services import DeliverShipment, deliver_shipments
from erpcore.fulfilment.taking_back import take_back_shipment
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.money import places, to_minor


def _page(shipment_id: int, form: Any, *, title: str, label: str, note: str = "", **more: Any) -> Any:
    page = shipment_page(reader(), actor(), shipment_id)
    html = render_template(
        "shipments/form.html", page=page, form=form, title=title, label=label, note=note, realm=page.realm, **more
    )
    return html, form.status


@blueprint.route("/shipments/<int:shipment_id>/take-back", methods=["GET", "POST"])
@require(Permission.SHIPMENT_PICK)
def take_back(shipment_id: int) -> Any:
    page, form = shipment_page(reader(), actor(), shipment_id), TakeBackForm()
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            take_back_shipment(work, shipment_id, str(form.reason.data), cells=cells())
        if form.accepted:
            return back_to(shipment_id, f"{page.number} is taken back. Put its goods where they came from.")
    note = "Its goods go back to the shelf they came from and stay allocated to the order, which is picked anew."
    return _page(shipment_id, form, title="Take back", label="Take it back", note=note)


@blueprint.route("/shipments/<int:shipment_id>/exceptions/new", methods=["GET", "POST"])
@require(Permission.SHIPMENT_TRACK)
def report(shipment_id: int) -> Any:
    page, form = shipment_page(reader(), actor(), shipment_id), TroubleForm()
    if form.validate_on_submit():
        owner = _owner(form, page)
        if owner is None:
            return _page(shipment_id, form, title="Report an exception", label="Open the exception")
        command = Report(
            shipment=shipment_id, kind=trouble_kind(str(form.kind.data)), reason=str(form.reason.data),
            expected_on=form.expected_on.data, owner=owner,
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            report_trouble(work, [command])
        if form.accepted:
            return back_to(shipment_id, "The exception is open, and has an owner.")
    return _page(shipment_id, form, title="Report an exception", label="Open the exception")


def _owner(form: TroubleForm, page: ShipmentPage) -> int | None:
    """Who is named: oneself, or a colleague who works at the site; nobody, with the reason at the field."""
    if not form.owner.data:
        return actor().id
    named = person_named(reader(), form.owner.data)
    if named is not None and named in roles_there(reader(), [named], page.site_id, now()):
        return named
    form.owner.errors = ["Nobody who works here signs in by this name."]
    form.status = 422
    return None


@blueprint.post("/shipments/<int:shipment_id>/exceptions/<int:trouble_id>/take")
@require(Permission.SHIPMENT_TRACK)
def take(shipment_id: int, trouble_id: int) -> Any:
    page = shipment_page(reader(), actor(), shipment_id)
    _own(page, trouble_id)
    with form_step(OutcomeForm(), realm=page.realm) as work:
        take_trouble(work, trouble_id, actor().id)
    return back_to(shipment_id, "The exception is yours.")


@blueprint.route("/shipments/<int:shipment_id>/exceptions/<int:trouble_id>/resolve", methods=["GET", "POST"])
@require(Permission.SHIPMENT_TRACK)
def resolve(shipment_id: int, trouble_id: int) -> Any:
    page, form = shipment_page(reader(), actor(), shipment_id), OutcomeForm()
    trouble = _own(page, trouble_id)
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            resolve_trouble(work, trouble_id, str(form.resolution.data))
        if form.accepted:
            return back_to(shipment_id, "The exception is settled.")
    return _page(shipment_id, form, title=f"Settle: {trouble.kind}", label="Settle it", note=trouble.reason)


def _own(page: Any, trouble_id: int) -> Any:
    found = next((one for one in page.troubles if one.id == trouble_id), None)
    if found is None:
        raise NotFound("trouble_unknown", trouble=trouble_id)
    return found


@blueprint.route("/shipments/<int:shipment_id>/freight", methods=["GET", "POST"])
@require(Permission.SHIPMENT_TRACK)
def freight(shipment_id: int) -> Any:
    page, form = shipment_page(reader(), actor(), shipment_id), FreightForm()
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            settle_freight(work, shipment_id, _minor(form.amount.data, page.currency))
        if form.accepted:
            return back_to(shipment_id, "The freight is settled.")
    return _page(shipment_id, form, title="Settle the freight", label="Settle it", unit=page.currency)


def _minor(amount: Any, currency: str) -> int:
    if amount != round(amount, places(currency)):
        raise RuleBroken("quantity_too_precise", field="amount", value=str(amount))
    return to_minor(amount, currency)


@blueprint.route("/shipments/<int:shipment_id>/proof", methods=["GET", "POST"])
@require(Permission.SHIPMENT_DELIVER)
def proof(shipment_id: int) -> Any:
    """Who took it, and line by line what arrived damaged."""
    page = shipment_page(reader(), actor(), shipment_id)
    fields = {
        f"line_{line.order_line_id}": QuantityField(f"{line.code} damaged") for line in page.lines if line.has_stock
    }
    form = type("ProofOf", (ProofForm,), fields)()
    if form.validate_on_submit():
        damaged = {
            int(name.removeprefix("line_")): int(form[name].data.scaleb(3)) for name in fields if form[name].data
        }
        with form_step(form, realm=page.realm) as work:
            command = DeliverShipment(shipment=shipment_id, damaged=damaged)
            deliver_shipments(work, [command], rules=rules(), cells=cells())
            keep_proof(work, shipment_id, str(form.received_by.data), form.note.data or None)
        if form.accepted:
            return back_to(shipment_id, f"{page.number} is delivered.")
    return _page(shipment_id, form, title="Proof of delivery", label="Record the delivery", optional=["note", *fields])
