"""A wave is planned and its plan changed; blackout windows; and what was live before the programme."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition import planning
from app.composition.request import change, now, reader
from app.queries.planning import PlanDesk, plan_desk
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.chosen import scope
from app.web.figures import counted
from app.web.forms import choices
from app.web.steering_words import short_day, speech
from app.web.steps import seen_version
from app.web.waves.forms import (
    EVERYBODY,
    AlreadyLiveForm,
    BlackoutForm,
    LiftForm,
    PlanForm,
    ReplanForm,
    scope_form,
)
from app.web.waves.presenters import timeline
from app.web.waves.views import IN_BLACKOUT, blueprint
from erpcore.kernel.clock import day_start, local_day
from erpcore.kernel.errors import NotFound
from erpcore.ports import Process
from readiness.waves.grants import RecordAlreadyLive
from readiness.waves.queries import WaveView
from readiness.waves.queries import wave as find_wave
from readiness.waves.services import BlackOut, PlanWave, ReplanWave, lift_blackout

#: Most waves are supported for four weeks.
_SUPPORT = timedelta(weeks=4)


def _desk(programme_id: int | None = None, *, besides: int | None = None) -> PlanDesk | None:
    """What a plan chooses among, in the programme asked for or chosen; ``None`` where there is no programme yet."""
    wanted = programme_id or asked_key("programme") or scope().programme
    try:
        return plan_desk(reader(), wanted, besides=besides)
    except NotFound:
        if wanted is not None:
            raise
        return None


def _no_programme() -> Any:
    return redirect(url_for("programme.show"))


@blueprint.route("/waves/new", methods=["GET", "POST"])
@require(Permission.WAVE_PLAN)
def plan() -> Any:
    desk = _desk()
    if desk is None:
        return _no_programme()
    form = scope_form(PlanForm, desk)
    if form.validate_on_submit():
        command = PlanWave(
            programme_id=desk.programme.id, code=form.code.data, name=form.name.data, owner=form.owner.data,
            time_zone=form.time_zone.data, go_live_on=form.go_live_on.data, hypercare_until=form.hypercare_until.data,
            depends_on=form.depends_on(), blackout_reason=form.accepted_warnings.get(IN_BLACKOUT), **form.scope(),
        )  # fmt: skip
        made = 0
        with form.refusals(), change() as work:
            made = form.once(work, lambda: planning.plan_wave(work, command).id)
        if form.accepted:
            flash(f"{command.code} is planned. Define its entry gate while it is prepared.", "success")
            return redirect(url_for("waves.show", wave_id=made))
    elif not form.is_submitted():
        _begin(form, desk)
    return _page(form, desk, None)


def _begin(form: Any, desk: PlanDesk) -> None:
    """What most plans begin with; everything may be changed."""
    form.code.data, form.owner.data = desk.next_code, actor().id
    form.processes.data = [process.value for process in Process]
    if desk.zones:
        form.time_zone.data = desk.zones[0]


@blueprint.route("/waves/<int:wave_id>/plan", methods=["GET", "POST"])
@require(Permission.WAVE_PLAN)
def replan(wave_id: int) -> Any:
    wave = find_wave(reader(), wave_id)
    desk = plan_desk(reader(), wave.programme_id, besides=wave_id)
    form = scope_form(ReplanForm, desk)
    if form.validate_on_submit():
        command = ReplanWave(
            wave_id=wave_id, name=form.name.data, owner=form.owner.data, depends_on=form.depends_on(),
            reason=form.reason.data, seen_version=seen_version(), **form.scope(),
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: planning.replan_wave(work, command).id)
        if form.accepted:
            flash("The plan has changed. Its dates stand; they move by a step of their own.", "success")
            return redirect(url_for("waves.show", wave_id=wave_id))
    elif not form.is_submitted():
        _fill(form, wave)
    return _page(form, desk, wave)


def _fill(form: Any, wave: WaveView) -> None:
    form.name.data, form.owner.data, form.version.data = wave.name, wave.owner, str(wave.version)
    form.cells.data = [f"{site}:{channel}" for site, channel in wave.cells]
    form.processes.data = list(wave.processes)
    form.whom.data = EVERYBODY if wave.customer_groups is None else "some"
    form.groups.data = list(wave.customer_groups or ())
    why = dict(wave.depends_on)
    for field in form.waits():
        field.data = why.get(int(field.name.removeprefix("waits_")), "")


def _page(form: Any, desk: PlanDesk, wave: WaveView | None) -> Any:
    said = speech(desk.waves.names)
    today = local_day(now(), said.time_zone)
    return render_template(
        "waves/plan.html", form=form, desk=desk, wave=wave, picture=timeline(desk.waves, said, today, key="plan"),
        support=_SUPPORT.days // 7, short_day=short_day,
    ), form.status  # fmt: skip


@blueprint.route("/waves/blackouts", methods=["GET", "POST"])
@require(Permission.WAVE_PLAN)
def blackouts() -> Any:
    desk, form = _desk(), BlackoutForm()
    if desk is None:
        return _no_programme()
    form.wave.choices = choices([(0, "The whole programme"), *((one.id, f"{one.code} alone") for one in desk.others)])
    if form.validate_on_submit() and form.starts_on.data and form.last_on.data:
        command = BlackOut(
            programme_id=desk.programme.id, name=str(form.name.data), starts_on=form.starts_on.data,
            ends_on=form.last_on.data + timedelta(days=1), wave_id=int(form.wave.data) or None,
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: planning.black_out(work, command))
        if form.accepted:
            flash(f"Nothing goes live in {command.name} without a reason.", "success")
            return redirect(url_for("waves.blackouts", programme=desk.programme.id))
    inside = {
        window.id: [
            one.code for one in desk.others
            if window.wave_id in {None, one.id} and window.starts_on <= one.go_live_on < window.ends_on and one.live_at is None
        ]
        for window in desk.waves.windows
    }  # fmt: skip
    codes = {one.id: one.code for one in desk.others}
    return render_template(
        "waves/blackouts.html",
        form=form,
        desk=desk,
        inside=inside,
        codes=codes,
        short_day=short_day,
        day=timedelta(days=1),
    ), form.status


@blueprint.route("/waves/blackouts/<int:window_id>/lift", methods=["GET", "POST"])
@require(Permission.WAVE_PLAN)
def lift(window_id: int) -> Any:
    desk, form = _desk(), LiftForm()
    if desk is None:
        return _no_programme()
    window = next((one for one in desk.waves.windows if one.id == window_id), None)
    if window is None:
        raise NotFound("blackout_not_found", window=window_id)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            lift_blackout(work, window_id, reason=str(form.reason.data))
        if form.accepted:
            flash(f"{window.name} is out of the calendar.", "success")
            return redirect(url_for("waves.blackouts", programme=desk.programme.id))
    return render_template("waves/lift.html", form=form, window=window, desk=desk, path=request.full_path), form.status


@blueprint.route("/waves/already-live", methods=["GET", "POST"])
@require(Permission.GRANT_ALREADY_LIVE)
def already_live() -> Any:
    """Cells that ran before the programme: the one grant that no vote gives."""
    desk, form = _desk(), AlreadyLiveForm()
    if desk is None:
        return _no_programme()
    form.cells.choices = choices((cell.value, cell.value) for cell in desk.cells())
    if form.validate_on_submit() and form.since.data:
        ticked = [str(value).split(":") for value in form.cells.data or ()]
        zone_name = desk.zones[0] if desk.zones else "UTC"
        command = RecordAlreadyLive(
            cells=tuple((int(site), int(channel)) for site, channel in ticked),
            processes=tuple(Process(value) for value in form.processes.data or ()), reason=str(form.reason.data),
            opens_at=day_start(form.since.data, zone_name),
        )  # fmt: skip
        count = 0
        with form.refusals(), change() as work:
            count = form.once(work, lambda: len(planning.record_already_live(work, desk.programme.id, command)))
        if form.accepted:
            flash(
                f"{counted(count, 'grant')} recorded as already live. Cells that were open stay as they are.", "success"
            )
            return redirect(url_for("programme.show_one", programme_id=desk.programme.id))
    return render_template("waves/already_live.html", form=form, desk=desk), form.status
