"""A gate is written: begun from a template, amended, frozen, moved to another day, withdrawn, asked again, kept as a template."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition import gate_changes, golive
from app.composition.request import change, now, reader
from app.queries.gate_writing import GateDesk, gate_desk, wave_bodies
from app.queries.steer import name_tables
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import lacking
from app.web.forms import Form, choices
from app.web.gates import definition_shown as show_as
from app.web.gates.definition_forms import (
    AmendForm,
    ChangedDayForm,
    FreezeForm,
    GateForm,
    ReopenForm,
    TemplateForm,
    WithReasonForm,
    phase_choices,
)
from app.web.gates.views import WORDS, blueprint
from app.web.steering_words import listed, speech
from app.web.steps import seen_version
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from readiness.gates.changing import AmendGate, reopen_gate
from readiness.gates.criteria import Phase
from readiness.gates.definition import held_for, reference_cells, templates
from readiness.gates.flow import GateState
from readiness.gates.queries import gates
from readiness.gates.services import CreateGate, SaveTemplate, freeze_gate, save_template
from readiness.gates.templates import save_standard_templates
from readiness.waves.queries import wave as find_wave

_EMPTY = ""


@blueprint.route("/waves/<int:wave_id>/gates/new", methods=["GET", "POST"])
@require(Permission.GATE_DEFINE)
def create(wave_id: int) -> Any:
    wave, form = find_wave(reader(), wave_id), GateForm()
    taken = {gate.phase: gate for gate in gates(reader(), wave_id=wave_id)}
    known, earlier = templates(reader()), reference_cells(reader(), wave_id)
    names = name_tables(reader())
    said = speech(names)
    form.phase.choices = phase_choices(taken)
    form.template.choices = choices(
        [(_EMPTY, "No template: criteria are added one by one"),
         *((one.code, f"{one.name}, version {one.version}: {len(one.criteria)} criteria") for one in known if one.phase not in taken)]
    )  # fmt: skip
    found = wave_bodies(reader(), wave_id, now())
    form.waiver_body.choices = choices((body.code, body.name) for body in found)
    form.cells.choices = choices((f"{site}:{channel}", said.cell(f"{site}:{channel}")) for site, channel in earlier)
    if form.validate_on_submit() and form.decides_on.data:
        ticked = [str(value).split(":") for value in form.cells.data or ()]
        command = CreateGate(
            wave_id=wave_id, phase=Phase(form.phase.data), decides_on=form.decides_on.data, template=form.template.data or None,
            waiver_body=form.waiver_body.data or None, reference=tuple((int(site), int(channel)) for site, channel in ticked),
        )  # fmt: skip
        made = 0
        with form.refusals(), change() as work:
            made = form.once(work, lambda: gate_changes.define_gate(work, command).id)
        if form.accepted:
            flash("The gate is drafted. Look at each criterion, then freeze it.", "success")
            return redirect(url_for("gates.define", gate_id=made))
    elif not form.is_submitted():
        form.waiver_body.data = next((body.code for body in found if body.kind == "pmo"), None)
        form.phase.data = next((choice.value for choice in form.phase.choices), None)
        form.template.data = next((one.code for one in known if one.phase == form.phase.data), _EMPTY)
        form.cells.data = [choice.value for choice in form.cells.choices]
    return render_template(
        "gates/new.html", form=form, wave=wave, known=known, has_bodies=bool(found), taken=taken, **WORDS
    ), form.status


@blueprint.get("/gates/<int:gate_id>/define")
@require(Permission.GATE_VIEW)
def define(gate_id: int) -> Any:
    return define_html(gate_id)


def define_html(
    gate_id: int, *, amend: AmendForm | None = None, freeze: FreezeForm | None = None, keep: TemplateForm | None = None
) -> Any:
    """The gate with its criteria as they stand; a form that was refused comes again with what was typed."""
    desk = gate_desk(reader(), gate_id, actor(), now())
    gate, said = desk.gate, speech(desk.names)
    draft = gate.state is GateState.DRAFT
    if draft and actor().may(Permission.GATE_DEFINE):
        amend = amend or _amend_form(desk)
        _offer_bodies(amend, desk)
    closed = _why_not_frozen(desk)
    if draft and actor().may(Permission.GATE_FREEZE):
        freeze = freeze or FreezeForm(formdata=None)
        freeze.body.choices = choices(_my_bodies(desk))
        freeze.version.data = str(gate.version)
    if actor().may(Permission.GATE_DEFINE) and gate.criteria:
        keep = keep or TemplateForm(formdata=None)
    today = local_day(now(), gate.time_zone)
    titles = {one.facts["code"]: one.facts["title"] for one in gate.criteria}
    html = render_template(
        "gates/define.html", gate=gate, rows=show_as.rows(desk, said), speech=said, amend=amend if draft else None,
        freeze=freeze if draft else None, keep=keep, closed=closed, held=held_for(today, gate.decides_on),
        days=(gate.decides_on - today).days, may_write=_may_write(desk), moves=_moves(desk),
        changes=show_as.changes(gate.changes, titles), body=said, bodies={body.code: body.name for body in desk.bodies}, **WORDS,
    )  # fmt: skip
    return html, next((form.status for form in (amend, freeze, keep) if form is not None and form.status != 200), 200)


def _amend_form(desk: GateDesk) -> AmendForm:
    form = AmendForm(formdata=None)
    form.decides_on.data, form.waiver_body.data = desk.gate.decides_on, desk.gate.waiver_body
    form.pass_mark.data, form.warn_mark.data = desk.gate.pass_mark * 100, desk.gate.warn_mark * 100
    form.version.data = str(desk.gate.version)
    return form


def _offer_bodies(form: AmendForm, desk: GateDesk) -> None:
    form.waiver_body.choices = choices((body.code, body.name) for body in desk.bodies)


def _my_bodies(desk: GateDesk) -> list[tuple[str, str]]:
    """The bodies in whose name the person may freeze: the one that waives, and the steering committee."""
    return [
        (body.code, body.name) for body in desk.bodies
        if body.code in desk.mine and (body.code == desk.gate.waiver_body or desk.mine[body.code])
    ]  # fmt: skip


def _may_write(desk: GateDesk) -> bool:
    """Whether criteria are offered for change: to who defines gates, after the freeze also with a seat on its body."""
    if not actor().may(Permission.GATE_DEFINE) or desk.gate.state is GateState.CLOSED:
        return False
    return desk.gate.state is GateState.DRAFT or desk.may_change()


def _why_not_frozen(desk: GateDesk) -> str:
    """Why the gate cannot be frozen yet; empty where it can."""
    if not desk.gate.criteria:
        return "A gate without criteria could never pass. Add one first."
    wrong = [one.facts["title"] for one in desk.gate.criteria if one.problems]
    if wrong:
        return f"Mend first: {listed(wrong)}."
    if not any(Decimal(one.facts["weight"]) for one in desk.gate.criteria):
        return "No criterion has weight, so the score could never be counted."
    if not _my_bodies(desk):
        return "You sit neither on the body that waives here nor on the steering committee. Ask somebody who does."
    return ""


def _moves(desk: GateDesk) -> list[dict[str, Any]]:
    """What else may be done with the gate; what is closed says why."""
    gate = desk.gate
    found = []
    offered = {
        GateState.DRAFT: (("Withdraw the gate…", "gates.withdraw_gate"),),
        GateState.FROZEN: (("Move the day…", "gates.move_day"), ("Withdraw the gate…", "gates.withdraw_gate")),
        GateState.CLOSED: (("Ask again…", "gates.reopen"),),
    }[gate.state]
    for label, endpoint in offered:
        item: dict[str, Any] = {"label": label, "permitted": True, "href": url_for(endpoint, gate_id=gate.id)}
        if not actor().may(Permission.GATE_FREEZE):
            item = {**item, "permitted": False, "reason": lacking(Permission.GATE_FREEZE)}
        elif gate.state is GateState.FROZEN and not desk.may_change():
            item = {**item, "permitted": False, "reason": "you do not sit on the body that froze it"}
        found.append(item)
    return found


@blueprint.post("/gates/<int:gate_id>/amend")
@require(Permission.GATE_DEFINE)
def amend(gate_id: int) -> Any:
    form = AmendForm()
    _offer_bodies(form, gate_desk(reader(), gate_id, actor(), now()))
    if form.validate_on_submit() and form.decides_on.data:
        command = AmendGate(
            gate_id=gate_id, decides_on=form.decides_on.data, waiver_body=str(form.waiver_body.data), seen_version=seen_version(),
            **form.marks(),
        )  # fmt: skip
        with form.refusals(), change() as work:
            gate_changes.amend_gate(work, command)
        if form.accepted:
            flash("The gate is amended.", "success")
            return redirect(url_for("gates.define", gate_id=gate_id))
    return define_html(gate_id, amend=form)


@blueprint.post("/gates/<int:gate_id>/freeze")
@require(Permission.GATE_FREEZE)
def freeze(gate_id: int) -> Any:
    form = FreezeForm()
    form.body.choices = choices(_my_bodies(gate_desk(reader(), gate_id, actor(), now())))
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            freeze_gate(
                work, gate_id, body=str(form.body.data), authority=golive.Seats(), fixed_dates=_days(form.dates.data),
                seen_version=seen_version(),
            )  # fmt: skip
        if form.accepted:
            flash(
                "The criteria are frozen. From now on every change is shown; the gate is evaluated each morning.",
                "success",
            )
            return redirect(url_for("gates.show", gate_id=gate_id))
    return define_html(gate_id, freeze=form)


def _days(text: str | None) -> list[date]:
    """The days that were typed, one a line. Raises ``RuleBroken`` with the one that is none."""
    found = []
    for word in (text or "").replace(",", " ").split():
        try:
            found.append(date.fromisoformat(word))
        except ValueError:
            raise RuleBroken("day_unreadable", field="dates", day=word[:20]) from None
    return found


@blueprint.route("/gates/<int:gate_id>/day", methods=["GET", "POST"])
@require(Permission.GATE_FREEZE)
def move_day(gate_id: int) -> Any:
    form = ChangedDayForm()
    return _step(
        gate_id, form, "Move the day", "The day has moved; how long a pass must hold follows from it.",
        lambda work: gate_changes.date_gate(
            work, gate_id, form.decides_on.data or date.max, reason=str(form.reason.data), fixed_dates=_days(form.dates.data)
        ),
    )  # fmt: skip


@blueprint.route("/gates/<int:gate_id>/withdraw", methods=["GET", "POST"])
@require(Permission.GATE_FREEZE)
def withdraw_gate(gate_id: int) -> Any:
    form = WithReasonForm()
    return _step(
        gate_id, form, "Withdraw the gate", "The gate is withdrawn: it is evaluated no more until it is asked again.",
        lambda work: gate_changes.withdraw_gate(work, gate_id, reason=str(form.reason.data or ""), seen_version=seen_version()),
    )  # fmt: skip


@blueprint.route("/gates/<int:gate_id>/reopen", methods=["GET", "POST"])
@require(Permission.GATE_FREEZE)
def reopen(gate_id: int) -> Any:
    form = ReopenForm()
    return _step(
        gate_id, form, "Ask the gate again", "The gate is a draft once more; its counts begin anew at the freeze.",
        lambda work: reopen_gate(
            work, gate_id, decides_on=form.decides_on.data or date.max, reason=str(form.reason.data), seen_version=seen_version()
        ),
    )  # fmt: skip


def _step(gate_id: int, form: Any, title: str, done: str, act: Callable[[UnitOfWork], Any]) -> Any:
    desk = gate_desk(reader(), gate_id, actor(), now())
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            act(work)
        if form.accepted:
            flash(done, "success")
            return redirect(url_for("gates.define", gate_id=gate_id))
    elif not form.is_submitted():
        form.version.data = str(desk.gate.version)
        if "decides_on" in form and desk.gate.state is GateState.FROZEN:
            form.decides_on.data = desk.gate.decides_on
    return _step_page(desk, form, title), form.status


def _step_page(desk: GateDesk, form: Form, title: str) -> str:
    return render_template("gates/step.html", gate=desk.gate, form=form, title=title, **WORDS)


@blueprint.post("/gates/<int:gate_id>/template")
@require(Permission.GATE_DEFINE)
def keep_template(gate_id: int) -> Any:
    """Keep the criteria to start other gates from; the cells they refer to are chosen anew there."""
    form = TemplateForm()
    if form.validate_on_submit():
        gate = gate_desk(reader(), gate_id, actor(), now()).gate
        command = SaveTemplate(
            code=str(form.code.data), name=str(form.name.data), phase=gate.phase, waiver_body=gate.waiver_body,
            criteria=gate_changes.template_specs(reader(), gate_id), pass_mark=gate.pass_mark, warn_mark=gate.warn_mark,
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: save_template(work, command).id)
        if form.accepted:
            flash(f"Kept as template {command.name}.", "success")
            return redirect(url_for("gates.show_templates"))
    return define_html(gate_id, keep=form)


@blueprint.get("/gates/templates")
@require(Permission.GATE_VIEW)
def show_templates() -> str:
    found = templates(reader())
    said = speech(name_tables(reader(), [one.saved_by for one in found]))
    return render_template(
        "gates/templates.html", found=found, speech=said, may_write=actor().may(Permission.GATE_DEFINE), **WORDS
    )


@blueprint.post("/gates/templates/standard")
@require(Permission.GATE_DEFINE)
def take_standard() -> Any:
    """Take over the templates that come with the product, as the next versions of their codes."""
    with change() as work:
        save_standard_templates(work)
    flash("The standard templates are there: entry, stay live and exit.", "success")
    back = request.form.get("wave", type=int)
    return redirect(url_for("gates.create", wave_id=back) if back else url_for("gates.show_templates"))
