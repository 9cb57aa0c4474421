"""One criterion is written: its figure is chosen from the catalogue, then marks, evidence and minimums in that figure's unit."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition import gate_changes
from app.composition.request import change, now, reader
from app.queries.gate_writing import EVIDENCE_OF, GateDesk, gate_desk, reads_now
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.gates import definition_shown as show_as
from app.web.gates.definition_forms import CriterionForm, WithReasonForm, code_of, criterion_form
from app.web.gates.views import WORDS, blueprint
from app.web.steering_words import speech
from app.web.steps import seen_version
from erpcore.kernel.errors import NotFound
from readiness.gates.criteria import Evidence, Layer
from readiness.gates.flow import GateState
from readiness.gates.specs import CriterionSpec
from readiness.measures.catalogue import Figure, find_figure
from readiness.measures.reading import Direction

_STATEMENT = "attestation"


@blueprint.route("/gates/<int:gate_id>/add-criterion", methods=["GET", "POST"])
@require(Permission.GATE_DEFINE)
def add_criterion(gate_id: int) -> Any:
    """Without a measure in the address the catalogue is shown to choose from."""
    desk = gate_desk(reader(), gate_id, actor(), now())
    key = request.args.get("measure", "")
    if not key:
        return render_template("gates/catalogue.html", gate=desk.gate, layers=show_as.catalogue(), **WORDS)
    figure = None if key == _STATEMENT else find_figure(key)
    if figure is not None and figure.measure.direction is Direction.INFO:
        raise NotFound("measure_unknown", measure=key)
    form = criterion_form(desk, figure, groups=_groups(desk, figure))
    if form.validate_on_submit():
        code = form.code.data or code_of(str(form.title.data))
        if _put(gate_id, form, form.spec(figure, None, code, dict(desk.people)), is_new=True):
            flash("The criterion is added.", "success")
            return redirect(url_for("gates.define", gate_id=gate_id))
    elif not form.is_submitted():
        _begin(form, desk, figure)
    return _page(desk, form, figure, None)


@blueprint.route("/gates/<int:gate_id>/criteria/<code>/edit", methods=["GET", "POST"])
@require(Permission.GATE_DEFINE)
def edit_criterion(gate_id: int, code: str) -> Any:
    desk = gate_desk(reader(), gate_id, actor(), now())
    spec = desk.gate.criterion(code)
    figure = None if spec.measure is None else find_figure(spec.measure)
    form = criterion_form(desk, figure, groups=_groups(desk, figure))
    if form.validate_on_submit():
        if _put(gate_id, form, form.spec(figure, spec, code, dict(desk.people)), is_new=False):
            flash("The criterion is changed.", "success")
            return redirect(url_for("gates.define", gate_id=gate_id))
    elif not form.is_submitted():
        form.fill(spec, figure)
        form.version.data = str(desk.gate.version)
    return _page(desk, form, figure, spec)


def _put(gate_id: int, form: CriterionForm, spec: CriterionSpec, *, is_new: bool) -> bool:
    with form.refusals(), change() as work:
        form.once(
            work,
            lambda: (
                gate_changes.put_criterion(
                    work, gate_id, spec, reason=form.reason.data or None, seen_version=seen_version(), is_new=is_new
                ).id
            ),
        )
    return form.accepted


def _begin(form: CriterionForm, desk: GateDesk, figure: Figure | None) -> None:
    """What most criteria begin with."""
    form.version.data = str(desk.gate.version)
    form.owner_id.data = 0
    form.layer.data = figure.measure.layer.value if figure else Layer.ADOPTION.value
    if figure is not None:
        form.title.data = show_as.title_of(figure)
        form.evidence.data = EVIDENCE_OF[desk.gate.phase][0].value
        form.window_days.data = figure.measure.window_days
        form.grain.data = "all"
        form.cells.data = [f"{site}:{channel}" for site, channel in desk.earlier]


def _groups(desk: GateDesk, figure: Figure | None) -> list[tuple[int, str]]:
    """The customer groups, where the measure can tell them apart."""
    if figure is None or not figure.measure.carries_group:
        return []
    return [(int(key), str(name)) for key, name in desk.names["customer_groups"].items()]


def _page(desk: GateDesk, form: CriterionForm, figure: Figure | None, spec: CriterionSpec | None) -> Any:
    said = speech(desk.names)
    found = [] if figure is None else reads_now(reader(), figure, desk.gate.phase, desk.own, desk.earlier, now())
    return render_template(
        "gates/criterion_form.html", gate=desk.gate, form=form, figure=figure, spec=spec, speech=said,
        about=show_as.about(figure) if figure else [], reads=show_as.now_lines(found, figure) if figure else [],
        unit=show_as.unit_name(figure) if figure else "", frozen=desk.gate.state is GateState.FROZEN,
        earlier=[(f"{site}:{channel}", said.cell(f"{site}:{channel}")) for site, channel in desk.earlier],
        reference=Evidence.REFERENCE.value, **WORDS,
    ), form.status  # fmt: skip


@blueprint.route("/gates/<int:gate_id>/criteria/<code>/remove", methods=["GET", "POST"])
@require(Permission.GATE_DEFINE)
def remove_criterion(gate_id: int, code: str) -> Any:
    desk = gate_desk(reader(), gate_id, actor(), now())
    spec, form = desk.gate.criterion(code), WithReasonForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            gate_changes.remove_criterion(
                work, gate_id, code, reason=form.reason.data or None, seen_version=seen_version()
            )
        if form.accepted:
            flash(f"{spec.title} is taken out.", "success")
            return redirect(url_for("gates.define", gate_id=gate_id))
    elif not form.is_submitted():
        form.version.data = str(desk.gate.version)
    title = f"Take out {spec.title}"
    return render_template("gates/step.html", gate=desk.gate, form=form, title=title, **WORDS), form.status
