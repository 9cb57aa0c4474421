"""What a supervisor decides: pick waves, urgent orders, whose task it is, what goes first, what leaves the queue."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.carriers import collections_ahead
from app.queries.floor import (
    TaskFilter,
    floor_place,
    list_tasks,
    orders_by_number,
    people_of_floor,
    task_page,
    unplanned,
)
from app.queries.order_detail import steps_of
from app.queries.pick_waves import wave_page
from app.queries.shelves import locations_of
from app.reports.papers import location_labels, pick_list
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key, lacking
from app.web.floor.forms import AssignForm, PlanForm, PriorityForm, UrgentForm, WhyForm
from app.web.floor.views import blueprint, to_board
from app.web.forms import choices
from app.web.papers import paper_file
from app.web.steps import form_step, take_step
from erpcore.fulfilment.floor.flow import WAVE
from erpcore.fulfilment.floor.planning import pick_now
from erpcore.fulfilment.floor.tasks import assign_task, cancel_task, reprioritise_task
from erpcore.fulfilment.floor.waves import (
    PlanPickWave,
    cancel_pick_wave,
    interrupt_pick_wave,
    pick_method,
    plan_pick_wave,
    release_pick_wave,
    resume_pick_wave,
)
from erpcore.kernel.errors import NotFound

_WORDS = {"release": "Release", "interrupt": "Interrupt…", "resume": "Resume", "cancel": "Cancel…"}


@blueprint.route("/floor/<int:site_id>/waves/new", methods=["GET", "POST"])
@require(Permission.PICK_WAVE_PLAN)
def plan(site_id: int) -> Any:
    name, realm, _ = floor_place(reader(), actor(), site_id)
    form, ahead = PlanForm(), collections_ahead(reader(), site_id, now())
    form.service.choices = choices([(0, "any carrier"), *((one.service_id, one.service) for one in ahead)])
    if not form.is_submitted():
        form.service.data = asked_key("service") or 0
    if form.validate_on_submit():
        command = PlanPickWave(
            site=site_id, method=pick_method(str(form.method.data)), service=form.service.data or None,
            zone=form.zone.data or None, capacity=form.capacity.data or 1, totes=form.totes.data or 1,
        )  # fmt: skip
        wave = 0
        with form_step(form, realm=realm) as work:
            wave = form.once(work, lambda: plan_pick_wave(work, command, rules=rules(), cells=cells())[0].id)
        if form.accepted:
            flash("The pick wave is planned. Release it when its round may begin.", "success")
            return redirect(url_for("floor.wave", wave_id=wave))
    html = render_template(
        "floor/plan.html",
        site_id=site_id,
        name=name,
        form=form,
        realm=realm,
        open_=unplanned(reader(), site_id),
        ahead=ahead,
    )
    return html, form.status


@blueprint.route("/floor/<int:site_id>/urgent", methods=["GET", "POST"])
@require(Permission.PICK_WAVE_PLAN)
def urgent(site_id: int) -> Any:
    name, realm, _ = floor_place(reader(), actor(), site_id)
    form = UrgentForm()
    if form.validate_on_submit():
        numbers = [one.strip() for one in str(form.orders.data).split(",") if one.strip()]
        found = orders_by_number(reader(), actor(), site_id, numbers)
        missing = [one for one in numbers if one not in found]
        if missing:
            form.orders.errors, form.status = [f"There is no order {missing[0]} here."], 422
        else:
            with form_step(form, realm=realm) as work:
                form.once(
                    work,
                    lambda: pick_now(work, list(found.values()), site=site_id, rules=rules(), cells=cells())[0].id,
                )
        if form.accepted:
            flash("The orders are on the queue.", "success")
            return to_board(site_id)
    return render_template("floor/urgent.html", site_id=site_id, name=name, form=form, realm=realm), form.status


@blueprint.get("/floor/waves/<int:wave_id>")
@require(Permission.TASK_READ)
def wave(wave_id: int) -> str:
    return _wave_html(wave_id)


def _wave_html(wave_id: int, refused: str = "") -> str:
    card = wave_page(reader(), actor(), wave_id)
    tasks = list_tasks(reader(), actor(), TaskFilter(site=card.site_id, realm=card.realm, wave=wave_id), now())
    return render_template(
        "floor/wave.html", wave=card, tasks=tasks, moves=_wave_moves(card), refused=refused, at=now(), realm=card.realm,
        steps=steps_of(reader(), {"pick_wave": [wave_id]}),
    )  # fmt: skip


def _wave_moves(card: Any) -> list[dict[str, Any]]:
    permitted = actor().may(Permission.PICK_WAVE_PLAN)
    out = []
    for name, label in _WORDS.items():
        if card.state not in WAVE.moves[name].sources:
            continue
        if WAVE.moves[name].reason_required:
            where = {"href": url_for("floor.stop_wave", wave_id=card.id, move=name)}
        else:
            where = {"action": url_for("floor.step_wave", wave_id=card.id, move=name)}
        out.append(
            {
                "label": label, "permitted": permitted, "reason": lacking(Permission.PICK_WAVE_PLAN),
                "primary": name in ("release", "resume"), "danger": name == "cancel", **where,
            }
        )  # fmt: skip
    return out


@blueprint.post("/floor/waves/<int:wave_id>/<move>/go")
@require(Permission.PICK_WAVE_PLAN)
def step_wave(wave_id: int, move: str) -> Any:
    card = wave_page(reader(), actor(), wave_id)
    act = {"release": release_pick_wave, "resume": resume_pick_wave}.get(move)
    if act is None:
        raise NotFound("not_found")
    return take_step(
        lambda work: act(work, wave_id), realm=card.realm, done=f"{card.number}: its tasks are on the queue.",
        to=url_for("floor.wave", wave_id=wave_id), again=lambda why: _wave_html(wave_id, why),
    )  # fmt: skip


@blueprint.route("/floor/waves/<int:wave_id>/<move>/stop", methods=["GET", "POST"])
@require(Permission.PICK_WAVE_PLAN)
def stop_wave(wave_id: int, move: str) -> Any:
    card, form = wave_page(reader(), actor(), wave_id), WhyForm()
    act = {"interrupt": interrupt_pick_wave, "cancel": cancel_pick_wave}.get(move)
    if act is None:
        raise NotFound("not_found")
    if form.validate_on_submit():
        with form_step(form, realm=card.realm) as work:
            act(work, wave_id, str(form.reason.data))
        if form.accepted:
            flash(f"{card.number} is {'interrupted' if move == 'interrupt' else 'cancelled'}.", "success")
            return redirect(url_for("floor.wave", wave_id=wave_id))
    return render_template("floor/stop_wave.html", wave=card, form=form, move=move, realm=card.realm), form.status


@blueprint.get("/floor/tasks/<int:task_id>/manage")
@require(Permission.TASK_READ)
def manage(task_id: int) -> Any:
    return _manage(task_id)


def _manage(task_id: int, **forms: Any) -> Any:
    page = task_page(reader(), actor(), task_id, now())
    people = people_of_floor(reader(), page.card.site_id, now())
    given = {
        "assign": AssignForm(prefix="a-"),
        "priority": PriorityForm(prefix="p-"),
        "drop": WhyForm(prefix="c-"),
    } | forms
    given["assign"].person.choices = choices([(0, "whoever comes next"), *people])
    if not forms:
        given["assign"].person.data = page.card.owner_id or 0
        given["priority"].priority.data = page.card.priority
    status = max(form.status for form in given.values())
    html = render_template(
        "floor/manage.html", page=page, card=page.card, forms=given, at=now(), realm=page.realm,
        steps=steps_of(reader(), {"task": [task_id]}), may_assign=actor().may(Permission.TASK_ASSIGN),
        may_plan=actor().may(Permission.PICK_WAVE_PLAN), is_over=page.card.state in ("done", "cancelled"),
    )  # fmt: skip
    return html, status


@blueprint.post("/floor/tasks/<int:task_id>/assign")
@require(Permission.TASK_ASSIGN)
def assign(task_id: int) -> Any:
    page, form = task_page(reader(), actor(), task_id, now()), AssignForm(prefix="a-")
    people = people_of_floor(reader(), page.card.site_id, now())
    form.person.choices = choices([(0, "whoever comes next"), *people])
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            assign_task(work, task_id, form.person.data or None)
        if form.accepted:
            flash("The task is handed over.", "success")
            return redirect(url_for("floor.manage", task_id=task_id))
    return _manage(task_id, assign=form)


@blueprint.post("/floor/tasks/<int:task_id>/priority")
@require(Permission.TASK_ASSIGN)
def prioritise(task_id: int) -> Any:
    page, form = task_page(reader(), actor(), task_id, now()), PriorityForm(prefix="p-")
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            reprioritise_task(work, task_id, int(form.priority.data or 0), str(form.reason.data))
        if form.accepted:
            flash("The task has its new turn.", "success")
            return redirect(url_for("floor.manage", task_id=task_id))
    return _manage(task_id, priority=form)


@blueprint.post("/floor/tasks/<int:task_id>/cancel")
@require(Permission.PICK_WAVE_PLAN)
def cancel(task_id: int) -> Any:
    page, form = task_page(reader(), actor(), task_id, now()), WhyForm(prefix="c-")
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            cancel_task(work, task_id, str(form.reason.data))
        if form.accepted:
            flash("The task is off the queue; its lines can be planned anew.", "success")
            return to_board(page.card.site_id)
    return _manage(task_id, drop=form)


@blueprint.get("/floor/tasks/<int:task_id>/pick-list.pdf")
@require(Permission.TASK_READ)
def print_pick_list(task_id: int) -> Any:
    page = task_page(reader(), actor(), task_id, now())
    return paper_file(lambda: pick_list(page), back=url_for("floor.manage", task_id=task_id))


@blueprint.get("/floor/<int:site_id>/location-labels.pdf")
@require(Permission.STOCK_READ)
def print_location_labels(site_id: int) -> Any:
    floor_place(reader(), actor(), site_id)
    shelves = locations_of(reader(), actor(), site_id)
    return paper_file(lambda: location_labels(shelves), back=url_for("floor.board", site=site_id))
