"""How does the list of items look?"""

from __future__ import annotations

from app.queries.items import CLASSES, ITEMS, KINDS, TRACKINGS, ItemRow
from app.security.permissions import Permission
from app.web.figures import heading, quantity, words
from app.web.items.presenters import item_address
from app.web.items.views import blueprint
from app.web.lists.listing import Cell, Empty, Filter, Kind, Listing, column, flag, pick, text_filter
from app.web.lists.page import list_page

_TRACKED = {"lot": "By lot", "serial": "By serial number"}


def _item(row: ItemRow) -> Cell:
    note = "blocked" if row.is_blocked else words(row.kind) if row.kind != "stock" else ""
    href = item_address(row.code, row.company_id)
    return Cell(row.code, sub=note, href=href, sub_kind="fail" if row.is_blocked else "")


def _free(row: ItemRow) -> Cell:
    if row.kind != "stock":
        return Cell("–", muted=True)
    return Cell(quantity(row.free), kind="" if row.free > 0 else "fail")


def _kept_back(row: ItemRow) -> Cell:
    return Cell(quantity(row.blocked), sub=f"{quantity(row.in_transit)} in transit" if row.in_transit else "")


ITEM_LIST = list_page(
    blueprint,
    Listing(
        name="items", endpoint="items.show_all", path="/stock/items", permission=Permission.STOCK_READ, title="Items",
        lead="What is kept and sold, and how much of it is free at all the sites that you see", unit="items", source=ITEMS,
        sort="item",
        empty=Empty(
            title="No item fits", text="Items come with the master data. Take a filter away to see what there is.", sign="box"
        ),
        filters=(
            flag("none_free", "Nothing free"), flag("blocked", "Blocked"),
            Filter(
                name="tracking", label="Tracked", kind=Kind.CHOICE,
                options=lambda _: [(one, _TRACKED.get(one, heading(one))) for one in TRACKINGS if one != "none"],
            ),
            text_filter("Code, name or barcode"),
            pick("kind", "Kind", lambda _: [(one, heading(one)) for one in KINDS]),
            pick("abc", "Class", lambda _: [(one, "none" if one == "-" else one) for one in CLASSES]),
        ),
        columns=(
            column("item", "Item", "code", cell=_item),
            column("name", "Name", cell=lambda row: Cell(row.name, sub=_TRACKED.get(row.tracking, "").lower())),
            column("unit", "Unit", file_only=True),
            column("kind", "Kind", file_only=True),
            column("class", "Class", "abc"),
            column("group", "Group", file_only=True),
            column("company", "Company", file_only=True),
            column("tracking", "Tracked", file_only=True),
            column("is_blocked", "Blocked", file_only=True),
            column("on_hand", "On hand", cell=lambda row: Cell(quantity(row.on_hand), sub=row.unit), num=True),
            column("reserved", "Reserved", num=True),
            column("blocked", "Not to be sold", cell=_kept_back, num=True),
            column("free", "Free", cell=_free, num=True),
            column("in_transit", "In transit", file_only=True),
            column("coming", "Expected", cell=lambda row: quantity(row.coming) if row.coming else "–", num=True),
        ),
    ),
)  # fmt: skip
