"""The waves on one calendar, one wave on one page, and what a person may do with it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition import golive
from app.composition.request import change, now, reader
from app.queries.interim import interim_brief
from app.queries.questions import open_of_wave
from app.queries.steer import WavePage, wave_page, waves_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.chosen import scope
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steering_words import (
    DECISION_KINDS,
    GRANT_STATES,
    PHASES,
    WAVE_STATES,
    acting,
    cell_look,
    days_between,
    decision_look,
    gate_word,
    process_name,
    short_day,
    short_moment,
    speech,
    worth_reasons,
)
from app.web.steps import seen_version, take_step
from app.web.waves.forms import DatesForm, StepForm
from app.web.waves.presenters import (
    channels_of,
    may_fall_back,
    moves,
    papers,
    sites_of,
    timeline,
    warnings,
    when,
)
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from readiness.waves.flow import WAVE_FLOW
from readiness.waves.queries import blackouts
from readiness.waves.services import BY_PERSON, DateWave, date_wave, step_wave

blueprint = area("waves")
navigation_entry(
    Entry(
        label="Waves and gates", endpoint="waves.show_all", permission=Permission.WAVE_VIEW, group=Group.STEER, order=20
    )
)

#: The warning that a plan or a date answers with a reason.
IN_BLACKOUT = "go_live_in_blackout"
_DONE = {
    "prepare": "The wave is being prepared.",
    "rehearse": "The rehearsal has begun: its cells take transactions in the rehearsal realm.",
    "end_rehearsal": "The rehearsal has ended.",
    "start_hypercare": "Hypercare has begun.",
    "cancel": "The wave is cancelled.",
}
WORDS: dict[str, Any] = {
    "WAVE_STATES": WAVE_STATES, "GRANT_STATES": GRANT_STATES, "PHASES": PHASES, "DECISION_KINDS": DECISION_KINDS,
    "decision_look": decision_look, "gate_word": gate_word, "short_day": short_day, "short_moment": short_moment,
    "worth_reasons": worth_reasons, "cell_look": cell_look, "process_name": process_name, "acting": acting,
}  # fmt: skip


@blueprint.get("/waves")
@require(Permission.WAVE_VIEW)
def show_all() -> str:
    page = waves_page(reader(), scope().programme)
    said = speech(page.names)
    today = local_day(now(), said.time_zone)
    return render_template(
        "waves/list.html", page=page, speech=said, today=today, picture=timeline(page, said, today),
        warnings=warnings(page.lines), sites_of=sites_of, channels_of=channels_of, when=when, **WORDS,
    )  # fmt: skip


@blueprint.get("/waves/<int:wave_id>")
@require(Permission.WAVE_VIEW)
def show(wave_id: int) -> str:
    return wave_html(wave_id)


def wave_html(wave_id: int, refused: str = "") -> str:
    """The page of one wave; ``refused`` is why the last step was not taken."""
    page = wave_page(reader(), wave_id, now())
    said = speech(page.names)
    today = local_day(now(), page.line.wave.time_zone)
    return render_template(
        "waves/show.html", page=page, wave=page.line.wave, line=page.line, speech=said, today=today, refused=refused,
        moves=moves(page, actor()), sites=sites_of(page.line.wave, said), channels=channels_of(page.line.wave, said),
        when=when(page.line, today), days_between=days_between, papers=papers(page, actor(), said),
        fallbacks=may_fall_back(page, actor(), said), questions=_questions(page),
        interim=interim_brief(reader(), page.line.wave, now()), **WORDS,
    )  # fmt: skip


def _questions(page: WavePage) -> dict[str, int]:
    """Open design questions by process, for who may read them."""
    return open_of_wave(reader(), actor(), page.line.wave) if actor().may(Permission.QUESTION_VIEW) else {}


def _wave(wave_id: int) -> WavePage:
    return wave_page(reader(), wave_id, now())


@blueprint.route("/waves/<int:wave_id>/steps/<move>", methods=["GET", "POST"])
@require(Permission.WAVE_VIEW)
def step(wave_id: int, move: str) -> Any:
    """Steps differ in who may take them; the flow says who, and the service asks."""
    if move not in BY_PERSON:
        raise NotFound("not_found")
    step_of = WAVE_FLOW.moves[move]
    actor().require(step_of.permission)
    page = _wave(wave_id)
    to = url_for("waves.show", wave_id=wave_id)
    if not step_of.reason_required:
        if StepForm().is_submitted():
            seen = seen_version()
            return take_step(
                lambda work: step_wave(work, wave_id, move, seen_version=seen), realm="live", done=_DONE[move], to=to,
                again=lambda why: wave_html(wave_id, why),
            )  # fmt: skip
        return redirect(to)
    form = StepForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            step_wave(work, wave_id, move, reason=str(form.reason.data), seen_version=seen_version())
        if form.accepted:
            flash(_DONE[move], "success")
            return redirect(to)
    return _step_page(page, form, title="End the rehearsal" if move == "end_rehearsal" else "Cancel the wave")


def _step_page(page: WavePage, form: StepForm, *, title: str, lead: str = "") -> Any:
    if not form.version.data:
        form.version.data = str(page.line.wave.version)
    return render_template("waves/step.html", wave=page.line.wave, form=form, title=title, lead=lead), form.status


@blueprint.route("/waves/<int:wave_id>/dates", methods=["GET", "POST"])
@require(Permission.WAVE_PLAN)
def dates(wave_id: int) -> Any:
    page, form = _wave(wave_id), DatesForm()
    wave = page.line.wave
    if form.validate_on_submit() and form.go_live_on.data and form.hypercare_until.data:
        command = DateWave(
            wave_id=wave_id, go_live_on=form.go_live_on.data, hypercare_until=form.hypercare_until.data,
            reason=str(form.reason.data), blackout_reason=form.accepted_warnings.get(IN_BLACKOUT), seen_version=seen_version(),
        )  # fmt: skip
        with form.refusals(), change() as work:
            date_wave(work, command)
        if form.accepted:
            flash("The dates have moved; decisions on earlier evidence still say what they said.", "success")
            return redirect(url_for("waves.show", wave_id=wave_id))
    if not form.is_submitted():
        form.go_live_on.data, form.hypercare_until.data = wave.go_live_on, wave.hypercare_until
        form.version.data = str(wave.version)
    return render_template(
        "waves/dates.html", wave=wave, form=form, windows=blackouts(reader(), wave.programme_id), short_day=short_day
    ), form.status


@blueprint.route("/waves/<int:wave_id>/roll-back", methods=["GET", "POST"])
@require(Permission.WAVE_ROLL_BACK)
def roll_back(wave_id: int) -> Any:
    page, form = _wave(wave_id), StepForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            golive.roll_back(work, wave_id, reason=str(form.reason.data))
        if form.accepted:
            flash("The wave is rolled back: its own grants drain, everything else stays open.", "success")
            return redirect(url_for("waves.show", wave_id=wave_id))
    lead = "What this wave opened drains: orders under way are finished, nothing new begins. What others opened stays open."
    return _step_page(page, form, title="Roll the wave back", lead=lead)
