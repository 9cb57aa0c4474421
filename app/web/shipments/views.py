"""One shipment with its cartons, carriage, exceptions and papers."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.identity.queries import roles_there
from app.queries.order_detail import order_page
from app.queries.shipments import shipment_page
from app.reports.papers import carton_labels, order_confirmation, packing_slip
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.navigation import Entry, Group, navigation_entry
from app.web.papers import paper_file

blueprint = area("shipments")
navigation_entry(
    Entry(
        label="Shipments",
        endpoint="shipments.show_all",
        permission=Permission.SHIPMENT_READ,
        group=Group.WAREHOUSE,
        order=16,
    )
)


@blueprint.get("/shipments/<int:shipment_id>")
@require(Permission.SHIPMENT_READ)
def show(shipment_id: int) -> str:
    page = shipment_page(reader(), actor(), shipment_id)
    owners = roles_there(reader(), [one.owner_id for one in page.troubles if one.owner_id], page.site_id, now())
    return render_template("shipments/show.html", page=page, owners=owners, at=now(), realm=page.realm, me=actor().id)


def back_to(shipment_id: int, said: str) -> Any:
    """The shipment's page, with what was done."""
    flash(said, "success")
    return redirect(url_for("shipments.show", shipment_id=shipment_id))


@blueprint.get("/shipments/<int:shipment_id>/packing-slip.pdf")
@require(Permission.SHIPMENT_READ)
def print_slip(shipment_id: int) -> Any:
    page = shipment_page(reader(), actor(), shipment_id)
    return paper_file(lambda: packing_slip(page), back=url_for("shipments.show", shipment_id=shipment_id))


@blueprint.get("/shipments/<int:shipment_id>/labels.pdf")
@require(Permission.SHIPMENT_READ)
def print_labels(shipment_id: int) -> Any:
    page, carton = shipment_page(reader(), actor(), shipment_id), asked_key("carton")
    return paper_file(lambda: carton_labels(page, carton), back=url_for("shipments.show", shipment_id=shipment_id))


@blueprint.get("/orders/<int:order_id>/confirmation.pdf")
@require(Permission.ORDER_READ)
def print_confirmation(order_id: int) -> Any:
    page = order_page(reader(), actor(), order_id)
    return paper_file(lambda: order_confirmation(page), back=url_for("orders.show", order_id=order_id))
