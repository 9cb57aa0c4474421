"""Procedures of dunning: which hold where, and writing the next."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.dunning import all_procedures
from app.queries.places import all_groups, entities_seen
from app.reports.dunning import KINDS
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.billing.forms import minor_of
from app.web.dunning.forms import procedure_form, typed_levels
from app.web.dunning.views import blueprint
from app.web.forms import choices
from app.web.steps import form_step
from erpcore.billing.dunning.procedures import WriteProcedure, write_procedure
from erpcore.kernel.clock import local_day


@blueprint.get("/dunning/procedures")
@require(Permission.INVOICE_READ)
def show_procedures() -> str:
    return render_template(
        "dunning/procedures.html", procedures=all_procedures(reader(), actor()), kinds=KINDS, realm="live"
    )


@blueprint.route("/dunning/procedures/new", methods=["GET", "POST"])
@require(Permission.DUNNING_SET_UP)
def new_procedure() -> Any:
    form: Any = procedure_form()()
    entities = entities_seen(reader(), actor())
    form.entity.choices = choices((one.id, one.label) for one in entities)
    form.group.choices = choices([(0, "All whose group has none of its own"), *all_groups(reader())])
    if not form.is_submitted():
        form.valid_from.data = local_day(now(), entities[0].time_zone) if entities else now().date()
    if form.validate_on_submit():
        entity = next(one for one in entities if one.id == form.entity.data)

        def minor(name: str) -> int:
            value = form[name].data
            return 0 if value is None else minor_of(value, entity.currency, name)

        with form_step(form, realm=entity.realm) as work:
            command = WriteProcedure(
                entity=entity.id, group=form.group.data or None, name=str(form.name.data), valid_from=form.valid_from.data,
                interval_days=form.interval_days.data, min_total_minor=minor("min_total"), levels=typed_levels(form, minor),
            )  # fmt: skip
            form.once(work, lambda: write_procedure(work, command))
        if form.accepted:
            flash("The procedure is kept; it holds from its first day on.", "success")
            return redirect(url_for("dunning.show_procedures"))
    return render_template("dunning/procedure.html", form=form, realm="live"), form.status
