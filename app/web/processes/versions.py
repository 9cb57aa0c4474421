"""A process by one of its versions: what it says, the next moves, and how a new version, a process or an owner comes to be."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.process_desk import begin_process, give_owner, known, take_set_over
from app.composition.request import change, reader
from app.queries.processes import people, people_here, version_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import choices
from app.web.processes.forms import MoveForm, OwnerForm, ProcessForm, StreamForm, TakeOverForm, VersionForm
from app.web.processes.presenters import KINDS, MOVES, STATES, lanes, open_moves
from app.web.processes.views import blueprint
from app.web.steps import seen_version
from erpcore.ports import POLICY_POINTS
from governance.processes.flow import VersionKind, VersionState
from governance.processes.queries import process as find_process
from governance.processes.queries import processes, streams
from governance.processes.services import (
    CreateProcess,
    CreateStream,
    DraftVersion,
    MoveVersion,
    create_stream,
    draft_version,
    move_on,
)
from readiness.measures.catalogue import MEASURES


@blueprint.get("/processes/<process>")
@require(Permission.PROCESS_VIEW)
def show(process: str) -> Any:
    """One process by the version that counts."""
    found = find_process(reader(), process)
    if found.current is None:
        names = people(reader(), [found.owner])
        return render_template("processes/none.html", process=found, owner=names.get(found.owner or 0))
    return _html(process, None, MoveForm())


@blueprint.route("/processes/<process>/versions/<int:number>", methods=["GET", "POST"])
@require(Permission.PROCESS_VIEW)
def show_version(process: str, number: int) -> Any:
    """One version, and what may be done with it."""
    row = version_page(reader(), process, number).version
    form = MoveForm()
    said = {name: done for name, _, done in MOVES}
    move = request.form.get("move", "")
    if form.validate_on_submit() and move in said:
        command = MoveVersion(
            version=row.id, move=move, reason=str(form.reason.data or ""), seen_version=seen_version()
        )
        with form.refusals(), change() as work:
            move_on(work, command)
        if form.accepted:
            flash(said[move], "success")
            return redirect(url_for("processes.show_version", process=process, number=number))
    return _html(process, number, form)


def _html(code: str, number: int | None, form: MoveForm) -> Any:
    page = version_page(reader(), code, number)
    found, row = page.process, page.version
    form.version.data = str(row.version)
    every = processes(reader())
    picture = lanes(found, page.content, {one.code: one.name for one in every}) if page.content.steps else None
    is_draft = row.state is VersionState.DRAFT
    names = people(reader(), [found.owner, row.author, row.approved_by])
    return render_template(
        "processes/show.html", page=page, process=found, row=row, content=page.content, form=form, states=STATES, kinds=KINDS,
        moves=open_moves(page, actor()), picture=picture, owner=names.get(found.owner or 0), names=names,
        may_write=is_draft and actor().may(Permission.PROCESS_WRITE), measures=MEASURES, points=POLICY_POINTS,
        is_current=found.current is not None and found.current.id == row.id,
    ), form.status  # fmt: skip


@blueprint.route("/processes/<process>/versions/new", methods=["GET", "POST"])
@require(Permission.PROCESS_WRITE)
def draft(process: str) -> Any:
    """Begin a new version, as another one stands or empty."""
    found = find_process(reader(), process)
    form = VersionForm()
    current = found.current
    form.based_on.choices = choices(
        [(0, "empty"), *((one.id, f"version {one.number}: {KINDS[one.kind]}, {STATES[one.state].text.lower()}") for one in found.versions)]
    )  # fmt: skip
    if form.validate_on_submit():
        command = DraftVersion(
            process=found.id, kind=VersionKind(form.kind.data), summary=str(form.summary.data),
            based_on=form.based_on.data or None,
        )  # fmt: skip
        with form.refusals(), change() as work:
            number = form.once(work, lambda: draft_version(work, command, known=known()).number)
        if form.accepted:
            flash("The draft is there. Write its steps, then hand it in.", "success")
            return redirect(url_for("processes.show_version", process=process, number=number))
    elif request.method == "GET" and current is not None:
        form.based_on.data = current.id
    return render_template(
        "processes/form.html", form=form, title=f"New version of {found.name}", send="Begin the draft",
        fields=("kind", "based_on", "summary"), back=url_for("processes.show", process=process), crumb=found.name,
        lead_text="Nothing changes for anybody until it is approved and put in force",
    ), form.status  # fmt: skip


@blueprint.route("/processes/new", methods=["GET", "POST"])
@require(Permission.PROCESS_MANAGE)
def begin() -> Any:
    """A new process."""
    form = ProcessForm()
    form.offer(streams(reader()), people_here(reader()))
    if form.validate_on_submit():
        command = CreateProcess(
            stream=form.stream.data, code=str(form.code.data), name=str(form.name.data), purpose=str(form.purpose.data or ""),
            owner=form.owner.data or None,
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: begin_process(work, command).id)
        if form.accepted:
            return redirect(url_for("processes.show", process=command.code))
    return render_template(
        "processes/form.html", form=form, title="New process", send="Set it up", back=url_for("processes.show_all"), crumb="",
        fields=("stream", "code", "name", "purpose", "owner"), lead_text="Its steps come with its first version",
    ), form.status  # fmt: skip


@blueprint.route("/processes/streams/new", methods=["GET", "POST"])
@require(Permission.PROCESS_MANAGE)
def begin_stream() -> Any:
    """A new value stream."""
    form = StreamForm()
    if form.validate_on_submit():
        command = CreateStream(code=str(form.code.data), name=str(form.name.data), purpose=str(form.purpose.data or ""))
        with form.refusals(), change() as work:
            form.once(work, lambda: create_stream(work, command).id)
        if form.accepted:
            flash("The value stream is there. Set up its processes.", "success")
            return redirect(url_for("processes.show_all"))
    return render_template(
        "processes/form.html", form=form, title="New value stream", send="Set it up", back=url_for("processes.show_all"),
        crumb="", fields=("code", "name", "purpose"), lead_text="What customers, suppliers or the books get in the end",
    ), form.status  # fmt: skip


@blueprint.route("/processes/<process>/owner", methods=["GET", "POST"])
@require(Permission.PROCESS_MANAGE)
def own(process: str) -> Any:
    """Say who answers for a process."""
    found = find_process(reader(), process)
    form = OwnerForm()
    form.owner.choices = choices([(0, "nobody for now"), *people_here(reader())])
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            give_owner(work, found.id, form.owner.data or None, reason=str(form.reason.data))
        if form.accepted:
            flash("The owner is set.", "success")
            return redirect(url_for("processes.show", process=process))
    elif request.method == "GET":
        form.owner.data = found.owner or 0
    return render_template(
        "processes/form.html", form=form, title=f"Owner of {found.name}", send="Set the owner", crumb=found.name,
        fields=("owner", "reason"), back=url_for("processes.show", process=process),
        lead_text="The owner approves the versions that others write",
    ), form.status  # fmt: skip


@blueprint.post("/processes/take-over")
@require(Permission.PROCESS_MANAGE)
def take_over() -> Any:
    """Begin with the distributor's set: a draft of each process."""
    form = TakeOverForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            take_set_over(work)
        if form.accepted:
            flash(
                "The set is here as drafts. Give each process its owner, hand the drafts in, and let them be approved.",
                "success",
            )
    for refusal in form.form_errors:
        flash(refusal, "warn")
    return redirect(url_for("processes.show_all"))
