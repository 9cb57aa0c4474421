"""How do the lists of short lines and of substitutes look?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from flask import url_for
from markupsafe import Markup

from app.composition.request import reader
from app.queries.items import item_page
from app.queries.listing import Asked
from app.queries.places import customer_label
from app.queries.shortages import SHORT_LINES, SORTED_BY, Rank, ShortRow
from app.queries.substitutes import SUBSTITUTES, SubstituteRow, substitutes_of
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.context import local
from app.web.figures import amount, counted, on, quantity
from app.web.lists.address import address
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
    channel_filter,
    column,
    company_filter,
    flag,
    key_filter,
    money,
    pick,
    site_filter,
    step,
    text_filter,
)
from app.web.lists.page import list_html, list_page
from app.web.shortages.views import blueprint
from app.web.steps import take_step
from erpcore.kernel.errors import NotFound
from erpcore.kernel.money import from_minor
from erpcore.masterdata.substitutes import drop_substitute

_RANKS = {
    Rank.TIER: "Tier", Rank.PROMISE: "Promise that breaks first", Rank.MARGIN: "Margin", Rank.CREDIT: "Credit left",
}  # fmt: skip
#: The tiers of customers: 1 is served first.
_TIERS = (1, 2, 3)


def _code(item: int) -> str:
    """The item's code, when it is one that the person sees."""
    try:
        return item_page(reader(), actor(), item).code
    except NotFound:
        return "unknown"


def _ranks(asked: Asked) -> list[dict[str, Any]]:
    """What may lead the list for this person; the order would tell the margin to who may not see it."""
    return [
        {
            "label": words, "current": asked.sort == SORTED_BY[one],
            "href": address(SHORT_LIST, replace(asked, sort=SORTED_BY[one])),
        }
        for one, words in _RANKS.items()
        if SORTED_BY[one].removeprefix("-") in SHORT_LIST.sorts()
    ]  # fmt: skip


def _line(row: ShortRow) -> Cell:
    return Cell(Markup("{} · {}").format(row.order, row.line_no), href=url_for("shortages.show", line_id=row.line_id))


def _promised(row: ShortRow) -> Cell:
    late = (row.promised_on - row.requested_on).days
    return Cell(on(row.promised_on), sub=f"{counted(late, 'day')} after the wish" if late > 0 else "")


def _exact(row: ShortRow, minor: int | None) -> Decimal | None:
    return None if minor is None else from_minor(minor, row.currency)


def _left(row: ShortRow) -> Cell:
    if row.credit_left_minor is None:
        return Cell("no limit", muted=True)
    return Cell(amount(row.credit_left_minor, row.currency), kind="" if row.credit_left_minor > 0 else "fail")


def _margin(row: ShortRow) -> Cell:
    if row.margin_minor is None:
        return Cell("no cost known", muted=True)
    return Cell(amount(row.margin_minor, row.currency))


SHORT_LIST = list_page(
    blueprint,
    Listing(
        name="shortages", endpoint="shortages.show_all", path="/shortages", permission=Permission.ORDER_READ, title="Shortages",
        lead="Lines that wait for stock, led by the figure chosen. Open one to compare what can be done for it",
        unit="lines", source=SHORT_LINES, sort="tier", template="shortages/list.html", also=lambda: {"ranks": _ranks},
        empty=Empty(
            title="Nothing is short", sign="pass",
            text="Every line of a released order that fits has its stock, or none is released.",
        ),
        filters=(
            flag("late", "Promised after the wish"), key_filter("item", "Item", _code),
            key_filter("customer", "Customer", lambda customer: customer_label(reader(), actor(), customer)),
            text_filter("Order, customer or item"), site_filter(), channel_filter(),
            pick("tier", "Tier", lambda _: [(one, f"tier {one}") for one in _TIERS]),
        ),
        columns=(
            column("order", "Order line", cell=_line, page_only=True),
            column("order", "Order", file_only=True),
            column("line", "Line", "line_no", file_only=True),
            column("tier", "Customer", cell=lambda row: Cell(row.customer, sub=f"tier {row.tier}"), page_only=True),
            column("customer", "Customer", file_only=True),
            column("tier", "Tier", file_only=True),
            column("item", "Item", "code", cell=lambda row: Cell(row.code, sub=row.name)),
            column("name", "Name", file_only=True),
            column("site", "Ships from"),
            column("unmet", "Waits for", cell=lambda row: quantity(row.unmet, row.unit), num=True),
            column("unit", "Unit", file_only=True),
            column("since", "Since", cell=lambda row: on(local(row.since).date()), page_only=True),
            column("since", "Since (UTC)", file_only=True),
            column("promised", "Promised", "promised_on", cell=_promised),
            column("wished", "Wished", "requested_on", file_only=True),
            money("value", "Line worth", "value_minor"),
            column("currency", "Currency", file_only=True),
            column("margin", "Margin of what is missing", lambda row: _exact(row, row.margin_minor), cell=_margin, num=True, permission=Permission.COST_READ),
            column("credit", "Credit left", lambda row: _exact(row, row.credit_left_minor), cell=_left, num=True),
        ),
    ),
)  # fmt: skip


def _drop(row: SubstituteRow) -> Cell:
    if not actor().may(Permission.MASTERDATA_CHANGE):
        return Cell("")
    about = f"{row.substitute_code} instead of {row.code}"
    address_ = url_for("shortages.forget_substitute", item_id=row.item_id, substitute_id=row.substitute_id)
    return step("Drop", about, post=address_)


SUBSTITUTE_LIST = list_page(
    blueprint,
    Listing(
        name="substitutes", endpoint="shortages.substitutes", path="/substitutes", permission=Permission.MASTERDATA_READ,
        title="Substitutes",
        lead="What may be sent instead of an item that is short, where the substitution rule of an order lets it",
        unit="substitutes", source=SUBSTITUTES, sort="item", template="shortages/substitutes.html",
        also=lambda: {"refused": ""},
        empty=Empty(
            title="No substitute fits", sign="list",
            text="Say what may be sent instead of what. Nothing is sent by itself: a person chooses, where a rule lets it.",
        ),
        filters=(
            flag("same_group", "Of the same group"), flag("other_group", "Of another group: needs approval"),
            key_filter("item", "Item", _code),
            text_filter("Code or name"), company_filter(),
        ),
        columns=(
            column("item", "Item", "code", cell=lambda row: Cell(row.code, sub=row.name)),
            column("name", "Name", file_only=True),
            column("instead", "May be sent instead", "substitute_code", cell=lambda row: Cell(row.substitute_code, sub=row.substitute_name)),
            column("substitute", "Its name", "substitute_name", file_only=True),
            column("group", "Group", lambda row: "the same" if row.same_group else "another: needs approval"),
            column("rank", "Rank", num=True),
            column("drop", "Next step", lambda _row: "", cell=_drop, page_only=True),
        ),
    ),
)  # fmt: skip


@blueprint.post("/substitutes/<int:item_id>/<int:substitute_id>/drop")
@require(Permission.MASTERDATA_CHANGE)
def forget_substitute(item_id: int, substitute_id: int) -> Any:
    row = next((one for one in substitutes_of(reader(), actor(), item_id) if one.substitute_id == substitute_id), None)
    if row is None:
        raise NotFound("substitute_unknown", item=item_page(reader(), actor(), item_id).code)
    return take_step(
        lambda work: drop_substitute(work, item_id, substitute_id), realm=row.realm, done=f"{row.substitute_code} is offered no more.",
        to=url_for("shortages.substitutes"), again=lambda why: list_html(SUBSTITUTE_LIST, refused=why),
    )  # fmt: skip
