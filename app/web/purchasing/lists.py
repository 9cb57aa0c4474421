"""How does the list of purchase orders look?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import now
from app.queries.purchases import PURCHASES, STATES, PurchaseRow
from app.security.permissions import Permission
from app.web.context import local
from app.web.figures import heading, on
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, money, site_filter, text_filter
from app.web.lists.page import list_page
from app.web.purchasing.views import blueprint

_LOOKS = {"received": "pass", "closed": "pass", "cancelled": "none"}


def _number(row: PurchaseRow) -> Cell:
    return Cell(row.number, sub=on(local(row.ordered_at).date()), href=url_for("purchasing.show", purchase_id=row.id))


def _for(row: PurchaseRow) -> Cell:
    if not row.is_direct or row.order_id is None:
        return Cell(row.site)
    href = url_for("orders.show", order_id=row.order_id)
    return Cell(row.customer or "", sub=f"straight to the customer · {row.order}", href=href)


def _due(row: PurchaseRow) -> Cell:
    if row.due_on is None:
        return Cell("–", muted=True)
    late = row.due_on < now().date()
    return Cell(on(row.due_on), sub="late" if late else "", sub_kind="fail" if late else "")


PURCHASE_LIST = list_page(
    blueprint,
    Listing(
        name="purchase-orders", endpoint="purchasing.show_all", path="/purchase-orders", permission=Permission.PURCHASE_READ,
        title="Purchase orders", lead="What we ordered, what suppliers confirm, and what should come next",
        unit="purchase orders", source=PURCHASES, sort="due", template="purchasing/list.html",
        empty=Empty(
            title="No purchase order fits", sign="box",
            text="Order what customers wait for: what comes of it is promised from at once.",
        ),
        filters=(choice("state", STATES), flag("late", "Late"), text_filter("Number, supplier or item"), site_filter()),
        columns=(
            column("number", "Purchase order", cell=_number),
            column("state", "State", cell=lambda row: Cell(heading(row.state), kind=_LOOKS.get(row.state, "wait"))),
            column("supplier", "Supplier"),
            column("site", "For", cell=_for),
            column("order", "Sales order", file_only=True),
            column("ordered", "Ordered (UTC)", "ordered_at", file_only=True),
            column("due", "Comes next", "due_on", cell=_due),
            column("open_lines", "Open lines", num=True),
            money("value", "Value", "value_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip
