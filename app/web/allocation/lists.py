"""How do the lists of scarce stock look: short items and runs?"""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.composition.request import reader
from app.queries.allocation import RUNS, STATES, RunRow
from app.queries.claimants import open_wishes
from app.queries.scarcity import SHORT_ITEMS, ShortRow
from app.security.permissions import Permission
from app.security.require import actor
from app.web.allocation.forms import SimulateForm
from app.web.allocation.presenters import TRIGGERS, tabs
from app.web.allocation.views import blueprint
from app.web.chosen import asked_realm
from app.web.context import ago, local, moment
from app.web.figures import heading, on, quantity
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, money, pick, site_filter, text_filter
from app.web.lists.page import list_page


def _short_tabs() -> dict[str, Any]:
    return {
        "tabs": tabs("allocation.show_short"), "form": SimulateForm(),
        "wishes": open_wishes(reader(), actor(), realm=asked_realm()),
    }  # fmt: skip


def _item(row: ShortRow) -> Cell:
    return Cell(row.code, sub=row.name, href=url_for("allocation.show_item", site_id=row.site_id, item_id=row.item_id))


def _free(row: ShortRow) -> Cell:
    return Cell(quantity(row.free), kind="pass") if row.free > 0 else Cell("0", muted=True)


def _coming(row: ShortRow) -> Cell:
    if not row.coming:
        return Cell("–", muted=True)
    return Cell(quantity(row.coming), sub=f"next on {on(row.next_on)}" if row.next_on else "")


SHORT_LIST = list_page(
    blueprint,
    Listing(
        name="short-items", endpoint="allocation.show_short", path="/allocation", permission=Permission.ORDER_READ,
        title="Allocation", lead="Items that lines wait for, longest first, and what is free or comes to share among them",
        unit="items", source=SHORT_ITEMS, sort="since", template="allocation/list.html", also=_short_tabs,
        empty=Empty(
            title="Nothing is short", sign="box",
            text="When stock does not cover a released line, its item stands here with who waits for it.",
        ),
        filters=(flag("free", "Something is free"), text_filter("Item code or name"), site_filter()),
        columns=(
            column("item", "Item", "code", cell=_item),
            column("name", "Name", file_only=True),
            column("site", "Site"),
            column("unit", "Unit", file_only=True),
            column("lines", "Lines", num=True),
            column("unmet", "Waiting", cell=lambda row: Cell(quantity(row.unmet, row.unit)), num=True),
            column("since", "Since", cell=lambda row: Cell(ago(row.since), sub=moment(row.since))),
            column("free", "Free", cell=_free, num=True),
            column("coming", "Expected", cell=_coming, num=True),
            column("next", "Next on", "next_on", file_only=True),
            money("value", "Worth", "value_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip

_LOOKS = {"committed": "pass", "rejected": "none"}


def _run(row: RunRow) -> Cell:
    here = local(row.simulated_at)
    return Cell(
        f"{on(here.date())} {here:%H:%M}", sub=row.item or "all short items",
        href=url_for("allocation.show_run", run_id=row.id),
    )  # fmt: skip


RUN_LIST = list_page(
    blueprint,
    Listing(
        name="allocation-runs", endpoint="allocation.show_runs", path="/allocation/runs", permission=Permission.ORDER_READ,
        title="Allocation runs", lead="What was free, who wanted it, who got it and why: every run stays with its inputs",
        unit="runs", source=RUNS, sort="-simulated", template="allocation/runs.html",
        also=lambda: {"tabs": tabs("allocation.show_runs")},
        empty=Empty(
            title="No run fits", sign="list",
            text="Runs are made by hand from the short items, and by themselves when stock comes or becomes free.",
        ),
        filters=(
            choice("state", STATES), flag("moved", "Ranked by hand"), text_filter("Item"),
            pick("trigger", "Made", lambda _: [(code, heading(words)) for code, words in TRIGGERS.items()]), site_filter(),
        ),
        columns=(
            column("simulated", "Run", "simulated_at", cell=_run),
            column("id", "Number", file_only=True),
            column("item", "Item", lambda row: row.item or "all", file_only=True),
            column("site", "Site"),
            column("state", "State", cell=lambda row: Cell(heading(row.state), kind=_LOOKS.get(row.state, "wait"))),
            column("decided", "Decided (UTC)", "decided_at", file_only=True),
            column("trigger", "Made", lambda row: TRIGGERS[row.trigger]),
            column("places", "Items", num=True),
            column("lines", "Lines", num=True),
            column("winners", "Winners", num=True),
            column("moved", "Ranked by hand", lambda row: row.moved_by is not None,
                   cell=lambda row: Cell(row.moved_reason or "yes") if row.moved_by else Cell("no", muted=True)),
            column("reason", "Reason"),
        ),
    ),
)  # fmt: skip
