"""Writing a draft: its steps one by one, their exception paths, and their order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.process_desk import known
from app.composition.request import change, reader
from app.queries.processes import VersionPage, version_page
from app.security.permissions import Permission
from app.security.require import require
from app.web.processes.forms import PathForm, StepForm
from app.web.processes.views import blueprint
from app.web.steps import seen_version
from erpcore.kernel.errors import NotFound
from governance.processes.content import ExceptionPath, Step
from governance.processes.flow import VersionState
from governance.processes.services import PutStep, put_step, remove_step, shift_step

_DRAFT = "/processes/<process>/versions/<int:number>"


def _address(page: VersionPage) -> str:
    return url_for("processes.show_version", process=page.process.code, number=page.version.number)


def _step_of(page: VersionPage, code: str) -> Step:
    found = page.content.step(code)
    if found is None:
        raise NotFound("process_step_not_found", step=code)
    return found


@blueprint.route(f"{_DRAFT}/steps/new", methods=["GET", "POST"])
@require(Permission.PROCESS_WRITE)
def add_step(process: str, number: int) -> Any:
    """A further step, at the end."""
    return _step_form(version_page(reader(), process, number), None)


@blueprint.route(f"{_DRAFT}/steps/<step>", methods=["GET", "POST"])
@require(Permission.PROCESS_WRITE)
def write_step(process: str, number: int, step: str) -> Any:
    """A step of a draft anew."""
    page = version_page(reader(), process, number)
    return _step_form(page, _step_of(page, step))


def _step_form(page: VersionPage, before: Step | None) -> Any:
    form = StepForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            command = PutStep(
                version=page.version.id, step=form.step(before), code=before.code if before else None,
                seen_version=seen_version(),
            )  # fmt: skip
            put_step(work, command, known=known())
        if form.accepted:
            flash(f"{form.name.data} is written.", "success")
            return redirect(_address(page))
    elif request.method == "GET":
        form.version.data = str(page.version.version)
        if before is not None:
            form.show(before)
    return render_template(
        "processes/step_form.html", form=form, page=page, before=before, back=_address(page),
        is_draft=page.version.state is VersionState.DRAFT,
    ), form.status  # fmt: skip


@blueprint.route(f"{_DRAFT}/steps/<step>/exceptions/new", methods=["GET", "POST"])
@require(Permission.PROCESS_WRITE)
def add_path(process: str, number: int, step: str) -> Any:
    """A further exception path of a step."""
    return _path_form(version_page(reader(), process, number), step, None)


@blueprint.route(f"{_DRAFT}/steps/<step>/exceptions/<path>", methods=["GET", "POST"])
@require(Permission.PROCESS_WRITE)
def write_path(process: str, number: int, step: str, path: str) -> Any:
    """An exception path anew, or away with it."""
    page = version_page(reader(), process, number)
    known_path = next((one for one in _step_of(page, step).exceptions if one.code == path), None)
    if known_path is None:
        raise NotFound("process_step_not_found", step=f"{step}, {path}")
    return _path_form(page, step, known_path)


def _path_form(page: VersionPage, code: str, before: ExceptionPath | None) -> Any:
    step, form = _step_of(page, code), PathForm()
    is_gone = before is not None and request.form.get("move") == "remove"
    if is_gone or form.validate_on_submit():
        others = list(step.exceptions)
        at = others.index(before) if before is not None else len(others)
        others[at : at + 1] = [] if is_gone else [form.path()]
        with form.refusals(), change() as work:
            changed = replace(step, exceptions=tuple(others))
            put_step(
                work, PutStep(version=page.version.id, step=changed, code=code, seen_version=seen_version()), known=known()
            )  # fmt: skip
        if form.accepted:
            flash("The exception path is gone." if is_gone else f"{form.name.data} is written.", "success")
            return redirect(_address(page))
    elif request.method == "GET":
        form.version.data = str(page.version.version)
        if before is not None:
            form.show(before)
    return render_template(
        "processes/path_form.html", form=form, page=page, step=step, before=before, back=_address(page)
    ), form.status


@blueprint.post(f"{_DRAFT}/steps/<step>/move")
@require(Permission.PROCESS_WRITE)
def move_step(process: str, number: int, step: str) -> Any:
    """Let a step stand earlier or later, or take it out."""
    page = version_page(reader(), process, number)
    form, move = StepForm(), request.form.get("move", "")
    with form.refusals(), change() as work:
        if move == "remove":
            remove_step(work, page.version.id, step, seen_version=seen_version())
        else:
            shift_step(work, page.version.id, step, -1 if move == "up" else 1, seen_version=seen_version())
    for refusal in form.form_errors:
        flash(refusal, "warn")
    return redirect(_address(page))
