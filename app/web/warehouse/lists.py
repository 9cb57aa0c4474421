"""How do the lists of the warehouse look: locations, lots, goods receipts, transfers?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import now, reader
from app.queries.goods_receipts import RECEIPTS, ReceiptRow
from app.queries.listing import Asked
from app.queries.locations import KINDS, LOCATIONS, LocationRow, zones_seen
from app.queries.lots import LOTS, LotRow
from app.queries.transfers import STATES, TRANSFERS, TransferRow
from app.security.permissions import Permission
from app.web.chosen import viewer
from app.web.figures import heading, on, quantity
from app.web.items.presenters import item_address
from app.web.lists.listing import (
    Cell,
    Empty,
    Filter,
    Kind,
    Listing,
    choice,
    column,
    flag,
    pick,
    site_filter,
    text_filter,
)
from app.web.lists.page import list_page
from app.web.warehouse.views import blueprint, where

_TRANSFER_WORDS = {"shipped": "On their way", "settled": "Settled"}


def _zones(asked: Asked) -> list[tuple[int, str]]:
    """The zones of the chosen site, else those of all with the site's name."""
    site = asked.values.get("site")
    zones = zones_seen(reader(), viewer(site), realm=asked.realm, site=site)
    return [(zone.id, zone.name if site else f"{zone.site} · {zone.name}") for zone in zones]


def _in_use(row: LocationRow) -> Cell:
    if row.is_blocked:
        return Cell("blocked", kind="fail", sub="nothing is picked from here")
    return Cell("in use", kind="pass") if row.items else Cell("empty", kind="none")


def _items(row: LocationRow) -> Cell:
    if not row.items:
        return Cell("–", muted=True)
    return Cell(f"{row.items:,}", sub=f"{row.bins:,} lots and statuses" if row.bins > row.items else "")


LOCATION_LIST = list_page(
    blueprint,
    Listing(
        name="locations", endpoint="warehouse.locations", path="/warehouse/locations", permission=Permission.STOCK_READ,
        title="Locations", lead="Where goods lie, along the way people walk; what has no location lies at the default place",
        unit="locations", source=LOCATIONS, sort="site", template="warehouse/locations.html", also=where,
        empty=Empty(
            title="No location fits", sign="box",
            text="A site needs none: everything lies at its default place. Add locations when people look for goods.",
        ),
        filters=(
            choice("kind", KINDS, hide_empty=True), flag("blocked", "Blocked"), flag("empty", "Empty"),
            text_filter("Location"), pick("zone", "Zone", _zones), site_filter(),
        ),
        columns=(
            column("code", "Location", cell=lambda row: Cell(row.code, href=url_for("warehouse.location", location_id=row.id))),
            column("site", "Site"),
            column("zone", "Zone"),
            column("kind", "Kind", cell=lambda row: heading(row.kind)),
            column("walk", "Place on the way", num=True),
            column("blocked", "Blocked", "is_blocked", file_only=True),
            column("items", "Items", cell=_items, num=True),
            column("bins", "Bins", file_only=True),
            column("state", "State", cell=_in_use, page_only=True),
        ),
    ),
)  # fmt: skip


def _last_day(row: LotRow) -> Cell:
    if row.expires_on is None:
        return Cell("–", muted=True)
    over = row.expires_on < now().date()
    return Cell(f"{on(row.expires_on)}, over" if over else on(row.expires_on), kind="fail" if over else "")


LOT_LIST = list_page(
    blueprint,
    Listing(
        name="lots", endpoint="warehouse.lots", path="/warehouse/lots", permission=Permission.STOCK_READ,
        title="Lots and serial numbers", lead="What expires first stands on top; each leads to where it came from and who has it",
        unit="lots", source=LOTS, sort="expires", usual={"left": True}, template="warehouse/lots.html",
        empty=Empty(
            title="No lot fits", sign="box",
            text="Lots and serial numbers come with goods of items that are tracked. Take “In stock” away to see what is gone.",
        ),
        filters=(
            flag("left", "In stock"), flag("expiring", "Expiring within 30 days"), flag("serial", "Serial numbers"),
            text_filter("Lot, serial number or item"),
        ),
        columns=(
            column("code", "Lot", cell=lambda row: Cell(row.code, sub="serial number" if row.is_serial else "", href=url_for("warehouse.lot", lot_id=row.id))),
            column("serial", "Serial number", "is_serial", file_only=True),
            column("item", "Item", cell=lambda row: Cell(row.item, sub=row.name, href=item_address(row.item, row.company_id))),
            column("name", "Name", file_only=True),
            column("expires", "Last day", "expires_on", cell=_last_day),
            column("on_hand", "In stock", cell=lambda row: Cell(quantity(row.on_hand, row.unit)), num=True),
            column("unit", "Unit", file_only=True),
        ),
    ),
)  # fmt: skip


def _as_expected(row: ReceiptRow) -> Cell:
    if not row.differing:
        return Cell("yes", kind="pass")
    return Cell(f"{row.differing} differ{'s' if row.differing == 1 else ''}", kind="warn")


RECEIPT_LIST = list_page(
    blueprint,
    Listing(
        name="goods-receipts", endpoint="warehouse.receipts", path="/warehouse/receipts", permission=Permission.STOCK_READ,
        title="Goods receipts", lead="What came with which paper, and where it differs from what was expected",
        unit="goods receipts", source=RECEIPTS, sort="-received", template="warehouse/receipts.html",
        empty=Empty(
            title="No goods receipt fits", sign="box",
            text="Goods are received on the phone or at the desk with the paper they came with.",
        ),
        filters=(flag("differs", "Not as expected"), text_filter("Receipt, paper or supplier"), site_filter()),
        columns=(
            column("number", "Goods receipt", cell=lambda row: Cell(row.number, href=url_for("warehouse.receipt", receipt_id=row.id))),
            column("site", "Site"),
            column("paper", "Paper"),
            column("supplier", "Supplier"),
            column("received", "Received", "received_at"),
            column("lines", "Lines", num=True),
            column("differing", "Lines that differ", file_only=True),
            column("expected", "As expected", cell=_as_expected, page_only=True),
        ),
    ),
)  # fmt: skip


def _is_late(row: TransferRow) -> bool:
    return row.state == "shipped" and row.arrives_on < now().date()


def _on_way(row: TransferRow) -> Cell:
    if row.state == "settled":
        return Cell("settled", kind="pass")
    return Cell("late", kind="fail") if _is_late(row) else Cell("on its way", kind="wait")


TRANSFER_LIST = list_page(
    blueprint,
    Listing(
        name="transfers", endpoint="warehouse.transfers", path="/warehouse/transfers", permission=Permission.STOCK_READ,
        title="Transfers", lead="Goods on their way between sites of a company; they are stock of the site that they go to",
        unit="transfers", source=TRANSFERS, sort="-shipped", template="warehouse/transfers.html", also=where,
        empty=Empty(
            title="No transfer fits", sign="box", text="Ship goods to another site to begin, or take a filter away.",
        ),
        filters=(
            choice("state", STATES, said=_TRANSFER_WORDS),
            flag("late", "Late"), text_filter("Transfer or note"), Filter(name="site", label="From or to", kind=Kind.SITE),
        ),
        columns=(
            column("number", "Transfer", cell=lambda row: Cell(row.number, sub=row.note or "", href=url_for("warehouse.transfer", transfer_id=row.id))),
            column("state", "State", cell=_on_way),
            column("origin", "From"),
            column("target", "To"),
            column("shipped", "Shipped", "shipped_at"),
            column("arrives", "Arrives", "arrives_on"),
            column("settled", "Settled", "settled_at", file_only=True),
            column("lines", "Lines", cell=lambda row: Cell(str(row.lines), sub=f"{row.open_lines} on their way" if row.open_lines else ""), num=True),
            column("open_lines", "Lines on their way", file_only=True),
            column("note", "Note", file_only=True),
        ),
    ),
)  # fmt: skip
