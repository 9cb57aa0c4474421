"""What people do at a gate: evaluate it now, ask for a waiver, decide on one, end one, and state what no figure shows."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition import golive
from app.composition.evidence import MeasuredReadings, evaluate_and_store
from app.composition.request import change, installation, now, reader
from app.messages import sentence
from app.queries.steer import name_tables, people_picks
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.errors import status_of
from app.web.forms import choices
from app.web.gates.forms import AttestForm, DecideForm, EndForm, WaiverForm, end_of
from app.web.gates.views import WORDS, blueprint, criterion_html, gate_html
from app.web.steering_words import gate_word, speech
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from governance.programme.queries import bodies
from readiness.gates.flow import WaiverState
from readiness.gates.queries import GateRow, WaiverView, gate_view, gates
from readiness.gates.queries import waivers as list_waivers
from readiness.gates.waiving import (
    Attest,
    RequestWaiver,
    attest,
    end_waiver,
    grant_waiver,
    refuse_waiver,
    request_waiver,
    withdraw_waiver,
)
from readiness.waves.queries import wave as find_wave


@blueprint.post("/gates/<int:gate_id>/evaluate")
@require(Permission.GATE_EVALUATE)
def evaluate(gate_id: int) -> Any:
    """Evaluate now, unless somebody did since the page was loaded: then theirs is shown."""
    back = url_for("gates.show", gate_id=gate_id)
    view = gate_view(reader(), gate_id, now=now())
    seen = request.form.get("seen", type=int)
    if seen is not None and view.snapshot is not None and view.snapshot.number > seen:
        flash(f"Evaluation {view.snapshot.number} was made meanwhile; this is it.", "success")
        return redirect(back)
    at = installation()
    try:
        kept = evaluate_and_store(at.database, gate_id, readings=MeasuredReadings(), actor=actor(), clock=at.clock)
    except (RuleBroken, Conflict) as refusal:
        return gate_html(gate_id, sentence(refusal)), status_of(refusal)
    flash(f"Evaluation {kept.number} is kept: {gate_word(kept.word)}, score {kept.score * 100:.1f}.", "success")
    return redirect(back)


@blueprint.post("/gates/<int:gate_id>/criteria/<code>/waivers")
@require(Permission.WAIVER_REQUEST)
def ask_waiver(gate_id: int, code: str) -> Any:
    form = WaiverForm()
    form.owner.choices = choices(people_picks(reader()))
    if form.validate_on_submit() and form.until.data:
        command = RequestWaiver(
            gate_id=gate_id, criterion=code, rationale=str(form.rationale.data), mitigation=str(form.mitigation.data),
            owner=int(form.owner.data), until=end_of(form.until.data),
        )  # fmt: skip
        waiver = 0
        with form.refusals(), change() as work:
            waiver = form.once(work, lambda: request_waiver(work, command).id)
        if form.accepted:
            flash("The waiver is asked for. Somebody else decides on it.", "success")
            return redirect(url_for("gates.waiver", waiver_id=waiver))
    return criterion_html(gate_id, code, waiver_form=form)


@blueprint.post("/gates/<int:gate_id>/criteria/<code>/statement")
@require(Permission.ATTEST)
def state(gate_id: int, code: str) -> Any:
    form = AttestForm()
    if form.validate_on_submit():
        command = Attest(
            gate_id=gate_id, criterion=code, holds=form.holds.data == "yes", statement=str(form.statement.data),
            document=form.document.data or None, until=end_of(form.until.data) if form.until.data else None,
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: attest(work, command).id)
        if form.accepted:
            flash("The statement is kept; the next evaluation reads it.", "success")
            return redirect(url_for("gates.criterion", gate_id=gate_id, code=code))
    return criterion_html(gate_id, code, attest_form=form)


def _waiver(waiver_id: int) -> tuple[WaiverView, GateRow]:
    found = next((one for one in list_waivers(reader(), now()) if one.id == waiver_id), None)
    if found is None:
        raise NotFound("waiver_not_found", waiver=waiver_id)
    return found, gates(reader(), gate_id=found.gate_id)[0]


def _my_bodies(gate: GateRow) -> list[tuple[str, str]]:
    """The bodies of the programme in whose name this person may answer."""
    programme = find_wave(reader(), gate.wave_id).programme_id
    sits = golive.Seats().bodies(reader(), actor().id, programme, now())
    return [(body.code, body.name) for body in bodies(reader(), now(), programme_id=programme) if body.code in sits]


@blueprint.get("/waivers/<int:waiver_id>")
@require(Permission.GATE_VIEW)
def waiver(waiver_id: int) -> Any:
    return _waiver_html(waiver_id)


def _waiver_html(waiver_id: int, *, decide: DecideForm | None = None, end: EndForm | None = None) -> Any:
    found, gate = _waiver(waiver_id)
    view = gate_view(reader(), gate.id, now=now())
    line = next(
        (one for one in (view.snapshot.content["criteria"] if view.snapshot else ()) if one["code"] == found.criterion),
        None,
    )
    may_decide, why = _may_decide(found, gate)
    if decide is None and may_decide:
        decide = DecideForm(formdata=None)
    may_end = found.state is WaiverState.GRANTED and found.is_in_force and actor().may(Permission.WAIVER_APPROVE)
    if end is None and may_end:
        end = EndForm(formdata=None)
    mine = _my_bodies(gate) if may_decide or may_end else []
    for form in (decide, end):
        if form is not None:
            form.body.choices = choices(mine)
    said = speech(name_tables(reader(), [found.owner, found.requested_by, found.granted_by]))
    page = render_template(
        "gates/waiver.html", waiver=found, gate=gate, line=line, speech=said, decide=decide if may_decide else None,
        end=end if may_end else None, why=why, mine=found.requested_by == actor().id, WaiverState=WaiverState, **WORDS,
    )  # fmt: skip
    return page, next((form.status for form in (decide, end) if form is not None), 200)


def _may_decide(found: WaiverView, gate: GateRow) -> tuple[bool, str]:
    if found.state is not WaiverState.REQUESTED:
        return False, ""
    if not actor().may(Permission.WAIVER_APPROVE):
        return False, "Your role does not decide on waivers."
    if found.requested_by == actor().id:
        return False, "You asked for it, so somebody else decides."
    if not _my_bodies(gate):
        return False, "You sit on no body of this programme."
    return True, ""


@blueprint.post("/waivers/<int:waiver_id>/decide")
@require(Permission.WAIVER_APPROVE)
def decide_waiver(waiver_id: int) -> Any:
    _, gate = _waiver(waiver_id)
    form = DecideForm()
    form.body.choices = choices(_my_bodies(gate))
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            if form.answer.data == "grant":
                grant_waiver(work, waiver_id, body=str(form.body.data), authority=golive.Seats())
            else:
                reason = str(form.reason.data or "")
                refuse_waiver(work, waiver_id, body=str(form.body.data), reason=reason, authority=golive.Seats())
        if form.accepted:
            flash(
                "The waiver is granted; the next evaluation counts it."
                if form.answer.data == "grant"
                else "The waiver is refused.",
                "success",
            )
            return redirect(url_for("gates.show", gate_id=gate.id))
    return _waiver_html(waiver_id, decide=form)


@blueprint.post("/waivers/<int:waiver_id>/end")
@require(Permission.WAIVER_APPROVE)
def end(waiver_id: int) -> Any:
    _, gate = _waiver(waiver_id)
    form = EndForm()
    form.body.choices = choices(_my_bodies(gate))
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            golive.lock_standing_on(work, gate.id)
            end_waiver(
                work, waiver_id, body=str(form.body.data), reason=str(form.reason.data), authority=golive.Seats()
            )
            golive.outdate_standing_on(work, gate.id)
        if form.accepted:
            flash("The waiver has ended; the criterion falls back to its own verdict.", "success")
            return redirect(url_for("gates.show", gate_id=gate.id))
    return _waiver_html(waiver_id, end=form)


@blueprint.post("/waivers/<int:waiver_id>/withdraw")
@require(Permission.WAIVER_REQUEST)
def withdraw(waiver_id: int) -> Any:
    _, gate = _waiver(waiver_id)
    with change() as work:
        withdraw_waiver(work, waiver_id, reason="taken back by who asked")
    flash("The request is taken back.", "success")
    return redirect(url_for("gates.show", gate_id=gate.id))
