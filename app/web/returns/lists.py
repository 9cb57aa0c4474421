"""How does the list of returns look?"""

from __future__ import annotations

from flask import url_for

from app.queries.returns import RETURNS, STATES, ReturnRow
from app.security.permissions import Permission
from app.web.figures import heading
from app.web.lists.listing import Cell, Empty, Listing, choice, column, site_filter, text_filter
from app.web.lists.page import list_page
from app.web.returns.views import blueprint


def _order(row: ReturnRow) -> Cell:
    if row.order_id is None:
        return Cell("several or none", muted=True)
    return Cell(row.order or "", href=url_for("orders.show", order_id=row.order_id))


RETURN_LIST = list_page(
    blueprint,
    Listing(
        name="returns", endpoint="returns.show_all", path="/returns", permission=Permission.RETURN_READ, title="Returns",
        lead="Goods that customers give back, from the request to the credit", unit="returns", source=RETURNS,
        sort="-requested", template="returns/list.html",
        empty=Empty(
            title="No return fits", text="A return begins on the page of its order: Request return. Where nobody knows the order, begin it here.", sign="again"
        ),
        filters=(choice("state", STATES), text_filter("Return, order or customer"), site_filter()),
        columns=(
            column("number", "Return", cell=lambda row: Cell(row.number, href=url_for("returns.show", return_id=row.id))),
            column("state", "State", cell=lambda row: heading(row.state)),
            column("customer", "Customer"),
            column("site", "Site", cell=lambda row: Cell(row.site, sub=row.channel)),
            column("channel", "Channel", file_only=True),
            column("reason", "Reason", cell=lambda row: Cell(heading(row.reason), sub=f"fault: {row.fault}")),
            column("fault", "Fault", file_only=True),
            column("order", "Order", cell=_order),
            column("requested", "Requested", "requested_at"),
        ),
    ),
)  # fmt: skip
