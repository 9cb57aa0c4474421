"""The catalogue of policy points, one point, one value with the decision on it, and what would run at a place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from app.composition.policy_desk import AskForValue, ask_for_value, decide_on_value, would_run
from app.composition.request import change, now, reader
from app.queries.places import SitePick, sites_seen
from app.queries.policies import (
    PointRow,
    RunningRule,
    ValueRow,
    point_page,
    policy_points,
    running,
    scope_picks,
    value_row,
    value_steps,
    values_to_decide,
)
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key, closed
from app.web.exports import csv_file, xlsx_file
from app.web.navigation import Entry, Group, navigation_entry
from app.web.policies.forms import LABELS, UNITS, DecideForm, ask_form
from app.web.steps import seen_version
from app.web.today.slots import Waiting, waits_for_me
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.ports import POLICY_POINTS, Freedom
from governance.variants.flow import VARIANT_FLOW
from governance.variants.register import Scope
from governance.variants.services import MoveVariant

blueprint = area("policies")
navigation_entry(
    Entry(label="Policy points", endpoint="policies.show_all", permission=Permission.VARIANT_VIEW, group=Group.STEER, order=45)
)  # fmt: skip
#: The moves of a value, the one that most come for first, as buttons say them and as they read when done.
MOVES = (
    ("approve", "Approve", "It holds."), ("reject", "Refuse", "It is refused; the standard stays."),
    ("withdraw", "Withdraw", "The request is withdrawn."), ("revoke", "Revoke at once", "The standard holds again from now on."),
)  # fmt: skip
_HEAD = (
    "Point", "Title", "Area", "Kind", "Standard", "Value", "For", "Stands", "From (UTC)", "Until (UTC)", "Reason",
)  # fmt: skip


@waits_for_me(Permission.VARIANT_DECIDE)
def values_waiting(session: Session, who: Actor, at: datetime) -> Iterable[Waiting]:
    """Policy values that somebody else asked for."""
    for one in values_to_decide(session, who, at):
        point = POLICY_POINTS.get(one.point)
        yield Waiting(
            title=f"Policy value: {point.title if point else one.point}, {one.shown}", why=f"{one.where} · {one.reason}",
            url=url_for("policies.show_value", value_id=one.id), due_at=one.valid_from if one.valid_from > at else None,
            detail="it begins with your decision" if one.valid_from <= at else "", move="Decide",
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
    return render_template("policies/list.html", rows=shown, areas=areas, chips=chips, total=len(rows), only=only)


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


@blueprint.route("/policies/<point>/ask", methods=["GET", "POST"])
@require(Permission.VARIANT_REQUEST)
def ask(point: str) -> Any:
    """Ask for another value; somebody else decides."""
    page = point_page(reader(), actor(), point, now())
    found = page.row.point
    form = ask_form(found, scope_picks(reader(), actor()))
    locked = found.freedom is Freedom.LOCKED or not found.has_alternative
    if form.validate_on_submit() and form.until_on.data:
        command = AskForValue(
            point=found.name, value=form.wanted(), scope=form.scope(), from_on=form.from_on.data,
            until_on=form.until_on.data, reason=str(form.reason.data),
        )  # fmt: skip
        made = 0
        with form.refusals(), change() as work:
            made = form.once(work, lambda: ask_for_value(work, command).id)
        if form.accepted:
            flash("It is asked for. Somebody else decides.", "success")
            return redirect(url_for("policies.show_value", value_id=made))
    return render_template(
        "policies/ask.html", form=form, point=found, page=page, locked=locked,
        unit="" if found.unit is None else UNITS[found.unit],
    ), form.status  # fmt: skip


def _open_moves(row: ValueRow, who: Actor) -> list[dict[str, Any]]:
    """The moves of the flow's table for this value; one that is not open to the person says why."""
    out = []
    for name, label, _ in MOVES:
        is_own = row.requested_by == who.id
        if row.state not in VARIANT_FLOW.moves[name].sources or (name == "withdraw" and not is_own):
            continue
        why = closed(VARIANT_FLOW, name, row.state, who)
        if not why and name in ("approve", "reject") and is_own:
            why = "you asked for it, so somebody else decides"
        if not why and name == "approve" and row.standing == "over":
            why = "its time is over"
        if not why and who.sites is not None and not {p.id for p in row.scope if p.dimension == "site"} & who.sites:
            why = "it reaches beyond your sites"
        out.append({"name": name, "label": label, "why": why})
    return out


@blueprint.route("/policies/values/<int:value_id>", methods=["GET", "POST"])
@require(Permission.VARIANT_VIEW)
def show_value(value_id: int) -> Any:
    """One value: what it says, who asked and agreed, and what may be done with it."""
    row = value_row(reader(), actor(), value_id, now())
    form = DecideForm()
    said = {name: done for name, _, done in MOVES}
    move = request.form.get("move", "")
    if form.validate_on_submit() and move in said:
        command = MoveVariant(variant=value_id, move=move, reason=str(form.reason.data), seen_version=seen_version())
        with form.refusals(), change() as work:
            decide_on_value(work, command)
        if form.accepted:
            flash(said[move], "success")
            return redirect(url_for("policies.show_value", value_id=value_id))
        row = value_row(reader(), actor(), value_id, now())
    form.version.data = str(row.version)
    return render_template(
        "policies/value.html", row=row, point=POLICY_POINTS.get(row.point), form=form, moves=_open_moves(row, actor()),
        steps=value_steps(reader(), [value_id])[value_id],
        names=[(LABELS[part.dimension], part.name) for part in row.scope],
    ), form.status  # fmt: skip


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
