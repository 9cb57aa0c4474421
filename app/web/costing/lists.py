"""How does the list of late costs look?"""

from __future__ import annotations

from flask import url_for

from app.queries.costing import LATE_COSTS, LateCostRow
from app.security.permissions import Permission
from app.web.costing.views import KINDS, blueprint
from app.web.lists.listing import Cell, Empty, Listing, choice, column, money, site_filter, text_filter
from app.web.lists.page import list_page


def _receipt(row: LateCostRow) -> Cell:
    return Cell(row.receipt, href=url_for("warehouse.receipt", receipt_id=row.receipt_id))


LATE_COST_LIST = list_page(
    blueprint,
    Listing(
        name="late-costs", endpoint="costing.show_late_costs", path="/late-costs", permission=Permission.COST_READ,
        title="Late costs", lead="What goods cost beyond what they came in at, shared among what is here and what was sold",
        unit="late costs", source=LATE_COSTS, sort="-day", template="costing/late_costs.html",
        empty=Empty(
            title="No late cost fits", sign="file",
            text="A late cost is added on the page of its goods receipt, or by a program. Take a filter away to see others.",
        ),
        filters=(choice("kind", list(KINDS), said=KINDS), text_filter("Receipt, paper or note"), site_filter()),
        columns=(
            column("paper", "Paper", cell=lambda row: Cell(row.paper, sub=row.note or "", href=url_for("costing.show_late_cost", cost_id=row.id))),
            column("kind", "For", cell=lambda row: KINDS[row.kind]),
            column("receipt", "Goods receipt", cell=_receipt),
            column("site", "Site"),
            column("day", "Posted on", "entry_on"),
            money("amount", "Cost", "amount_minor"),
            money("stock", "On goods here", "stock_minor"),
            money("sold", "Cost of sales", "sold_minor"),
            column("currency", "Currency", file_only=True),
            column("note", "Note", file_only=True),
        ),
    ),
)  # fmt: skip
