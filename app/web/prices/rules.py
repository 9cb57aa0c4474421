"""How does the list of price rules look? Its files have the columns of a list of prices, so that they can be handed in."""

from __future__ import annotations

from typing import Any

from flask import url_for
from markupsafe import Markup

from app.composition.request import reader
from app.importers.pricelists import COLUMNS
from app.queries.places import all_groups
from app.queries.prices import KINDS, PRICES, STANDINGS, PriceRow, lists_to_decide
from app.security.permissions import Permission
from app.security.require import actor
from app.web.figures import percent, price, quantity
from app.web.lists.listing import (
    Cell,
    Column,
    Empty,
    Listing,
    channel_filter,
    choice,
    column,
    company_filter,
    pick,
    text_filter,
)
from app.web.lists.page import list_page
from app.web.prices.views import blueprint, today

_WORDS = {"now": "Hold now", "later": "Begin later", "ended": "Ended"}
_SUBS = {"later": "begins later", "ended": "ended"}
#: Which column of the page a column of the file belongs to: chosen together.
_PAGE_KEYS = {
    "kind": "kind", "item": "item", "item_group": "item", "customer": "whom", "customer_group": "whom", "channel": "whom",
    "minimum_quantity": "minimum", "unit_price": "price", "discount_percent": "price", "currency": "price",
    "valid_from": "from", "valid_until": "from", "reference": "reference",
}  # fmt: skip
_ATTRIBUTES = {
    "item": "item_code", "item_group": "item_group_code", "customer": "customer_code", "customer_group": "customer_group_code",
    "channel": "channel_code",
}  # fmt: skip


def _written(name: str, row: PriceRow) -> Any:
    """The cell of a file, so that an export can be changed and handed in."""
    if name == "minimum_quantity":
        return row.minimum_quantity.normalize() if row.minimum_quantity else None
    if name == "discount_percent":
        return None if row.discount is None else (row.discount * 100).normalize()
    if name in ("valid_from", "valid_until"):
        day = getattr(row, name)
        return day.isoformat() if day else ""
    return getattr(row, _ATTRIBUTES.get(name, name))


def _in_file(name: str) -> Column:
    return column(_PAGE_KEYS[name], name, lambda row: _written(name, row), file_only=True)


def _gives(row: PriceRow) -> Cell:
    if row.unit_price is not None:
        return Cell(price(row.unit_price), sub=row.currency)
    return Cell(f"{percent(row.discount)} off", sub="the list")


def _holds(row: PriceRow) -> Cell:
    until = "without end"
    if row.valid_until is not None:
        until = "never holds" if row.valid_until <= row.valid_from else f"until {row.valid_until:%-d %b %Y}"
    return Cell(Markup('<span class="nowrap">{}</span>').format(f"{row.valid_from:%a %-d %b %Y}"), sub=until)


def _reference(row: PriceRow) -> Cell:
    if not row.price_list_id:
        return Cell(row.reference or "–", muted=not row.reference)
    link = url_for("prices.show_list", list_id=row.price_list_id)
    return Cell(row.reference or "–", sub=Markup('<a href="{}">from a list</a>').format(link))


def _waiting() -> dict[str, Any]:
    return {"waiting": lists_to_decide(reader(), actor()) if actor().may(Permission.PRICE_RULE_APPROVE) else []}


PRICE_LIST = list_page(
    blueprint,
    Listing(
        name="prices", endpoint="prices.show_all", path="/prices", permission=Permission.MASTERDATA_READ, title="Prices",
        lead="The rules that give prices; what was signed beats what is offered, and that beats the list", unit="prices",
        source=PRICES, sort="item", usual={"standing": "now"}, template="prices/list.html", also=_waiting,
        empty=Empty(
            title="No price fits", sign="list",
            text="Prices come in one by one or as a list. Take a filter away to see what there is.",
        ),
        filters=(
            choice("standing", STANDINGS, said=_WORDS),
            choice("kind", KINDS, hide_empty=True), text_filter("Item, customer, reference"),
            company_filter(), pick("customer_group", "Customer group", lambda _: all_groups(reader())),
            channel_filter(),
        ),
        columns=(
            column("item", "Item", "what", cell=lambda row: Cell(row.what, sub=row.item or "all items of the group", href=url_for("prices.show", rule_id=row.id)), page_only=True),
            column("kind", "Kind", cell=lambda row: Cell(row.kind.capitalize(), sub=_SUBS.get(row.standing(today(row.entity_id)), "")), page_only=True),
            column("whom", "For", cell=lambda row: Cell(row.whom, sub=row.entity), page_only=True),
            column("minimum", "From quantity", "minimum_quantity", cell=lambda row: quantity(row.minimum_quantity, row.unit) if row.minimum_quantity else "any", num=True, page_only=True),
            column("price", "Price", "unit_price", cell=_gives, num=True, page_only=True),
            column("from", "Holds from", "valid_from", cell=_holds, page_only=True),
            column("reference", "Reference", cell=_reference, page_only=True),
            *(_in_file(name) for name in COLUMNS),
        ),
    ),
)  # fmt: skip
