"""How a site is counted: its classes, what is due, the tasks and their files, one count asked for, a task cancelled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, redirect, url_for

from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.count_pages import CountPlan, count_plan
from app.queries.counts import COUNTS, UNFINISHED, CountRow, count_rows
from app.queries.floor import floor_place
from app.queries.items import item_of_code
from app.queries.places import SitePick
from app.queries.warehouse import location_named, lot_named
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.figures import money, quantity
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
    choice,
    column,
    pick,
    site_filter,
    step,
    text_filter,
)
from app.web.lists.page import list_html, list_page
from app.web.steps import form_step, take_step
from app.web.warehouse.forms import CountAskedForm, WhyForm, cadence_form
from app.web.warehouse.views import blueprint, form_page, warehouse_sites, where
from erpcore.inventory.count_plan import (
    STANDARD_CADENCE,
    PlanCount,
    cadence_of,
    plan_counts,
    plan_due_counts,
    set_cadence,
)
from erpcore.inventory.counting import cancel_count
from erpcore.kernel.errors import NotFound
from erpcore.kernel.money import from_minor

_WORDS = {
    UNFINISHED: "Not finished", "open": "To count", "counting": "Being counted", "recount": "To count again",
    "recounting": "Being counted again", "proposed": "To decide", "done": "Done", "cancelled": "Cancelled",
}  # fmt: skip
_LOOKS = {"done": "pass", "cancelled": "none", "proposed": "warn"}
_WHY = {"cadence": "due by its class", "asked": "asked for", "short_pick": "short at a pick"}


def _plan(site: SitePick) -> CountPlan:
    return count_plan(reader(), site.id, site.time_zone, now())


def _where() -> dict[str, Any]:
    known = where()
    return {**known, "plan": _plan(known["at_site"]) if known["at_site"] else None, "refused": ""}


def _place(row: CountRow) -> Cell:
    may = actor().may(Permission.STOCK_COUNT)
    return Cell(row.location, sub=row.lot or "", href=url_for("inbound.count", task_id=row.id) if may else "")


def _worth(row: CountRow) -> Decimal | None:
    return None if row.value_minor is None else from_minor(row.value_minor, row.currency)


def _difference(row: CountRow) -> Cell:
    if row.difference is None:
        return Cell("–", muted=True)
    worth = "" if row.value_minor is None else money(row.value_minor, row.currency)
    return Cell(quantity(row.difference, row.unit), sub=worth)


def _next(row: CountRow) -> Cell:
    if row.state in ("done", "cancelled") or not actor().may(Permission.COUNT_PLAN):
        return Cell("")
    about = f"the count of {row.code} at {row.location}"
    return step("Cancel…", about, href=url_for("warehouse.drop_count", task_id=row.id))


COUNT_LIST = list_page(
    blueprint,
    Listing(
        name="counts", endpoint="warehouse.counts", path="/warehouse/counts", permission=Permission.STOCK_READ,
        title="Counts", lead="Which places are due by the class of what lies there, and how often the book was right",
        unit="counts", source=COUNTS, sort="due", usual={"state": UNFINISHED}, template="warehouse/counts.html", also=_where,
        empty=Empty(
            title="No count fits", sign="list", text="Put what is due on the list, or ask for the count of one place.",
        ),
        filters=(
            choice("state", tuple(_WORDS), said=_WORDS, hide_empty=True),
            text_filter("Place, item or lot"), pick("why", "Why", lambda _: list(_WHY.items())), site_filter(),
        ),
        columns=(
            column("place", "Place", "location", cell=_place),
            column("site", "Site"),
            column("item", "Item", "code", cell=lambda row: Cell(row.code, sub=row.name)),
            column("name", "Name", file_only=True),
            column("lot", "Lot", file_only=True),
            column("state", "State", cell=lambda row: Cell(_WORDS[row.state].lower(), kind=_LOOKS.get(row.state, "wait"))),
            column("why", "Why", cell=lambda row: _WHY.get(row.why, row.why.replace("_", " "))),
            column("due", "Due", "due_on"),
            column("book", "Book", file_only=True),
            column("found", "Found", file_only=True),
            column("difference", "Difference", cell=_difference, num=True),
            column("value", "Value", _worth, file_only=True),
            column("currency", "Currency", file_only=True),
            column("next", "Next step", lambda _row: "", cell=_next, page_only=True),
        ),
    ),
)  # fmt: skip


def _refused(site: SitePick, why: str) -> Any:
    return list_html(COUNT_LIST, refused=why, at_site=site, plan=_plan(site))


def _site(site_id: int) -> SitePick:
    found = next((site for site in warehouse_sites() if site.id == site_id), None)
    if found is None:
        raise NotFound("site_unknown", site=site_id)
    return found


@blueprint.post("/warehouse/<int:site_id>/counts/due")
@require(Permission.COUNT_PLAN)
def plan_due(site_id: int) -> Any:
    site = _site(site_id)
    made: list[int] = []
    return take_step(
        lambda work: made.append(plan_due_counts(work, site_id)), realm=site.realm,
        done="What is due is on the list of counts.", to=url_for("warehouse.counts", site=site_id),
        again=lambda why: _refused(site, why),
    )  # fmt: skip


@blueprint.route("/warehouse/<int:site_id>/counts/new", methods=["GET", "POST"])
@require(Permission.COUNT_PLAN)
def ask_count(site_id: int) -> Any:
    site, form = _site(site_id), CountAskedForm()
    if form.validate_on_submit():
        with form_step(form, realm=site.realm) as work:
            item = item_of_code(work.session, site.entity_id, str(form.item.data))
            command = PlanCount(
                site=site_id, item=item, location=location_named(work.session, site_id, str(form.location.data or "")),
                lot=lot_named(work.session, item, str(form.lot.data or "")),
            )  # fmt: skip
            plan_counts(work, [command], rules=rules(), cells=cells())
        if form.accepted:
            flash(f"{form.item.data} is to be counted.", "success")
            return redirect(url_for("warehouse.counts", site=site_id))
    back = url_for("warehouse.counts", site=site_id)
    return form_page(
        form, title=f"Ask for a count at {site.name}", label="Ask for the count", back=back, trail=[("Counts", back)],
        realm=site.realm, optional=("location", "lot"), note="Whoever counts does not see what the book says.",
    )  # fmt: skip


@blueprint.route("/warehouse/<int:site_id>/counts/cadence", methods=["GET", "POST"])
@require(Permission.COUNT_PLAN)
def cadence(site_id: int) -> Any:
    name, realm, _ = floor_place(reader(), actor(), site_id)
    form = cadence_form(cadence_of(reader(), site_id))
    if form.validate_on_submit():
        with form_step(form, realm=realm) as work:
            for abc in STANDARD_CADENCE:
                set_cadence(work, site_id, abc, form[f"days_{'none' if abc == '-' else abc}"].data or 0)
        if form.accepted:
            flash("Places are due by these days from now on.", "success")
            return redirect(url_for("warehouse.counts", site=site_id))
    back = url_for("warehouse.counts", site=site_id)
    units = {field.name: "days" for field in form if field.name.startswith("days_")}
    return form_page(
        form, title=f"How often {name} is counted", label="Save the days", back=back, trail=[("Counts", back)], realm=realm,
        units=units, note="A place is due so many days after it was last counted, or first filled.",
    )  # fmt: skip


@blueprint.route("/warehouse/counts/<int:task_id>/cancel", methods=["GET", "POST"])
@require(Permission.COUNT_PLAN)
def drop_count(task_id: int) -> Any:
    rows = count_rows(reader(), actor(), only=task_id)
    if not rows:
        raise NotFound("count_unknown", id=task_id)
    row, form = rows[0], WhyForm()
    back = url_for("warehouse.counts", site=row.site_id)
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            cancel_count(work, task_id, str(form.reason.data), seen_version=row.version)
        if form.accepted:
            flash("Nobody counts this now.", "success")
            return redirect(back)
    return form_page(
        form, title=f"Cancel the count of {row.code}", label="Cancel the count", back=back, trail=[("Counts", back)],
        realm=row.realm, note=f"At {row.location}, {row.site}.",
    )  # fmt: skip
