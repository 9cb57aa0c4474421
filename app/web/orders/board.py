"""The order board: what waits for which step, with its value and age, and the way to the orders behind each figure."""

from __future__ import annotations

from flask import render_template, url_for

from app.composition.request import now, reader
from app.queries.order_board import order_board
from app.queries.order_steps import STEP_WORDS
from app.queries.places import all_channels, sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.chosen import asked_realm, said_realm, viewer
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.views import blueprint

navigation_entry(
    Entry(label="Order board", endpoint="orders.board", permission=Permission.ORDER_READ, group=Group.OPERATE, order=8)
)


@blueprint.get("/orders/board")
@require(Permission.ORDER_READ)
def board() -> str:
    site, channel, realm = asked_key("site"), asked_key("channel"), asked_realm()
    columns = order_board(reader(), viewer(site), now(), realm=realm, site=site, channel=channel)
    kept = {"site": site, "channel": channel, **said_realm(realm)}
    cards = [
        {
            "label": STEP_WORDS[one.step], "column": one,
            "href": url_for("orders.show_all", step=one.step, sort="captured", **kept),
            "late_href": url_for("orders.show_all", step=one.step, late=1, sort="captured", **kept),
        }
        for one in columns
    ]  # fmt: skip
    sites = [one for one in sites_seen(reader(), actor()) if one.realm == realm]
    return render_template(
        "orders/board.html", cards=cards, sites=sites, channels=all_channels(reader()), site=site, channel=channel, realm=realm,
        total=sum(one.count for one in columns), late=sum(one.late for one in columns),
    )  # fmt: skip
