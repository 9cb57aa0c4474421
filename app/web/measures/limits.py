"""The limits of a site's control points: what they are, and setting one with its reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for
from wtforms import StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from app.composition.request import reader
from app.queries.places import sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.chosen import scope
from app.web.fields import QuantityField
from app.web.forms import Form
from app.web.measures.views import blueprint
from app.web.steps import form_step
from erpcore.kernel.errors import NotFound
from readiness.measures.limits import LEAST, MOST, LimitView, SetLimit, limits_of, set_limits


class LimitForm(Form):
    """A limit of one point."""

    hours = QuantityField(
        "Working hours",
        [
            InputRequired("Enter a number of hours"),
            NumberRange(Decimal(LEAST) / 60, Decimal(MOST) / 60, message=f"Enter from 0.02 to {MOST // 60} hours"),
        ],
    )
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])


class UsualForm(Form):
    """Back to the usual limit."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])


def _live() -> list[Any]:
    return [site for site in sites_seen(reader(), actor()) if site.realm == "live"]


@blueprint.get("/measures/limits")
@require(Permission.MEASURE_VIEW)
def show_limits() -> str:
    sites = _live()
    here = scope().site
    asked = asked_key("site") or (here.live_id if here else None)
    chosen = next((site for site in sites if site.id == asked), None)
    if asked_key("site") is not None and chosen is None:
        raise NotFound("not_found")
    chosen = chosen or (sites[0] if sites else None)
    return render_template(
        "measures/limits.html", sites=sites, chosen=chosen, rows=limits_of(reader(), chosen.id) if chosen else []
    )


def _one(site_id: int, point: str) -> tuple[Any, LimitView]:
    site = next((one for one in _live() if one.id == site_id), None)
    view = next((one for one in limits_of(reader(), site_id) if one.point == point), None)
    if site is None or view is None:
        raise NotFound("not_found")
    return site, view


@blueprint.route("/measures/limits/<int:site_id>/<point>", methods=["GET", "POST"])
@require(Permission.LIMIT_SET, site="site_id")
def set_limit(site_id: int, point: str) -> Any:
    site, view = _one(site_id, point)
    form = LimitForm()
    if not form.is_submitted():
        form.hours.data = (Decimal(view.minutes) / 60).quantize(Decimal("0.001"))
    if form.validate_on_submit():
        minutes = round((form.hours.data or 0) * 60)
        with form_step(form, realm="live") as work:
            set_limits(work, [SetLimit(site=site_id, point=point, minutes=minutes, reason=str(form.reason.data))])
        if form.accepted:
            flash("The limit holds from now on.", "success")
            return redirect(url_for("measures.show_limits", site=site_id))
    return render_template("measures/limit.html", site=site, view=view, form=form, usual=False), form.status


@blueprint.route("/measures/limits/<int:site_id>/<point>/usual", methods=["GET", "POST"])
@require(Permission.LIMIT_SET, site="site_id")
def usual_limit(site_id: int, point: str) -> Any:
    site, view = _one(site_id, point)
    form = UsualForm()
    if form.validate_on_submit():
        with form_step(form, realm="live") as work:
            set_limits(work, [SetLimit(site=site_id, point=point, minutes=None, reason=str(form.reason.data))])
        if form.accepted:
            flash("The usual limit holds again.", "success")
            return redirect(url_for("measures.show_limits", site=site_id))
    return render_template("measures/limit.html", site=site, view=view, form=form, usual=True), form.status
