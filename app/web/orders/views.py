"""The list of orders, its files, and one order on one page."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from app.composition.request import now, reader
from app.queries.amendments import amendments_of
from app.queries.order_detail import order_page
from app.queries.order_rules import order_rules
from app.queries.orders import STATES, OrderFilter, every_order, list_orders
from app.queries.places import all_channels, sites_seen
from app.queries.quotes import quote_of_order
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key, asked_page
from app.web.chosen import asked_realm, viewer
from app.web.exports import csv_file, xlsx_file
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.history import told
from app.web.orders.presenters import PROMISES, address, chips, days_late, deciders, moves, picked, progress
from erpcore.kernel.money import from_minor

blueprint = area("orders")
navigation_entry(
    Entry(label="Orders", endpoint="orders.show_all", permission=Permission.ORDER_READ, group=Group.OPERATE, order=10)
)

_HEAD = (
    "Order", "Reference", "Customer code", "Customer", "Site", "Channel", "State", "Delivery", "Billing", "Payment",
    "Captured (UTC)", "Due (UTC)", "Lines", "Value", "Currency",
)  # fmt: skip


def asked() -> OrderFilter:
    """The filter that the address holds; what makes no sense counts as not asked."""
    args = request.args
    state = args.get("state", "")
    return OrderFilter(
        state=state if state in STATES else "", site=asked_key("site"), channel=asked_key("channel"),
        customer=asked_key("customer"), realm=asked_realm(),
        late=args.get("late") == "1", text=args.get("text", "").strip()[:120], sort=args.get("sort", "-captured")[:20],
        page=asked_page(),
    )  # fmt: skip


@blueprint.get("/orders")
@require(Permission.ORDER_READ)
def show_all() -> str:
    wanted, session = asked(), reader()
    found = list_orders(session, viewer(wanted.site), wanted, now())
    sites, channels = sites_seen(session, actor()), all_channels(session)
    return render_template(
        "orders/list.html", asked=wanted, found=found, at=now(), channels=channels, realm=wanted.realm,
        sites=[site for site in sites if site.realm == wanted.realm], names=picked(sites, channels, wanted),
        chips=chips(wanted, found, sorted({site.realm for site in sites} - {"live"})), address=address,
    )  # fmt: skip


@blueprint.get("/orders.csv")
@require(Permission.ORDER_READ)
def as_csv() -> Any:
    return csv_file("orders", _HEAD, _file_rows())


@blueprint.get("/orders.xlsx")
@require(Permission.ORDER_READ)
def as_xlsx() -> Any:
    return xlsx_file("orders", _HEAD, _file_rows())


def _file_rows() -> Any:
    for row in every_order(reader(), viewer(asked().site), asked(), now()):
        yield (
            row.number, row.reference, row.customer_code, row.customer, row.site, row.channel, row.state, row.delivery,
            row.billing, row.payment, row.captured_at, row.due_at, row.lines, from_minor(row.value_minor, row.currency),
            row.currency,
        )  # fmt: skip


@blueprint.get("/orders/<int:order_id>")
@require(Permission.ORDER_READ)
def show(order_id: int) -> str:
    return order_html(order_id)


def order_html(order_id: int, refused: str = "") -> str:
    """The page of one order; ``refused`` is why the last move was not made."""
    page = order_page(reader(), actor(), order_id)
    return render_template(
        "orders/show.html", order=page, moves=moves(page, actor()), steps=progress(page), refused=refused, at=now(),
        realm=page.realm, promises=PROMISES, days_late=days_late, deciders=deciders, told=told,
        rules=order_rules(reader(), page.ruleset, page.lines, now()),
        from_quote=quote_of_order(reader(), order_id),
        amendments=amendments_of(reader(), order_id),
    )  # fmt: skip
