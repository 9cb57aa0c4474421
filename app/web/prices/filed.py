"""How does the list of price lists look?"""

from __future__ import annotations

from flask import url_for

from app.queries.prices import PRICE_LISTS, ListRow
from app.security.permissions import Permission
from app.web.context import moment
from app.web.lists.listing import Cell, Empty, Listing, choice, column, company_filter, text_filter
from app.web.lists.page import list_page
from app.web.prices.views import blueprint

#: How a list stands: its words, and its sign.
_STATES = {
    "kept": ("Not applied", "none"), "asked": ("Waits for approval", "wait"), "applied": ("Applied", "pass"),
    "declined": ("Refused", "fail"),
}  # fmt: skip


def _state(row: ListRow) -> Cell:
    words, kind = _STATES[row.state]
    return Cell(words.lower(), kind=kind)


def _made(row: ListRow) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in row.counts.items() if count)


def _applied(row: ListRow) -> Cell:
    return Cell("–", muted=True) if row.applied_at is None else Cell(moment(row.applied_at), sub=_made(row))


FILED_LIST = list_page(
    blueprint,
    Listing(
        name="price-lists", endpoint="prices.show_lists", path="/prices/lists", permission=Permission.MASTERDATA_READ,
        title="Price lists", lead="Files of prices: looked at row by row, then applied once", unit="lists",
        source=PRICE_LISTS, sort="-handed_in", template="prices/lists.html",
        empty=Empty(
            title="No list fits", sign="upload",
            text="Export the prices, change them in a spreadsheet and hand the file in: nothing changes until you have looked at every row.",
        ),
        filters=(
            choice("state", tuple(_STATES), said={one: words for one, (words, _) in _STATES.items()}),
            text_filter("File"), company_filter(),
        ),
        columns=(
            column("file", "List", "file_name", cell=lambda row: Cell(row.file_name, href=url_for("prices.show_list", list_id=row.id))),
            column("state", "State", cell=_state),
            column("company", "Company", "entity"),
            column("rows", "Rows", num=True),
            column("handed_in", "Handed in", "uploaded_at", cell=lambda row: moment(row.uploaded_at), page_only=True),
            column("handed_in", "Handed in (UTC)", "uploaded_at", file_only=True),
            column("applied", "Applied", "applied_at", cell=_applied, page_only=True),
            column("applied", "Applied (UTC)", "applied_at", file_only=True),
            column("made", "What it changed", _made, file_only=True),
        ),
    ),
)  # fmt: skip
