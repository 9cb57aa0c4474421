"""How does the list of transfer orders look?"""

from __future__ import annotations

from flask import url_for

from app.queries.transfer_orders import STATES, TRANSFER_ORDERS, TransferOrderRow
from app.security.permissions import Permission
from app.web.branch.views import blueprint
from app.web.context import local
from app.web.figures import heading, on, promised_from
from app.web.lists.listing import Cell, Empty, Filter, Kind, Listing, choice, column, flag, text_filter
from app.web.lists.page import list_page

_LOOKS = {"shipped": "pass", "rejected": "fail", "cancelled": "none"}


def _promised(row: TransferOrderRow) -> Cell:
    sub = promised_from(row.promise_reason)
    if row.is_late:
        return Cell(on(row.promised_on), sub=f"late · {sub}", sub_kind="warn")
    return Cell(on(row.promised_on), sub=sub)


TRANSFER_ORDER_LIST = list_page(
    blueprint,
    Listing(
        name="transfer-orders", endpoint="branch.show_all", path="/transfer-orders", permission=Permission.STOCK_READ,
        title="Transfer orders", lead="What our sites ask each other for, and when it should arrive", unit="transfer orders",
        source=TRANSFER_ORDERS, sort="-requested", template="branch/list.html",
        empty=Empty(
            title="No transfer order fits", sign="box",
            text="A branch that runs low asks another site: it is told at once for which day the goods could be there.",
        ),
        filters=(
            choice("state", STATES), flag("late", "Later than needed"), text_filter("Transfer order or note"),
            Filter(name="site", label="From or to", kind=Kind.SITE),
        ),
        columns=(
            column("number", "Transfer order", cell=lambda row: Cell(row.number, sub=on(local(row.requested_at).date()), href=url_for("branch.show", order_id=row.id))),
            column("state", "State", cell=lambda row: Cell(heading(row.state), kind=_LOOKS.get(row.state, "wait"))),
            column("from", "From", "from_site"),
            column("to", "To", "site"),
            column("requested", "Asked (UTC)", "requested_at", file_only=True),
            column("wanted", "Needed on", "wanted_on"),
            column("promised", "Promised for", "promised_on", cell=_promised),
            column("promise", "Promised from", lambda row: promised_from(row.promise_reason), file_only=True),
            column("note", "Note", file_only=True),
        ),
    ),
)  # fmt: skip
