"""How does the list of shipments look?"""

from __future__ import annotations

from flask import g, url_for

from app.queries.shipments import SHIPMENTS, STATES, ShipmentRow
from app.security.permissions import Permission
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, site_filter, text_filter
from app.web.lists.page import list_page
from app.web.shipments.views import blueprint

_WORDS = {"picked": "Picked", "confirmed": "On the way", "delivered": "Delivered", "taken_back": "Taken back"}


def _state(row: ShipmentRow) -> Cell:
    if row.trouble:
        return Cell(row.trouble, kind="fail")
    return Cell(
        _WORDS[row.state], kind={"picked": "none", "confirmed": "wait", "taken_back": "none"}.get(row.state, "pass")
    )


def _order(row: ShipmentRow) -> Cell:
    may = g.actor.may(Permission.ORDER_READ)
    return Cell(row.order, href=url_for("orders.show", order_id=row.order_id) if may else "")


SHIPMENT_LIST = list_page(
    blueprint,
    Listing(
        name="shipments", endpoint="shipments.show_all", path="/shipments", permission=Permission.SHIPMENT_READ,
        title="Shipments", lead="What was picked, what has left, with whom it travels, and what went wrong on the way",
        unit="shipments", source=SHIPMENTS, sort="-picked",
        empty=Empty(
            title="No shipment fits", sign="box",
            text="Shipments come from picked orders. Take a filter away to see what there is.",
        ),
        filters=(
            choice("state", STATES, said=_WORDS),
            flag("trouble", "Exception"), flag("missed", "Missed its cut-off"),
            text_filter("Shipment, order, customer or tracking number"), site_filter(),
        ),
        columns=(
            column("number", "Shipment", cell=lambda row: Cell(row.number, sub=row.customer, href=url_for("shipments.show", shipment_id=row.id))),
            column("state", "State", cell=_state),
            column("order", "Order", cell=_order),
            column("customer", "Customer", file_only=True),
            column("site", "Site"),
            column("service", "Service", cell=lambda row: Cell(row.service or "–", sub=row.tracking_number)),
            column("tracking", "Tracking number", "tracking_number", file_only=True),
            column("picked", "Picked", "picked_at"),
            column("packed", "Packed", "packed_at"),
            column("confirmed", "Left", "confirmed_at"),
            column("delivered", "Delivered", "delivered_at"),
            column("missed", "Missed its cut-off", "missed_cut_off", cell=lambda row: Cell("after the cut-off", kind="warn") if row.missed_cut_off else Cell("–", muted=True)),
            column("trouble", "Exception", file_only=True),
        ),
    ),
)  # fmt: skip
