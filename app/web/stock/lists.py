"""How does the list of stock look?"""

from __future__ import annotations

from flask import url_for

from app.queries.stock import STOCK, StockRow
from app.security.permissions import Permission
from app.web.figures import amount, quantity
from app.web.lists.listing import Cell, Empty, Listing, column, flag, site_filter, text_filter
from app.web.lists.page import list_page
from app.web.stock.views import blueprint
from erpcore.kernel.money import from_minor


def _item(row: StockRow) -> Cell:
    return Cell(row.code, sub=row.name, href=url_for("stock.show", site_id=row.site_id, item_id=row.item_id))


def _available(row: StockRow) -> Cell:
    return Cell(quantity(row.available)) if row.available > 0 else Cell(quantity(row.available), kind="fail")


def _worth(row: StockRow) -> Cell:
    if row.value_minor is None:
        return Cell("unknown cost", kind="none")
    unknown = f" · {quantity(row.unvalued)} at unknown cost" if row.unvalued else ""
    return Cell(amount(row.value_minor, row.currency), sub=f"{row.currency}{unknown}")


STOCK_LIST = list_page(
    blueprint,
    Listing(
        name="stock", endpoint="stock.show_all", path="/stock", permission=Permission.STOCK_READ, title="Stock",
        lead="What is where, and how much of it is promised", unit="places", source=STOCK,
        sort="item",
        empty=Empty(
            title="No stock fits", sign="box",
            text="Stock comes in by receipts, openings and counts. Take a filter away to see what there is.",
        ),
        filters=(
            flag("short", "Nothing available"), flag("unvalued", "Unknown cost"), flag("blocked", "Blocked"),
            text_filter("Item code or name"), site_filter(),
        ),
        columns=(
            column("item", "Item", "code", cell=_item),
            column("name", "Name", file_only=True),
            column("site", "Site"),
            column("abc", "Class"),
            column("unit", "Unit", file_only=True),
            column("on_hand", "On hand", cell=lambda row: Cell(quantity(row.on_hand), sub=row.unit), num=True),
            column("reserved", "Reserved", num=True),
            column("blocked", "Blocked", num=True),
            column("available", "Available", cell=_available, num=True),
            column("unvalued", "At unknown cost", file_only=True),
            column(
                "value", "Value", cell=_worth, num=True, permission=Permission.COST_READ,
                value=lambda row: "unknown cost" if row.value_minor is None else from_minor(row.value_minor, row.currency),
            ),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip
