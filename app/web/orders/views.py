"""One order on one page."""

from __future__ import annotations

from flask import render_template

from app.composition.letters import words_for
from app.composition.request import now, reader
from app.queries.amendments import amendments_of
from app.queries.letters import letters_of_order
from app.queries.order_detail import order_page
from app.queries.order_facts import OrderPage
from app.queries.order_rules import order_rules
from app.queries.order_words import situations
from app.queries.quotes import quote_of_order
from app.queries.supply_of_order import supply_of_order
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, paper_desk_address
from app.web.figures import PROMISES
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.history import told
from app.web.orders.presenters import days_late, moves, progress, who_ends

blueprint = area("orders")
navigation_entry(
    Entry(label="Orders", endpoint="orders.show_all", permission=Permission.ORDER_READ, group=Group.OPERATE, order=10)
)


@blueprint.get("/orders/<int:order_id>")
@require(Permission.ORDER_READ)
def show(order_id: int) -> str:
    return order_html(order_id)


def _paper_to(page: OrderPage) -> str:
    """Where this person enters what was done on paper, while the cell of the order is."""
    on_paper = page.grant is not None and page.grant.state == "in_fallback"
    return paper_desk_address(actor(), page.site_id) if on_paper else ""


def order_html(order_id: int, refused: str = "") -> str:
    """The page of one order; ``refused`` is why the last move was not made."""
    page = order_page(reader(), actor(), order_id)
    return render_template(
        "orders/show.html", order=page, moves=moves(page, actor()), steps=progress(page), refused=refused, at=now(),
        realm=page.realm, promises=PROMISES, days_late=days_late, who_ends=who_ends, told=told,
        rules=order_rules(reader(), page.ruleset, page.lines, now()),
        from_quote=quote_of_order(reader(), order_id),
        supply=supply_of_order(reader(), actor(), page),
        amendments=amendments_of(reader(), order_id), letters=letters_of_order(reader(), order_id),
        words=words_for(reader(), situations(page, now())), paper_to=_paper_to(page),
    )  # fmt: skip
