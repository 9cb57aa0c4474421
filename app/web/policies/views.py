"""The catalogue of policy points, one point with the variants that set it, and what would run at a place."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import redirect, render_template, request, url_for

from app.composition.policy_desk import would_run
from app.composition.request import now, reader
from app.queries.places import SitePick, sites_seen
from app.queries.policies import (
    PointRow,
    RunningRule,
    point_page,
    policy_points,
    running,
    scope_picks,
    value_steps,
)
from app.queries.variants import variant_row
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.exports import csv_file, xlsx_file
from app.web.navigation import Entry, Group, navigation_entry
from app.web.variants.forms import UNITS
from app.web.variants.tabs import register_tabs
from erpcore.kernel.errors import NotFound
from erpcore.ports import Freedom
from governance.variants.register import Scope

blueprint = area("policies")
navigation_entry(
    Entry(label="Policy points", endpoint="policies.show_all", permission=Permission.VARIANT_VIEW, group=Group.STEER, order=45)
)  # fmt: skip
_HEAD = (
    "Point", "Title", "Area", "Kind", "Standard", "Value", "For", "Stands", "From (UTC)", "Until (UTC)", "Reason",
)  # fmt: skip


def _kept(rows: list[PointRow], only: str) -> list[PointRow]:
    if only == "departs":
        return [row for row in rows if row.holding or row.later]
    if only == "waits":
        return [row for row in rows if row.waiting]
    return [row for row in rows if not only or row.point.freedom.name.lower() == only]


@blueprint.get("/policies")
@require(Permission.VARIANT_VIEW)
def show_all() -> str:
    rows = policy_points(reader(), actor(), now())
    only = request.args.get("only", "")
    kinds = [(freedom.name.lower(), freedom.value.capitalize()) for freedom in Freedom]
    wanted = [("departs", "Departs somewhere"), ("waits", "Waits for a decision"), *kinds]
    only = only if only in dict(wanted) else ""
    chips = [
        {
            "label": label, "on": only == key, "count": len(_kept(rows, key)),
            "href": url_for("policies.show_all", only=None if only == key else key),
        }
        for key, label in wanted
    ]  # fmt: skip
    shown = _kept(rows, only)
    areas = list(dict.fromkeys(row.point.area for row in shown))
    return render_template(
        "policies/list.html",
        rows=shown,
        areas=areas,
        chips=chips,
        total=len(rows),
        only=only,
        tabs=register_tabs("policies.show_all"),
    )


def _file_rows() -> Any:
    for row in policy_points(reader(), actor(), now()):
        point = row.point
        head = (point.name, point.title, point.area, point.freedom.value, point.shown(row.standard))
        yield (*head, "", "everybody else", "standard", None, None, "")
        for one in (*row.holding, *row.later, *row.waiting):
            yield (*head, one.shown, one.where, one.standing, one.valid_from, one.valid_until, one.reason)


@blueprint.get("/policies.csv")
@require(Permission.VARIANT_VIEW)
def as_csv() -> Any:
    return csv_file("policies", _HEAD, _file_rows())


@blueprint.get("/policies.xlsx")
@require(Permission.VARIANT_VIEW)
def as_xlsx() -> Any:
    return xlsx_file("policies", _HEAD, _file_rows())


@blueprint.get("/policies/<point>")
@require(Permission.VARIANT_VIEW)
def show_point(point: str) -> str:
    page = point_page(reader(), actor(), point, now())
    shown = [*page.row.holding, *page.row.later, *page.row.waiting, *page.past]
    steps = value_steps(reader(), [one.id for one in shown])
    return render_template("policies/point.html", page=page, point=page.row.point, steps=steps, units=UNITS)


@blueprint.get("/policies/<point>/ask")
@require(Permission.VARIANT_REQUEST)
def ask(point: str) -> Any:
    """Another value is asked for as a variant of the register."""
    return redirect(url_for("variants.ask", point=point))


@blueprint.get("/policies/values/<int:value_id>")
@require(Permission.VARIANT_VIEW)
def show_value(value_id: int) -> Any:
    """Where a value stood before the register was there."""
    row = variant_row(reader(), actor(), value_id, now())
    return redirect(url_for("variants.show_one", variant_id=row.id))


def _asked_day() -> date | None:
    try:
        return date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return None


def _would_run(site: SitePick, on: date | None) -> list[RunningRule]:
    """What a document of this scope would be stamped with, at the first instant of the day, or now."""
    scope = Scope(
        item_group=asked_key("item_group"), customer_group=asked_key("customer_group"), channel=asked_key("channel"),
        site=site.live_id, entity=site.entity_id,
    )  # fmt: skip
    return running(reader(), would_run(reader(), actor(), now(), scope, site.time_zone, on), now())


@blueprint.get("/policies/here")
@require(Permission.VARIANT_VIEW)
def run_here() -> str:
    """Choose a place and a day: each point's value there, and what set it."""
    sites = sites_seen(reader(), actor(), realms=("live",))
    asked = asked_key("site")
    chosen = next((site for site in sites if site.id == asked), None)
    if asked is not None and chosen is None:
        raise NotFound("not_found")
    chosen = chosen or (sites[0] if sites else None)
    on = _asked_day()
    found = _would_run(chosen, on) if chosen else []
    departs = [one for one in found if one.origin]
    return render_template(
        "policies/here.html", sites=sites, chosen=chosen, picks=scope_picks(reader(), actor()), on=on, rows=found,
        departs=departs, areas=list(dict.fromkeys(one.point.area for one in found)), asked=asked_key, at=now(),
    )  # fmt: skip
