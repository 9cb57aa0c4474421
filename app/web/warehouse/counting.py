"""How a site is counted: its classes, what is due, the tasks and their files, one count asked for, a task cancelled."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.count_pages import STATES, CountPlan, count_plan
from app.queries.counts import count_rows
from app.queries.floor import floor_place
from app.queries.items import item_of_code
from app.queries.places import SitePick
from app.queries.warehouse import location_named, lot_named
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.exports import csv_file, xlsx_file
from app.web.steps import form_step, take_step
from app.web.warehouse.forms import CountAskedForm, WhyForm, cadence_form
from app.web.warehouse.views import blueprint, chosen_site, form_page, nowhere, warehouse_sites
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

_HEAD = (
    "Site",
    "Place",
    "Item",
    "Name",
    "Lot",
    "State",
    "Why",
    "Due",
    "Book",
    "Found",
    "Difference",
    "Value",
    "Currency",
)


def _state() -> str:
    state = request.args.get("state", "")
    return state if state in STATES else ""


def _plan(site: SitePick) -> CountPlan:
    return count_plan(reader(), actor(), site.id, site.time_zone, now(), state=_state())


@blueprint.get("/warehouse/counts")
@require(Permission.STOCK_READ)
def counts() -> Any:
    sites = warehouse_sites()
    site = chosen_site(sites)
    return nowhere() if site is None else _counts(sites, site)


def _counts(sites: list[SitePick], site: SitePick, refused: str = "") -> str:
    return render_template(
        "warehouse/counts.html",
        site=site,
        sites=sites,
        plan=_plan(site),
        state=_state(),
        refused=refused,
        realm=site.realm,
    )


@blueprint.get("/warehouse/counts.csv")
@require(Permission.STOCK_READ)
def counts_csv() -> Any:
    return csv_file("counts", _HEAD, _file_rows())


@blueprint.get("/warehouse/counts.xlsx")
@require(Permission.STOCK_READ)
def counts_xlsx() -> Any:
    return xlsx_file("counts", _HEAD, _file_rows())


def _file_rows() -> Any:
    site = chosen_site(warehouse_sites())
    for row in _plan(site).tasks if site else ():
        yield (
            row.site, row.location, row.code, row.name, row.lot or "", row.state, row.why, row.due_on.isoformat(), row.book,
            row.found, row.difference, None if row.value_minor is None else from_minor(row.value_minor, row.currency),
            row.currency,
        )  # fmt: skip


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
        again=lambda why: _counts(warehouse_sites(), site, why),
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
