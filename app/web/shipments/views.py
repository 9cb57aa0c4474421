"""The list of shipments, and one shipment with its cartons, carriage, exceptions and papers."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.identity.queries import names_of
from app.queries.order_detail import order_page
from app.queries.places import sites_seen
from app.queries.shipments import STATES, ShipmentFilter, list_shipments, shipment_page
from app.reports.papers import carton_labels, order_confirmation, packing_slip
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key, asked_page
from app.web.exports import csv_file, xlsx_file
from app.web.navigation import Entry, Group, navigation_entry
from app.web.papers import paper_file

blueprint = area("shipments")
navigation_entry(
    Entry(
        label="Shipments",
        endpoint="shipments.show_all",
        permission=Permission.SHIPMENT_READ,
        group=Group.OPERATE,
        order=16,
    )
)
_DEFAULTS = ShipmentFilter()
_HEAD = ("Shipment", "State", "Order", "Customer", "Site", "Service", "Tracking number", "Picked (UTC)", "Packed (UTC)", "Confirmed (UTC)", "Delivered (UTC)", "Missed its cut-off", "Exception")  # fmt: skip


def asked() -> ShipmentFilter:
    """The filter that the address holds; what makes no sense counts as not asked."""
    args = request.args
    state, realm = args.get("state", ""), args.get("realm", "live")
    return ShipmentFilter(
        site=asked_key("site"), realm=realm if realm in ("rehearsal", "training", "legacy") else "live",
        state=state if state in (*STATES, "trouble") else "", text=args.get("text", "").strip()[:120], page=asked_page(),
    )  # fmt: skip


def address(wanted: ShipmentFilter, endpoint: str = "shipments.show_all", **changes: Any) -> str:
    """The list's address with these changes."""
    values = {
        name: value
        for name, value in asdict(replace(wanted, **{"page": 1, **changes})).items()
        if value != getattr(_DEFAULTS, name)
    }
    return url_for(endpoint, **values)


@blueprint.get("/shipments")
@require(Permission.SHIPMENT_READ)
def show_all() -> str:
    wanted, sites = asked(), sites_seen(reader(), actor())
    return render_template(
        "shipments/list.html", asked=wanted, found=list_shipments(reader(), actor(), wanted), address=address,
        sites=[site for site in sites if site.realm == wanted.realm], realm=wanted.realm, states=STATES,
        realms=sorted({site.realm for site in sites} - {"live"}),
    )  # fmt: skip


@blueprint.get("/shipments.csv")
@require(Permission.SHIPMENT_READ)
def as_csv() -> Any:
    return csv_file("shipments", _HEAD, _file_rows())


@blueprint.get("/shipments.xlsx")
@require(Permission.SHIPMENT_READ)
def as_xlsx() -> Any:
    return xlsx_file("shipments", _HEAD, _file_rows())


def _file_rows() -> Any:
    wanted = asked()
    for page in range(1, list_shipments(reader(), actor(), wanted).pages + 1):
        for row in list_shipments(reader(), actor(), replace(wanted, page=page)).rows:
            yield (
                row.number, row.state, row.order, row.customer, row.site, row.service, row.tracking_number, row.picked_at,
                row.packed_at, row.confirmed_at, row.delivered_at, row.missed_cut_off, row.trouble,
            )  # fmt: skip


@blueprint.get("/shipments/<int:shipment_id>")
@require(Permission.SHIPMENT_READ)
def show(shipment_id: int) -> str:
    page = shipment_page(reader(), actor(), shipment_id)
    owners = names_of(reader(), [one.owner_id for one in page.troubles if one.owner_id])
    return render_template("shipments/show.html", page=page, owners=owners, at=now(), realm=page.realm)


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
