"""One variant with what may be done with it, and asking for one."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for

from app.composition.request import change, now, reader
from app.composition.variants import AskForVariant, currency_of, rewrite_variant, write_variant
from app.queries.policies import point_page, policy_points, scope_picks
from app.queries.variants import agreed_of_point, people_to_choose, variant_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import seen_version
from app.web.variants.forms import UNITS, AskForm, ask_form, in_form
from erpcore.kernel.errors import NotFound
from erpcore.kernel.money import from_minor
from erpcore.ports import POLICY_POINTS, Freedom
from erpcore.ports.points import DIMENSIONS
from governance.variants.flow import VariantState
from governance.variants.kinds import Kind

blueprint = area("variants")
navigation_entry(
    Entry(label="Process register", endpoint="variants.show_all", permission=Permission.VARIANT_VIEW, group=Group.STEER, order=44)
)  # fmt: skip


def _kinds(point: str) -> list[Kind]:
    kinds = [Kind.CONTROLLED_VARIATION, Kind.STRATEGIC_EXCEPTION]
    if point and actor().may(Permission.VARIANT_CONSENT) and actor().sites is None:
        kinds.append(Kind.STANDARD_CHANGE)
    return kinds


def _given() -> dict[str, Any]:
    """What the address already says: the place, the channel, the deviation, the step."""
    given: dict[str, Any] = {name: key for name in DIMENSIONS if (key := asked_key(name)) is not None}
    for name in ("step", "reason", "title", "kind"):
        if text := request.args.get(name, "").strip()[:200]:
            given[name] = text
    if deviation := request.args.get("deviation", "").strip()[:300]:
        given["deviations"] = deviation
    return given


def _form(point: str, given: dict[str, Any]) -> tuple[AskForm, Any]:
    found = point_page(reader(), actor(), point, now()) if point else None
    older = agreed_of_point(reader(), actor(), point, now()) if point else []
    form = ask_form(
        found.row.point if found else None, found.row.standard if found else None, scope_picks(reader(), actor()),
        people_to_choose(reader()), [(one.id, f"{one.code} {one.where}: {one.changes}") for one in older], _kinds(point),
        given,
    )  # fmt: skip
    return form, found


def _command(form: AskForm, point: str, *, currency: str | None = None, by_hand: tuple[str, ...] = ()) -> AskForVariant:
    """``currency`` in which a draft says its cost, and ``by_hand`` what it covers beside a value, stay as they are."""
    if not point:
        by_hand = tuple(part.strip() for part in str(form["deviations"].data or "").split(","))
    scope = form.scope()
    return AskForVariant(
        kind=Kind(form.kind.data), scope=scope, values={point: form.wanted()} if point else {},
        deviations=tuple(sorted({part for part in by_hand if part})), from_on=form.from_on.data,
        until_on=form.until_on.data, content=form.said(currency or currency_of(reader(), scope)), supersedes=form.supersedes.data or None,
        is_draft="draft" in request.form,
    )  # fmt: skip


def _page(form: AskForm, found: Any, point: str, *, draft: int | None = None, currency: str | None = None) -> Any:
    locked = found is not None and (found.row.point.freedom is Freedom.LOCKED or not found.row.point.has_alternative)
    unit = "" if found is None or found.row.point.unit is None else UNITS[found.row.point.unit]
    return render_template(
        "register/ask.html", form=form, page=found, point=found.row.point if found else None, locked=locked, unit=unit,
        draft=draft, name=point, currency=currency,
    ), form.status  # fmt: skip


@blueprint.route("/register/ask", methods=["GET", "POST"])
@require(Permission.VARIANT_REQUEST)
def ask() -> Any:
    """Choose what shall be otherwise, then say where, until when, who answers and why. The address may already say some of it."""
    point = request.args.get("point", "").strip()
    if not point and "deviation" not in request.args:
        rows = [row for row in policy_points(reader(), actor(), now()) if row.point.freedom is not Freedom.LOCKED]
        given = {name: request.args[name] for name in (*DIMENSIONS, "step") if name in request.args}
        return render_template(
            "register/choose.html", rows=[row for row in rows if row.point.has_alternative], given=given,
            areas=list(dict.fromkeys(row.point.area for row in rows)),
        )  # fmt: skip
    if point and point not in POLICY_POINTS:
        raise NotFound("policy_point_unknown", field="point", point=point)
    form, found = _form(point, _given())
    if form.validate_on_submit():
        made = 0
        with form.refusals(), change() as work:
            made = form.once(work, lambda: write_variant(work, _command(form, point)).id)
        if form.accepted:
            flash("It is written down." if "draft" in request.form else "It is asked for. Others decide.", "success")
            return redirect(url_for("variants.show_one", variant_id=made))
    return _page(form, found, point)


@blueprint.route("/register/variants/<int:variant_id>/write", methods=["GET", "POST"])
@require(Permission.VARIANT_REQUEST)
def write(variant_id: int) -> Any:
    """Write one's own draft anew, and ask for it."""
    page = variant_page(reader(), actor(), variant_id, now())
    record, row = page.record, page.row
    if row.state != VariantState.DRAFT or row.requested_by != actor().id or len(row.values) > 1:
        abort(404)
    point = row.values[0].name if row.values else ""
    kept = {part.dimension: part.id for part in row.scope} | {
        name: getattr(record, name)
        for name in (
            "kind", "title", "step", "reason", "evidence", "benefit", "support_who", "support_hours", "support_vendor",
            "controls", "trainings", "tests", "review_months", "exit_condition",
        )
    }  # fmt: skip
    kept |= {
        "owner": record.owner_id, "deputy": record.deputy_id or 0, "rationale": record.rationale_category or "",
        "supersedes": record.supersedes_id or 0, "until_on": row.end_day, "deviations": ", ".join(row.deviations),
        "from_on": row.first_day if record.valid_from > now() else None,
        "cost": None if record.cost_minor is None else from_minor(record.cost_minor, record.cost_currency or "EUR"),
        "version": str(row.version),
    }  # fmt: skip
    if row.values and row.values[0].point is not None:
        kept["value"] = in_form(row.values[0].point, row.values[0].value)
    form, found = _form(point, kept)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            command = _command(form, point, currency=record.cost_currency, by_hand=row.deviations)
            rewrite_variant(work, variant_id, command, seen_version=seen_version())
        if form.accepted:
            flash("It is written down." if "draft" in request.form else "It is asked for. Others decide.", "success")
            return redirect(url_for("variants.show_one", variant_id=variant_id))
    return _page(form, found, point, draft=variant_id, currency=record.cost_currency)
